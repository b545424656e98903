"""The objects of a session as rows that sort and filter fast, and are edited through the session."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, QTimer
from qtpy.QtGui import QColor

from uniem.data.palette import colour_of
from uniem.data.table import Table
from uniem.errors import UniemError
from uniem.gui.proofreading.history_model import when
from uniem.gui.tables.column_model import plain_number
from uniem.proofreading import object_order as order
from uniem.proofreading.edits import Edit
from uniem.proofreading.object_csv import table_of
from uniem.proofreading.object_search import matching, places_of
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tally import Columns
from uniem.proofreading.tools import fields


class Column(NamedTuple):
    """A column: its title and tooltip, and by what it is put in order."""

    title: str
    tip: str
    by: str


COLUMNS = (
    Column("Shown", "Click to show or hide", "visible"),
    Column("Colour", "Double-click to change; sorted, those whose colour was chosen come together", "colour"),
    Column("ID", "Double-click to go there", order.ID),
    Column("Name", "Double-click to name", "name"),
    Column("Voxels", "Double-click to go there", order.VOXELS),
    Column("µm³", "The volume; point at one for nm³, double-click to go there", order.VOXELS),
    Column("Locked", "Click to lock: no tool changes a locked object", "locked"),
    Column("Class", "Double-click to say which kind of thing it is", "class_name"),
    Column("Sure %", "Double-click to say how sure you are, 0 to 100 percent", "confidence"),
    Column("Note", "Double-click to write a note", "note"),
    Column("Edited", "When it was changed last", order.EDITED),
    Column("Bounding box", "First to last voxel along z, y and x; sorted by where it begins", order.PLACE),
)
SHOWN, COLOUR, ID, NAME, VOXELS, VOLUME, LOCKED, CLASS, SURE, NOTE, EDITED, BOX = range(len(COLUMNS))
REFRESH_MS = 100
_WRITTEN = {NAME: "name", CLASS: "class_name", NOTE: "note"}
_NUMBERS = (ID, VOXELS, VOLUME, SURE)
_NO_ROWS = np.zeros((0, 3), np.int64)
_NOTHING = Columns(np.zeros(0, np.uint64), np.zeros(0, np.int64), _NO_ROWS, _NO_ROWS)
_Qt = Qt.ItemDataRole


class ObjectModel(QAbstractTableModel):
    """One row per object that has voxels; the order and the filter are arrays of row numbers."""

    def __init__(self, show_error: Callable[[str], None]) -> None:
        super().__init__()
        self._show_error = show_error
        self._session: ProofreadingSession | None = None
        self._columns = _NOTHING
        # All objects in ascending order of the column, and which rows of `_columns` are listed.
        self._order: NDArray[np.intp] = np.zeros(0, np.intp)
        self._rows: NDArray[np.intp] = np.zeros(0, np.intp)
        self._sort: tuple[int, bool] = (ID, False)
        self._filter = ""
        self._refresh_soon = QTimer(self)
        self._refresh_soon.setSingleShot(True)
        self._refresh_soon.setInterval(REFRESH_MS)
        self._refresh_soon.timeout.connect(self.refresh)

    @property
    def session(self) -> ProofreadingSession | None:
        """The session whose objects are listed."""
        return self._session

    def set_session(self, session: ProofreadingSession | None) -> None:
        """List the objects of another session, or nothing."""
        if self._session is not None:
            self._session.objects.changed.disconnect(self._take_change, missing_ok=True)
        self._session = session
        if session is not None:
            session.objects.changed.connect(self._take_change)
        self.refresh()

    def set_filter(self, text: str) -> None:
        """List only objects whose id begins with a text, or whose name, class or note contains it."""
        self._filter = text.strip().lower()
        self.refresh()

    def refresh(self) -> None:
        """Take the objects from the session again."""
        self._refresh_soon.stop()
        columns = self._session.objects.columns() if self._session else _NOTHING
        start = None
        if COLUMNS[self._sort[0]].by in order.MEASURED:
            start = order.carried_over(self._order, self._columns.ids, columns.ids)
        self._put_in_order(columns, start)

    @property
    def labels(self) -> NDArray[np.uint64]:
        """The ids listed, in their order."""
        return self._columns.ids[self._rows]

    def label(self, row: int) -> int:
        """Return the id in a row."""
        return int(self._columns.ids[self._rows[row]])

    def row_of(self, label: int) -> int | None:
        """Return the row of an id; None where it is not listed."""
        rows = self.rows_of([label])
        return rows[0] if rows else None

    def rows_of(self, labels: Iterable[int]) -> list[int]:
        """Return the rows of ids, ascending; those that are not listed are left out."""
        places = places_of(self._columns.ids, labels)
        if len(places) == 1:
            return np.flatnonzero(self._rows == places[0]).tolist()
        is_wanted = np.zeros(len(self._columns.ids), np.bool_)
        is_wanted[places] = True
        return np.flatnonzero(is_wanted[self._rows]).tolist()

    def change(self, make: Callable[[Any, Any], Edit | None], labels: Iterable[int]) -> None:
        """Apply a change of fields, such as `fields.lock`, to objects; it can be undone."""
        if self._session is None:
            return
        try:
            edit = make(self._session.objects, list(labels))
            if edit is not None:
                self._session.apply(edit)
        except UniemError as error:
            self._show_error(str(error))

    def say(self, column: int, text: str, labels: list[int]) -> None:
        """Set name, class, confidence or note of objects to what was typed; empty takes it away."""
        confidence = text.strip().removesuffix("%").strip()
        if column == SURE and confidence and not confidence.isdecimal():
            self._show_error(f"'{text}' is no confidence: give 0 to 100 percent, or nothing.")
            return
        makes: dict[int, Callable[[Any, Any], Edit | None]] = {
            NAME: lambda objects, ids: fields.rename(objects, ids[0], text),
            CLASS: lambda objects, ids: fields.classify(objects, ids, text),
            SURE: lambda objects, ids: fields.rate(objects, ids, int(confidence) if confidence else None),
            NOTE: lambda objects, ids: fields.annotate(objects, ids, text),
        }
        self.change(makes[column], labels)

    def table(self) -> Table:
        """Return what is listed, for a CSV file."""
        assert self._session is not None
        return table_of(self._session.objects, self._session.volume, self.labels.tolist())

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of objects listed."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of columns."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return a column's title, and what can be done there."""
        if orientation == Qt.Orientation.Horizontal and role == _Qt.DisplayRole:
            return COLUMNS[section].title
        if orientation == Qt.Orientation.Horizontal and role == _Qt.ToolTipRole:
            return COLUMNS[section].tip
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlags:
        """Return what can be done with a cell."""
        flags = Qt.ItemFlags(Qt.ItemFlag.ItemIsEnabled) | Qt.ItemFlag.ItemIsSelectable
        if index.column() in (*_WRITTEN, SURE):
            return flags | Qt.ItemFlag.ItemIsEditable
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() in (SHOWN, LOCKED) else flags

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """Return what a cell shows."""
        if self._session is None or index.row() >= len(self._rows):
            return None
        place = int(self._rows[index.row()])
        label, column = int(self._columns.ids[place]), index.column()
        if role in (_Qt.DisplayRole, _Qt.EditRole):
            return self._text(label, place, column)
        if role == _Qt.CheckStateRole and column in (SHOWN, LOCKED):
            said = self._session.objects.fields_of(label)
            is_on = said.visible if column == SHOWN else said.locked
            return Qt.CheckState.Checked if is_on else Qt.CheckState.Unchecked
        if role == _Qt.BackgroundRole and column == COLOUR:
            return QColor(*self.colour(label))
        if role == _Qt.TextAlignmentRole and column in _NUMBERS:
            return int(Qt.AlignmentFlag.AlignRight) | int(Qt.AlignmentFlag.AlignVCenter)
        return self._tip(place, column) if role == _Qt.ToolTipRole else None

    def setData(self, index: QModelIndex, value: Any, role: int = 0) -> bool:
        """Change what is said of an object, through the session."""
        if self._session is None:
            return False
        label, column = self.label(index.row()), index.column()
        if column in (*_WRITTEN, SURE) and role == _Qt.EditRole:
            self.say(column, str(value), [label])
            return True
        if role != _Qt.CheckStateRole or column not in (SHOWN, LOCKED):
            return False
        is_on = value == Qt.CheckState.Checked
        shown, locked = (fields.show, fields.hide), (fields.lock, fields.unlock)
        self.change((shown if column == SHOWN else locked)[0 if is_on else 1], [label])
        return True

    def sort(self, column: int, order_of_rows: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the rows by a column."""
        before, self._sort = self._sort, (column, order_of_rows == Qt.SortOrder.DescendingOrder)
        is_other = COLUMNS[before[0]].by != COLUMNS[column].by
        self._put_in_order(self._columns, None if is_other else self._order)

    def colour(self, label: int) -> tuple[int, int, int]:
        """Return the colour of an object: the user's own, or the palette's."""
        chosen = self._session.objects.fields_of(label).colour if self._session else None
        return chosen or colour_of(label)

    def _take_change(self, _labels: frozenset[int]) -> None:
        if not self._refresh_soon.isActive():
            self._refresh_soon.start()

    def _text(self, label: int, place: int, column: int) -> Any:
        assert self._session is not None
        voxels = int(self._columns.voxels[place])
        if column == ID:
            return str(label)
        if column == VOXELS:
            return f"{voxels:,}"
        if column == BOX:
            first, stop = self._columns.start[place].tolist(), self._columns.stop[place].tolist()
            return ", ".join(f"{a}–{b - 1}" for a, b in zip(first, stop, strict=True))
        size = self._session.volume.voxel_size
        if column == VOLUME:
            return plain_number(voxels * size.volume_nm3 / 1e9) if size else ""
        if column == EDITED:
            edited = self._session.objects.edited.get(label)
            return when(edited) if edited is not None else ""
        said = self._session.objects.fields_of(label)
        if column == SURE:
            return "" if said.confidence is None else str(said.confidence)
        return getattr(said, _WRITTEN[column]) if column in _WRITTEN else ""

    def _tip(self, place: int, column: int) -> str | None:
        """Tell what a narrow cell has no room for."""
        assert self._session is not None
        size = self._session.volume.voxel_size
        if column == VOLUME and size is not None:
            return f"{int(self._columns.voxels[place]) * size.volume_nm3:,.0f} nm³"
        if column == VOLUME:
            return "The voxel size is not known."
        if column == BOX:
            lengths = (self._columns.stop[place] - self._columns.start[place]).tolist()
            return " × ".join(str(n) for n in lengths) + " voxels"
        said = self._session.objects.fields_of(int(self._columns.ids[place]))
        return getattr(said, _WRITTEN[column]) or None if column in _WRITTEN else None

    def _put_in_order(self, columns: Columns, start: NDArray[np.intp] | None) -> None:
        """List the objects of columns; `start` is nearly their order."""
        column, is_descending = self._sort
        found = rows = np.zeros(0, np.intp)
        if self._session is not None:
            found = rows = order.ascending(self._session.objects, columns, COLUMNS[column].by, start)
            if self._filter:
                rows = rows[matching(self._session.objects, columns.ids, self._filter)[rows]]
        rows = rows[::-1] if is_descending else rows
        if np.array_equal(columns.ids, self._columns.ids) and np.array_equal(rows, self._rows):
            self._columns, self._order = columns, found
            if len(rows):
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self._columns, self._order, self._rows = columns, found, rows
        self.endResetModel()
