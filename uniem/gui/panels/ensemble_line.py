"""A line that says which networks will predict, and offers all folds of a model that has some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from uniem.data.model_folder import ModelFolder
from uniem.errors import UniemError
from uniem.gui.panels.model_list import SEPARATOR
from uniem.networks.fold_report import models_of

COMBINED = {"mean": "their mean", "majority": "the majority"}


class EnsembleLine(QWidget):
    """Tell how many networks predict; signal `folds_wanted(bool)`: all folds are to, or the best alone."""

    folds_wanted = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.words, self.switch = QLabel(), QPushButton()
        self.words.setProperty("role", "quiet")
        self.words.setWordWrap(True)
        self.switch.clicked.connect(lambda: self.folds_wanted.emit(not self._uses_folds))
        self._place, self._folds, self._uses_folds = "", 0, False
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 0, 0)
        row.addWidget(self.words, 1)
        row.addWidget(self.switch)

    def show_ensemble(self, place: str, values: dict[str, Any]) -> None:
        """Show what predicts with the model at a place and the parameters of an ensemble."""
        if place != self._place:
            self._place, self._folds = place, _folds_in(place)
        self._uses_folds = bool(values["folds"])
        further = sum(bool(part.strip()) for part in str(values["further"]).split(SEPARATOR))
        self.words.setText(self._told(further, COMBINED[values["combine"]]))
        self.switch.setVisible(self._folds > 0)
        self.switch.setText("Only the best fold" if self._uses_folds else f"Use all {self._folds} folds")
        self.setVisible(bool(place) and bool(self._folds or self._uses_folds or further))

    def _told(self, further: int, combined: str) -> str:
        if self._uses_folds and not self._folds:
            return "This model holds no folds: clear Folds under Ensemble, or choose another model."
        count = (self._folds if self._uses_folds else 1) + further
        if count > 1:
            return f"{count} networks predict together, by {combined}; that takes {count} times as long."
        return f"The best of {self._folds} folds predicts alone." if self._folds else "One network predicts."


def _folds_in(place: str) -> int:
    if not place or not ModelFolder.is_model(Path(place)):
        return 0
    try:
        return len(models_of(ModelFolder(Path(place))))
    except UniemError:
        return 0
