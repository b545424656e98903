"""Painting by mouse: the voxels, what is on screen meanwhile, and undo."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QColor, QMouseEvent, QTabletEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from tests.gui.canvas.conftest import place, section
from uniem.algorithms.rasterise import disc_stroke
from uniem.data.palette import colour_of
from uniem.data.volume import ArrayVolume
from uniem.gui.canvas.canvas import Canvas
from uniem.proofreading.edits import Edit, FieldChange
from uniem.proofreading.session import ProofreadingSession

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE = Qt.KeyboardModifier.NoModifier
LINE = [(40, 50), (44, 80), (90, 120), (91, 121)]


def drag(
    canvas: Canvas,
    points: list[tuple[int, int]],
    button: Qt.MouseButton = LEFT,
    modifiers: Qt.KeyboardModifier = NONE,
    is_released: bool = True,
) -> None:
    viewport = canvas.view.viewport()
    QTest.mousePress(viewport, button, modifiers, place(canvas, *points[0]))
    for point in points[1:]:
        at = QPointF(place(canvas, *point))
        event = QMouseEvent(QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, button, modifiers)
        QApplication.sendEvent(viewport, event)
    if is_released:
        QTest.mouseRelease(viewport, button, modifiers, place(canvas, *points[-1]))


def model(points: list[tuple[int, int]], radius_px: float, shape: tuple[int, int]) -> np.ndarray:
    """Set every voxel whose centre is within the radius of the polyline, slowly and obviously."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    painted = np.zeros(shape, bool)
    for (y0, x0), (y1, x1) in zip(points, points[1:] or points, strict=False):
        length = (y1 - y0) ** 2 + (x1 - x0) ** 2
        t = np.clip(((y - y0) * (y1 - y0) + (x - x0) * (x1 - x0)) / max(length, 1), 0, 1)
        painted |= (y - y0 - t * (y1 - y0)) ** 2 + (x - x0 - t * (x1 - x0)) ** 2 <= radius_px**2 + 1e-6
    return painted


def test_a_stroke_paints_the_voxels_of_the_disc_model(
    painting_canvas: Canvas, session: ProofreadingSession
) -> None:
    drag(painting_canvas, LINE)

    expected = np.where(model(LINE, 4.5, (256, 320)), 7, 0)
    np.testing.assert_array_equal(section(session, 0), expected)
    assert not section(session, 1).any()


def test_the_stroke_is_on_screen_before_the_button_comes_up(
    painting_canvas: Canvas, session: ProofreadingSession
) -> None:
    canvas = painting_canvas
    canvas.model.label_opacity = 1.0
    drag(canvas, LINE, is_released=False)

    overlay = canvas.view.item.overlay
    y0, x0, mask = disc_stroke(LINE, 4.5, (256, 320))
    drawn = np.array([[overlay.label_at(y, x) for x in range(320)] for y in range(256)])
    expected = np.zeros((256, 320), int)
    expected[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]][mask] = 7
    np.testing.assert_array_equal(drawn, expected)
    assert pixel(canvas, 40, 50) == QColor(*colour_of(7))
    assert not section(session, 0).any()

    QTest.keyClick(canvas.view, Qt.Key.Key_Escape)
    QTest.mouseRelease(canvas.view.viewport(), LEFT, NONE, place(canvas, 91, 121))
    assert not section(session, 0).any()
    assert pixel(canvas, 40, 50) != QColor(*colour_of(7))


def pixel(canvas: Canvas, y: int, x: int) -> QColor:
    grabbed = canvas.view.viewport().grab().toImage()
    return QColor(grabbed.pixel(place(canvas, y, x) * grabbed.devicePixelRatioF()))


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.5, 8.0])
def test_pixels_have_the_colour_of_the_palette_at_every_zoom(painting_canvas: Canvas, scale: float) -> None:
    canvas = painting_canvas
    canvas.model.label_opacity = 1.0
    canvas.model.hand.brush_px = 21
    canvas.view.zoom(scale / canvas.view.camera.scale, QPointF(place(canvas, 60, 60)))
    drag(canvas, [(60, 60)])
    canvas.model.hand.label = 3
    drag(canvas, [(60, 90)])
    QTest.mouseMove(canvas.view.viewport(), QPoint(5, 5))

    assert pixel(canvas, 60, 60) == QColor(*colour_of(7))
    assert pixel(canvas, 60, 90) == QColor(*colour_of(3))
    assert pixel(canvas, 60, 75).getRgb()[:3] == (pixel(canvas, 60, 75).red(),) * 3


def test_the_image_is_drawn_where_its_voxels_are(qtbot: QtBot, canvas: Canvas) -> None:
    array = np.zeros((1, 64, 96), np.uint8)
    array[0, 20, 30] = 255
    canvas.show_volumes(ArrayVolume(array))
    canvas.model.contrast = (0, 255)
    assert pixel(canvas, 20, 30) == QColor(255, 255, 255)
    for y, x in [(19, 30), (21, 30), (20, 29), (20, 31)]:
        assert pixel(canvas, y, x) == QColor(0, 0, 0)


def test_undo_and_redo_go_to_the_section_of_the_edit(
    painting_canvas: Canvas, session: ProofreadingSession
) -> None:
    canvas = painting_canvas
    drag(canvas, LINE)
    painted = section(session, 0).copy()
    canvas.model.go_to(12)

    canvas.painting.undo()
    assert canvas.model.z == 0
    assert not section(session, 0).any()
    assert canvas.view.item.overlay.label_at(40, 50) == 0

    canvas.model.go_to(12)
    canvas.painting.redo()
    assert canvas.model.z == 0
    np.testing.assert_array_equal(section(session, 0), painted)
    assert canvas.view.item.overlay.label_at(40, 50) == 7


def test_an_edit_shows_on_a_section_that_was_left_and_is_seen_again(
    qtbot: QtBot, painting_canvas: Canvas
) -> None:
    canvas = painting_canvas
    drag(canvas, [(100, 100)])
    canvas.model.go_to(1)
    canvas.model.go_to(0)
    overlay = canvas.view.item.overlay
    qtbot.waitUntil(lambda: overlay.section is not None and overlay.section.position == 0)
    assert overlay.label_at(100, 100) == 7


def test_the_right_button_erases_and_so_does_ctrl(
    painting_canvas: Canvas, session: ProofreadingSession
) -> None:
    canvas = painting_canvas
    canvas.model.hand.brush_px = 41
    drag(canvas, [(100, 100)])
    canvas.model.hand.brush_px = 5
    drag(canvas, [(100, 90), (100, 98)], RIGHT)
    drag(canvas, [(110, 100)], LEFT, Qt.KeyboardModifier.ControlModifier)

    erased = model([(100, 90), (100, 98)], 2.5, (256, 320)) | model([(110, 100)], 2.5, (256, 320))
    expected = np.where(model([(100, 100)], 20.5, (256, 320)) & ~erased, 7, 0)
    np.testing.assert_array_equal(section(session, 0), expected)


def test_a_right_click_asks_for_the_menu_and_changes_nothing(
    qtbot: QtBot, painting_canvas: Canvas, session: ProofreadingSession
) -> None:
    drag(painting_canvas, [(100, 100)])
    before = section(session, 0).copy()
    with qtbot.waitSignal(painting_canvas.menu_wanted):
        drag(painting_canvas, [(100, 100)], RIGHT)
    np.testing.assert_array_equal(section(session, 0), before)


def test_locked_objects_are_spared_on_screen_and_in_the_data(
    painting_canvas: Canvas, session: ProofreadingSession
) -> None:
    canvas = painting_canvas
    drag(canvas, [(100, 100)])
    session.apply(Edit("Lock", (FieldChange(7, "locked", False, True),)))
    canvas.model.hand.label, canvas.model.hand.brush_px = 9, 31
    drag(canvas, [(100, 100)], is_released=False)
    assert canvas.view.item.overlay.label_at(100, 100) == 7
    assert canvas.view.item.overlay.label_at(100, 112) == 9
    QTest.mouseRelease(canvas.view.viewport(), LEFT, NONE, place(canvas, 100, 100))
    assert section(session, 0)[100, 100] == 7
    assert section(session, 0)[100, 112] == 9


def test_turning_the_wheel_while_painting_keeps_the_stroke(
    painting_canvas: Canvas, session: ProofreadingSession
) -> None:
    drag(painting_canvas, LINE, is_released=False)
    painting_canvas.model.go_to(1)
    QTest.mouseRelease(painting_canvas.view.viewport(), LEFT, NONE, place(painting_canvas, 91, 121))
    np.testing.assert_array_equal(section(session, 0) == 7, model(LINE, 4.5, (256, 320)))
    assert not section(session, 1).any()


def test_an_undo_while_painting_leaves_the_stroke(
    painting_canvas: Canvas, session: ProofreadingSession
) -> None:
    canvas = painting_canvas
    drag(canvas, [(45, 60)])
    drag(canvas, LINE[:2], is_released=False)
    canvas.painting.undo()
    at = QPointF(place(canvas, *LINE[2]))
    QApplication.sendEvent(
        canvas.view.viewport(), QMouseEvent(QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, LEFT, NONE)
    )
    QTest.mouseRelease(canvas.view.viewport(), LEFT, NONE, place(canvas, *LINE[2]))
    np.testing.assert_array_equal(section(session, 0) == 7, model(LINE[:3], 4.5, (256, 320)))


def test_labels_beyond_31_bits_are_painted_and_picked(
    painting_canvas: Canvas, session: ProofreadingSession
) -> None:
    canvas = painting_canvas
    canvas.toolbar.label.setValue(2**32 - 1)
    drag(canvas, [(100, 100)])
    assert section(session, 0)[100, 100] == 2**32 - 1
    canvas.model.hand.label = 1
    QTest.mouseMove(canvas.view.viewport(), place(canvas, 100, 100))
    QTest.mouseClick(canvas.view.viewport(), LEFT, Qt.KeyboardModifier.ShiftModifier, place(canvas, 100, 100))
    assert canvas.model.hand.label == 2**32 - 1
    assert canvas.toolbar.label.value() == 2**32 - 1


def test_a_label_of_64_bits_stays_in_the_hand(painting_canvas: Canvas) -> None:
    hand, field = painting_canvas.model.hand, painting_canvas.toolbar.label
    hand.label = 2**63 + 5
    assert field.value() == 2**63 + 5
    QTest.keyClick(field.lineEdit(), Qt.Key.Key_Return)
    assert hand.label == 2**63 + 5


def test_the_pen_paints_and_its_other_end_erases(
    painting_canvas: Canvas, session: ProofreadingSession
) -> None:
    canvas = painting_canvas
    pen_stroke(canvas, [(60, 60), (60, 90)], QTabletEvent.PointerType.Pen)
    np.testing.assert_array_equal(section(session, 0) == 7, model([(60, 60), (60, 90)], 4.5, (256, 320)))
    pen_stroke(canvas, [(60, 60), (60, 90)], QTabletEvent.PointerType.Eraser)
    assert not section(session, 0).any()


def pen_stroke(canvas: Canvas, points: list[tuple[int, int]], pointer: QTabletEvent.PointerType) -> None:
    viewport = canvas.view.viewport()
    kinds = [QEvent.Type.TabletPress, *[QEvent.Type.TabletMove] * len(points[1:]), QEvent.Type.TabletRelease]
    for kind, point in zip(kinds, [*points, points[-1]], strict=True):
        at = QPointF(place(canvas, *point))
        buttons = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletRelease else LEFT
        event = QTabletEvent(
            kind,
            at,
            at,
            QTabletEvent.TabletDevice.Stylus,
            pointer,
            0.5,
            0,
            0,
            0.0,
            0.0,
            0,
            NONE,
            1,
            LEFT,
            buttons,
        )
        QApplication.sendEvent(viewport, event)


def test_without_a_session_nothing_is_painted_and_it_says_so(
    qtbot: QtBot, canvas: Canvas, image: ArrayVolume
) -> None:
    labels = ArrayVolume(np.zeros(image.shape, np.uint32), image.voxel_size)
    canvas.show_volumes(image, labels)
    canvas.run("brush")
    with qtbot.waitSignal(canvas.message) as told:
        drag(canvas, [(100, 100), (100, 120)])
    assert "proofreading" in told.args[0]
    assert not labels.array.any()


def test_a_release_that_was_never_seen_does_not_leave_the_brush_down(
    painting_canvas: Canvas, session: ProofreadingSession
) -> None:
    canvas = painting_canvas
    drag(canvas, [(60, 60), (60, 70)], is_released=False)
    hover = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(place(canvas, 150, 150)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        NONE,
    )
    QApplication.sendEvent(canvas.view.viewport(), hover)
    np.testing.assert_array_equal(section(session, 0) == 7, model([(60, 60), (60, 70)], 4.5, (256, 320)))
    drag(canvas, [(200, 200)])
    assert section(session, 0)[200, 200] == 7


def test_a_colour_chosen_for_an_object_is_seen_at_once(
    painting_canvas: Canvas, session: ProofreadingSession
) -> None:
    canvas = painting_canvas
    canvas.model.label_opacity = 1.0
    drag(canvas, [(60, 60)])
    canvas.model.hand.label = 3
    QTest.mouseMove(canvas.view.viewport(), QPoint(5, 5))
    session.apply(Edit("Colour", (FieldChange(7, "colour", None, (1, 250, 30)),)))
    assert pixel(canvas, 60, 60) == QColor(1, 250, 30)
    session.apply(Edit("Hide", (FieldChange(7, "visible", True, False),)))
    assert pixel(canvas, 60, 60).saturation() == 0
    canvas.model.hand.label = 7
    assert pixel(canvas, 60, 60) == QColor(1, 250, 30)
