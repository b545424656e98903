"""What is seen of a cross-validation while it runs and at its end: fold by fold, and all of them together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from statistics import mean, stdev

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
)

from uniem.data.model_folder import ModelFolder
from uniem.errors import UniemError
from uniem.gui.forms.editors import QuietComboBox
from uniem.gui.model_words import grade_of_folds, verdict_of_folds
from uniem.gui.panels.curves import Curves
from uniem.gui.panels.training_live import TrainingLive
from uniem.jobs.events import JobStatus, Phase
from uniem.jobs.queue import Job
from uniem.networks.fold_report import FoldReport

ALL = "All folds"
COMPARED = ("loss", "val_f1")
# Titles of columns, the scores they show, and with how many digits.
COLUMNS = (
    ("F1", "val_f1", 3),
    ("Jaccard", "val_jaccard", 3),
    ("Best step", "step", 0),
    ("Minutes", "minutes", 1),
)
ROW_PX, MOST_ROWS = 22, 8


class FoldsLive(TrainingLive):
    """Follow the folds; signal `infer_wanted(location)` when all of them are to be applied together."""

    infer_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.shown = QuietComboBox()
        self.shown.setToolTip("Whose curves are drawn; the fold that is being trained, until you choose.")
        self.shown.activated.connect(self._choose)
        self.table = QTableWidget(0, 1 + len(COLUMNS))
        self.infer = QPushButton("Infer with all folds")
        self.infer.setToolTip("Open the panel that applies all these networks together, as an ensemble.")
        self.infer.clicked.connect(lambda: self.infer_wanted.emit(self._model))
        self._model, self._told = "", -1
        self._is_chosen = False
        self._curves: dict[int, Curves] = {}
        self._arrange()

    def begin(self) -> None:
        """Forget the folds before."""
        super().begin()
        self.shown.clear()
        self._is_chosen, self._told, self._curves = False, -1, {}
        self.table.hide()
        self.infer.hide()

    def show_job(self, job: Job) -> None:
        """Show how far the folds are, and those that are finished in a table."""
        has_ended = job.status.phase is Phase.ENDED
        self._curves = by_fold(job.status.metrics)
        self._offer_folds(int(job.request.parameters["folds"]), has_ended)
        super().show_job(job)
        finished = len(self._curves) if has_ended else max(len(self._curves) - 1, 0)
        if has_ended or finished != self._told:
            self._told = finished
            self._show_report(job, has_ended, finished)

    def show_curves(self, status: JobStatus) -> None:
        """Draw the fold that is chosen, or loss and F1 of all of them."""
        number = self.shown.currentData()
        self.curves.show_curves(self._curves.get(number, {}) if number else compared(self._curves))

    def verdict(self, job: Job) -> tuple[str, str]:
        """Return a sentence on how good the folds are, and the role of its colour."""
        report = _report_of(job)
        if report is None or not report.folds:
            return super().verdict(job)
        return verdict_of_folds(report), "good" if grade_of_folds(report) else ""

    def step_of(self, status: JobStatus) -> int:
        """Return the latest step of the fold that is being trained."""
        latest = self._curves.get(max(self._curves, default=0), {})
        return max((points[-1][0] for points in latest.values() if points), default=0)

    def place_of(self, status: JobStatus) -> str:
        """Return which fold is being trained."""
        return f"fold {max(self._curves, default=1)} of {self.shown.count() - 1}"

    def _arrange(self) -> None:
        self.infer.hide()
        self.table.hide()
        self.table.setHorizontalHeaderLabels(["Fold", *(title for title, _, _ in COLUMNS)])
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        row = QHBoxLayout()
        row.addWidget(QLabel("Curves of"))
        row.addWidget(self.shown)
        row.addStretch(1)
        self.add_above_curves(self.table)
        self.add_above_curves(row)
        self.add_button(self.infer)

    def _offer_folds(self, folds: int, has_ended: bool) -> None:
        if self.shown.count() != folds + 1:
            self.shown.clear()
            self.shown.addItem(ALL, 0)
            for number in range(1, folds + 1):
                self.shown.addItem(f"Fold {number}", number)
        if not self._is_chosen:
            self.shown.setCurrentIndex(0 if has_ended else max(self._curves, default=1))

    def _choose(self) -> None:
        self._is_chosen = True
        number = self.shown.currentData()
        self.curves.show_curves(self._curves.get(number, {}) if number else compared(self._curves))

    def _show_report(self, job: Job, has_ended: bool, finished: int) -> None:
        report = _report_of(job)
        folds = (report.folds if has_ended else report.folds[:finished]) if report else ()
        self.table.setVisible(bool(folds))
        self._model = str(job.place_of("model") or "")
        self.infer.setVisible(has_ended and len(folds) > 1)
        rows = rows_of(FoldReport(folds, len(folds)))
        self.table.setRowCount(len(rows))
        for place, texts in enumerate(rows):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                self.table.setItem(place, column, item)
        height = self.table.horizontalHeader().sizeHint().height() + ROW_PX * min(len(rows), MOST_ROWS) + 4
        self.table.setFixedHeight(height)


def by_fold(metrics: Curves) -> dict[int, Curves]:
    """Return the curves of each fold, under the names they have in a single training."""
    found: dict[int, dict[str, tuple[tuple[int, float], ...]]] = {}
    for name, points in metrics.items():
        match = re.fullmatch(r"fold_(\d+)_(\w+)", name)
        if match:
            found.setdefault(int(match[1]), {})[match[2]] = points
    return dict(sorted(found.items()))


def compared(folds: Mapping[int, Curves]) -> Curves:
    """Return the loss and the F1 score of all folds."""
    return {
        f"{name} {number}": curves[name]
        for name in COMPARED
        for number, curves in folds.items()
        if name in curves
    }


def rows_of(report: FoldReport) -> list[list[str]]:
    """Return the table's texts: a row per fold, then the mean and the standard deviation."""
    rows: list[tuple[str, Mapping[str, float]]] = [
        (str(number), fold) for number, fold in enumerate(report.folds, 1)
    ]
    if len(report.folds) > 1:
        columns = {name: report.values(name) for _, name, _ in COLUMNS if report.values(name)}
        rows.append(("Mean", {name: mean(column) for name, column in columns.items()}))
        spreads = {name: stdev(column) for name, column in columns.items() if len(column) > 1}
        rows.append(("± SD", spreads))
    return [
        [title, *(f"{row[name]:.{digits}f}" if name in row else "" for _, name, digits in COLUMNS)]
        for title, row in rows
    ]


def _report_of(job: Job) -> FoldReport | None:
    """Read the report off the models that are there; None while there are none."""
    place = job.place_of("model")
    if place is None:
        return None
    try:
        return FoldReport.of(ModelFolder(place), int(job.request.parameters["folds"]))
    except (UniemError, OSError):
        return None
