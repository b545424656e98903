"""Two points of the history compared in the window, and the small pictures of where edits were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QItemSelectionModel, Qt
from qtpy.QtGui import QPixmap
from qtpy.QtTest import QTest

from tests.gui.proofreading.conftest import scene, select
from uniem.gui.main_window import MainWindow
from uniem.gui.proofreading.comparison_item import GAINED, LOST, MOVED, Side
from uniem.gui.proofreading.history_model import PICTURE, TITLE
from uniem.proofreading.tools.brush import Stroke, paint


@pytest.fixture
def edited(proofreading: MainWindow, qtbot: Any) -> MainWindow:
    """Merge two objects, delete one, and paint one, with the history in view."""
    window = proofreading
    window.action_set["history"].trigger()
    select(window, 5, 7)
    window.action_set["merge-selected"].trigger()
    select(window, 8)
    window.action_set["delete-objects"].trigger()
    session = window.sessions.session
    assert session is not None
    edit = paint(session.volume, Stroke(((2, 80, 10), (2, 80, 20)), 3), 20)
    assert edit is not None
    session.apply(edit)
    panel = window.proofreading.history
    qtbot.waitUntil(lambda: panel.model.rowCount() == 4 and not panel._soon.isActive())
    window.canvas.model.go_to(2)
    window.canvas.view.fit()
    return window


def choose_rows(window: MainWindow, *rows: int) -> None:
    panel = window.proofreading.history
    flags = QItemSelectionModel.SelectionFlag
    panel.table.clearSelection()
    for row in rows:
        chosen = flags(flags.Select | flags.Rows)
        panel.table.selectionModel().select(panel.model.index(row, TITLE), chosen)


def compare(window: MainWindow, qtbot: Any, *rows: int) -> None:
    choose_rows(window, *rows)
    assert window.proofreading.history.compare.isEnabled()
    window.proofreading.history.compare.click()
    qtbot.waitUntil(lambda: window.proofreading.comparing.is_complete)


def colour_at(window: MainWindow, row: int, column: int) -> tuple[int, int, int]:
    view = window.canvas.view
    picture = view.viewport().grab().toImage()
    place = view.place_of(row, column) * picture.devicePixelRatio()
    return picture.pixelColor(place.toPoint()).getRgb()[:3]


def is_nearest(found: tuple[int, int, int], wanted: Any) -> bool:
    """Tell whether a colour is more like this one than like the other two."""
    distance = {
        kind.name(): float(np.linalg.norm(np.subtract(found, kind.getRgb()[:3])))
        for kind in (GAINED, LOST, MOVED)
    }
    return min(distance, key=lambda name: distance[name]) == wanted.name()


def test_what_differs_is_counted_and_drawn_until_esc(edited: MainWindow, qtbot: Any) -> None:
    comparing = edited.proofreading.comparing
    compare(edited, qtbot, 0, 3)
    comparison = comparing.comparison
    assert comparison is not None
    before, session = scene(), edited.sessions.session
    assert session is not None
    painted = session.objects[20].voxels
    totals = comparison.totals
    assert (totals.lost, totals.moved) == ((before == 8).sum(), (before == 7).sum())
    assert (totals.gained, totals.labels, comparison.edits) == (painted, {5, 7, 8, 20}, 3)
    assert f"{totals.voxels:,} voxels" in comparing.bar.text.text()
    assert is_nearest(colour_at(edited, 75, 70), LOST)
    assert is_nearest(colour_at(edited, 20, 50), MOVED)
    assert is_nearest(colour_at(edited, 80, 15), GAINED)
    assert not edited.canvas.model.display.show_labels
    comparing.bar.sides[Side.AFTER].click()
    qtbot.waitUntil(lambda: comparing.is_complete)
    assert max(colour_at(edited, 75, 70)) < 100
    QTest.keyClick(edited.canvas.view, Qt.Key.Key_Escape)
    assert not comparing.is_active and not comparing.bar.isVisible()
    assert edited.canvas.model.display.show_labels


def test_one_point_is_compared_with_now_and_an_edit_ends_it(edited: MainWindow, qtbot: Any) -> None:
    comparing = edited.proofreading.comparing
    compare(edited, qtbot, 2)
    assert comparing.comparison is not None
    assert comparing.comparison.totals.labels == {20} and comparing.comparison.edits == 1
    edited.canvas.model.go_to(0)
    qtbot.waitUntil(lambda: comparing.is_complete)
    comparing.bar.next.click()
    assert edited.canvas.model.z == 2
    edited.action_set["undo"].trigger()
    assert not comparing.is_active
    panel = edited.proofreading.history
    qtbot.waitUntil(lambda: panel.model.current_row == 2 and not panel._soon.isActive())
    compare(edited, qtbot, 1, 2)
    assert comparing.comparison is not None and comparing.comparison.totals.labels == {8}


def test_pictures_of_edits_come_for_the_rows_in_view(edited: MainWindow, qtbot: Any) -> None:
    model = edited.proofreading.history.model

    def picture(row: int) -> QPixmap | None:
        return model.data(model.index(row, PICTURE), Qt.ItemDataRole.DecorationRole)

    qtbot.waitUntil(lambda: all(picture(row) is not None for row in (1, 2, 3)))
    assert picture(0) is None
    found = picture(3)
    assert found is not None
    image = found.toImage()
    colours = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert len(colours) > 20 and "#ffe65a" in colours
