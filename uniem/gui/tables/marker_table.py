"""The table of markers: a model whose edits go to whoever keeps the history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from qtpy.QtCore import QModelIndex, QObject, Qt, Signal
from qtpy.QtGui import QColor

from uniem.gui.annotator.markers import Marker, MarkerSet
from uniem.gui.tables.column_model import LEFT, RIGHT, ColumnModel, Role


class Column(NamedTuple):
    """A column: its title, tooltip, and what it shows and sorts by."""

    title: str
    tip: str
    value: Callable[[Marker], Any]


COLUMNS = (
    Column("", "Shown in the 3D view; click to show or hide", lambda m: m.visible),
    Column("ID", "Running number of the marker; never used twice", lambda m: m.id),
    Column("Name", "Name of the marker; press F2 or click twice slowly to edit", lambda m: m.name),
    Column("Class", "What kind of thing is marked, such as synapse; editable", lambda m: m.class_name),
    Column("Parent", "ID of the object the marker sits on", lambda m: m.parent),
    Column("Radius (nm)", "Radius of the ball; editable", lambda m: m.radius_nm),
    Column("Colour", "Colour of the ball; click to change", lambda m: QColor(*m.colour).hsvHue()),
    Column("X (nm)", "Position along x", lambda m: m.position_nm[2]),
    Column("Y (nm)", "Position along y", lambda m: m.position_nm[1]),
    Column("Z (nm)", "Position along z", lambda m: m.position_nm[0]),
)
VISIBLE, ID, NAME, CLASS, PARENT, RADIUS, COLOUR, X, Y, Z = range(len(COLUMNS))


class MarkerTableModel(ColumnModel):
    """Show a `MarkerSet` as rows; `edited` carries the marker as it should become."""

    edited = Signal(object)
    columns = COLUMNS
    editable = frozenset({NAME, CLASS, RADIUS})
    checkable = frozenset({VISIBLE})
    _rows: list[Marker]

    def __init__(self, markers: MarkerSet, parent: QObject | None = None) -> None:
        super().__init__(ID, parent)
        self._markers = markers
        markers.changed.connect(self._rebuild)
        self._rebuild()

    def disconnect_markers(self) -> None:
        """Stop listening to the markers."""
        self._markers.changed.disconnect(self._rebuild, missing_ok=True)

    def marker_at(self, row: int) -> Marker:
        """Return the marker of a row."""
        return self._rows[row]

    def row_of(self, marker_id: int) -> int | None:
        """Return the row of a marker."""
        return next((row for row, marker in enumerate(self._rows) if marker.id == marker_id), None)

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        """Return what a cell shows."""
        column, marker = index.column(), self._rows[index.row()]
        if role == Role.DisplayRole and column not in (VISIBLE, COLOUR):
            value = COLUMNS[column].value(marker)
            return f"{value:,.1f}" if column in (RADIUS, X, Y, Z) else str(value)
        if role == Role.EditRole:
            return COLUMNS[column].value(marker)
        if role == Role.CheckStateRole and column == VISIBLE:
            return Qt.CheckState.Checked if marker.visible else Qt.CheckState.Unchecked
        if role == Role.DecorationRole and column == COLOUR:
            return QColor(*marker.colour)
        if role == Role.TextAlignmentRole:
            return int(LEFT if column in (NAME, CLASS, COLOUR) else RIGHT)
        return COLUMNS[column].tip if role == Role.ToolTipRole else None

    def setData(self, index: QModelIndex, value: Any, role: int = Role.EditRole) -> bool:
        """Ask for an edited marker; what cannot be is refused."""
        marker, column = self._rows[index.row()], index.column()
        if role == Role.CheckStateRole and column == VISIBLE:
            new = replace(marker, visible=Qt.CheckState(value) == Qt.CheckState.Checked)
        elif role != Role.EditRole:
            return False
        elif column == NAME and str(value).strip():
            new = replace(marker, name=str(value).strip())
        elif column == CLASS:
            new = replace(marker, class_name=str(value).strip())
        elif column == RADIUS and float(value) > 0:
            new = replace(marker, radius_nm=float(value))
        else:
            return False
        if new != marker:
            self.edited.emit(new)
        return True

    def _rebuild(self, *_: object) -> None:
        key = COLUMNS[self._sorted_by].value
        self._reset(lambda: sorted(self._markers, key=key, reverse=self._descending))
