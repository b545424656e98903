"""Ball and disc, pen pressure, gray ranges, lines and rules of protection, in all planes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtTest import QTest

from tests.gui.canvas.hand.conftest import RIGHT, Hands
from uniem.data.geometry import Box
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.hand.options import OPTIONS_KEY
from uniem.gui.canvas.view_model import Tool
from uniem.proofreading.edits import Edit, FieldChange
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import GrayRange, Stroke, Tip, paint
from uniem.proofreading.tools.plane import Plane
from uniem.proofreading.tools.protect import Over
from uniem.workspace import Settings

LINES = {
    Plane.XY: [(100, 100), (120, 160)],
    Plane.XZ: [(10, 100), (20, 150)],
    Plane.YZ: [(100, 10), (140, 18)],
}


def voxels(session: ProofreadingSession) -> np.ndarray:
    return session.volume.read(Box.of_shape(session.volume.shape))


def painted(session: ProofreadingSession, edit: Edit | None) -> np.ndarray:
    """Return what an edit makes of an empty volume."""
    array = np.zeros(session.volume.shape, session.volume.dtype)
    for patch in edit.patches if edit is not None else ():
        array[patch.box.slices][patch.selection()] = patch.after
    return array


def empty(session: ProofreadingSession) -> ArrayVolume:
    return ArrayVolume(np.zeros(session.volume.shape, np.uint32), session.volume.voxel_size)


@pytest.mark.parametrize("tip", list(Tip))
@pytest.mark.parametrize("plane", list(Plane))
def test_disc_and_ball_paint_what_the_pure_function_does(
    qtbot: QtBot, painting_canvas: Canvas, session: ProofreadingSession, plane: Plane, tip: Tip
) -> None:
    hands = Hands(qtbot, painting_canvas, plane)
    painting_canvas.model.hand.brush_px = 60
    painting_canvas.model.hand.options.tip = tip
    hands.drag(LINES[plane])
    hands.settle()

    position, axes = hands.view.position, hands.view.axes
    stroke = Stroke(tuple(axes.zyx(position, *point) for point in LINES[plane]), 30.0, plane, tip)
    expected = painted(session, paint(empty(session), stroke, 7))
    np.testing.assert_array_equal(voxels(session), expected)
    depth = len(np.unique(np.nonzero(expected)[plane.fixed_axis]))
    assert depth > 1 if tip is Tip.BALL else depth == 1

    painting_canvas.painting.undo()
    assert not voxels(session).any()
    painting_canvas.painting.redo()
    np.testing.assert_array_equal(voxels(session), expected)


def test_a_pen_pressed_lightly_paints_more_thinly(hands: Hands, session: ProofreadingSession) -> None:
    hand = hands.canvas.model.hand
    hand.brush_px, hand.options.uses_pressure = 40, True
    points, pressures = [(60, 60), (60, 100), (60, 160)], [0.2, 0.5, 1.0]
    hands.pen(points, pressures)

    stroke = Stroke(tuple((0, y, x) for y, x in points), (4.0, 10.0, 20.0))
    expected = painted(session, paint(empty(session), stroke, 7))
    got = voxels(session)
    # Tablets tell pressure in steps of their own.
    assert np.count_nonzero(got != expected) < 0.02 * np.count_nonzero(expected)
    assert got[0, 60, 170] == 7 and got[0, 60 + 8, 60] == 0


def test_a_mouse_paints_at_full_size_after_a_pen(hands: Hands, session: ProofreadingSession) -> None:
    hand = hands.canvas.model.hand
    hand.brush_px, hand.options.uses_pressure = 21, True
    hands.pen([(60, 60)], [0.1])
    hands.drag([(150, 150)])
    assert voxels(session)[0, 150 + 10, 150] == 7
    assert voxels(session)[0, 60 + 5, 60] == 0


@pytest.mark.parametrize("plane", list(Plane))
def test_only_a_range_of_gray_is_painted_and_shown(
    qtbot: QtBot, painting_canvas: Canvas, session: ProofreadingSession, image: ArrayVolume, plane: Plane
) -> None:
    hands = Hands(qtbot, painting_canvas, plane)
    hand = painting_canvas.model.hand
    hand.brush_px = 50
    hand.options.uses_gray, hand.options.gray_low, hand.options.gray_high = True, 60.0, 120.0
    hands.move(LINES[plane][0])
    assert hands.view.preview_item.preview is not None

    hands.drag(LINES[plane], is_released=False)
    position, axes = hands.view.position, hands.view.axes
    stroke = Stroke(tuple(axes.zyx(position, *point) for point in LINES[plane]), 25.0, plane)
    gray = GrayRange(image, 60, 120)
    expected = painted(session, paint(empty(session), stroke, 7, gray=gray))
    height, width = axes.shape(session.volume.shape)
    drawn = [
        [hands.view.item.overlay.label_at(row, column) for column in range(width)] for row in range(height)
    ]
    shown = axes.section_of(expected, position)
    np.testing.assert_array_equal(np.array(drawn), shown)
    hands.release(LINES[plane][-1])
    hands.settle()
    np.testing.assert_array_equal(voxels(session), expected)
    assert shown.any() and (image.array[expected > 0] >= 60).all()


def test_the_range_is_taken_from_under_the_brush(hands: Hands, image: ArrayVolume) -> None:
    hand, bar = hands.canvas.model.hand, hands.canvas.hand_tools.options_bar
    hand.brush_px = 11
    bar.gray.click()
    bar.take_gray.click()
    hands.click((100, 100))
    assert not bar.take_gray.isChecked()
    values = image.array[0, 96:105, 96:105]
    assert values.min() <= hand.options.gray_low <= np.percentile(values, 10)
    assert np.percentile(values, 90) <= hand.options.gray_high <= values.max()
    assert hand.options.uses_gray


def test_without_an_image_a_gray_range_is_refused(
    qtbot: QtBot, canvas: Canvas, session: ProofreadingSession
) -> None:
    canvas.edit_labels(None, session)
    qtbot.waitUntil(lambda: canvas.view.item.overlay.section is not None)
    canvas.run("brush")
    canvas.model.hand.options.uses_gray = True
    with qtbot.waitSignal(canvas.message) as told:
        Hands(qtbot, canvas).drag([(50, 50), (60, 60)])
    assert "image" in told.args[0]
    assert not voxels(session).any()


@pytest.mark.parametrize("plane", list(Plane))
def test_a_line_runs_straight_from_press_to_release(
    qtbot: QtBot, painting_canvas: Canvas, session: ProofreadingSession, plane: Plane
) -> None:
    hands = Hands(qtbot, painting_canvas, plane)
    hands.key(Qt.Key.Key_W)
    assert painting_canvas.model.hand.tool is Tool.LINE
    start, stop = LINES[plane]
    hands.drag([start, (start[0] + 2, start[1] + 6), stop])
    position, axes = hands.view.position, hands.view.axes
    stroke = Stroke(tuple(axes.zyx(position, *point) for point in (start, stop)), 4.5, plane)
    np.testing.assert_array_equal(voxels(session), painted(session, paint(empty(session), stroke, 7)))


def test_background_only_spares_labels_and_erases_the_one_in_hand(
    hands: Hands, session: ProofreadingSession
) -> None:
    hand = hands.canvas.model.hand
    hand.brush_px = 21
    hands.drag([(100, 100)])
    hand.label = 9
    hands.key(Qt.Key.Key_P)
    assert hand.options.over is Over.BACKGROUND
    hands.drag([(100, 110)])
    labels = voxels(session)[0]
    assert labels[100, 105] == 7 and labels[100, 118] == 9
    hands.drag([(100, 90), (100, 125)], RIGHT)
    labels = voxels(session)[0]
    assert (labels == 7).any() and not (labels == 9).any()


def test_inside_one_label_is_inside_that_on_which_the_stroke_begins(
    hands: Hands, session: ProofreadingSession
) -> None:
    hand = hands.canvas.model.hand
    hand.brush_px = 41
    hands.drag([(100, 100)])
    hand.label, hand.brush_px = 9, 11
    hand.options.over = Over.SELECTED
    hands.drag([(100, 100), (100, 150)])
    labels = voxels(session)[0]
    assert labels[100, 115] == 9 and labels[100, 140] == 0
    hands.canvas.model.select([9])
    hand.label = 3
    hands.drag([(100, 80), (100, 150)])
    assert set(np.unique(voxels(session)[0])) == {0, 3, 7}


def test_the_locked_are_spared_whatever_the_rule(hands: Hands, session: ProofreadingSession) -> None:
    hands.drag([(100, 100)])
    session.apply(Edit("Lock", (FieldChange(7, "locked", False, True),)))
    hand = hands.canvas.model.hand
    hand.label, hand.brush_px = 9, 31
    for over in Over:
        hand.options.over = over
        hands.canvas.model.select([7])
        hands.drag([(100, 100)])
        assert voxels(session)[0, 100, 100] == 7


def test_a_ball_that_reaches_beyond_the_volume_fills_its_part(
    hands: Hands, session: ProofreadingSession
) -> None:
    hands.canvas.model.hand.brush_px = 2000
    hands.canvas.model.hand.options.tip = Tip.BALL
    hands.drag([(100, 100)])
    hands.settle()
    assert (voxels(session)[0] == 7).all()


def test_a_ball_beyond_all_memory_is_refused_in_words(qtbot: QtBot, canvas: Canvas, tmp_path: Path) -> None:
    create_store(tmp_path / "large.zarr", (2000, 2000, 2000), np.uint32, None, Kind.LABELS)
    session = ProofreadingSession.open(tmp_path / "large.zarr", "tester")
    canvas.edit_labels(None, session)
    qtbot.waitUntil(lambda: canvas.view.item.overlay.section is not None)
    canvas.run("brush")
    canvas.model.go_to(1000)
    qtbot.waitUntil(lambda: canvas.view.is_complete)
    canvas.model.hand.brush_px = 2000
    canvas.model.hand.options.tip = Tip.BALL
    with qtbot.waitSignal(canvas.message) as told:
        Hands(qtbot, canvas).drag([(1000, 1000)])
    assert "smaller brush" in told.args[0]
    assert not session.can_undo and canvas.view.item.overlay.draft is None
    canvas.painting.set_session(None)
    session.close()


@pytest.mark.parametrize("plane", list(Plane))
def test_the_cursor_is_the_outline_of_the_voxels_that_a_press_paints(
    qtbot: QtBot, painting_canvas: Canvas, session: ProofreadingSession, plane: Plane
) -> None:
    hands = Hands(qtbot, painting_canvas, plane)
    painting_canvas.model.hand.brush_px = 63
    hands.view.zoom(3.2 / max(hands.view.camera.scale, hands.view.camera.scale * hands.view.camera.aspect))
    row, column = LINES[plane][1]
    hands.move((row, column))
    cursor = hands.view.cursor_item
    assert cursor.is_exact and cursor.isVisible()
    hands.click((row, column))
    drawn = hands.view.axes.section_of(voxels(session), hands.view.position) == 7
    middle = [QPointF(c - column + 0.5, r - row + 0.5) for r, c in np.ndindex(drawn.shape)]
    within = np.array([cursor.path.contains(point) for point in middle]).reshape(drawn.shape)
    np.testing.assert_array_equal(drawn, within)


def test_the_wheel_and_the_brackets_size_what_is_in_hand(hands: Hands) -> None:
    hand = hands.canvas.model.hand
    hand.brush_px = 100
    hands.key(Qt.Key.Key_BracketRight)
    assert hand.brush_px == 110
    hand.tool = Tool.SUPERVOXELS
    before = hand.options.grain_px
    hands.key(Qt.Key.Key_BracketRight)
    assert hand.options.grain_px > before and hand.brush_px == 110


def test_tab_goes_back_to_the_last_tool_and_a_long_press_returns(qtbot: QtBot, hands: Hands) -> None:
    hand = hands.canvas.model.hand
    hands.key(Qt.Key.Key_G)
    hands.key(Qt.Key.Key_Tab)
    assert hand.tool is Tool.BRUSH
    hands.key(Qt.Key.Key_Tab)
    assert hand.tool is Tool.FILL
    QTest.keyPress(hands.view, Qt.Key.Key_Tab)
    assert hand.tool is Tool.BRUSH
    qtbot.wait(350)
    QTest.keyRelease(hands.view, Qt.Key.Key_Tab)
    assert hand.tool is Tool.FILL


def test_slots_are_taken_by_a_click_and_pinned_by_a_right_click(hands: Hands) -> None:
    hand, slots = hands.canvas.model.hand, hands.canvas.toolbar.slots
    hand.label = 1234
    QTest.mouseClick(slots.swatches[3], RIGHT, pos=QPoint(5, 5))
    assert hand.slots == {4: 1234}
    hand.label = 7
    QTest.mouseClick(slots.swatches[3], Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert hand.label == 1234
    assert "1234" in slots.swatches[3].toolTip()


def test_options_are_remembered(qtbot: QtBot, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.json")
    first = Canvas(settings=settings)
    first.model.hand.options.tip = Tip.BALL
    first.model.hand.options.grain_px = 55
    first.model.hand.brush_px = 77
    first.close_views()
    settings.save()
    again = Canvas(settings=Settings(tmp_path / "settings.json"))
    assert again.model.hand.options.tip is Tip.BALL
    assert again.model.hand.options.grain_px == 55
    assert again.model.hand.brush_px == 77
    again.close_views()
    settings.set(OPTIONS_KEY, {"tip": "brick", "grain_px": "wide", "fill_millions": 10**9})
    third = Canvas(settings=settings)
    assert third.model.hand.options.tip is Tip.DISC
    assert third.model.hand.options.fill_millions == 1000
    third.close_views()


def test_only_the_options_of_the_tool_in_hand_are_shown(hands: Hands) -> None:
    bar, hand = hands.canvas.hand_tools.options_bar, hands.canvas.model.hand
    shown = {
        Tool.BRUSH: bar.brush_size,
        Tool.FILL: bar.fill_on,
        Tool.SUPERVOXELS: bar.grain,
        Tool.RESHAPE: bar.change,
        Tool.LASSO: bar.outline["accept"],
        Tool.NAVIGATE: bar.words,
    }
    for tool in shown:
        hand.tool = tool
        assert [each for each, widget in shown.items() if widget.isVisible()] == [tool] or tool is Tool.LASSO
        assert shown[tool].isVisible()
