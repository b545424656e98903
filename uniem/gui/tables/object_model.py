"""The objects of a session as rows that sort and filter fast, and are edited through the session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, QTimer
from qtpy.QtGui import QColor

from uniem.data.palette import colour_of
from uniem.data.table import Table
from uniem.errors import UniemError
from uniem.gui.proofreading.history_model import when
from uniem.proofreading.edits import Edit
from uniem.proofreading.object_csv import table_of
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools import fields

COLUMNS = (
    "Shown",
    "Colour",
    "ID",
    "Name",
    "Voxels",
    "µm³",
    "Locked",
    "Class",
    "Sure %",
    "Note",
    "Edited",
)
SHOWN, COLOUR, ID, NAME, VOXELS, VOLUME, LOCKED, CLASS, SURE, NOTE, EDITED = range(len(COLUMNS))
REFRESH_MS = 100
_TIPS = (
    "Click to show or hide",
    "Double-click to change",
    "",
    "Double-click to name",
    "",
    "",
    "Click to lock",
    "Double-click to say which kind of thing it is",
    "Double-click to say how sure you are, 0 to 100 percent",
    "Double-click to write a note",
    "When it was changed last",
)
_WRITTEN = {NAME: "name", CLASS: "class_name", NOTE: "note"}
_Qt = Qt.ItemDataRole


class ObjectModel(QAbstractTableModel):
    """One row per object that has voxels; the order and the filter are arrays of row numbers."""

    def __init__(self, show_error: Callable[[str], None]) -> None:
        super().__init__()
        self._show_error = show_error
        self._session: ProofreadingSession | None = None
        self._ids: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._voxels: NDArray[np.int64] = np.zeros(0, np.int64)
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
        columns = self._session.objects.columns() if self._session else None
        ids = columns.ids if columns is not None else np.zeros(0, np.uint64)
        voxels = columns.voxels if columns is not None else np.zeros(0, np.int64)
        keeps_order = not self._filter and self._sort[0] == ID and np.array_equal(ids, self._ids)
        if keeps_order and len(self._rows) == len(ids):
            self._voxels = voxels
            self.dataChanged.emit(self.index(0, 0), self.index(len(ids) - 1, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self._ids, self._voxels = ids, voxels
        self._rows = self._ordered()
        self.endResetModel()

    def label(self, row: int) -> int:
        """Return the id in a row."""
        return int(self._ids[self._rows[row]])

    def row_of(self, label: int) -> int | None:
        """Return the row of an id; None where it is not listed."""
        place = int(np.searchsorted(self._ids, np.uint64(label)))
        if place >= len(self._ids) or int(self._ids[place]) != label:
            return None
        found = np.flatnonzero(self._rows == place)
        return int(found[0]) if len(found) else None

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
        labels = self._ids[self._rows].tolist()
        return table_of(self._session.objects, self._session.volume, labels)

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of objects listed."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of columns."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return a column's title, and what can be done there."""
        if orientation == Qt.Orientation.Horizontal and role == _Qt.DisplayRole:
            return COLUMNS[section]
        if orientation == Qt.Orientation.Horizontal and role == _Qt.ToolTipRole:
            return _TIPS[section]
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
        label, column = int(self._ids[place]), index.column()
        if role in (_Qt.DisplayRole, _Qt.EditRole):
            return self._text(label, int(self._voxels[place]), column)
        if role == _Qt.CheckStateRole and column in (SHOWN, LOCKED):
            said = self._session.objects.fields_of(label)
            is_on = said.visible if column == SHOWN else said.locked
            return Qt.CheckState.Checked if is_on else Qt.CheckState.Unchecked
        if role == _Qt.BackgroundRole and column == COLOUR:
            return QColor(*self.colour(label))
        if role == _Qt.TextAlignmentRole and column in (ID, VOXELS, VOLUME, SURE):
            return int(Qt.AlignmentFlag.AlignRight) | int(Qt.AlignmentFlag.AlignVCenter)
        return None

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

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the rows by a column."""
        self._sort = (column, order == Qt.SortOrder.DescendingOrder)
        self.layoutAboutToBeChanged.emit()
        self._rows = self._ordered()
        self.layoutChanged.emit()

    def colour(self, label: int) -> tuple[int, int, int]:
        """Return the colour of an object: the user's own, or the palette's."""
        chosen = self._session.objects.fields_of(label).colour if self._session else None
        return chosen or colour_of(label)

    def _take_change(self, _labels: frozenset[int]) -> None:
        if not self._refresh_soon.isActive():
            self._refresh_soon.start()

    def _text(self, label: int, voxels: int, column: int) -> Any:
        assert self._session is not None
        if column == ID:
            return str(label)
        if column == VOXELS:
            return f"{voxels:,}"
        size = self._session.volume.voxel_size
        if column == VOLUME:
            return f"{voxels * size.volume_nm3 / 1e9:.3g}" if size else ""
        if column == EDITED:
            edited = self._session.objects.edited.get(label)
            return when(edited) if edited is not None else ""
        said = self._session.objects.fields_of(label)
        if column == SURE:
            return "" if said.confidence is None else str(said.confidence)
        return getattr(said, _WRITTEN[column]) if column in _WRITTEN else ""

    def _ordered(self) -> NDArray[np.intp]:
        rows = self._filtered()
        column, is_descending = self._sort
        key = self._key(column)[rows]
        order = np.argsort(key, kind="stable")
        return rows[order[::-1] if is_descending else order]

    def _filtered(self) -> NDArray[np.intp]:
        rows = np.arange(len(self._ids))
        if not self._filter or self._session is None:
            return rows
        begins = np.char.startswith(self._ids.astype(str), self._filter)
        named = [
            label
            for label, said in self._session.objects.said.items()
            if any(self._filter in getattr(said, field).lower() for field in _WRITTEN.values())
        ]
        return rows[begins | np.isin(self._ids, np.array(named, np.uint64))]

    def _key(self, column: int) -> NDArray[Any]:
        if column in (VOXELS, VOLUME):
            return self._voxels
        if self._session is None or column in (ID, COLOUR):
            return self._ids
        objects = self._session.objects
        if column in _WRITTEN:
            texts = {label: getattr(said, _WRITTEN[column]).lower() for label, said in objects.said.items()}
            return self._sparse(texts, "")
        if column == SURE:
            sure = {label: said.confidence for label, said in objects.said.items()}
            return self._sparse({label: each for label, each in sure.items() if each is not None}, -1)
        if column == EDITED:
            return self._sparse(objects.edited, 0.0)
        chosen = objects.hidden() if column == SHOWN else objects.locked()
        return np.isin(self._ids, np.array(sorted(chosen), np.uint64))

    def _sparse(self, values: Mapping[int, Any], otherwise: Any) -> NDArray[Any]:
        """Return a key of what few of perhaps very many objects have."""
        listed = [(label, value) for label, value in values.items() if value != otherwise]
        dtype = np.array([otherwise, *(value for _, value in listed)]).dtype
        key = np.full(len(self._ids), otherwise, dtype)
        if listed and len(self._ids):
            labels = np.array([label for label, _ in listed], np.uint64)
            places = np.searchsorted(self._ids, labels).clip(max=len(self._ids) - 1)
            is_there = self._ids[places] == labels
            key[places[is_there]] = np.array([value for _, value in listed], dtype)[is_there]
        return key
