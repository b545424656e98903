"""What tables with titled columns have in common: shape, headers, alignment and sorting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

Role = Qt.ItemDataRole
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def plain_number(value: float) -> str:
    """Return a number to three digits at least, without a power of ten."""
    if value >= 100:
        return f"{value:,.0f}"
    return np.format_float_positional(value, precision=3, unique=False, fractional=False, trim="-")


class Titled(Protocol):
    """A column, of whatever rows."""

    @property
    def title(self) -> str:
        """What stands above it."""

    @property
    def tip(self) -> str:
        """What it means."""


class ColumnModel(QAbstractTableModel):
    """A table of rows kept as a list, which `_rebuild` fills in the order of the chosen column.

    The subclass sets `_rows`; `columns` titles the columns, `editable` and `checkable` are those whose
    cells can be edited or ticked.
    """

    columns: Sequence[Titled] = ()
    editable: frozenset[int] = frozenset()
    checkable: frozenset[int] = frozenset()

    def __init__(self, sorted_by: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Any] = []
        self._sorted_by, self._descending = sorted_by, False

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the rows by a column."""
        self._sorted_by, self._descending = column, order == Qt.SortOrder.DescendingOrder
        self._rebuild()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> Any:
        """Return the title or tooltip of a column."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Role.DisplayRole:
            return self.columns[section].title
        return self.columns[section].tip if role == Role.ToolTipRole else None

    def flags(self, index: QModelIndex) -> Qt.ItemFlags:
        """Let the cells of some columns be edited or ticked."""
        flags = super().flags(index)
        if index.column() in self.editable:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() in self.checkable else flags

    def _reset(self, make_rows: Callable[[], list[Any]]) -> None:
        self.beginResetModel()
        self._rows = make_rows()
        self.endResetModel()

    def _rebuild(self, *_: object) -> None:
        raise TypeError(f"{type(self).__name__} does not say how its rows are made")
