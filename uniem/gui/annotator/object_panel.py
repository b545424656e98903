"""The Objects tab of the annotator: table, filter, and what can be done with the chosen objects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QModelIndex, QPoint, Qt, QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QSlider, QVBoxLayout, QWidget

from uniem.errors import UniemError
from uniem.gui.annotator.controls import (
    ask_colour,
    ask_save,
    make_table,
    select_rows,
    selected_rows,
    show_error,
    tool_button,
)
from uniem.gui.annotator.objects import MeshObjects
from uniem.gui.tables import mesh_table
from uniem.gui.tables.mesh_table import MeshTableModel

MEASURE_SECONDS = 0.008
TOLD_AT_ONCE = 200


class ObjectPanel(QWidget):
    """List the objects; `selection_changed` and `centre_wanted` carry labels, `told` a sentence."""

    selection_changed = Signal(object)
    centre_wanted = Signal(object)
    told = Signal(str)

    def __init__(self, objects: MeshObjects, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._objects = objects
        self._selected: tuple[int, ...] = ()
        self._restoring = False
        self._for_selection: list[QWidget] = []
        self.model = MeshTableModel(objects, self)
        widths = {0: 1, 1: 5, 2: 5, 3: 15, 4: 9, 5: 13, 6: 11, 7: 6}
        self.table = make_table(self.model, widths, mesh_table.NAME, self)
        self.table.sortByColumn(mesh_table.ID, Qt.SortOrder.AscendingOrder)
        self.table.setToolTip("Double-click to centre an object in the view")
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._on_menu)
        self.table.selectionModel().selectionChanged.connect(self._on_selection)
        self.table.clicked.connect(self._on_clicked)
        self.table.doubleClicked.connect(self._on_double_clicked)
        self.model.modelReset.connect(self._restore_selection)
        self.filter = QLineEdit(self)
        self.filter.setPlaceholderText("Filter by name or ID")
        self.filter.setToolTip("Show only rows whose name or ID contains this text")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self.model.set_filter)
        self.summary = QLabel(self)
        self.summary.setProperty("role", "quiet")
        self.opacity = QSlider(Qt.Orientation.Horizontal, self)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(100)
        self.opacity.setMaximumWidth(110)
        self.opacity.setToolTip("Opacity of the selected objects")
        self.opacity.valueChanged.connect(self._set_opacity)
        self._measured: list[int] = []
        self._measuring = QTimer(self)
        self._measuring.timeout.connect(self._measure_some)
        objects.added.connect(self._on_added)
        self._arrange()
        for signal in (objects.added, objects.removed, objects.changed):
            signal.connect(self._summarise)
        self._summarise()

    @property
    def selected(self) -> tuple[int, ...]:
        """The labels of the selected objects, also of those that the filter hides."""
        return self._selected

    def select(self, labels: Sequence[int]) -> None:
        """Select objects and bring the first into sight."""
        self._selected = tuple(labels)
        self._restore_selection()
        rows = [row for label in labels if (row := self.model.row_of(label)) is not None]
        if rows:
            self.table.scrollTo(self.model.index(rows[0], mesh_table.NAME))
        self._on_selected()

    def show_only_selected(self) -> None:
        """Hide all objects but the selected ones."""
        if self._selected:
            self._objects.show_only(self._selected)

    def hide_selected(self) -> None:
        """Hide the selected objects."""
        self._objects.set_field(self._selected, "visible", False)

    def show_selected(self) -> None:
        """Show the selected objects."""
        self._objects.set_field(self._selected, "visible", True)

    def show_all(self) -> None:
        """Show every object."""
        self._objects.set_field([item.label for item in self._objects], "visible", True)

    def choose_colour(self, labels: Sequence[int]) -> None:
        """Ask for the colour of objects."""
        if not labels:
            return
        names = self._objects[labels[0]].name if len(labels) == 1 else f"{len(labels):,} objects"
        colour = ask_colour(self._objects[labels[0]].colour, f"Colour of {names}", self)
        if colour:
            self._objects.set_field(labels, "colour", colour)

    def export_csv(self, path: Path) -> int:
        """Write the rows of the table, in their order, and return how many."""
        return self._objects.write_csv(path, self.model.labels())

    def disconnect_models(self) -> None:
        """Stop listening to the objects."""
        self._measuring.stop()
        self._objects.added.disconnect(self._on_added, missing_ok=True)
        self.model.disconnect_objects()
        for signal in (self._objects.added, self._objects.removed, self._objects.changed):
            signal.disconnect(self._summarise, missing_ok=True)

    def _on_added(self) -> None:
        self._measuring.start()

    def _measure_some(self) -> None:
        """Measure what fits into a few milliseconds."""
        waiting = [item.label for item in self._objects if item.volume_nm3 is None]
        self._measured += self._objects.measure_within(waiting, MEASURE_SECONDS)
        # The table is painted anew each time, which takes longer than measuring.
        if not waiting or len(self._measured) >= TOLD_AT_ONCE:
            self._objects.tell_measured(label for label in self._measured if label in self._objects)
            self._measured.clear()
        if not waiting:
            self._measuring.stop()

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.filter, 1)
        tip = "Write the rows of this table to a CSV file"
        self.export_button = tool_button("file-export-outline", "Export…", tip, self._ask_export, self)
        top.addWidget(self.export_button)
        row = QHBoxLayout()
        row.setSpacing(2)
        for name, text, tip, do in (
            ("eye-outline", "", "Show the selected objects", self.show_selected),
            ("eye-off-outline", "", "Hide the selected objects (H)", self.hide_selected),
            ("target", "Solo", "Show the selected objects only (I)", self.show_only_selected),
            ("eye-check-outline", "All", "Show all objects (Shift+H)", self.show_all),
            (
                "palette-outline",
                "",
                "Colour of the selected objects…",
                lambda: self.choose_colour(self._selected),
            ),
        ):
            button = tool_button(name, text, tip, do, self)
            row.addWidget(button)
            if do != self.show_all:
                self._for_selection.append(button)
        row.addStretch(1)
        caption = QLabel("Opacity", self)
        caption.setToolTip(self.opacity.toolTip())
        self._for_selection += [caption, self.opacity]
        row.addWidget(caption)
        row.addWidget(self.opacity)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addLayout(top)
        column.addWidget(self.table, 1)
        column.addLayout(row)
        column.addWidget(self.summary)

    def _on_selection(self) -> None:
        if self._restoring:
            return
        self._selected = tuple(self.model.label_at(row) for row in selected_rows(self.table))
        self._on_selected()

    def _on_selected(self) -> None:
        if self._selected:
            first = self._objects[self._selected[0]]
            self.opacity.blockSignals(True)
            self.opacity.setValue(round(first.opacity * 100))
            self.opacity.blockSignals(False)
        self._summarise()
        self.selection_changed.emit(self._selected)

    def _restore_selection(self) -> None:
        self._restoring = True
        self._selected = tuple(label for label in self._selected if label in self._objects)
        rows = [row for label in self._selected if (row := self.model.row_of(label)) is not None]
        select_rows(self.table, rows)
        self._restoring = False
        self._summarise()

    def _on_clicked(self, index: QModelIndex) -> None:
        if index.column() == mesh_table.COLOUR:
            self.choose_colour([self.model.label_at(index.row())])

    def _on_double_clicked(self, index: QModelIndex) -> None:
        if index.column() not in (mesh_table.VISIBLE, mesh_table.COLOUR):
            self.centre_wanted.emit((self.model.label_at(index.row()),))

    def _on_menu(self, at: QPoint) -> None:
        if self._selected:
            self.menu().exec_(self.table.viewport().mapToGlobal(at))

    def menu(self) -> QMenu:
        """Return the menu for the selected objects."""
        menu = QMenu(self)
        menu.addAction("Centre in the view\tF", lambda: self.centre_wanted.emit(self._selected))
        menu.addAction("Show only these\tI", self.show_only_selected)
        menu.addAction("Show", self.show_selected)
        menu.addAction("Hide\tH", self.hide_selected)
        menu.addAction("Show all\tShift+H", self.show_all)
        menu.addSeparator()
        menu.addAction("Colour…", lambda: self.choose_colour(self._selected))
        menu.addAction("Remove from the view", lambda: self._objects.remove(self._selected))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return menu

    def _set_opacity(self, percent: int) -> None:
        self._objects.set_field(self._selected, "opacity", percent / 100)

    def _ask_export(self) -> None:
        path = ask_save("Export objects", "objects.csv", "CSV tables (*.csv)", ".csv", self)
        if path is None:
            return
        try:
            count = self.export_csv(path)
        except UniemError as error:
            show_error(error, self)
        else:
            self.told.emit(f"Wrote {count:,} objects to {path}")

    def _summarise(self, *_: object) -> None:
        shown = sum(item.visible for item in self._objects)
        listed, total = self.model.rowCount(), len(self._objects)
        parts = [
            f"{listed:,} of {total:,} listed" if listed < total else f"{total:,} objects",
            f"{shown:,} shown",
        ]
        if self._selected:
            parts.append(f"{len(self._selected):,} selected")
        self.summary.setText(" · ".join(parts))
        for widget in self._for_selection:
            widget.setEnabled(bool(self._selected))
        self.export_button.setEnabled(listed > 0)
