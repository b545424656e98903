"""Moving through a volume by wheel, keys and mouse, and who gets the keys."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QImage, QKeyEvent, QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMainWindow

from tests.gui.canvas.conftest import place
from uniem.data.geometry import VoxelSize
from uniem.data.volume import ArrayVolume
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.keymap_presets import SHORTCUTS, keymap_of
from uniem.gui.canvas.view_model import Tool

NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
KEY = Qt.Key


def turn(
    canvas: Canvas, notches: int, modifiers: Qt.KeyboardModifier = NONE, at: QPoint | None = None
) -> None:
    viewport = canvas.view.viewport()
    where = QPointF(at or viewport.rect().center())
    event = QWheelEvent(
        where,
        QPointF(viewport.mapToGlobal(where.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)


@pytest.fixture
def shown(canvas: Canvas, image: ArrayVolume) -> Canvas:
    canvas.show_volumes(image)
    return canvas


def test_the_wheel_changes_the_section(shown: Canvas) -> None:
    turn(shown, 1)
    assert shown.model.z == 1
    turn(shown, -3)
    assert shown.model.z == 0
    turn(shown, 1, SHIFT)
    assert shown.model.z == 10
    turn(shown, 9, SHIFT)
    assert shown.model.z == 29
    assert shown.section_bar.slider.value() == shown.section_bar.number.value() == 29


def test_parts_of_a_notch_add_up(shown: Canvas) -> None:
    viewport = shown.view.viewport()
    centre = QPointF(viewport.rect().center())
    for _ in range(3):
        event = QWheelEvent(
            centre,
            centre,
            QPoint(),
            QPoint(0, 40),
            Qt.MouseButton.NoButton,
            NONE,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(viewport, event)
    assert shown.model.z == 1


def test_shift_and_wheel_change_the_size_of_a_brush(painting_canvas: Canvas) -> None:
    painting_canvas.model.hand.brush_px = 20
    turn(painting_canvas, 1, SHIFT)
    assert painting_canvas.model.hand.brush_px == 22
    assert painting_canvas.model.z == 0


@pytest.mark.parametrize("notches", [3, -4])
def test_zooming_keeps_what_is_under_the_mouse(shown: Canvas, notches: int) -> None:
    at = QPoint(200, 150)
    before = shown.view.camera.to_section(at.x(), at.y(), shown.view._size())
    scale = shown.view.camera.scale
    turn(shown, notches, CTRL, at)
    after = shown.view.camera.to_section(at.x(), at.y(), shown.view._size())
    assert shown.view.camera.scale == pytest.approx(scale * 1.25**notches)
    assert after == pytest.approx(before)


def test_dragging_moves_the_section_with_the_mouse(shown: Canvas) -> None:
    viewport = shown.view.viewport()
    for button, modifiers in [(Qt.MouseButton.LeftButton, NONE), (Qt.MouseButton.MiddleButton, NONE)]:
        grabbed = shown.view.voxel_under(QPointF(300, 300))
        QTest.mousePress(viewport, button, modifiers, QPoint(300, 300))
        event = QMouseEvent(
            QEvent.Type.MouseMove, QPointF(340, 270), Qt.MouseButton.NoButton, button, modifiers
        )
        QApplication.sendEvent(viewport, event)
        QTest.mouseRelease(viewport, button, modifiers, QPoint(340, 270))
        assert shown.view.voxel_under(QPointF(340, 270)) == grabbed


def test_keys_step_zoom_and_choose_tools(qtbot: QtBot, painting_canvas: Canvas) -> None:
    model, view = painting_canvas.model, painting_canvas.view
    steps = [(KEY.Key_F, 1), (KEY.Key_Up, 2), (KEY.Key_D, 1), (KEY.Key_PageUp, 11), (KEY.Key_PageDown, 1)]
    for key, z in steps:
        QTest.keyClick(view, key)
        assert model.z == z
    for key, tool in [(KEY.Key_V, Tool.NAVIGATE), (KEY.Key_E, Tool.ERASER), (KEY.Key_B, Tool.BRUSH)]:
        QTest.keyClick(view, key)
        assert model.hand.tool is tool
    model.hand.brush_px = 9
    QTest.keyClick(view, KEY.Key_BracketRight)
    assert model.hand.brush_px == 10
    QTest.keyClick(view, KEY.Key_BracketLeft)
    assert model.hand.brush_px == 9
    QTest.keyClick(view, KEY.Key_O)
    assert model.display.outlines
    opacity = model.label_opacity
    QTest.keyClick(view, KEY.Key_A, SHIFT)
    assert model.label_opacity == pytest.approx(opacity + 0.1)
    view.zoom(3)
    fitted = view.camera.fitting((256, 320), view._size(), 1.0)
    QTest.keyClick(view, KEY.Key_0, Qt.KeyboardModifier.KeypadModifier)
    assert view.camera == fitted


def test_keys_take_labels(painting_canvas: Canvas) -> None:
    hand, view = painting_canvas.model.hand, painting_canvas.view
    QTest.keyClick(view, KEY.Key_X)
    assert hand.label == 0
    QTest.keyClick(view, KEY.Key_X)
    assert hand.label == 7
    QTest.keyClick(view, KEY.Key_3, CTRL)
    hand.label = 1
    QTest.keyClick(view, KEY.Key_3)
    assert hand.label == 7
    QTest.keyClick(view, KEY.Key_N)
    first = hand.label
    QTest.keyClick(view, KEY.Key_N)
    assert hand.label == first + 1


def test_picking_with_a_key_takes_the_label_under_the_mouse(painting_canvas: Canvas) -> None:
    viewport = painting_canvas.view.viewport()
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, NONE, place(painting_canvas, 60, 60))
    painting_canvas.model.hand.label = 2
    QTest.mouseMove(viewport, place(painting_canvas, 60, 61))
    QApplication.processEvents()
    QTest.keyClick(painting_canvas.view, KEY.Key_L)
    assert painting_canvas.model.hand.label == 7


def test_tapping_space_toggles_and_holding_it_hides(qtbot: QtBot, painting_canvas: Canvas) -> None:
    display, view = painting_canvas.model.display, painting_canvas.view
    QTest.keyClick(view, KEY.Key_Space)
    assert not display.show_labels
    QTest.keyClick(view, KEY.Key_Space)
    assert display.show_labels

    QTest.keyPress(view, KEY.Key_Space)
    qtbot.waitUntil(lambda: display.peek_raw)
    assert not view.item.overlay.is_drawn
    QApplication.sendEvent(view, QKeyEvent(QEvent.Type.KeyPress, KEY.Key_Space, NONE, " ", True))
    QTest.keyRelease(view, KEY.Key_Space)
    assert view.item.overlay.is_drawn
    assert display.show_labels


def test_space_and_dragging_move_without_painting(painting_canvas: Canvas) -> None:
    canvas, viewport = painting_canvas, painting_canvas.view.viewport()
    before = canvas.view.camera
    QTest.keyPress(canvas.view, KEY.Key_Space)
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, NONE, QPoint(300, 300))
    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(320, 300), Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, NONE
    )
    QApplication.sendEvent(viewport, event)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, NONE, QPoint(320, 300))
    QTest.keyRelease(canvas.view, KEY.Key_Space)
    assert canvas.view.camera.column == pytest.approx(before.column - 20 / before.scale)
    assert canvas.model.display.show_labels
    assert canvas.painting.session is not None
    assert not canvas.painting.session.volume[0].any()


def test_holding_q_peeks_and_returns(shown: Canvas) -> None:
    shown.model.go_to(5)
    QTest.keyPress(shown.view, KEY.Key_Q)
    turn(shown, 3)
    assert shown.model.z == 8
    QTest.keyRelease(shown.view, KEY.Key_Q)
    assert shown.model.z == 5


def test_keys_do_nothing_while_a_number_is_typed(qtbot: QtBot, painting_canvas: Canvas) -> None:
    canvas = painting_canvas
    canvas.activateWindow()
    field = canvas.toolbar.label
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    QApplication.sendEvent(canvas.view, enter_event())
    assert field.hasFocus()
    field.lineEdit().selectAll()
    for key in (KEY.Key_E, KEY.Key_F, KEY.Key_1, KEY.Key_2):
        QTest.keyClick(QApplication.focusWidget(), key)
    assert canvas.model.hand.tool is Tool.BRUSH
    assert canvas.model.z == 0
    QTest.keyClick(QApplication.focusWidget(), KEY.Key_Return)
    assert canvas.model.hand.label == 12
    assert canvas.view.hasFocus()


def enter_event() -> QEvent:
    return QEvent(QEvent.Type.Enter)


def test_the_view_under_the_mouse_takes_the_keyboard_from_what_is_not_typed_in(
    qtbot: QtBot, shown: Canvas
) -> None:
    shown.activateWindow()
    qtbot.waitUntil(shown.isActiveWindow)
    shown.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    shown.section_bar.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    shown.section_bar.setFocus()
    QApplication.sendEvent(shown.view, enter_event())
    assert shown.view.hasFocus()


def test_single_letters_go_to_the_canvas_even_if_a_menu_has_them(qtbot: QtBot, image: ArrayVolume) -> None:
    window, canvas = QMainWindow(), Canvas()
    window.setCentralWidget(canvas)
    taken = window.menuBar().addMenu("Menu").addAction("Something")
    taken.setShortcut("F")
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    canvas.show_volumes(image)
    window.activateWindow()
    canvas.view.setFocus()
    qtbot.waitUntil(canvas.view.hasFocus)
    QTest.keyClick(window.windowHandle(), KEY.Key_F)
    assert canvas.model.z == 1
    canvas.close_views()


def test_every_shortcut_does_something(canvas: Canvas) -> None:
    ids = {shortcut.id for shortcut in SHORTCUTS}
    assert ids == set(canvas.commands.actions)
    assert {s.id for s in SHORTCUTS if s.is_held} == set(canvas.commands.endings)
    keys = [key for shortcut in SHORTCUTS for key in shortcut.keys]
    assert len(keys) == len(set(keys))


def test_the_hint_follows_tool_and_modifiers(qtbot: QtBot, painting_canvas: Canvas) -> None:
    hints: list[str] = []
    painting_canvas.hint_changed.connect(lambda hint: hints.append(str(hint)))
    painting_canvas.run("eraser")
    assert "Left: erase" in hints[-1]
    painting_canvas.run("brush")
    assert "Left: paint" in hints[-1]
    QTest.keyPress(painting_canvas.view, KEY.Key_Control)
    assert "Left: erase" in hints[-1]
    assert "Wheel: zoom" in hints[-1]
    QTest.keyRelease(painting_canvas.view, KEY.Key_Control, CTRL)
    assert "Left: paint" in hints[-1]


def test_what_is_under_the_mouse_is_told(qtbot: QtBot, painting_canvas: Canvas, image: ArrayVolume) -> None:
    canvas = painting_canvas
    told: list[object] = []
    canvas.hovered.connect(told.append)
    QTest.mouseClick(canvas.view.viewport(), Qt.MouseButton.LeftButton, NONE, place(canvas, 60, 70))
    QTest.mouseMove(canvas.view.viewport(), place(canvas, 60, 71))
    QApplication.processEvents()
    assert told[-1] == (0, 60, 71, float(image.array[0, 60, 71]), 7)
    canvas.run("next-section")
    qtbot.waitUntil(lambda: told[-1] == (1, 60, 71, float(image.array[1, 60, 71]), 0))


def test_the_brush_and_the_scale_bar_tell_nm(painting_canvas: Canvas) -> None:
    told: list[str] = []
    painting_canvas.brush_changed.connect(told.append)
    painting_canvas.model.hand.brush_px = 40
    assert told == ["40 px · 200 nm"]
    painting_canvas.view.zoom(1 / painting_canvas.view.camera.scale)
    assert painting_canvas.scale_bar.text == "500 nm"


def test_pixels_whose_thickness_nobody_told_have_a_scale_bar_in_their_own_plane(canvas: Canvas) -> None:
    volume = ArrayVolume(np.full((3, 200, 300), 90, np.uint8))
    canvas.show_volumes(volume)
    assert canvas.scale_bar.isHidden()
    volume = ArrayVolume(np.full((3, 200, 300), 90, np.uint8))
    volume.pixel_size = (6.0, 6.0)
    canvas.show_volumes(volume)
    canvas.view.zoom(1 / canvas.view.camera.scale)
    assert canvas.scale_bar.isVisible() and canvas.scale_bar.text == "500 nm"
    sides = [view.axes.column_nm(volume) for view in canvas.grid.views]
    assert sides.count(None) == 2


def test_the_hint_names_the_key_that_shows_the_raw_image(qtbot: QtBot, painting_canvas: Canvas) -> None:
    canvas = painting_canvas
    assert ("Space", "hold to see raw") in canvas.hint().others
    canvas.keys.use(keymap_of(keys={"canvas/see-raw": ("J",)}))
    assert ("J", "hold to see raw") in canvas.hint().others
    QTest.keyPress(canvas.view, Qt.Key.Key_J)
    assert canvas.hint().modifier == "J" and "Left: move" in str(canvas.hint())
    qtbot.waitUntil(lambda: canvas.model.display.peek_raw)
    QTest.keyRelease(canvas.view, Qt.Key.Key_J)
    assert not canvas.model.display.peek_raw and not canvas.hint().modifier
    canvas.keys.use(keymap_of(keys={"canvas/see-raw": ()}))
    assert "raw" not in str(canvas.hint())


def test_nothing_stays_on_the_screen_where_a_section_was(qtbot: QtBot, canvas: Canvas) -> None:
    canvas.show_volumes(ArrayVolume(np.full((160, 250, 250), 200, np.uint8), VoxelSize(10, 10, 10)))
    canvas.grid.show_three()
    QTest.qWait(50)
    for view in canvas.grid.views:
        view.zoom(2.0)
    QTest.qWait(50)
    canvas.view.look_from(canvas.view.camera.scale, 5, 5)
    for view in canvas.grid.views:
        view.look_at(2, 2)

    def is_as_painted_anew() -> bool:
        shown = canvas.screen().grabWindow(int(canvas.winId())).toImage()
        return bool(shown.convertToFormat(QImage.Format.Format_RGB32) == painted_anew(canvas))

    qtbot.waitUntil(is_as_painted_anew)


def painted_anew(canvas: Canvas) -> QImage:
    return canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
