"""The panel of any training: what is asked for on one page, and how it goes on another."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QTabWidget, QWidget

from uniem import paths
from uniem.data.model_folder import ModelFolder
from uniem.errors import UniemError
from uniem.gui.forms.form import Form, MakeEditor
from uniem.gui.forms.section import TallArea
from uniem.gui.panels.pair_list import PairListEditor
from uniem.gui.panels.training_live import TrainingLive
from uniem.gui.panels.trying_panel import TryingPanel
from uniem.jobs.events import Phase
from uniem.jobs.queue import Job
from uniem.operations.outputs import path_of
from uniem.operations.parameters import defaults_of
from uniem.operations.registry import find


class LivePanel(TryingPanel):
    """Follow a training live, let it wait, and try it on the section in view."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.run_button.setText("Train")
        self.progress.cancel.setText("Stop")
        self.progress.cancel.setToolTip("End the training; the best model so far is kept.")
        self.try_button.setText("Try on this section")
        self.try_button.setToolTip("Apply the best weights so far to what is in view; the training goes on.")
        self.live.add_button(self.try_button)
        self.live.pause_wanted.connect(self._pause)

    def editors(self) -> dict[str, MakeEditor]:
        """Return what takes the place of usual editors: a list of further images and labels."""
        return {"further": lambda field: PairListEditor(field, self._workspace)}

    def make_form(self) -> Form:
        """Return the form of the parameters."""
        return Form(self.operation.parameters, editors=self.editors())

    def make_live(self) -> TrainingLive:
        """Return what shows how a training goes."""
        return TrainingLive()

    def make_middle(self, form_area: QWidget) -> QWidget:
        """Put the form and what is seen of a training on two pages."""
        self.live = self.make_live()
        self.curves = self.live.curves
        self.pages = QTabWidget()
        self.pages.setDocumentMode(True)
        self.pages.addTab(form_area, "Set-up")
        scroll = TallArea()
        scroll.setWidget(self.live)
        self.pages.addTab(scroll, "Progress")
        return self.pages

    def run(self) -> Job | None:
        """Start a training with an empty plot."""
        before = self.job
        job = super().run()
        if job is not None:
            if before is not None and before.status.phase is not Phase.ENDED:
                # Nothing here could let it go on any more.
                before.folder.ask_pause(False)
            self.live.begin()
            self.live.show_job(job)
            self.pages.setCurrentIndex(1)
        return job

    def trial_model(self) -> str:
        """Return a copy of the best weights so far, which the training does not touch any more."""
        job = self.job
        if job is None:
            raise UniemError("No network has been trained here yet.", "Press Train.")
        place = job.place_of("model")
        place = self.place_to_try(place) if place is not None else None
        if place is None or not ModelFolder.is_model(place):
            raise UniemError(
                "There are no weights to try yet.", "The first are kept when the network is judged first."
            )
        copy = paths.unused(paths.work_folder() / "trials" / "model")
        copy.mkdir(parents=True)
        source, target = ModelFolder(place), ModelFolder(copy)
        shutil.copyfile(source.weights_path, target.weights_path)
        shutil.copyfile(source.record_path, target.record_path)
        return str(copy)

    def place_to_try(self, place: Path) -> Path:
        """Return the folder of the weights to try, in the one that a training fills."""
        return place

    def trial_parameters(self) -> dict[str, Any]:
        """Return the usual parameters of an inference; beside a training it does without the GPU."""
        parameters = defaults_of(find("infer-2d").parameters)
        is_training = self.job is not None and self.job.status.phase is not Phase.ENDED
        return {**parameters, "device": "cpu"} if is_training else parameters

    def show_trial(self, job: Job) -> None:
        """Let one trial be made at a time."""
        has_ended = job.status.phase is Phase.ENDED
        self.try_button.setEnabled(has_ended)
        self.try_button.setText("Try on this section" if has_ended else "Trying…")
        if has_ended:
            shutil.rmtree(path_of(job.request.inputs["model"]), ignore_errors=True)

    def _show_job(self, job: Job) -> None:
        super()._show_job(job)
        self.live.show_job(job)

    def _pause(self, is_wanted: bool) -> None:
        if self.job is None or (self.job.status.phase is Phase.ENDED and is_wanted):
            return
        try:
            self.job.folder.ask_pause(is_wanted)
        except OSError as error:
            self.show_error(f"The training cannot be told: {error.strerror}.")
