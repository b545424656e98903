"""A trained model on a card: what it does, how well, at which voxel size, a picture, and a way to use it."""

from __future__ import annotations

from datetime import datetime

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from uniem.data.model_folder import ModelFolder, ModelRecord
from uniem.errors import UniemError
from uniem.gui import model_words
from uniem.gui.elided_label import ElidedLabel
from uniem.gui.panels.picture import Picture
from uniem.networks.fold_report import FoldReport

LEAST_HEIGHT = 118


class ModelCard(QWidget):
    """Tell about one model; signal `use_wanted` when it is to be applied."""

    use_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[str, str] = {}
        self.use = QPushButton("Use for inference")
        self.use.setToolTip(
            "Open the panel that applies this model to a volume. Double-clicking it does the same."
        )
        self.use.clicked.connect(self.use_wanted)
        self.picture = Picture("input | truth | prediction")
        self._grid_holder = QWidget()
        self._grid = QGridLayout(self._grid_holder)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(1, 1)
        inside = QWidget()
        inner = QVBoxLayout(inside)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self._grid_holder)
        inner.addWidget(self.picture)
        inner.addStretch(1)
        # On a small screen the card scrolls rather than making the window higher.
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setMinimumHeight(LEAST_HEIGHT)
        self._area.setWidget(inside)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self._area)
        column.addWidget(self.use)

    def show_model(self, model: ModelFolder) -> None:
        """Show what is known of a model."""
        try:
            self.facts = facts_of(model)
        except UniemError as error:
            self.facts = {"Damaged": str(error)}
        while (item := self._grid.takeAt(0)) is not None:
            item.widget().hide()
            item.widget().deleteLater()
        for row, (name, text) in enumerate(self.facts.items()):
            title, value = QLabel(name), ElidedLabel()
            title.setProperty("role", "quiet")
            value.setText(text)
            self._grid.addWidget(title, row, 0)
            self._grid.addWidget(value, row, 1)
        self.picture.clear()
        if model.picture_path.is_file():
            self.picture.show_file(model.picture_path)


def facts_of(model: ModelFolder) -> dict[str, str]:
    """Return what a card says of a model, in order."""
    record = model.record
    facts = {
        "Finds": model_words.task_of(record),
        "Held out": model_words.scores_of(record) or "nothing was",
        **_folds(model),
        "Network": f"{model_words.network_of(record)}, {record.parameters / 1e6:.1f} M weights",
        "Voxels": _voxels(record),
        "Trained": f"{record.steps:,} steps, {record.seconds / 60:.1f} min",
    }
    if record.device:
        facts["Trained by"] = record.device
    try:
        when = datetime.fromtimestamp(model.record_path.stat().st_mtime).astimezone()
    except OSError:
        return facts
    return {**facts, "Date": f"{when:%Y-%m-%d %H:%M}"}


def _folds(model: ModelFolder) -> dict[str, str]:
    """Return what a card says of the folds that a model's folder holds."""
    report = FoldReport.of(model)
    if not report.folds:
        return {}
    f1 = report.spread("val_f1")
    return {"Folds": f"{len(report.folds)}{f', F1 {f1}' if f1 else ''}"}


def _voxels(record: ModelRecord) -> str:
    size = record.voxel_size
    return "×".join(f"{edge:g}" for edge in size) + " nm" if size else "size unknown"
