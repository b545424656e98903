"""The history in its dock: listed, gone to, undone in view only, and named by saves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QTableView

from tests.gui.proofreading.conftest import scene, select, settle, voxels
from uniem.gui.main_window import MainWindow
from uniem.gui.proofreading.history_model import BEGINNING, SAVED, TITLE
from uniem.proofreading.tools import fields


@pytest.fixture
def three(proofreading: MainWindow, qtbot: Any) -> MainWindow:
    """Make three edits with the history in view."""
    proofreading.action_set["history"].trigger()
    for labels in ((5, 6), (5, 7), (8,)):
        select(proofreading, *labels)
        action = "merge-selected" if len(labels) > 1 else "delete-objects"
        proofreading.action_set.refresh()
        proofreading.action_set[action].trigger()
    wait(proofreading, qtbot, 4)
    return proofreading


def wait(window: MainWindow, qtbot: Any, rows: int) -> None:
    panel = window.proofreading.history
    qtbot.waitUntil(lambda: panel.model.rowCount() == rows and not panel._soon.isActive())


def titles(window: MainWindow) -> list[str]:
    model = window.proofreading.history.model
    return [model.data(model.index(row, TITLE), Qt.DisplayRole) for row in range(model.rowCount())]


def double_click(table: QTableView, row: int) -> None:
    place = table.visualRect(table.model().index(row, TITLE)).center()
    viewport = table.viewport()
    QTest.mouseClick(viewport, Qt.LeftButton, Qt.NoModifier, QPoint(place))
    QTest.mouseDClick(viewport, Qt.LeftButton, Qt.NoModifier, QPoint(place))


def test_edits_are_listed_newest_last_and_a_double_click_goes_there(three: MainWindow, qtbot: Any) -> None:
    panel = three.proofreading.history
    assert titles(three) == [BEGINNING, "Merge 6 into 5", "Merge 7 into 5", "Delete 8"]
    assert panel.model.current_row == 3
    double_click(panel.table, 1)
    qtbot.waitUntil(lambda: panel.model.current_row == 1)
    expected = scene()
    expected[expected == 6] = 5
    np.testing.assert_array_equal(voxels(three), expected)
    double_click(panel.table, 0)
    qtbot.waitUntil(lambda: panel.model.current_row == 0)
    np.testing.assert_array_equal(voxels(three), scene())
    double_click(panel.table, 3)
    qtbot.waitUntil(lambda: panel.model.current_row == 3)
    assert set(np.unique(voxels(three))) == {0, 5}


def test_what_was_left_stays_listed_and_comes_back(three: MainWindow, qtbot: Any) -> None:
    panel = three.proofreading.history
    double_click(panel.table, 1)
    qtbot.waitUntil(lambda: panel.model.current_row == 1)
    select(three, 8)
    three.action_set.refresh()
    three.action_set["delete-objects"].trigger()
    wait(three, qtbot, 5)
    assert panel.model.current_row == 4
    double_click(panel.table, 2)
    qtbot.waitUntil(lambda: panel.model.current_row == 2)
    assert set(np.unique(voxels(three))) == {0, 5, 8}


def test_only_what_is_in_view_is_undone(three: MainWindow, qtbot: Any) -> None:
    panel = three.proofreading.history
    three.canvas.view.fit()
    three.canvas.model.go_to(2)
    panel.table.setCurrentIndex(panel.model.index(0, TITLE))
    panel.undo_here.menu().actions()[0].trigger()
    settle(three, qtbot)
    after = voxels(three)
    np.testing.assert_array_equal(after[2], scene()[2])
    assert not (after[1] == 8).any()
    wait(three, qtbot, 5)
    panel.table.setCurrentIndex(panel.model.index(0, TITLE))
    panel.undo_here.menu().actions()[1].trigger()
    settle(three, qtbot)
    np.testing.assert_array_equal(voxels(three), scene())
    three.action_set["undo"].trigger()
    np.testing.assert_array_equal(voxels(three), after)


def test_undo_in_view_spares_what_is_locked(three: MainWindow, qtbot: Any) -> None:
    panel, session = three.proofreading.history, three.sessions.session
    assert session is not None
    locking = fields.lock(session.objects, [5])
    assert locking is not None
    session.apply(locking)
    wait(three, qtbot, 5)
    three.canvas.view.fit()
    panel.table.selectRow(0)
    panel.undo_here.menu().actions()[1].trigger()
    settle(three, qtbot)
    # 6 and 7 are part of 5, which is locked; 8 was deleted and comes back.
    expected = scene()
    expected[(expected == 6) | (expected == 7)] = 5
    np.testing.assert_array_equal(voxels(three), expected)


def test_a_save_gets_a_name(three: MainWindow, qtbot: Any) -> None:
    panel = three.proofreading.history
    panel.save_checkpoint("all axons")
    model = panel.model
    qtbot.waitUntil(lambda: model.data(model.index(3, SAVED), Qt.DisplayRole) == "all axons")
    assert three.sessions.unsaved == 0
    panel.go_to_row(0)
    qtbot.waitUntil(lambda: model.current_row == 0)
    assert model.data(model.index(3, SAVED), Qt.DisplayRole) == "all axons"


def test_without_a_session_it_says_what_to_do(window: MainWindow) -> None:
    window.action_set["history"].trigger()
    panel = window.proofreading.history
    assert panel._empty.isVisible() and not panel.table.isVisible() and not panel.save.isEnabled()
