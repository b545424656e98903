"""Every preset of keys and mouse: one meaning for each key, nothing essential out of reach, real events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence, QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from tests.gui.canvas.conftest import place, section
from uniem.data.volume import ArrayVolume
from uniem.gui.actions import WINDOW_ACTIONS, canvas_actions
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.essentials import unreachable, ways_to
from uniem.gui.canvas.key_input import KeyInput
from uniem.gui.canvas.keymap import THEN, Entry, Gesture, Slot, Tools, key_name, resolved
from uniem.gui.canvas.keymap_presets import PRESETS, SHORTCUTS, clashes_of, keymap_of
from uniem.gui.canvas.tool_pages import keys_of, tool_page
from uniem.gui.canvas.view_model import Tool
from uniem.proofreading.session import ProofreadingSession

IDS = [preset.id for preset in PRESETS]
KEY, NONE = Qt.Key, Qt.KeyboardModifier.NoModifier
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


def key_event(key: str, kind: QEvent.Type = QEvent.Type.KeyPress) -> QKeyEvent:
    """Return the event of one key, such as 'Shift+F', as a keyboard sends it."""
    is_on_pad = key.rpartition("Num+")[1] == "Num+"
    code = int(QKeySequence(key.replace("Num+", ""))[0])
    modifiers = Qt.KeyboardModifiers(code & 0xFE000000)
    if is_on_pad:
        modifiers |= Qt.KeyboardModifier.KeypadModifier
    plain = code & 0x01FFFFFF
    text = chr(plain).lower() if plain < 0x1000000 and not modifiers & CTRL else ""
    return QKeyEvent(kind, plain, modifiers, text)


def press(canvas: Canvas, keys: str) -> None:
    """Press and release a key, or the keys of a chord, on the view."""
    for key in keys.split(THEN):
        QApplication.sendEvent(canvas.view, key_event(key))
        QApplication.sendEvent(canvas.view, key_event(key, QEvent.Type.KeyRelease))


def turn_wheel(canvas: Canvas, notches: int, modifiers: Any = NONE) -> None:
    view = canvas.view.viewport()
    middle = QPointF(view.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(view.mapToGlobal(middle.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def drag(canvas: Canvas, button: Any, start: QPoint, end: QPoint, modifiers: Any = NONE) -> None:
    view = canvas.view.viewport()
    QTest.mousePress(view, button, modifiers, start)
    # QTest moves the mouse without saying which buttons are down.
    moved = QMouseEvent(QEvent.Type.MouseMove, QPointF(end), Qt.MouseButton.NoButton, button, modifiers)
    QApplication.sendEvent(view, moved)
    QTest.mouseRelease(view, button, modifiers, end)


@pytest.mark.parametrize("preset", IDS)
def test_no_key_has_two_meanings(preset: str) -> None:
    actions = [*WINDOW_ACTIONS, *canvas_actions()]
    assert clashes_of(preset, actions) == []
    keymap = keymap_of(preset, actions)
    every = [key for keys in keymap.keys.values() for key in keys]
    assert len(every) == len(set(every))
    chords = {key.partition(THEN)[0] for key in every if THEN in key}
    assert not chords & set(every)


@pytest.mark.parametrize("preset", IDS)
def test_nothing_essential_is_out_of_reach(preset: str) -> None:
    assert unreachable(keymap_of(preset, WINDOW_ACTIONS)) == []


def test_what_is_out_of_reach_is_told() -> None:
    nothing = {f"canvas/{one.id}": () for one in SHORTCUTS} | {"window/save": ()}
    slots = dict.fromkeys(keymap_of().mouse)
    keymap = keymap_of("default", WINDOW_ACTIONS, nothing, slots)
    assert {"scroll", "zoom", "move", "paint", "erase", "brush size", "pick a label", "save"} <= set(
        unreachable(keymap)
    )


def test_presets_are_named_rightly() -> None:
    named = {preset for one in (*SHORTCUTS, *WINDOW_ACTIONS) for preset in one.others}
    assert named <= set(IDS)
    assert "default" not in named


@pytest.mark.parametrize("preset", IDS)
def test_every_key_can_be_typed(preset: str) -> None:
    for keys in keymap_of(preset).keys.values():
        for key in keys:
            for part in key.split(THEN):
                assert key_name(key_event(part)) == part


@pytest.mark.parametrize("preset", IDS)
def test_every_key_starts_its_own_shortcut(preset: str, qtbot: QtBot) -> None:
    started: list[str] = []
    ids = [one.id for one in SHORTCUTS]
    endings = {one.id: (lambda: None) for one in SHORTCUTS if one.is_held}
    keys = KeyInput({id: (lambda id=id: started.append(id)) for id in ids}, endings)  # type: ignore[misc]
    keys.use(keymap_of(preset))
    for id in ids:
        for key in keys.keymap.of(id):
            for part in key.split(THEN):
                assert keys.knows(key_event(part))
                assert keys.press(key_event(part))
                keys.release(key_event(part, QEvent.Type.KeyRelease))
            assert started.pop() == id
            assert not started


def test_a_key_named_by_a_preset_is_taken_from_those_that_have_it_by_default() -> None:
    napari = keymap_of("napari")
    assert napari.of("brush")[0] == "2"
    assert napari.of("slot-2") == ("Num+2",)
    assert keymap_of().of("slot-2") == ("2",)


def test_the_users_key_is_taken_from_everybody_else() -> None:
    keymap = keymap_of("napari", keys={"canvas/solo": ("2",)})
    assert keymap.of("solo") == ("2",)
    assert "2" not in keymap.of("brush")


def test_equal_claims_are_told_and_the_first_one_holds() -> None:
    said = [Entry("canvas/a", ("F",), False), Entry("canvas/b", ("F", "F, G"), False)]
    keys, clashes = resolved(said, {})
    assert keys == {"canvas/a": ("F",), "canvas/b": ()}
    assert [(clash.key, clash.holder, clash.other) for clash in clashes] == [
        ("F", "canvas/a", "canvas/b"),
        ("F, G", "canvas/a", "canvas/b"),
    ]


@pytest.mark.parametrize("preset", IDS)
def test_the_work_is_done_by_keys(preset: str, painting_canvas: Canvas) -> None:
    canvas = painting_canvas
    canvas.keys.use(keymap_of(preset))
    hand, keymap = canvas.model.hand, canvas.keys.keymap
    for key in keymap.of("next-section"):
        z = canvas.model.z
        press(canvas, key)
        assert canvas.model.z == z + 1, key
    for key in keymap.of("previous-section"):
        z = canvas.model.z
        press(canvas, key)
        assert canvas.model.z == z - 1, key
    for tool, id in ((Tool.NAVIGATE, "navigate"), (Tool.ERASER, "eraser"), (Tool.BRUSH, "brush")):
        for key in keymap.of(id):
            hand.tool = Tool.PICK
            press(canvas, key)
            assert hand.tool is tool, key
    for id, sign in (("larger-brush", 1), ("smaller-brush", -1)):
        for key in keymap.of(id):
            hand.brush_px = 50
            press(canvas, key)
            assert (hand.brush_px - 50) * sign > 0, key
    for id, sign in (("zoom-in", 1), ("zoom-out", -1)):
        for key in keymap.of(id):
            before = canvas.view.camera.scale
            press(canvas, key)
            assert (canvas.view.camera.scale - before) * sign > 0, key


@pytest.mark.parametrize("preset", IDS)
def test_the_wheel_does_what_the_preset_says(preset: str, painting_canvas: Canvas) -> None:
    canvas = painting_canvas
    canvas.keys.use(keymap_of(preset))
    canvas.model.go_to(15)
    for modifier, modifiers in (("", NONE), ("Ctrl", CTRL), ("Shift", SHIFT)):
        gesture = canvas.keys.keymap.gesture_of("Wheel", modifier, Tool.BRUSH)
        before = canvas.model.z, canvas.view.camera.scale, canvas.model.hand.brush_px
        turn_wheel(canvas, 1, modifiers)
        after = canvas.model.z, canvas.view.camera.scale, canvas.model.hand.brush_px
        changed = [a != b for a, b in zip(before, after, strict=True)]
        assert changed == [
            gesture in (Gesture.STEP, Gesture.LEAP),
            gesture is Gesture.ZOOM,
            gesture is Gesture.RESIZE,
        ]


@pytest.mark.parametrize("preset", IDS)
def test_the_buttons_do_what_the_preset_says(
    preset: str, painting_canvas: Canvas, session: ProofreadingSession
) -> None:
    canvas = painting_canvas
    canvas.keys.use(keymap_of(preset))
    start, end = place(canvas, 60, 60), place(canvas, 60, 90)
    menus: list[object] = []
    canvas.menu_wanted.connect(lambda voxel, _: menus.append(voxel))
    drag(canvas, LEFT, start, end)
    assert np.all(section(session, canvas.model.z)[60, 60:91] == 7)
    gesture = canvas.keys.keymap.gesture_of("Right", "", Tool.BRUSH)
    camera = canvas.view.camera
    drag(canvas, RIGHT, start, end + QPoint(0, 20))
    assert (canvas.view.camera != camera) == (gesture in (Gesture.PAN_OR_MENU, Gesture.ZOOM_OR_MENU))
    assert (canvas.view.camera.scale != camera.scale) == (gesture is Gesture.ZOOM_OR_MENU)
    is_erased = section(session, canvas.model.z)[60, 60] == 0
    assert is_erased == (gesture is Gesture.ERASE_OR_MENU)
    assert menus == []
    QTest.mouseClick(canvas.view.viewport(), RIGHT, NONE, canvas.view.viewport().rect().center())
    assert len(menus) == 1


# What the programs' own manuals and lists of default keys say, as far as there is the same thing here:
# docs/ui/keyboard_shortcuts.md of WEBKNOSSOS, src/napari/utils/shortcuts.py and the guide to its Labels layer.
AS_DOCUMENTED = {
    "webknossos": {
        "next-section": "F",
        "previous-section": "D",
        "ten-sections-on": "Shift+F",
        "ten-sections-back": "Shift+D",
        "zoom-in": "I",
        "zoom-out": "O",
        "see-raw": "3",
        "maximise": ".",
        "new-label": "C",
        "interpolate": "V",
        "smaller-brush": "Shift+I",
        "larger-brush": "Shift+O",
        "navigate": "Ctrl+K, M",
        "brush": "Ctrl+K, B",
        "eraser": "Ctrl+K, E",
        "lasso": "Ctrl+K, L",
        "pick": "Ctrl+K, P",
        "merge": "Ctrl+K, O",
    },
    "napari": {
        "next-section": "Right",
        "previous-section": "Left",
        "fit": "Ctrl+R",
        "see-raw": "V",
        "eraser": "1 E",
        "brush": "2 P",
        "lasso": "3",
        "fill": "4 F",
        "pick": "5 L",
        "navigate": "6 Z",
        "new-label": "M",
        "swap": "X",
        "smaller-brush": "[",
        "larger-brush": "]",
        "protect": "B",
        "accept": "Enter",
        "cancel": "Esc",
    },
}


@pytest.mark.parametrize("preset", AS_DOCUMENTED)
def test_keys_are_those_that_the_program_itself_has(preset: str) -> None:
    keymap = keymap_of(preset, WINDOW_ACTIONS)
    for id, text in AS_DOCUMENTED[preset].items():
        keys = [text] if THEN in text else text.split()
        assert set(keys) <= set(keymap.of(id)), id


def test_the_mouse_is_that_of_the_program_itself() -> None:
    webknossos, napari = keymap_of("webknossos"), keymap_of("napari")
    for modifier, gesture in (
        ("", Gesture.PAINT),
        ("Ctrl", Gesture.PAINT),
        ("Ctrl+Shift", Gesture.ERASE),
        ("Shift", Gesture.PICK),
    ):
        assert webknossos.gesture_of("Left", modifier, Tool.BRUSH) is gesture
    wheel = [webknossos.gesture_of("Wheel", modifier, Tool.BRUSH) for modifier in ("", "Ctrl", "Shift")]
    assert wheel == [Gesture.STEP, Gesture.ZOOM, Gesture.RESIZE]
    assert webknossos.gesture_of("Right", "", Tool.BRUSH) is Gesture.MENU
    assert [napari.gesture_of("Wheel", modifier, Tool.BRUSH) for modifier in ("", "Ctrl")] == [
        Gesture.ZOOM,
        Gesture.STEP,
    ]


def test_ctrl_shift_erases_for_hands_from_webknossos(
    painting_canvas: Canvas, session: ProofreadingSession
) -> None:
    canvas = painting_canvas
    canvas.keys.use(keymap_of("webknossos"))
    drag(canvas, LEFT, place(canvas, 60, 60), place(canvas, 60, 90))
    drag(canvas, LEFT, place(canvas, 60, 60), place(canvas, 60, 90), CTRL | SHIFT)
    assert not section(session, 0).any()


def test_a_chord_needs_both_keys_and_says_how_it_goes_on(painting_canvas: Canvas) -> None:
    canvas = painting_canvas
    canvas.keys.use(keymap_of("webknossos"))
    hints: list[str] = []
    canvas.hint_changed.connect(lambda hint: hints.append(str(hint)))
    press(canvas, "Ctrl+K")
    assert canvas.model.hand.tool is Tool.BRUSH
    assert "E: Eraser" in hints[-1]
    press(canvas, "E")
    assert canvas.model.hand.tool is Tool.ERASER
    assert "Eraser" not in hints[-1]
    press(canvas, "Ctrl+K")
    press(canvas, "Ctrl+B")
    assert canvas.model.hand.tool is Tool.BRUSH, "Ctrl may still be down"
    press(canvas, "Ctrl+K")
    press(canvas, "Down")
    press(canvas, "E")
    assert canvas.model.hand.tool is Tool.ERASER, "a chord that means nothing is over"
    press(canvas, "Ctrl+K")
    canvas.view.clearFocus()
    QApplication.sendEvent(canvas.view, QEvent(QEvent.Type.FocusOut))
    canvas.keys.release_all()
    press(canvas, "B")
    assert canvas.model.hand.tool is Tool.BRUSH


def test_keys_go_by_the_character_on_a_japanese_keyboard(painting_canvas: Canvas) -> None:
    view = painting_canvas.view
    # '+' is Shift+';' there, '=' is Shift+'-', and both brackets need no Shift.
    for key, text, sign in ((KEY.Key_Plus, "+", 1), (KEY.Key_Equal, "=", 1)):
        before = view.camera.scale
        QApplication.sendEvent(view, QKeyEvent(QEvent.Type.KeyPress, key, SHIFT, text))
        assert (view.camera.scale - before) * sign > 0
    size = painting_canvas.model.hand.brush_px
    QApplication.sendEvent(view, QKeyEvent(QEvent.Type.KeyPress, KEY.Key_BracketRight, NONE, "]"))
    assert painting_canvas.model.hand.brush_px > size


def test_an_input_method_gets_no_letter_over_the_canvas(qtbot: QtBot, painting_canvas: Canvas) -> None:
    for view in painting_canvas.views.values():
        view.setFocus()
        for widget in (view, view.viewport()):
            assert not widget.testAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)


def test_letters_do_nothing_while_something_is_typed(
    qtbot: QtBot, canvas: Canvas, image: ArrayVolume
) -> None:
    window = QWidget()
    column = QVBoxLayout(window)
    line, table = QLineEdit(), QTableWidget(1, 1)
    for widget in (canvas, line, table):
        column.addWidget(widget)
    qtbot.addWidget(window)
    canvas.show_volumes(image)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    canvas.model.hand.tool = Tool.ERASER
    for field in (line, canvas.toolbar.label, canvas.hand_tools.options_bar.brush_size):
        field.setFocus()
        qtbot.waitUntil(field.hasFocus)
        qtbot.keyClicks(field, "f5b")
        assert canvas.model.z == 0
        assert canvas.model.hand.tool is Tool.ERASER
    assert line.text() == "f5b"
    assert canvas.model.hand.brush_px != 24
    table.setItem(0, 0, QTableWidgetItem("name"))
    table.editItem(table.item(0, 0))
    qtbot.keyClicks(QApplication.focusWidget(), "fbe")
    assert canvas.model.z == 0
    assert canvas.model.hand.tool is Tool.ERASER
    # The wheel over the canvas ends the typing.
    turn_wheel(canvas, 1)
    assert canvas.view.hasFocus()
    QTest.keyClick(QApplication.focusWidget(), KEY.Key_F)
    assert canvas.model.z == 2
    canvas.setParent(None)


def test_the_hint_names_the_present_buttons_and_the_plane(painting_canvas: Canvas) -> None:
    canvas = painting_canvas
    assert "Wheel: section" in str(canvas.hint())
    canvas.keys.use(keymap_of("napari"))
    assert "Wheel: zoom" in str(canvas.hint())
    QTest.keyPress(canvas.view, KEY.Key_Control)
    assert str(canvas.hint()).startswith("Ctrl")
    assert "Wheel: section" in str(canvas.hint())
    QTest.keyRelease(canvas.view, KEY.Key_Control)


def test_a_slot_without_a_meaning_of_its_own_follows_the_weaker_one() -> None:
    keymap = keymap_of()
    assert keymap.gesture_of("Wheel", "Ctrl+Shift", Tool.BRUSH) is Gesture.ZOOM
    assert keymap.gesture_of("Left", "Ctrl", Tool.NAVIGATE) is Gesture.PAN
    other = keymap_of(mouse={Slot("Wheel", "", Tools.PAINTING): Gesture.ZOOM})
    assert other.gesture_of("Wheel", "", Tool.NAVIGATE) is Gesture.STEP
    assert ways_to(other, "scroll") == []


@pytest.mark.parametrize("tool", list(Tool))
def test_every_tool_has_a_page(tool: Tool) -> None:
    ids = {one.id for one in SHORTCUTS}
    assert keys_of(tool) and set(keys_of(tool)) <= ids
    for preset in IDS:
        page = tool_page(tool, keymap_of(preset))
        assert page.startswith("# ")
        assert len(page.split("## Mouse")[0]) > 200
