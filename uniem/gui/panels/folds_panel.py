"""The panel of a cross-validation: a training in folds, each of which can be looked at, and their report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from uniem.gui.panels.folds_live import FoldsLive
from uniem.gui.panels.plan_line import measuring
from uniem.gui.panels.training_live import TrainingLive
from uniem.gui.panels.training_panel import TrainingPanel
from uniem.jobs.request import JobRequest
from uniem.networks.fold_report import FOLDS
from uniem.operations.parameters import Parameters
from uniem.operations.registry import find

ALL_FOLDS = {"ensemble": {"folds": True, "further": "", "weights": ""}}


class FoldsPanel(TrainingPanel):
    """Set up a cross-validation, follow its folds, and go on with the networks of all of them."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.progress.cancel.setToolTip("End it here; the folds that are finished are kept, with a report.")
        self.try_button.setToolTip(
            "Apply the network of the latest fold to what is in view, at the end the best one's."
        )
        self.live.infer_wanted.connect(lambda model: self.apply_wanted.emit(model, ALL_FOLDS))

    def make_live(self) -> TrainingLive:
        """Return what shows how the folds go."""
        self.live = FoldsLive()
        return self.live

    def place_to_try(self, place: Path) -> Path:
        """Return the folder of the latest fold that was judged; of a finished run, the best fold's."""
        folds = place / FOLDS
        if not place.name.endswith(".part") or not folds.is_dir():
            return place
        judged = [each for each in folds.iterdir() if each.name.isdigit() and any(each.glob("*.json"))]
        return max(judged, key=lambda each: int(each.name), default=place)

    def request_to_measure(self, parameters: Parameters, inputs: dict[str, str], model: str) -> JobRequest:
        """Return a training of one network: those of the folds are all the same size."""
        operation = find("train-2d")
        values = measuring(parameters.model_dump(mode="json", exclude={"folds"}))
        return JobRequest(
            operation=operation.id,
            version=operation.version,
            parameters=values,
            inputs=inputs,
            outputs={"model": model},
        )
