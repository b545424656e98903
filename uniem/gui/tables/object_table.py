"""The table of the objects being proofread."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from qtpy.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPoint,
    Qt,
    Signal,
)
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QProgressBar,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from uniem.data.table import write_csv
from uniem.errors import UniemError
from uniem.gui.proofreading.object_edits import ObjectEdits
from uniem.gui.tables.csv_preview import CsvPreview
from uniem.gui.tables.object_model import (
    BOX,
    CLASS,
    COLOUR,
    COLUMNS,
    EDITED,
    ID,
    LOCKED,
    NAME,
    NOTE,
    SHOWN,
    SURE,
    VOLUME,
    VOXELS,
    ObjectModel,
)
from uniem.proofreading.finding import counted_voxel
from uniem.proofreading.object_csv import read_changes
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools import fields

_WIDTHS = {
    SHOWN: 50,
    COLOUR: 50,
    ID: 50,
    NAME: 64,
    VOXELS: 84,
    VOLUME: 76,
    LOCKED: 48,
    CLASS: 64,
    SURE: 48,
    NOTE: 80,
    EDITED: 64,
    BOX: 150,
}


class ObjectTableView(QWidget):
    """Find, name, lock, colour, show and hide objects; double-click goes to one.

    Signals: `jump_wanted(z, y, x)` in voxels; `chosen(label)`; `selection_changed`; `meshes_wanted`;
    `solo_wanted`, only the selected objects are to be drawn, or all again.
    """

    jump_wanted = Signal(float, float, float)
    chosen = Signal(object)
    selection_changed = Signal()
    meshes_wanted = Signal()
    solo_wanted = Signal()

    def __init__(self, show_error: Callable[[str], None]) -> None:
        super().__init__()
        self._show_error = show_error
        self._edits: ObjectEdits | None = None
        self._selected: list[int] | None = []
        self._scrolled_to = 0
        self.model = ObjectModel(show_error)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter by id, name, class or note")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self.model.set_filter)
        self._count = QLabel()
        self._count.setProperty("role", "quiet")
        self._counting = QProgressBar()
        self._counting.setMaximumHeight(6)
        self._counting.setTextVisible(False)
        self._counting.setRange(0, 1000)
        self._counting.hide()
        self.table = self._make_table()
        export = QToolButton()
        export.setText("CSV")
        export.setToolTip("Write the table into a CSV file, or take names, classes and notes from one")
        menu = QMenu(export)
        menu.addAction("Write the rows listed…", self._ask_export)
        menu.addAction("Take fields from a file…", self._ask_import)
        export.setMenu(menu)
        export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        bar = QHBoxLayout()
        bar.addWidget(self.filter, 1)
        bar.addWidget(self._count)
        bar.addWidget(export)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addLayout(bar)
        column.addWidget(self._counting)
        column.addWidget(self.table)
        for signal in (self.model.modelReset, self.model.layoutChanged):
            signal.connect(self._show_count)
        self._show_count()

    def set_edits(self, edits: ObjectEdits) -> None:
        """Offer in the menu what can be done to whole objects."""
        self._edits = edits

    @property
    def selected(self) -> list[int]:
        """The ids of the selected rows."""
        if self._selected is None:
            # By ranges: Qt needs minutes to list a million rows one by one.
            is_chosen = np.zeros(self.model.rowCount(), np.bool_)
            for each in self.table.selectionModel().selection():
                is_chosen[each.top() : each.bottom() + 1] = True
            self._selected = self.model.labels[is_chosen].tolist()
        return self._selected

    def set_session(self, session: ProofreadingSession | None) -> None:
        """List the objects of a session, or nothing."""
        self.model.set_session(session)
        self._show_count()

    def show_counting(self, part: float | None) -> None:
        """Show how much of the volume has been counted; None when it is done."""
        self._counting.setVisible(part is not None)
        self._counting.setValue(round(1000 * (part or 0.0)))
        self._show_count()

    def select(self, label: int) -> None:
        """Select an object and bring its row into view."""
        row = self.model.row_of(label)
        if row is not None:
            self.table.selectRow(row)
            self.table.scrollTo(self.model.index(row, ID))

    def export(self, path: Path) -> None:
        """Write the rows listed into a CSV file."""
        write_csv(self.model.table(), path)

    def take_csv(self, path: Path) -> None:
        """Show what a CSV file would change, and change it if the user agrees."""
        session = self.model.session
        if session is None or not session.objects.is_counted:
            self._show_error("Open labels for editing, and let their objects be counted first.")
            return
        try:
            change = read_changes(path, session.objects)
            edit = change.edit(path.name)
            if edit is None:
                self._show_error(f"{path.name} says nothing that is not so already.")
            elif CsvPreview(change, path.name, self).exec_() == QDialog.DialogCode.Accepted:
                session.apply(edit)
        except UniemError as error:
            self._show_error(str(error))

    def close_down(self) -> None:
        """Let go of the session."""
        self.model.set_session(None)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.model)
        table.setSortingEnabled(True)
        table.sortByColumn(ID, Qt.SortOrder.AscendingOrder)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(24)
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        for column, width in _WIDTHS.items():
            table.setColumnWidth(column, width)
        table.horizontalHeader().setHighlightSections(False)
        # With the table's own, the header would ask of each of a million rows whether it is selected.
        table.horizontalHeader().setSelectionModel(QItemSelectionModel(self.model, table))
        table.horizontalHeader().setStretchLastSection(True)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._show_menu)
        table.doubleClicked.connect(self._act_on)
        table.clicked.connect(lambda index: self.chosen.emit(self.model.label(index.row())))
        table.selectionModel().selectionChanged.connect(lambda *_: self._take_selection())
        self.model.modelAboutToBeReset.connect(lambda: self._remember(table))
        self.model.modelReset.connect(lambda: self._bring_back(table))
        return table

    def _take_selection(self) -> None:
        self._selected = None
        self.selection_changed.emit()

    def _remember(self, table: QTableView) -> None:
        """Keep which objects are selected, and the place in the list, while the rows change."""
        self._kept, self._scrolled_to = self.selected, table.verticalScrollBar().value()
        self._had_all = len(self._kept) == self.model.rowCount()

    def _bring_back(self, table: QTableView) -> None:
        rows = np.array([], np.intp)
        if self._kept and not self._had_all:
            rows = np.array(self.model.rows_of(self._kept), np.intp)
        self._selected = None
        if self._kept and self._had_all:
            table.selectAll()
        elif len(rows):
            last = len(COLUMNS) - 1
            chosen = QItemSelection()
            starts = np.concatenate([[0], np.flatnonzero(np.diff(rows) > 1) + 1])
            stops = np.append(starts[1:], len(rows)) - 1
            for top, bottom in zip(rows[starts].tolist(), rows[stops].tolist(), strict=True):
                chosen.append(QItemSelectionRange(self.model.index(top, 0), self.model.index(bottom, last)))
            table.selectionModel().select(chosen, QItemSelectionModel.SelectionFlag.Select)
        elif self._kept:
            self.selection_changed.emit()
        table.verticalScrollBar().setValue(self._scrolled_to)

    def _show_count(self) -> None:
        session = self.model.session
        if session is None:
            text = "no labels open for editing"
        elif not session.objects.is_counted:
            text = "counting…"
        else:
            text = f"{self.model.rowCount():,} of {len(session.objects):,}"
        self._count.setText(text)

    def _act_on(self, index: QModelIndex) -> None:
        label = self.model.label(index.row())
        if index.column() == COLOUR:
            self._ask_colour([label])
        elif index.column() in (ID, VOXELS, VOLUME):
            self._jump(label)

    def _show_menu(self, place: QPoint) -> None:
        if self.selected:
            self.menu().exec_(self.table.viewport().mapToGlobal(place))

    def menu(self) -> QMenu:
        """Return what can be done with the selected objects."""
        labels = self.selected
        menu = QMenu(self)
        menu.addAction("Go there", lambda: self._jump(labels[0]))
        menu.addAction("Show only these, or all again", self.solo_wanted.emit)
        menu.addAction("Show meshes", self.meshes_wanted.emit)
        menu.addSeparator()
        for title, make in (
            ("Show", fields.show),
            ("Hide", fields.hide),
            ("Lock", fields.lock),
            ("Unlock", fields.unlock),
        ):
            menu.addAction(title, functools.partial(self.model.change, make, labels))
        menu.addSeparator()
        menu.addAction("Colour…", lambda: self._ask_colour(labels))
        for column, title in ((CLASS, "Class"), (SURE, "Confidence"), (NOTE, "Note")):
            menu.addAction(f"{title}…", functools.partial(self._ask_said, column, title, labels))
        if self._edits is not None:
            menu.addSeparator()
            self._add_edits(menu, self._edits, len(labels))
        return menu

    def _add_edits(self, menu: QMenu, edits: ObjectEdits, count: int) -> None:
        if count > 1:
            menu.addAction(f"Merge {count} objects", edits.merge_selected)
        else:
            menu.addAction("Split into disconnected parts", edits.split_pieces)
            menu.addAction("Absorb small neighbours…", edits.absorb_small)
            menu.addAction("Relabel…", edits.relabel)
        menu.addAction("Delete", edits.delete)

    def _ask_said(self, column: int, title: str, labels: list[int]) -> None:
        row = self.model.row_of(labels[0])
        now = (
            self.model.data(self.model.index(row, column), Qt.ItemDataRole.EditRole)
            if row is not None
            else ""
        )
        text, is_wanted = QInputDialog.getText(
            self, title, f"{title} of {fields.listed(labels)}:", QLineEdit.EchoMode.Normal, now
        )
        if is_wanted:
            self.model.say(column, text, labels)

    def _ask_colour(self, labels: list[int]) -> None:
        colour = QColorDialog.getColor(QColor(*self.model.colour(labels[0])), self, "Colour")
        if colour.isValid():
            rgb = (colour.red(), colour.green(), colour.blue())
            self.model.change(lambda objects, ids: fields.recolour(objects, ids, rgb), labels)

    def _jump(self, label: int) -> None:
        session = self.model.session
        if session is None:
            return
        zyx = counted_voxel(session.objects, session.volume, label)
        if zyx is not None:
            self.jump_wanted.emit(*zyx)

    def _ask_import(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Take fields from a table", "", "Tables (*.csv)")
        if path:
            self.take_csv(Path(path))

    def _ask_export(self) -> None:
        if self.model.session is None:
            self._show_error("There are no objects to write: open labels for editing first.")
            return
        path, _ = QFileDialog.getSaveFileName(self, "Write objects", "objects.csv", "Tables (*.csv)")
        if not path:
            return
        try:
            self.export(Path(path))
        except UniemError as error:
            self._show_error(str(error))
