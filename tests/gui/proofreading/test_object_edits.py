"""Whole objects merged, deleted, split, absorbed and relabelled through menus, with one undo step each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QInputDialog, QMenu

from tests.gui.proofreading.conftest import scene, select, settle, voxels
from uniem.gui.canvas.view_model import Voxel
from uniem.gui.main_window import MainWindow
from uniem.proofreading.edits import Edit, Patch
from uniem.proofreading.tools import fields


def type_in(value: Any) -> None:
    """Type into the next dialog that asks for something, and press OK."""

    def answer() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QInputDialog):
            QTimer.singleShot(20, answer)
            return
        box.setIntValue(value) if isinstance(value, int) else box.setTextValue(value)
        box.accept()

    QTimer.singleShot(20, answer)


def choose(window: MainWindow, title: str) -> None:
    """Choose an entry of the object table's menu."""
    next(each for each in window.objects.menu().actions() if each.text() == title).trigger()


def edits(window: MainWindow) -> int:
    return len(window.sessions.session.timeline.edits())


def test_selected_objects_are_merged_into_the_largest_or_the_one_in_hand(proofreading: MainWindow) -> None:
    select(proofreading, 5, 6, 7)
    assert proofreading.action_set["merge-selected"].isEnabled()
    proofreading.action_set["merge-selected"].trigger()
    expected = scene()
    expected[(expected == 6) | (expected == 7)] = 5
    np.testing.assert_array_equal(voxels(proofreading), expected)
    assert proofreading.canvas.toast.text() == "Merged 6, 7 into 5." and edits(proofreading) == 1
    proofreading.action_set["undo"].trigger()
    np.testing.assert_array_equal(voxels(proofreading), scene())

    proofreading.canvas.model.hand.label = 6
    select(proofreading, 6, 7)
    choose(proofreading, "Merge 2 objects")
    assert proofreading.sessions.session.objects[6].voxels == 8 + 6 * 30 * 19


def test_locked_objects_are_not_merged(proofreading: MainWindow) -> None:
    proofreading.objects.model.change(fields.lock, [7])
    select(proofreading, 5, 6, 7)
    choose(proofreading, "Merge 3 objects")
    assert (voxels(proofreading) == 7).sum() == 6 * 30 * 19 and not (voxels(proofreading) == 6).any()
    assert "Locked objects stay: 7." in proofreading.canvas.toast.text()


def test_what_is_selected_or_in_hand_is_deleted(proofreading: MainWindow) -> None:
    select(proofreading, 6, 8)
    choose(proofreading, "Delete")
    expected = scene()
    expected[(expected == 6) | (expected == 8)] = 0
    np.testing.assert_array_equal(voxels(proofreading), expected)
    proofreading.objects.table.clearSelection()
    proofreading.canvas.model.hand.label = 7
    proofreading.action_set.refresh()
    proofreading.action_set["delete-objects"].trigger()
    assert not (voxels(proofreading) == 7).any() and edits(proofreading) == 2


def test_pieces_get_labels_never_used(proofreading: MainWindow, qtbot: Any) -> None:
    select(proofreading, 5)
    choose(proofreading, "Split into disconnected parts")
    settle(proofreading, qtbot)
    expected = scene()
    expected[1:3, 60:66, 10:20] = 9
    np.testing.assert_array_equal(voxels(proofreading), expected)
    assert edits(proofreading) == 1
    select(proofreading, 7)
    proofreading.action_set["split-pieces"].trigger()
    settle(proofreading, qtbot)
    assert proofreading.canvas.toast.text() == "Object 7 is in one piece."
    assert proofreading.sessions.session.next_label() == 10


def test_small_neighbours_are_absorbed_and_large_ones_not(proofreading: MainWindow, qtbot: Any) -> None:
    select(proofreading, 5)
    type_in(100)
    choose(proofreading, "Absorb small neighbours…")
    settle(proofreading, qtbot)
    expected = scene()
    expected[expected == 6] = 5
    np.testing.assert_array_equal(voxels(proofreading), expected)


@pytest.mark.parametrize(("typed", "label"), [("40", 40), ("", 9)])
def test_an_object_gets_another_label(proofreading: MainWindow, typed: str, label: int) -> None:
    select(proofreading, 7)
    type_in(typed)
    choose(proofreading, "Relabel…")
    expected = scene()
    expected[expected == 7] = label
    np.testing.assert_array_equal(voxels(proofreading), expected)
    assert proofreading.canvas.model.hand.label == label


def test_relabelling_to_a_label_in_use_asks(
    proofreading: MainWindow, answer: Callable[[str], list[str]]
) -> None:
    select(proofreading, 7)
    type_in("8")
    QTimer.singleShot(0, lambda: None)
    asked = answer("Cancel")
    choose(proofreading, "Relabel…")
    assert "Merge 7 into it?" in asked[0]
    np.testing.assert_array_equal(voxels(proofreading), scene())


def test_the_canvas_menu_concerns_the_object_under_the_mouse(proofreading: MainWindow) -> None:
    select(proofreading, 5, 8)
    menu = QMenu()
    proofreading.proofreading.objects.fill_menu(menu, 7)
    next(each for each in menu.actions() if each.text() == "Delete object 7").trigger()
    expected = scene()
    expected[expected == 7] = 0
    np.testing.assert_array_equal(voxels(proofreading), expected)


def test_large_edits_are_written_in_the_background(proofreading: MainWindow, qtbot: Any) -> None:
    select(proofreading, 5, 7)
    choose(proofreading, "Merge 2 objects")
    session = proofreading.sessions.session
    qtbot.waitUntil(lambda: session.unwritten_blocks == 0)
    assert not proofreading.proofreading.writing.is_busy or session.unwritten_blocks == 0


def test_a_part_is_cut_from_all_its_neighbours(proofreading: MainWindow, qtbot: Any) -> None:
    session, canvas = proofreading.sessions.session, proofreading.canvas
    joined = scene()
    joined[joined == 8] = 7
    joined[:, 40:60, 48:50] = 7
    patch = Patch.of((0, 0, 0), joined != scene(), scene(), joined)
    assert patch is not None
    session.apply(Edit("Join", (patch,)))
    canvas.model.hand.options.cut_on_image = False
    canvas.model.move_to((3, 75, 70))
    canvas.model.hover(None)
    proofreading.action_set["cut-out"].trigger()
    settle(proofreading, qtbot)
    assert canvas.view.preview_item.preview is not None and edits(proofreading) == 1
    assert canvas.hand_tools.proposal.accept()
    after = voxels(proofreading)
    assert (after[:, 62:90, 40:90] == 9).all() and (after[:, 10:38, 41:60] == 7).all()
    assert canvas.toast.text() == "Split 7: 9 is new." and edits(proofreading) == 2
    proofreading.action_set["undo"].trigger()
    np.testing.assert_array_equal(voxels(proofreading), joined)

    canvas.model.hover(Voxel(3, 20, 50, None, 7))
    menu = QMenu()
    proofreading.proofreading.objects.fill_menu(menu, 7)
    next(each for each in menu.actions() if each.text() == "Cut this part from its neighbours").trigger()
    settle(proofreading, qtbot)
    assert canvas.hand_tools.proposal.accept()
    after = voxels(proofreading)
    assert (after[:, 62:90, 40:90] == 7).all() and (after[:, 10:38, 41:60] == 10).all()


def test_where_there_is_no_object_nothing_is_cut_out(proofreading: MainWindow) -> None:
    failures: list[str] = []
    proofreading.proofreading.objects.failed.connect(failures.append)
    proofreading.canvas.model.move_to((0, 0, 0))
    proofreading.canvas.model.hover(None)
    proofreading.action_set["cut-out"].trigger()
    assert "no object here" in failures[0]
