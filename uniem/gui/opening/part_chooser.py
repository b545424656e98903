"""The question which of several volumes in a file or folder to open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from uniem.data.formats.contents import Part

COLUMNS = ("Name", "Size (z × y × x)", "Type")


class PartList(QTreeWidget):
    """Volumes with a tick, their size and their type; Space ticks."""

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderLabels(COLUMNS)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAlternatingRowColors(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.header().setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        self.header().setStretchLastSection(False)
        self._parts: list[Part] = []

    @property
    def parts(self) -> list[Part]:
        """All that are listed."""
        return list(self._parts)

    @property
    def current(self) -> Part | None:
        """The part of the row that the keyboard is on."""
        place = self.indexOfTopLevelItem(self.currentItem()) if self.currentItem() else -1
        return self._parts[place] if place >= 0 else None

    @property
    def ticked(self) -> list[Part]:
        """The parts that are ticked."""
        return [part for part, row in zip(self._parts, self._rows(), strict=True) if _is_ticked(row)]

    def set_parts(self, parts: Sequence[Part]) -> None:
        """List parts, ticked as is usual."""
        self.blockSignals(True)
        self.clear()
        self._parts = list(parts)
        for part in parts:
            row = QTreeWidgetItem([part.name, " × ".join(f"{n:,}" for n in part.shape), part.dtype])
            row.setToolTip(0, part.location)
            row.setFlags(row.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            row.setCheckState(0, Qt.CheckState.Checked if part.is_usual else Qt.CheckState.Unchecked)
            self.addTopLevelItem(row)
        self.blockSignals(False)
        ticked = next((place for place, part in enumerate(parts) if part.is_usual), 0)
        self.setCurrentItem(self.topLevelItem(ticked))

    def tick_all(self, is_wanted: bool = True) -> None:
        """Tick all, or none."""
        for row in self._rows():
            row.setCheckState(0, Qt.CheckState.Checked if is_wanted else Qt.CheckState.Unchecked)

    def tick_only(self, row: QTreeWidgetItem) -> None:
        """Tick no other row."""
        for other in self._rows():
            if other is not row and _is_ticked(other):
                other.setCheckState(0, Qt.CheckState.Unchecked)

    def _rows(self) -> list[QTreeWidgetItem]:
        return [self.topLevelItem(place) for place in range(self.topLevelItemCount())]


class PartDialog(QDialog):
    """Ask which of several volumes to open; several may be chosen, or only one where `is_single`."""

    def __init__(self, name: str, parts: Sequence[Part], parent: QWidget, is_single: bool = False) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Open {name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        heading = QLabel(f"{name} holds {len(parts):,} volumes. {'Take one' if is_single else 'Open'}:")
        heading.setWordWrap(True)
        self.list = PartList()
        self._is_single = is_single
        self.list.set_parts(_with_one(parts) if is_single else parts)
        self.list.itemChanged.connect(self._check)
        self.list.itemActivated.connect(self._open_one)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.open_button = self.buttons.addButton(
            "Take" if is_single else "Open", QDialogButtonBox.ButtonRole.AcceptRole
        )
        self.open_button.setDefault(True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        bottom = QHBoxLayout()
        for text, is_wanted in (("All", True), ("None", False)):
            button = QPushButton(text)
            button.setAutoDefault(False)
            button.setVisible(not is_single)
            button.clicked.connect(lambda _=False, wanted=is_wanted: self.list.tick_all(wanted))
            bottom.addWidget(button)
        bottom.addWidget(self.buttons, 1)
        column = QVBoxLayout(self)
        column.addWidget(heading)
        column.addWidget(self.list)
        column.addLayout(bottom)
        self.resize(620, min(520, 190 + 24 * len(parts)))
        self._check()
        self.list.setFocus()

    @property
    def chosen(self) -> list[str]:
        """The locations that are ticked."""
        return [part.location for part in self.list.ticked]

    def _check(self, row: QTreeWidgetItem | None = None, *_: object) -> None:
        if self._is_single and row is not None and _is_ticked(row):
            self.list.tick_only(row)
        self.open_button.setEnabled(bool(self.list.ticked))

    def _open_one(self, row: QTreeWidgetItem) -> None:
        """Open what Enter or a double click was made on, with what is ticked."""
        if not _is_ticked(row):
            row.setCheckState(0, Qt.CheckState.Checked)
        self.accept()


def _with_one(parts: Sequence[Part]) -> list[Part]:
    """Return parts of which only the first that is usual, or else the first, will be ticked."""
    first = next((place for place, part in enumerate(parts) if part.is_usual), 0)
    return [replace(part, is_usual=place == first) for place, part in enumerate(parts)]


def _is_ticked(row: QTreeWidgetItem) -> bool:
    return bool(row.checkState(0) == Qt.CheckState.Checked)
