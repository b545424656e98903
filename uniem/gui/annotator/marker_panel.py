"""The Markers tab of the annotator: what the next marker is like, and the table of those placed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from qtpy.QtCore import QModelIndex, Qt, Signal
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from uniem.data.geometry import VoxelSize
from uniem.data.palette import Colour
from uniem.errors import UniemError
from uniem.gui.annotator.controls import (
    ask_colour,
    ask_open,
    ask_save,
    colour_icon,
    make_table,
    selected_rows,
    show_error,
    tool_button,
)
from uniem.gui.annotator.marker_history import MarkerHistory
from uniem.gui.annotator.markers import (
    COLUMNS_HELP,
    Marker,
    MarkerImport,
    MarkerSet,
    read_markers,
    write_markers,
)
from uniem.gui.tables import marker_table
from uniem.gui.tables.marker_table import MarkerTableModel

KINDS = "CSV tables (*.csv)"


class MarkerPanel(QWidget):
    """Place, edit, delete, export and import markers; `centre_wanted` carries a Marker, `told` a sentence."""

    centre_wanted = Signal(object)
    told = Signal(str)

    def __init__(self, markers: MarkerSet, history: MarkerHistory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._markers, self._history = markers, history
        self._colour: Colour = (255, 0, 0)
        self.voxel_size = VoxelSize(1, 1, 1)
        self.model = MarkerTableModel(markers, self)
        widths = {0: 1, 1: 3, 2: 11, 3: 8, 4: 5, 5: 9, 6: 5, 7: 8, 8: 8, 9: 8}
        self.table = make_table(self.model, widths, marker_table.NAME, self)
        self.table.sortByColumn(marker_table.ID, Qt.SortOrder.AscendingOrder)
        self.table.setToolTip("Double-click to centre a marker in the view; Delete removes the selected ones")
        self.model.edited.connect(lambda marker: history.replace([marker]))
        self.table.clicked.connect(self._on_clicked)
        self.table.doubleClicked.connect(self._on_double_clicked)
        self.tool = self._make_tool()
        self.prefix = QLineEdit("Marker", self)
        self.prefix.setToolTip("Start of the name of the next marker; the running number follows")
        self.number = QSpinBox(self)
        self.number.setRange(0, 999_999_999)
        self.number.setValue(1)
        self.number.setToolTip("Running number of the next marker")
        self.class_name = QLineEdit(self)
        self.class_name.setPlaceholderText("such as synapse")
        self.class_name.setToolTip("What kind of thing the next marker marks; may be empty")
        self.radius = QDoubleSpinBox(self)
        self.radius.setRange(0.1, 1_000_000)
        self.radius.setDecimals(1)
        self.radius.setSuffix(" nm")
        self.radius.setValue(50)
        self.radius.setToolTip("Radius of the next marker")
        self.colour = QToolButton(self)
        self.colour.setToolTip("Colour of the next marker; click to change")
        self.colour.clicked.connect(self._ask_next_colour)
        self.set_next_colour(self._colour)
        self.prefix.textChanged.connect(self._renumber)
        markers.changed.connect(self._on_markers)
        self._arrange()
        self._on_markers()

    def set_next_colour(self, colour: Colour) -> None:
        """Give the next marker a colour."""
        self._colour = colour
        self.colour.setIcon(colour_icon(colour))

    def place(self, label: int, position_nm: tuple[float, float, float]) -> Marker:
        """Place a marker as set in the panel on an object, at z, y, x in nm."""
        marker = Marker(
            id=self._markers.new_id(),
            name=f"{self.prefix.text().strip()}{self.number.value()}",
            parent=label,
            position_nm=position_nm,
            radius_nm=self.radius.value(),
            colour=self._colour,
            class_name=self.class_name.text().strip(),
        )
        self._history.add([marker], f"Place {marker.name}")
        return marker

    def select(self, marker_id: int) -> None:
        """Select the row of a marker and bring it into sight."""
        row = self.model.row_of(marker_id)
        if row is not None:
            self.table.selectRow(row)
            self.table.scrollTo(self.model.index(row, marker_table.NAME))

    def selected_ids(self) -> list[int]:
        """Return the ids of the selected markers."""
        return [self.model.marker_at(row).id for row in selected_rows(self.table)]

    def delete_selected(self) -> None:
        """Delete the selected markers."""
        if ids := self.selected_ids():
            self._history.delete(ids)
            self.told.emit("Deleted; Ctrl+Z brings back")

    def export_csv(self, path: Path) -> int:
        """Write all markers and return how many."""
        return write_markers(path, self._markers, self.voxel_size)

    def import_csv(self, path: Path) -> MarkerImport:
        """Add the markers of a file in one undoable step; return what was read and what left out."""
        result = read_markers(path, self.voxel_size, self._markers)
        if result.markers:
            self._history.add(result.markers, f"Import {path.name}")
        return result

    def disconnect_models(self) -> None:
        """Stop listening to the markers."""
        self.model.disconnect_markers()
        self._markers.changed.disconnect(self._on_markers, missing_ok=True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete the selected markers by the Delete key."""
        if event.matches(QKeySequence.StandardKey.Delete):
            self.delete_selected()
        else:
            super().keyPressEvent(event)

    def _make_tool(self) -> QToolButton:
        tip = "Marker tool (M): click on a surface to place a marker"
        tool = tool_button("map-marker-plus-outline", "Place markers", tip, lambda: None, self)
        tool.setCheckable(True)
        tool.setAutoRaise(False)
        return tool

    def _arrange(self) -> None:
        group = QGroupBox("Next marker", self)
        form = QFormLayout(group)
        name = QHBoxLayout()
        name.addWidget(self.prefix, 1)
        name.addWidget(self.number)
        size = QHBoxLayout()
        size.addWidget(self.radius, 1)
        size.addWidget(self.colour)
        form.addRow("Name", name)
        form.addRow("Class", self.class_name)
        form.addRow("Radius", size)
        row = QHBoxLayout()
        row.setSpacing(2)
        self.delete_button = tool_button(
            "delete-outline", "", "Delete the selected markers (Delete)", self.delete_selected, self
        )
        self.clear_button = tool_button(
            "notification-clear-all", "Clear…", "Delete all markers", self._ask_clear, self
        )
        import_tip = f"Add the markers of a CSV table. {COLUMNS_HELP}"
        export_tip = f"Write all markers to a CSV table. {COLUMNS_HELP}"
        self.export_button = tool_button("file-export-outline", "Export…", export_tip, self._ask_export, self)
        row.addWidget(self.delete_button)
        row.addWidget(self.clear_button)
        row.addStretch(1)
        row.addWidget(tool_button("file-import-outline", "Import…", import_tip, self._ask_import, self))
        row.addWidget(self.export_button)
        self.summary = QLabel(self)
        self.summary.setProperty("role", "quiet")
        self.summary.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(group)
        column.addWidget(self.table, 1)
        column.addLayout(row)
        column.addWidget(self.summary)

    def _on_markers(self) -> None:
        self._renumber()
        count = len(self._markers)
        for button in (self.delete_button, self.clear_button, self.export_button):
            button.setEnabled(count > 0)
        if count:
            self.summary.setText("1 marker" if count == 1 else f"{count:,} markers")
        else:
            self.summary.setText("No markers yet: switch on Place markers and click on a surface.")

    def _renumber(self) -> None:
        self.number.setValue(self._markers.next_number(self.prefix.text().strip()))

    def _on_clicked(self, index: QModelIndex) -> None:
        if index.column() != marker_table.COLOUR:
            return
        marker = self.model.marker_at(index.row())
        if colour := ask_colour(marker.colour, f"Colour of {marker.name}", self):
            self._history.replace([replace(marker, colour=colour)], f"Colour {marker.name}")

    def _on_double_clicked(self, index: QModelIndex) -> None:
        if index.column() not in (marker_table.VISIBLE, marker_table.COLOUR):
            self.centre_wanted.emit(self.model.marker_at(index.row()))

    def _ask_next_colour(self) -> None:
        if colour := ask_colour(self._colour, "Colour of the next marker", self):
            self.set_next_colour(colour)

    def _ask_clear(self) -> None:
        buttons = QMessageBox.StandardButtons(QMessageBox.StandardButton.Yes)
        answer = QMessageBox.question(
            self,
            "Clear markers",
            f"Delete all {len(self._markers):,} markers? Ctrl+Z brings them back.",
            buttons | QMessageBox.StandardButton.No,
            QMessageBox.StandardButton.No,
        )
        if answer == QMessageBox.StandardButton.Yes:
            self._history.clear()

    def _ask_export(self) -> None:
        path = ask_save("Export markers", "markers.csv", KINDS, ".csv", self)
        if path is None:
            return
        try:
            count = self.export_csv(path)
        except UniemError as error:
            show_error(error, self)
        else:
            self.told.emit(f"Wrote {count:,} markers to {path}")

    def _ask_import(self) -> None:
        path = ask_open("Import markers", KINDS, self)
        if path is None:
            return
        try:
            result = self.import_csv(path)
        except UniemError as error:
            show_error(error, self)
            return
        self.told.emit(f"Read {len(result.markers):,} markers, left out {len(result.skipped):,} rows")
        if result.skipped:
            left_out = f"{len(result.skipped):,} rows of {path.name} were left out."
            box = QMessageBox(QMessageBox.Icon.Information, "Import markers", left_out, parent=self)
            box.setInformativeText(f"{len(result.markers):,} markers were read.")
            box.setDetailedText("\n".join(result.skipped))
            box.exec_()
