"""The table of objects in 3D: a fast model that sorts and filters by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from qtpy.QtCore import QModelIndex, QObject, Qt
from qtpy.QtGui import QColor

from uniem.gui.annotator.objects import MeshObject, MeshObjects
from uniem.gui.tables.column_model import LEFT, RIGHT, ColumnModel, Role, plain_number


class Column(NamedTuple):
    """A column: its title and tooltip, what it sorts by, the field whose change alters it."""

    title: str
    tip: str
    key: Callable[[MeshObject], Any]
    field: str


COLUMNS = (
    Column("", "Shown in the 3D view; click to show or hide", lambda o: o.visible, "visible"),
    Column("Colour", "Colour of the object; click to change", lambda o: QColor(*o.colour).hsvHue(), "colour"),
    Column("ID", "Label of the object in the volume", lambda o: o.label, "label"),
    Column(
        "Name",
        "Name of the object; press F2 or click twice slowly to edit",
        lambda o: o.name.casefold(),
        "name",
    ),
    Column(
        "Voxels",
        "Number of voxels in the label volume",
        lambda o: -1 if o.voxels is None else o.voxels,
        "voxels",
    ),
    Column("Volume (nm³)", "Volume enclosed by the mesh", lambda o: o.volume_nm3, "volume_nm3"),
    Column("Area (nm²)", "Surface area of the mesh", lambda o: o.area_nm2, "volume_nm3"),
    Column(
        "Opacity",
        "Opacity of the object; press F2 or click twice slowly to edit",
        lambda o: o.opacity,
        "opacity",
    ),
)
VISIBLE, COLOUR, ID, NAME, VOXELS, VOLUME, AREA, OPACITY = range(len(COLUMNS))


class MeshTableModel(ColumnModel):
    """Show `MeshObjects` as rows; sorting and filtering reset the model, that is fast for 10,000 rows."""

    columns = COLUMNS
    editable = frozenset({NAME, OPACITY})
    checkable = frozenset({VISIBLE})
    _rows: list[int]

    def __init__(self, objects: MeshObjects, parent: QObject | None = None) -> None:
        super().__init__(ID, parent)
        self._objects = objects
        self._row_of: dict[int, int] = {}
        self._filter = ""
        objects.added.connect(self._rebuild)
        objects.removed.connect(self._rebuild)
        objects.changed.connect(self._on_changed)
        self._rebuild()

    def disconnect_objects(self) -> None:
        """Stop listening to the objects."""
        for signal in (self._objects.added, self._objects.removed):
            signal.disconnect(self._rebuild, missing_ok=True)
        self._objects.changed.disconnect(self._on_changed, missing_ok=True)

    def label_at(self, row: int) -> int:
        """Return the label of a row."""
        return self._rows[row]

    def row_of(self, label: int) -> int | None:
        """Return the row of a label, or None where the filter hides it."""
        return self._row_of.get(label)

    def labels(self) -> list[int]:
        """Return the labels of all rows in their order."""
        return list(self._rows)

    def set_filter(self, text: str) -> None:
        """Keep the rows whose name or id contains a text."""
        self._filter = text.strip().casefold()
        self._rebuild()

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        """Return what a cell shows."""
        column = index.column()
        item = self._objects[self._rows[index.row()]]
        if role == Role.DisplayRole:
            return _text(item, column)
        if role == Role.EditRole:
            return item.name if column == NAME else round(item.opacity * 100)
        if role == Role.CheckStateRole and column == VISIBLE:
            return Qt.CheckState.Checked if item.visible else Qt.CheckState.Unchecked
        if role == Role.DecorationRole and column == COLOUR:
            return QColor(*item.colour)
        if role == Role.TextAlignmentRole:
            return int(LEFT if column in (NAME, COLOUR) else RIGHT)
        return _tip(item, column) if role == Role.ToolTipRole else None

    def setData(self, index: QModelIndex, value: Any, role: int = Role.EditRole) -> bool:
        """Take over an edited cell."""
        label = self._rows[index.row()]
        if role == Role.CheckStateRole and index.column() == VISIBLE:
            self._objects.set_field([label], "visible", Qt.CheckState(value) == Qt.CheckState.Checked)
            return True
        if role != Role.EditRole:
            return False
        if index.column() == NAME and (name := str(value).strip()):
            self._objects.set_field([label], "name", name)
            return True
        if index.column() == OPACITY:
            self._objects.set_field([label], "opacity", min(100, max(0, int(value))) / 100)
            return True
        return False

    def _rebuild(self, *_: object) -> None:
        if self._sorted_by in (VOLUME, AREA):
            self._objects.measure([item.label for item in self._objects])
        items: Iterable[MeshObject] = self._objects
        if self._filter:
            items = [o for o in items if self._filter in o.name.casefold() or self._filter in str(o.label)]
        ordered = sorted(items, key=lambda o: o.label)
        ordered.sort(key=COLUMNS[self._sorted_by].key, reverse=self._descending)
        self._row_of = {item.label: row for row, item in enumerate(ordered)}
        self._reset(lambda: [item.label for item in ordered])

    def _on_changed(self, labels: tuple[int, ...], field: str) -> None:
        rows = [self._row_of[label] for label in labels if label in self._row_of]
        columns = [k for k, column in enumerate(COLUMNS) if column.field == field]
        if rows and columns:
            first, last = self.index(min(rows), columns[0]), self.index(max(rows), columns[-1])
            self.dataChanged.emit(first, last)


def _text(item: MeshObject, column: int) -> str | None:
    if column == NAME:
        return item.name
    if column == ID:
        return str(item.label)
    if column == OPACITY:
        return f"{item.opacity:.0%}"
    number = {VOXELS: item.voxels, VOLUME: item.volume_nm3, AREA: item.area_nm2}.get(column)
    if column in (VOXELS, VOLUME, AREA):
        return "–" if number is None else f"{number:,.0f}"
    return None


def _tip(item: MeshObject, column: int) -> str | None:
    if column == VOLUME and item.volume_nm3 is not None:
        return f"{plain_number(item.volume_nm3 / 1e9)} µm³"
    if column == AREA and item.area_nm2 is not None:
        return f"{plain_number(item.area_nm2 / 1e6)} µm²"
    if column == COLOUR:
        return "red {}, green {}, blue {}".format(*item.colour)
    return COLUMNS[column].tip if column in (VISIBLE, NAME, OPACITY) else None
