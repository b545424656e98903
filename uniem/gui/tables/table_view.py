"""A CSV table in the window: sortable, and a way to the place a row tells of."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QTableView, QToolButton, QVBoxLayout, QWidget

from uniem.data.table import Table, read_csv
from uniem.errors import UniemError

PLACE = ("centroid_z", "centroid_y", "centroid_x")


class TableModel(QAbstractTableModel):
    """The rows of a table, in any order."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.table = table
        self._rows = list(range(len(table.rows)))

    def row(self, index: QModelIndex) -> dict[str, Any]:
        """Return the cells of a row by column."""
        return dict(zip(self.table.columns, self.table.rows[self._rows[index.row()]], strict=True))

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self.table.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return a column's name."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.table.columns[section]
        return None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """Return a cell as text; numbers to the right."""
        value = self.table.rows[self._rows[index.row()]][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _written(value)
        if role == Qt.ItemDataRole.TextAlignmentRole and isinstance(value, int | float):
            return int(Qt.AlignmentFlag.AlignRight) | int(Qt.AlignmentFlag.AlignVCenter)
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order the rows by a column; empty cells come last."""
        if not 0 <= column < len(self.table.columns):
            return
        self.layoutAboutToBeChanged.emit()
        cells = [row[column] for row in self.table.rows]
        numbers = all(isinstance(cell, int | float | None) for cell in cells)
        if numbers:
            key = np.array([np.nan if cell is None else float(cell) for cell in cells])
            rows = np.argsort(key, kind="stable")
        else:
            rows = np.argsort(np.array([str(cell or "") for cell in cells]), kind="stable")
        self._rows = (rows[::-1] if order == Qt.SortOrder.DescendingOrder else rows).tolist()
        self.layoutChanged.emit()


class TableView(QWidget):
    """Show one table at a time; a double click on a row with a place goes there."""

    jump_wanted = Signal(float, float, float)
    failed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._path: Path | None = None
        self.view = QTableView()
        self.view.setShowGrid(False)
        self.view.setAlternatingRowColors(True)
        self.view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.view.verticalHeader().setDefaultSectionSize(24)
        self.view.doubleClicked.connect(self._jump)
        self._title = QLabel("No table is open.")
        self.save_button = QToolButton()
        self.save_button.setText("Save CSV as…")
        self.save_button.setEnabled(False)
        self.save_button.clicked.connect(self._ask_save)
        bar = QHBoxLayout()
        bar.addWidget(self._title, 1)
        bar.addWidget(self.save_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addLayout(bar)
        column.addWidget(self.view)

    def show_file(self, path: Path) -> None:
        """Show the table of a CSV file."""
        model = TableModel(read_csv(path))
        self.view.setSortingEnabled(False)
        self.view.setModel(model)
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.view.setSortingEnabled(True)
        self.view.resizeColumnsToContents()
        self._path = path
        self._title.setText(f"{path.name}: {model.rowCount():,} rows")
        self._title.setToolTip(str(path))
        self.save_button.setEnabled(True)

    def save_as(self, path: Path) -> None:
        """Copy the table's file."""
        if self._path is None:
            return
        try:
            shutil.copyfile(self._path, path)
        except OSError as error:
            raise UniemError(f"Cannot write {path}: {error.strerror}.", "Choose another place.") from error

    def _ask_save(self) -> None:
        name = self._path.name if self._path else "table.csv"
        path, _ = QFileDialog.getSaveFileName(self, "Save table", name, "Tables (*.csv)")
        if path:
            try:
                self.save_as(Path(path))
            except UniemError as error:
                self.failed.emit(str(error))

    def _jump(self, index: QModelIndex) -> None:
        model = self.view.model()
        assert isinstance(model, TableModel)
        row = model.row(index)
        if all(isinstance(row.get(name), int | float) for name in PLACE):
            self.jump_wanted.emit(*(float(row[name]) for name in PLACE))


def _written(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
