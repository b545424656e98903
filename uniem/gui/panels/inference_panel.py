"""The panel of an inference: with Try here, which runs it on the part of the section in view."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QVBoxLayout, QWidget

from uniem.errors import UniemError
from uniem.gui.forms.form import Form
from uniem.gui.panels.ensemble_line import EnsembleLine
from uniem.gui.panels.model_list import ModelListEditor
from uniem.gui.panels.trying_panel import TryingPanel
from uniem.jobs.queue import Job


class InferencePanel(TryingPanel):
    """Say which networks predict, and offer a trial on the section in view before the whole volume."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.add_button(self.try_button)
        self.form.changed.connect(self._show_ensemble)
        self.inputs["model"].changed.connect(self._show_ensemble)
        self.ensemble.folds_wanted.connect(self._use_folds)
        self._show_ensemble()

    def make_form(self) -> Form:
        """Return the form of the parameters, with a list of further models."""
        editors = {"ensemble.further": lambda field: ModelListEditor(field, self._workspace)}
        return Form(self.operation.parameters, editors=editors)

    def make_parameters(self) -> QWidget:
        """Return the form below the line that says which networks predict."""
        self.ensemble = EnsembleLine()
        widget = QWidget()
        column = QVBoxLayout(widget)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.ensemble)
        column.addWidget(super().make_parameters())
        return widget

    def trial_model(self) -> str:
        """Return the model chosen."""
        location = self.inputs["model"].location
        if not location:
            raise UniemError("Choose the model.")
        return location

    def trial_parameters(self) -> dict[str, Any] | None:
        """Return what the form says."""
        parameters = self.parameters()
        return None if parameters is None else parameters.model_dump(mode="json")

    def show_trial(self, job: Job) -> None:
        """Follow the trial as a run."""
        self.job = job
        self._show_job(job)

    def _use_folds(self, is_wanted: bool) -> None:
        self.form.set_values({"ensemble": {"folds": is_wanted}})
        self._show_ensemble()

    def _show_ensemble(self) -> None:
        self.ensemble.show_ensemble(self.inputs["model"].location, self.form.values()["ensemble"])
