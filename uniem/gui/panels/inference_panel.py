"""The panel of an inference: with Try here, which runs it on the part of the section in view."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton

from uniem import paths
from uniem.data.geometry import Box
from uniem.data.store import create_store
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.gui.panels.naming import unused
from uniem.gui.panels.operation_panel import OperationPanel
from uniem.gui.panels.preview import Field
from uniem.jobs.events import Phase
from uniem.jobs.queue import Job

LARGEST_TRIAL = 1024


class InferencePanel(OperationPanel):
    """Offer a trial on the section in view before the whole volume.

    Signal: `tried(job, field)`, when a trial is done; its output is a probability map of that field.
    """

    tried = Signal(object, object)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.try_button = QPushButton("Try here")
        self.try_button.setToolTip("Run on the part of the section in view and draw the result over it.")
        self.try_button.clicked.connect(self._try_clicked)
        self.add_button(self.try_button)
        self._trials: dict[str, Field] = {}

    def try_here(self) -> Job | None:
        """Queue a run on a copy of what is in view; None, with a message, where that cannot be."""
        parameters, item, field = self.parameters(), self.inputs["image"].item, self._field_in_view()
        if parameters is None:
            return None
        if item is None or not isinstance(item.noun, Volume) or field is None:
            self.show_error("Show the image to try it on, and choose it above.")
            return None
        field = _limited(field, item.noun.shape)
        try:
            self._check_complete({"model": self.inputs["model"].location}, {})
            crop = unused(paths.work_folder() / "trials" / "section.zarr")
            self._write_crop(item.noun, field, crop)
            inputs = {"image": str(crop), "model": self.inputs["model"].location}
            outputs = {"result": str(unused(crop.with_name("result.zarr")))}
            job = self._queue.submit(self._request(parameters, inputs, outputs))
        except UniemError as error:
            self.show_error(str(error))
            return None
        except OSError as error:
            self.show_error(f"The section cannot be written: {error.strerror}.")
            return None
        self._trials[job.id] = field
        self.job = job
        self._show_job(job)
        return job

    def _try_clicked(self) -> None:
        self.try_here()

    def _follow(self, job: Job) -> None:
        super()._follow(job)
        if job.id in self._trials and job.status.phase is Phase.ENDED:
            field = self._trials.pop(job.id)
            if job.status.outputs:
                self.tried.emit(job, field)

    def _write_crop(self, image: Volume, field: Field, path: Any) -> None:
        box = Box((field.z, field.y[0], field.x[0]), (field.z + 1, field.y[1], field.x[1]))
        path.parent.mkdir(parents=True, exist_ok=True)
        store = create_store(path, box.shape, image.dtype, image.voxel_size, image.kind)
        store.write(Box.of_shape(box.shape), image.read(box))


def _limited(field: Field, shape: tuple[int, int, int]) -> Field:
    """Return the middle of a field, no larger than what a network does in seconds."""

    def cut(span: tuple[int, int], size: int) -> tuple[int, int]:
        low, high = max(0, span[0]), min(size, span[1])
        spare = max(0, high - low - LARGEST_TRIAL)
        return low + spare // 2, high - (spare - spare // 2)

    return Field(field.z, cut(field.y, shape[1]), cut(field.x, shape[2]))
