"""Lasso, fill, superpixels and reshaping by real events, in all planes, against the pure functions."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from tests.gui.canvas.hand.conftest import LEFT, RIGHT, Hands, Points
from tests.gui.canvas.hand.test_brush_options import empty, painted, voxels
from uniem.data.geometry import Box
from uniem.data.volume import ArrayVolume
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.hand.options import Change, FillOn, Reach
from uniem.gui.canvas.hand.preview import outline
from uniem.gui.canvas.hand.supervoxel_tool import SupervoxelTool
from uniem.gui.canvas.hand.tool_strip import ToolStrip
from uniem.gui.canvas.slice_view import SliceView
from uniem.gui.canvas.view_model import Tool
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, Tip
from uniem.proofreading.tools.fill import fill_gray, fill_holes
from uniem.proofreading.tools.lasso import paint_polygon
from uniem.proofreading.tools.plane import Plane, Point
from uniem.proofreading.tools.reshape import grow, shrink
from uniem.proofreading.tools.supervoxels import make_supervoxels, paint_supervoxels

CORNERS: dict[Plane, Points] = {
    Plane.XY: [(40, 40), (50, 200), (180, 220), (160, 60)],
    Plane.XZ: [(4, 40), (6, 200), (24, 220), (20, 60)],
    Plane.YZ: [(40, 4), (200, 6), (220, 24), (60, 20)],
}
MIDDLE = {Plane.XY: (100, 120), Plane.XZ: (14, 120), Plane.YZ: (120, 14)}


def seen_by(view: SliceView, points: Points, hands: Hands) -> list[Point]:
    """Return where whole pixels of the screen are in the volume, with voxel i's centre at i."""
    found = []
    for row, column in points:
        pixel = hands.at(row, column)
        size = view.viewport().width(), view.viewport().height()
        place = view.camera.to_section(pixel.x(), pixel.y(), size)
        point = [0.0, 0.0, 0.0]
        point[view.axes.across] = float(view.position)
        point[view.axes.rows], point[view.axes.columns] = place[0] - 0.5, place[1] - 0.5
        found.append((point[0], point[1], point[2]))
    return found


@pytest.mark.parametrize("close", ["enter", "double click", "first corner", "button"])
@pytest.mark.parametrize("plane", list(Plane))
def test_a_polygon_is_clicked_and_closed(
    qtbot: QtBot, painting_canvas: Canvas, session: ProofreadingSession, plane: Plane, close: str
) -> None:
    hands, corners = Hands(qtbot, painting_canvas, plane), CORNERS[plane]
    hands.key(Qt.Key.Key_T)
    for corner in corners if close != "double click" else corners[:-1]:
        hands.click(corner)
        hands.move((corner[0] + 1, corner[1] + 1))
    assert not session.can_undo and hands.view.preview_item.preview is not None
    expected = paint_polygon(empty(session), seen_by(hands.view, corners, hands), 7, plane=plane)

    if close == "enter":
        hands.key(Qt.Key.Key_Return)
    elif close == "double click":
        hands.double_click(corners[-1])
    elif close == "first corner":
        hands.double_click(corners[0])
    else:
        painting_canvas.hand_tools.options_bar.outline["accept"].click()
    hands.settle()
    np.testing.assert_array_equal(voxels(session), painted(session, expected))
    assert hands.view.preview_item.preview is None


def test_backspace_takes_back_a_corner_and_escape_all(hands: Hands, session: ProofreadingSession) -> None:
    corners = CORNERS[Plane.XY]
    hands.key(Qt.Key.Key_T)
    for corner in [*corners, (200, 300)]:
        hands.click(corner)
    hands.key(Qt.Key.Key_Backspace)
    expected = paint_polygon(empty(session), seen_by(hands.view, corners, hands), 7)
    hands.key(Qt.Key.Key_Return)
    np.testing.assert_array_equal(voxels(session), painted(session, expected))

    for corner in corners:
        hands.click(corner)
    hands.key(Qt.Key.Key_Escape)
    hands.key(Qt.Key.Key_Return)
    assert hands.view.preview_item.preview is None
    hands.canvas.painting.undo()
    assert not voxels(session).any()


@pytest.mark.parametrize("plane", list(Plane))
def test_a_drag_is_a_lasso_and_the_right_button_erases_with_it(
    qtbot: QtBot, painting_canvas: Canvas, session: ProofreadingSession, plane: Plane
) -> None:
    hands, corners = Hands(qtbot, painting_canvas, plane), CORNERS[plane]
    hands.key(Qt.Key.Key_T)
    hands.drag(corners)
    expected = painted(
        session, paint_polygon(empty(session), seen_by(hands.view, corners, hands), 7, plane=plane)
    )
    np.testing.assert_array_equal(voxels(session), expected)
    hands.drag(corners[:3], RIGHT)
    erased = paint_polygon(ArrayVolume(expected), seen_by(hands.view, corners[:3], hands), 0, plane=plane)
    for patch in erased.patches if erased is not None else ():
        expected[patch.box.slices][patch.selection()] = 0
    np.testing.assert_array_equal(voxels(session), expected)


def test_a_polygon_waits_in_its_section(hands: Hands, session: ProofreadingSession) -> None:
    corners = CORNERS[Plane.XY]
    hands.key(Qt.Key.Key_T)
    for corner in corners:
        hands.click(corner)
    hands.canvas.model.go_to(3)
    assert hands.view.preview_item.preview is None
    hands.canvas.model.go_to(0)
    assert hands.view.preview_item.preview is not None
    hands.canvas.model.go_to(3)
    hands.key(Qt.Key.Key_Return)
    assert voxels(session)[0].any() and not voxels(session)[3].any()


@pytest.mark.parametrize("plane", list(Plane))
def test_a_fill_spreads_over_similar_gray_and_tells_how_far(
    qtbot: QtBot, painting_canvas: Canvas, session: ProofreadingSession, image: ArrayVolume, plane: Plane
) -> None:
    hands = Hands(qtbot, painting_canvas, plane)
    options = painting_canvas.model.hand.options
    options.fill_on, options.fill_tolerance = FillOn.IMAGE, 12.0
    hands.key(Qt.Key.Key_G)
    with qtbot.waitSignal(painting_canvas.message) as told:
        hands.click(MIDDLE[plane])
    point = hands.view.axes.zyx(hands.view.position, *MIDDLE[plane])
    within = plane.section(hands.view.position, session.volume.shape)
    expected = painted(session, fill_gray(empty(session), image, point, 12, 7, within=within))
    np.testing.assert_array_equal(voxels(session), expected)
    assert f"{np.count_nonzero(expected):,} voxels" in told.args[0]


def test_a_fill_in_3d_gives_a_whole_object_another_label(
    qtbot: QtBot, hands: Hands, session: ProofreadingSession
) -> None:
    options = hands.canvas.model.hand.options
    hands.canvas.model.hand.brush_px, options.tip = 60, Tip.BALL
    hands.drag([(100, 100)])
    hands.settle()
    before = voxels(session)
    assert before[3].any()
    hands.canvas.model.hand.label = 9
    hands.key(Qt.Key.Key_G)
    hands.canvas.run("scope")
    assert options.fill_reach is Reach.VOLUME
    hands.click((100, 100))
    hands.settle()
    np.testing.assert_array_equal(voxels(session), np.where(before, 9, 0))


def test_a_fill_beyond_its_limit_changes_nothing_and_says_so(
    qtbot: QtBot, hands: Hands, session: ProofreadingSession
) -> None:
    options = hands.canvas.model.hand.options
    options.fill_reach, options.fill_millions = Reach.VOLUME, 1
    hands.canvas.run("fill")
    with qtbot.waitSignal(hands.canvas.message) as told:
        hands.click((100, 100))
    assert "1,000,000" in told.args[0]
    assert not voxels(session).any()


def test_a_fill_under_way_is_given_up_with_escape(hands: Hands, session: ProofreadingSession) -> None:
    hands.canvas.model.hand.options.fill_reach = Reach.VOLUME
    hands.canvas.run("fill")
    hands.click((100, 100))
    assert hands.canvas.painting.maker.is_busy
    hands.key(Qt.Key.Key_Escape)
    assert not hands.canvas.painting.maker.is_busy
    hands.qtbot.wait(300)
    assert not voxels(session).any() and not session.can_undo


@pytest.mark.parametrize("plane", list(Plane))
def test_superpixels_touched_by_a_drag_are_painted(
    qtbot: QtBot, painting_canvas: Canvas, session: ProofreadingSession, image: ArrayVolume, plane: Plane
) -> None:
    hands = Hands(qtbot, painting_canvas, plane)
    painting_canvas.model.hand.options.grain_px = 30
    hands.key(Qt.Key.Key_S)
    hands.move(MIDDLE[plane])
    tool = superpixel_tool(hands)
    qtbot.waitUntil(lambda: tool.is_ready, timeout=20_000)
    assert hands.view.preview_item.preview is not None
    points = [MIDDLE[plane], tuple(np.add(MIDDLE[plane], (3, 4)))]
    assert tool._cut is not None
    box, axes, position = tool._cut.box, hands.view.axes, hands.view.position
    assert box == axes.plane.section(position, session.volume.shape)
    hands.drag(points, is_released=False)
    assert not session.can_undo
    label = hands.view.item.overlay.label_at(*points[0])
    assert label == 7
    hands.release(points[-1])

    cut = make_supervoxels(image, box, 30)
    stroke = Stroke(tuple(axes.zyx(position, *point) for point in points), 0.5, plane)
    expected = painted(session, paint_supervoxels(empty(session), cut, stroke, 7))
    np.testing.assert_array_equal(voxels(session), expected)
    assert expected.any()


def superpixel_tool(hands: Hands) -> SupervoxelTool:
    return next(tool for tool in hands.view.findChildren(SupervoxelTool))


def test_superpixels_of_another_section_are_made_anew(qtbot: QtBot, hands: Hands) -> None:
    hands.key(Qt.Key.Key_S)
    hands.move((100, 100))
    tool = superpixel_tool(hands)
    qtbot.waitUntil(lambda: tool.is_ready, timeout=20_000)
    hands.canvas.model.go_to(2)
    assert not tool.is_ready
    hands.move((100, 101))
    hands.canvas.model.go_to(4)
    hands.move((100, 102))
    qtbot.waitUntil(lambda: tool.is_ready, timeout=20_000)
    assert tool._cut is not None and tool._cut.box.start[0] == 4


@pytest.mark.parametrize("reach", list(Reach))
@pytest.mark.parametrize("change", [Change.GROW, Change.SHRINK])
def test_a_change_of_shape_is_shown_before_it_is_made(
    hands: Hands, session: ProofreadingSession, change: Change, reach: Reach
) -> None:
    canvas, options = hands.canvas, hands.canvas.model.hand.options
    canvas.model.hand.brush_px, options.tip = 60, Tip.BALL
    hands.drag([(100, 100)])
    hands.settle()
    before = voxels(session)
    options.change, options.change_reach, options.radius_px = change, reach, 6
    canvas.model.hand.label = 3
    hands.key(Qt.Key.Key_Z)
    hands.click((100, 100))
    hands.settle()
    assert canvas.model.hand.label == 7 and canvas.hand_tools.proposal.edit is not None
    assert hands.view.preview_item.preview is not None
    np.testing.assert_array_equal(voxels(session), before)

    box, plane = session.objects[7].box, None
    assert box is not None
    if reach is Reach.SECTION:
        plane = Plane.XY
        box = box.intersection(plane.section(0, session.volume.shape))
    function = grow if change is Change.GROW else shrink
    edit = function(ArrayVolume(before, session.volume.voxel_size), 7, box, 30.0, plane=plane)
    expected = before.copy()
    for patch in edit.patches if edit is not None else ():
        expected[patch.box.slices][patch.selection()] = patch.after
    hands.key(Qt.Key.Key_Return)
    np.testing.assert_array_equal(voxels(session), expected)
    assert canvas.hand_tools.proposal.edit is None


def test_another_radius_shows_another_proposal_and_escape_forgets_it(
    hands: Hands, session: ProofreadingSession
) -> None:
    canvas = hands.canvas
    hands.drag([(100, 100)])
    before = voxels(session)
    hands.key(Qt.Key.Key_Z)
    hands.click((100, 100))
    hands.settle()
    first = canvas.hand_tools.proposal.edit
    canvas.hand_tools.options_bar.radius.setValue(12)
    hands.settle()
    second = canvas.hand_tools.proposal.edit
    assert first is not None and second is not None and second.box.size > first.box.size
    hands.key(Qt.Key.Key_Escape)
    assert canvas.hand_tools.proposal.edit is None and hands.view.preview_item.preview is None
    np.testing.assert_array_equal(voxels(session), before)


def test_holes_are_filled(hands: Hands, session: ProofreadingSession) -> None:
    canvas = hands.canvas
    canvas.model.hand.brush_px = 41
    hands.drag([(100, 100)])
    canvas.model.hand.brush_px = 11
    hands.drag([(100, 100), (102, 102)], LEFT, Qt.KeyboardModifier.ControlModifier)
    before = voxels(session)
    assert before[0, 100, 100] == 0
    canvas.model.hand.options.change = Change.FILL_HOLES
    hands.key(Qt.Key.Key_Z)
    hands.click((100, 115))
    hands.settle()
    QTest.mouseClick(canvas.hand_tools.work_bar.accept, LEFT)
    edit = fill_holes(ArrayVolume(before), 7, Box((0, 70, 70), (1, 130, 130)), plane=Plane.XY)
    assert edit is not None
    expected = before.copy()
    expected[edit.patches[0].box.slices][edit.patches[0].selection()] = 7
    np.testing.assert_array_equal(voxels(session), expected)


def test_the_outline_of_voxels_runs_along_their_edges() -> None:
    mask = np.array([[0, 1, 1], [0, 0, 1]], bool)
    path = outline(mask, 10, 20)
    lines = set()
    for index in range(0, path.elementCount(), 2):
        one, other = path.elementAt(index), path.elementAt(index + 1)
        lines.add((one.y, one.x, other.y, other.x))
    assert lines == {
        (10, 21, 10, 23),
        (11, 21, 11, 22),
        (12, 22, 12, 23),
        (10, 21, 11, 21),
        (11, 22, 12, 22),
        (10, 23, 12, 23),
    }


def test_tools_lie_down_where_nothing_can_be_painted(canvas: Canvas, image: ArrayVolume) -> None:
    canvas.model.hand.tool = Tool.LASSO
    canvas.show_volumes(image)
    assert canvas.model.hand.tool is Tool.NAVIGATE
    assert not canvas.hand_tools.strip.tools[Tool.FILL].isEnabled()
    assert canvas.hand_tools.strip.tools[Tool.NAVIGATE].isEnabled()


def test_the_strip_of_tools_goes_into_two_columns_where_it_is_low(canvas: Canvas, qtbot: QtBot) -> None:
    strip = canvas.hand_tools.strip
    for height, columns in ((900, 1), (canvas.minimumSizeHint().height(), 2), (900, 1)):
        canvas.resize(900, height)
        qtbot.waitUntil(functools.partial(_has_columns, strip, columns))
        assert all(strip.rect().bottom() >= button.geometry().bottom() for button in strip.tools.values())


def _has_columns(strip: ToolStrip, columns: int) -> bool:
    return len({button.x() // 20 for button in strip.tools.values()}) == columns
