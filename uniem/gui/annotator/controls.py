"""Small controls that the annotator's panels share: buttons, tables, colour and file questions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QAbstractItemModel, QItemSelection, QItemSelectionModel, Qt
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QFileDialog,
    QHeaderView,
    QMessageBox,
    QTableView,
    QToolButton,
    QWidget,
)

from uniem.data.palette import Colour
from uniem.errors import UniemError
from uniem.gui.style import icon


def tool_button(name: str, text: str, tip: str, do: Callable[[], object], parent: QWidget) -> QToolButton:
    """Return a flat button with an icon, a text beside it unless empty, and a tooltip."""
    button = QToolButton(parent)
    button.setAutoRaise(True)
    button.setToolTip(tip)
    button.setText(text)
    if name:
        button.setProperty("icon-name", name)
        button.setIcon(icon(name))
    style = Qt.ToolButtonStyle
    if name and text:
        button.setToolButtonStyle(style.ToolButtonTextBesideIcon)
    else:
        button.setToolButtonStyle(style.ToolButtonIconOnly if name else style.ToolButtonTextOnly)
    button.clicked.connect(lambda: _run(do))
    return button


def refresh_icons(widget: QWidget) -> None:
    """Redraw the icons of the buttons below a widget in the colours of the present theme."""
    for button in widget.findChildren(QToolButton):
        if name := button.property("icon-name"):
            button.setIcon(icon(name))


def make_table(
    model: QAbstractItemModel, widths: dict[int, int], stretched: int, parent: QWidget
) -> QTableView:
    """Return a sortable table of whole rows, in which a slow second click or F2 edits."""
    table = QTableView(parent)
    table.setModel(model)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    triggers = QAbstractItemView.EditTriggers(QAbstractItemView.EditTrigger.SelectedClicked)
    table.setEditTriggers(triggers | QAbstractItemView.EditTrigger.EditKeyPressed)
    table.setAlternatingRowColors(True)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.verticalHeader().hide()
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 8)
    table.setSortingEnabled(True)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setMinimumSectionSize(28)
    em = table.fontMetrics().horizontalAdvance("0")
    for column, digits in widths.items():
        table.setColumnWidth(column, em * digits + 20)
    header.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Interactive)
    header.setStretchLastSection(True)
    return table


def select_rows(table: QTableView, rows: list[int]) -> None:
    """Select these rows and no others, and make the first of them current."""
    model = table.model()
    last = model.columnCount() - 1
    selection = QItemSelection()
    for first, final in _runs(sorted(rows)):
        selection.select(model.index(first, 0), model.index(final, last))
    table.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)
    if rows:
        table.selectionModel().setCurrentIndex(
            model.index(rows[0], 2), QItemSelectionModel.SelectionFlag.NoUpdate
        )


def selected_rows(table: QTableView) -> list[int]:
    """Return the selected rows in ascending order; Qt's own selectedRows takes a second for 10,000."""
    ranges = table.selectionModel().selection()
    return sorted({row for part in ranges for row in range(part.top(), part.bottom() + 1)})


def ask_colour(start: Colour, title: str, parent: QWidget) -> Colour | None:
    """Let the user choose a colour; None when cancelled."""
    chosen = QColorDialog.getColor(QColor(*start), parent, title)
    return (chosen.red(), chosen.green(), chosen.blue()) if chosen.isValid() else None


def colour_icon(colour: Colour) -> QIcon:
    """Return a square of a colour."""
    pixmap = QPixmap(32, 32)
    pixmap.fill(QColor(*colour))
    return QIcon(pixmap)


def ask_save(title: str, name: str, kinds: str, suffix: str, parent: QWidget) -> Path | None:
    """Let the user choose where to write; None when cancelled."""
    chosen, _ = QFileDialog.getSaveFileName(parent, title, name, kinds)
    if not chosen:
        return None
    path = Path(chosen)
    return path if path.suffix else path.with_suffix(suffix)


def ask_open(title: str, kinds: str, parent: QWidget) -> Path | None:
    """Let the user choose a file to read; None when cancelled."""
    chosen, _ = QFileDialog.getOpenFileName(parent, title, "", kinds)
    return Path(chosen) if chosen else None


def show_error(error: UniemError, parent: QWidget) -> None:
    """Tell what went wrong and what to do."""
    box = QMessageBox(QMessageBox.Icon.Warning, "uniem", error.message, QMessageBox.StandardButton.Ok, parent)
    box.setInformativeText(error.hint)
    box.exec_()


def _run(do: Callable[[], object]) -> None:
    do()


def _runs(rows: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and row == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], row)
        else:
            runs.append((row, row))
    return runs
