"""Interpolation and copies between sections by keys, in all planes, against the pure functions."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from tests.gui.canvas.hand.conftest import Hands
from tests.gui.canvas.hand.test_brush_options import voxels
from uniem.data.volume import ArrayVolume
from uniem.gui.canvas.canvas import Canvas
from uniem.proofreading.edits import Edit
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.between import copy_shape, interpolate
from uniem.proofreading.tools.plane import Plane

PLACES = {Plane.XY: (100, 100), Plane.XZ: (14, 100), Plane.YZ: (100, 14)}


def after(before: np.ndarray, edit: Edit | None) -> np.ndarray:
    array = before.copy()
    for patch in edit.patches if edit is not None else ():
        array[patch.box.slices][patch.selection()] = patch.after
    return array


def paint_two(hands: Hands) -> None:
    """Paint the label in hand in two sections of the view, eight apart, and show one between them."""
    model, axis, place = hands.canvas.model, hands.view.axes.across, PLACES[hands.plane]
    for section, size in ((3, 60), (11, 100)):
        model.move_along(axis, section)
        hands.qtbot.waitUntil(lambda: hands.view.is_complete)
        model.hand.brush_px = size
        hands.drag([place])
    model.move_along(axis, 7)
    hands.qtbot.waitUntil(lambda: hands.view.is_complete)


@pytest.mark.parametrize("plane", list(Plane))
def test_interpolation_is_shown_through_the_sections_before_it_is_made(
    qtbot: QtBot, painting_canvas: Canvas, session: ProofreadingSession, plane: Plane
) -> None:
    hands = Hands(qtbot, painting_canvas, plane)
    paint_two(hands)
    # What is there already is not painted over.
    painting_canvas.model.hand.label, painting_canvas.model.hand.brush_px = 9, 15
    hands.drag([PLACES[plane]])
    painting_canvas.model.hand.label = 7
    before = voxels(session)
    hands.key(Qt.Key.Key_I)
    hands.settle()
    np.testing.assert_array_equal(voxels(session), before)
    for section in (5, 9):
        painting_canvas.model.move_along(hands.view.axes.across, section)
        assert hands.view.preview_item.preview is not None
    painting_canvas.model.move_along(hands.view.axes.across, 12)
    assert hands.view.preview_item.preview is None

    box = session.objects[7].box
    assert box is not None
    edit = interpolate(ArrayVolume(before, session.volume.voxel_size), 7, box, plane=plane)
    hands.key(Qt.Key.Key_Return)
    np.testing.assert_array_equal(voxels(session), after(before, edit))
    assert (voxels(session) == 9).sum() == (before == 9).sum()
    painting_canvas.painting.undo()
    np.testing.assert_array_equal(voxels(session), before)


def test_escape_forgets_the_interpolation(hands: Hands, session: ProofreadingSession) -> None:
    paint_two(hands)
    before = voxels(session)
    hands.key(Qt.Key.Key_I)
    hands.settle()
    assert hands.view.preview_item.preview is not None
    hands.key(Qt.Key.Key_Escape)
    assert hands.view.preview_item.preview is None
    hands.key(Qt.Key.Key_Return)
    np.testing.assert_array_equal(voxels(session), before)


def test_a_stroke_makes_a_proposal_void(hands: Hands, session: ProofreadingSession) -> None:
    paint_two(hands)
    hands.key(Qt.Key.Key_I)
    hands.settle()
    hands.canvas.model.hand.brush_px = 5
    hands.drag([(30, 30)])
    assert hands.canvas.hand_tools.proposal.edit is None


def test_one_painted_section_is_not_enough(qtbot: QtBot, hands: Hands) -> None:
    hands.drag([(100, 100)])
    with qtbot.waitSignal(hands.canvas.message) as told:
        hands.key(Qt.Key.Key_I)
    assert "at least two" in told.args[0]


@pytest.mark.parametrize("plane", list(Plane))
def test_a_copy_goes_to_the_next_section_and_so_does_the_view(
    qtbot: QtBot, painting_canvas: Canvas, session: ProofreadingSession, plane: Plane
) -> None:
    hands = Hands(qtbot, painting_canvas, plane)
    axis = hands.view.axes.across
    painting_canvas.model.move_along(axis, 6)
    qtbot.waitUntil(lambda: hands.view.is_complete)
    painting_canvas.model.hand.brush_px = 50
    hands.drag([PLACES[plane]])
    for key, step in ((Qt.Key.Key_F, 1), (Qt.Key.Key_D, -1)):
        before, position = voxels(session), hands.view.position
        box = session.objects[7].box
        assert box is not None
        hands.key(key, Qt.KeyboardModifier.ShiftModifier)
        hands.settle()
        assert hands.view.position == position + step
        edit = copy_shape(ArrayVolume(before), 7, position, [position + step], box, plane=plane)
        np.testing.assert_array_equal(voxels(session), after(before, edit))


def test_beyond_the_last_section_nothing_is_copied(qtbot: QtBot, hands: Hands) -> None:
    hands.drag([(100, 100)])
    with qtbot.waitSignal(hands.canvas.message) as told:
        hands.key(Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    assert "beyond" in told.args[0]
    assert hands.view.position == 0
