"""A panel with Try here, which applies a network to the part of the section in view and nothing else."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton

from uniem import paths
from uniem.data.geometry import Box
from uniem.data.store import create_store
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.gui import job_words
from uniem.gui.panels.operation_panel import OperationPanel
from uniem.gui.panels.preview import Field
from uniem.jobs.events import Ending, Phase
from uniem.jobs.queue import Job
from uniem.jobs.request import JobRequest
from uniem.operations.registry import find

LARGEST_TRIAL = 1024


class TryingPanel(OperationPanel):
    """Offer a trial on the section in view.

    Signals
    -------
    tried : Job, Field
        A trial is done; its output is what the network finds in that field.
    apply_wanted : str, dict
        The model at a location is to be applied to a volume, with such parameters.
    """

    tried = Signal(object, object)
    apply_wanted = Signal(str, dict)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.try_button = QPushButton("Try here")
        self.try_button.setToolTip("Run on the part of the section in view and draw the result over it.")
        self.try_button.clicked.connect(self._try_clicked)
        self._trials: dict[str, Field] = {}

    # Abstract by hand: the metaclass of Qt's classes does not mix with that of abc.
    def trial_model(self) -> str:
        """Return the folder of the model to try; raise where there is none."""
        raise NotImplementedError

    def trial_parameters(self) -> dict[str, Any] | None:
        """Return how the network is applied; None, with messages in the panel, where something is wrong."""
        raise NotImplementedError

    def show_trial(self, job: Job) -> None:
        """Tell how far a trial is."""
        raise NotImplementedError

    def try_here(self) -> Job | None:
        """Queue a run on a copy of what is in view; None, with a message, where that cannot be."""
        parameters, item, field = self.trial_parameters(), self.inputs["image"].item, self._field_in_view()
        if parameters is None:
            return None
        if item is None or not isinstance(item.noun, Volume) or field is None:
            self.show_error("Show the image to try it on, and choose it above.")
            return None
        field = _limited(field, item.noun.shape)
        try:
            request = self._trial_of(parameters, item.noun, field)
            job = self._queue.submit(request)
        except UniemError as error:
            self.show_error(str(error))
            return None
        except OSError as error:
            self.show_error(f"The trial cannot be prepared: {error.strerror}.")
            return None
        self._trials[job.id] = field
        self.show_trial(job)
        return job

    def _trial_of(self, parameters: dict[str, Any], image: Volume, field: Field) -> JobRequest:
        model = self.trial_model()
        crop = paths.unused(paths.work_folder() / "trials" / "section.zarr")
        _write_crop(image, field, crop)
        operation = find("infer-2d")
        return JobRequest(
            operation=operation.id,
            version=operation.version,
            parameters=parameters,
            inputs={"image": str(crop), "model": model},
            outputs={"result": str(paths.unused(crop.with_name("result.zarr")))},
        )

    def _try_clicked(self) -> None:
        self.show_error("")
        self.try_here()

    def _follow(self, job: Job) -> None:
        super()._follow(job)
        if job.id not in self._trials:
            return
        self.show_trial(job)
        if job.status.phase is Phase.ENDED:
            field = self._trials.pop(job.id)
            if job.status.outputs:
                self.tried.emit(job, field)
            elif job.status.ending is not Ending.CANCELLED:
                self.show_error(job_words.explanation_of(job.status))


def _write_crop(image: Volume, field: Field, path: Any) -> None:
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
