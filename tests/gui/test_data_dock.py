"""The list of data: rows stay while they are clicked, and follow what is open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy import sip
from qtpy.QtCore import QPoint, Qt

from tests.gui.test_window import drop
from uniem.gui.main_window import MainWindow

LEFT = Qt.MouseButton.LeftButton


def tick_place(window: MainWindow, place: int) -> QPoint:
    """Return where the tick of a row is."""
    tree = window.data.tree
    rect = tree.visualItemRect(tree.topLevelItem(place))
    return QPoint(rect.left() + 10, rect.top() + tree.fontMetrics().height() // 2 + 3)


def names(window: MainWindow) -> list[str]:
    tree = window.data.tree
    return [tree.topLevelItem(place).text(0) for place in range(tree.topLevelItemCount())]


def test_the_row_that_is_ticked_by_mouse_stays(
    window: MainWindow, stack: Path, discs: Path, qtbot: Any
) -> None:
    drop(window, stack, discs)
    tree = window.data.tree
    rows = [tree.topLevelItem(place) for place in range(2)]
    for place, row in enumerate(rows):
        item = window.workspace.items[place]
        for _ in range(4):
            was_visible = item.is_visible
            # Qt goes on with the row after it has told of the tick: one made anew ended the program.
            qtbot.mouseClick(tree.viewport(), LEFT, pos=tick_place(window, place))
            assert item.is_visible is not was_visible
            assert not sip.isdeleted(row) and tree.topLevelItem(place) is row
            assert (row.checkState(0) == Qt.CheckState.Checked) is item.is_visible


def test_rows_follow_what_is_open(window: MainWindow, stack: Path, discs: Path, qtbot: Any) -> None:
    drop(window, stack, discs)
    assert names(window) == ["stack.tif", "discs.tif"]
    first, second = window.workspace.items
    window.data.select(first)
    window.workspace.rename(second, "truth")
    assert names(window) == ["stack.tif", "truth"]
    assert window.data.current is first
    window.workspace.close(first)
    assert names(window) == ["truth"] and window.data.current is second
    window.workspace.open(str(stack))
    assert names(window) == ["truth", "stack.tif"]
