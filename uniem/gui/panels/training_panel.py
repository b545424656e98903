"""The panel of a training from the start: a simple and an advanced page, and what it will cost."""

from __future__ import annotations

import math
import shutil
from typing import Any

from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QWidget

from uniem import paths
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.gui.forms.form import Form
from uniem.gui.panels.live_panel import LivePanel
from uniem.gui.panels.patch_window import PatchWindow, Source
from uniem.gui.panels.plan_line import measured_speed, measuring
from uniem.gui.panels.training_setup import SECTIONS, TrainingSetup
from uniem.jobs.events import Phase
from uniem.jobs.queue import Job
from uniem.jobs.request import JobRequest
from uniem.networks.settings import TrainingSettings
from uniem.operations.outputs import path_of
from uniem.operations.parameters import Parameters

# Steps after which the speed of a training is known.
TELLING_STEP = 12
# Labels up to this size are looked through whenever the panel comes into view: they may have been painted.
QUICKLY_SEEN_VOXELS = 300_000_000


class TrainingPanel(LivePanel):
    """Set up a training, look at patches and what it will cost, and follow it live."""

    def __init__(self, *arguments: Any) -> None:
        self._measurement: Job | None = None
        self._timed: set[str] = set()
        super().__init__(*arguments)
        self.window_of_patches = PatchWindow(self._patch_source, self)
        self.setup.measure_wanted.connect(self.measure)
        self.setup.patches_wanted.connect(self.window_of_patches.open_beside)
        self.setup.changed.connect(self.window_of_patches.refresh)
        self.inputs["image"].changed.connect(self.window_of_patches.refresh)
        self.inputs["labels"].changed.connect(self._look_at_labels)
        self.outputs["model"].changed.connect(self._plan)
        self._plan()
        self._look_at_labels()

    def make_form(self) -> Form:
        """Return the form of the parameters, in sections."""
        return Form(self.operation.parameters, sections=SECTIONS, editors=self.editors())

    def make_parameters(self) -> QWidget:
        """Return both pages of the parameters."""
        self.setup = TrainingSetup(self.form, self.operation.parameters, self._settings, self.editors())
        return self.setup

    def close_down(self) -> None:
        """Stop listening and computing."""
        self.setup.close_down()
        self.window_of_patches.close_down()
        super().close_down()

    def showEvent(self, event: QShowEvent) -> None:
        """Look at the labels as they are now, unless that takes long."""
        super().showEvent(event)
        noun = self._volume("labels")
        if noun is not None and math.prod(noun.shape) <= QUICKLY_SEEN_VOXELS:
            self._look_at_labels()

    def run(self) -> Job | None:
        """Choose for the user who left it to us, and start."""
        self.setup.prepare()
        return super().run()

    def measure(self) -> None:
        """Train a few steps, in a process of their own, to know how fast it goes."""
        parameters = self.parameters()
        if parameters is None:
            return
        inputs = {name: picker.location for name, picker in self.inputs.items()}
        place = paths.unused(paths.work_folder() / "trials" / "measured")
        try:
            self._check_complete(inputs, {})
            self.before_run.emit(list(inputs.values()))
            request = self.request_to_measure(parameters, inputs, str(place))
            place.parent.mkdir(parents=True, exist_ok=True)
            self._measurement = self._queue.submit(request)
        except UniemError as error:
            self.show_error(str(error))
            return
        self.setup.measure.setEnabled(False)
        self.setup.plan.show_note("Measuring: a few steps of this training…")

    def request_to_measure(self, parameters: Parameters, inputs: dict[str, str], model: str) -> JobRequest:
        """Return what trains a few steps and leaves a model that nobody wants."""
        request = self._request(parameters, inputs, {"model": model})
        return request.model_copy(update={"parameters": measuring(request.parameters)})

    def _show_job(self, job: Job) -> None:
        super()._show_job(job)
        step = max((points[-1][0] for points in job.status.metrics.values() if points), default=0)
        if job.id not in self._timed and step >= TELLING_STEP and self._note_speed(job):
            self._timed.add(job.id)

    def _follow(self, job: Job) -> None:
        super()._follow(job)
        if self._measurement is None or job.id != self._measurement.id or job.status.phase is not Phase.ENDED:
            return
        self._measurement = None
        self.setup.measure.setEnabled(True)
        self._note_speed(job)
        self.setup.refresh()
        shutil.rmtree(path_of(job.request.outputs["model"]), ignore_errors=True)
        if job.status.error:
            self.show_error(f"{job.status.error} {job.status.hint}".strip())

    def _note_speed(self, job: Job) -> bool:
        settings = TrainingSettings.model_validate(
            {name: job.request.parameters[name] for name in TrainingSettings.model_fields}
        )
        speed = measured_speed(job, settings)
        if speed is not None:
            self.setup.speeds.note(settings.network.kind, speed)
        return speed is not None

    def _suggest_outputs(self) -> None:
        super()._suggest_outputs()
        self._plan()

    def _plan(self) -> None:
        self.setup.plan_for(path_of(self.outputs["model"].location or str(paths.work_folder())))

    def _look_at_labels(self) -> None:
        self.setup.look_at(self._volume("labels"))

    def _volume(self, name: str) -> Volume | None:
        item = self.inputs[name].item
        return item.noun if item is not None and isinstance(item.noun, Volume) else None

    def _patch_source(self) -> Source | str:
        image, labels, settings = self._volume("image"), self._volume("labels"), self.setup.settings_now()
        if image is None or labels is None:
            return "Open images and labels, and choose them in the panel."
        if settings is None:
            return "Some parameters do not go together: correct those that are marked."
        return Source(image, labels, settings)
