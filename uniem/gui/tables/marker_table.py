"""The table of markers: a model whose edits go to whoever keeps the history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal
from qtpy.QtGui import QColor

from uniem.gui.annotator.markers import Marker, MarkerSet

Role = Qt.ItemDataRole
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


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


class MarkerTableModel(QAbstractTableModel):
    """Show a `MarkerSet` as rows; `edited` carries the marker as it should become."""

    edited = Signal(object)

    def __init__(self, markers: MarkerSet, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._markers = markers
        self._rows: list[Marker] = []
        self._sorted_by, self._descending = ID, False
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

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the rows by a column."""
        self._sorted_by, self._descending = column, order == Qt.SortOrder.DescendingOrder
        self._rebuild()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Return the number of markers."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> Any:
        """Return the title or tooltip of a column."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Role.DisplayRole:
            return COLUMNS[section].title
        return COLUMNS[section].tip if role == Role.ToolTipRole else None

    def flags(self, index: QModelIndex) -> Qt.ItemFlags:
        """Let names, classes and radii be edited and boxes be checked."""
        flags = super().flags(index)
        if index.column() in (NAME, CLASS, RADIUS):
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == VISIBLE else flags

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

    def _rebuild(self) -> None:
        self.beginResetModel()
        self._rows = sorted(self._markers, key=COLUMNS[self._sorted_by].value, reverse=self._descending)
        self.endResetModel()
