"""The panel of an inference: with Try here, which runs it on the part of the section in view."""

from __future__ import annotations

from typing import Any

from uniem.errors import UniemError
from uniem.gui.panels.trying_panel import TryingPanel
from uniem.jobs.queue import Job


class InferencePanel(TryingPanel):
    """Offer a trial on the section in view before the whole volume."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.add_button(self.try_button)

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
