"""Further images with their labels: listed, added from what is open or on the disk, kept as a CSV file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from uniem import paths
from uniem.data.location import name_of_location
from uniem.data.table import Table, read_csv, write_csv
from uniem.errors import UniemError
from uniem.gui.forms.editors import Editor
from uniem.gui.panels.pickers import InputPicker
from uniem.operations.operation import Role
from uniem.operations.parameters import ParameterField
from uniem.workspace import Workspace

COLUMNS = {"image": str, "labels": str}
ROW_PX, MOST_ROWS = 22, 5
Pair = tuple[str, str]


class PairListEditor(Editor):
    """Hold the name of a file that lists pairs; adding or removing one writes another file.

    No file is ever changed: jobs may be waiting that read it, and it may be the user's own.
    """

    def __init__(self, field: ParameterField, workspace: Workspace) -> None:
        super().__init__()
        self._workspace, self._path = workspace, ""
        self.pairs: list[Pair] = []
        self.list, self.trouble = QListWidget(), QLabel()
        self.list.itemSelectionChanged.connect(self._dress)
        self.trouble.setProperty("role", "error")
        self.trouble.setWordWrap(True)
        self.add, self.remove = QToolButton(), QPushButton("Remove")
        self.add.setText("Add…")
        self.add.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.add)
        menu.addAction("Images and their labels…", self.ask)
        menu.addAction("A CSV file with the columns image and labels…", self._browse)
        self.add.setMenu(menu)
        self.remove.clicked.connect(self._remove)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.list, 0, 0, 1, 3)
        grid.addWidget(self.trouble, 1, 0, 1, 3)
        grid.addWidget(self.add, 2, 0)
        grid.addWidget(self.remove, 2, 1)
        grid.setColumnStretch(2, 1)
        self.setFocusProxy(self.add)
        self._show()

    def value(self) -> str:
        """Return the name of the file; empty where nothing is listed."""
        return self._path

    def set_value(self, value: Any) -> None:
        """Show what a file lists."""
        path = str(value or "").strip()
        if path == self._path:
            return
        self._path, self.pairs = path, []
        trouble = ""
        if path:
            try:
                rows = read_csv(Path(path).expanduser(), COLUMNS).records()
                self.pairs = [(str(row["image"]), str(row["labels"])) for row in rows]
            except (UniemError, KeyError) as error:
                trouble = str(error) if isinstance(error, UniemError) else f"{path} lacks the column {error}."
        self._show(trouble)

    def take(self, pair: Pair) -> None:
        """Add a pair, as the user does."""
        if pair not in self.pairs:
            self._keep([*self._absolute(), pair])

    def ask(self) -> None:
        """Ask for an image and its labels, and add them."""
        dialog = PairDialog(self._workspace, self)
        dialog.accepted.connect(lambda: self.take(dialog.pair))
        dialog.open()

    def _absolute(self) -> list[Pair]:
        """Return the pairs, no longer relative to the file they come from."""
        folder = Path(self._path).expanduser().parent
        return [(str(folder / image), str(folder / labels)) for image, labels in self.pairs]

    def _keep(self, pairs: list[Pair]) -> None:
        self.pairs, self._path = pairs, ""
        if pairs:
            text = "\n".join("|".join(pair) for pair in pairs)
            name = f"pairs-{hashlib.sha256(text.encode()).hexdigest()[:10]}.csv"
            path = paths.work_folder() / "pairs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_csv(Table(tuple(COLUMNS), tuple(pairs)), path)
            self._path = str(path)
        self._show()
        self.changed.emit()

    def _remove(self) -> None:
        chosen = {self.list.row(item) for item in self.list.selectedItems()}
        self._keep([pair for row, pair in enumerate(self._absolute()) if row not in chosen])

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a list of pairs", "", "Tables (*.csv)")
        if path:
            self.set_value(path)
            self.changed.emit()

    def _show(self, trouble: str = "") -> None:
        self.list.clear()
        for image, labels in self.pairs:
            item = QListWidgetItem(f"{name_of_location(image)}  ·  {name_of_location(labels)}")
            item.setToolTip(f"{image}\n{labels}")
            self.list.addItem(item)
        self.trouble.setText(trouble)
        self.trouble.setVisible(bool(trouble))
        self._dress()

    def _dress(self) -> None:
        self.list.setVisible(bool(self.pairs))
        self.list.setFixedHeight(ROW_PX * min(max(len(self.pairs), 1), MOST_ROWS) + 6)
        self.remove.setVisible(bool(self.list.selectedItems()))


class PairDialog(QDialog):
    """Ask for an image and its labels."""

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Add images and labels")
        self.pickers = {role: InputPicker(role, workspace) for role in (Role.IMAGE, Role.LABELS)}
        self.buttons = QDialogButtonBox()
        for button in (QDialogButtonBox.StandardButton.Ok, QDialogButtonBox.StandardButton.Cancel):
            self.buttons.addButton(button)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.addRow("Image", self.pickers[Role.IMAGE])
        form.addRow("Labels", self.pickers[Role.LABELS])
        words = QLabel("Another volume or picture of the same kind, and what is painted in it.")
        words.setProperty("role", "quiet")
        words.setWordWrap(True)
        column = QVBoxLayout(self)
        column.addWidget(words)
        column.addLayout(form)
        column.addWidget(self.buttons)
        for picker in self.pickers.values():
            picker.changed.connect(self._dress)
            self.finished.connect(picker.close_down)
        self._dress()
        self.resize(460, self.sizeHint().height())

    @property
    def pair(self) -> Pair:
        """The locations chosen."""
        return self.pickers[Role.IMAGE].location, self.pickers[Role.LABELS].location

    def _dress(self) -> None:
        ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        assert ok is not None
        ok.setEnabled(all(self.pair))
