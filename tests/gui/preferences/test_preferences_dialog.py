"""The preferences in a real window: what is chosen acts at once and is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QTextBrowser, QToolButton

from uniem import paths
from uniem.data.mesh import Mesh
from uniem.data.palette import Hues, Palette, colour_of, use_palette
from uniem.data.volume import ArrayVolume
from uniem.gui import app, startup_report
from uniem.gui.annotator.objects import MeshObjects
from uniem.gui.canvas.keymap import Gesture, Slot
from uniem.gui.canvas.view_model import Tool
from uniem.gui.main_window import MainWindow
from uniem.gui.preferences.chooser import KeymapChooser
from uniem.gui.preferences.dialog import PreferencesDialog

KEY, CTRL, SHIFT = Qt.Key, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(autouse=True)
def as_usual() -> Iterator[None]:
    yield
    use_palette(Palette())
    paths.use_work_folder(None)


def shown(kind: type[Any]) -> list[Any]:
    return [each for each in QApplication.topLevelWidgets() if isinstance(each, kind) and each.isVisible()]


@pytest.fixture
def dialog(window: MainWindow, qtbot: Any) -> Iterator[PreferencesDialog]:
    window.action_set["preferences"].trigger()
    (made,) = shown(PreferencesDialog)
    qtbot.waitExposed(made)
    yield made
    made.close()


def test_a_new_key_is_pressed_and_acts_at_once(
    window: MainWindow, dialog: PreferencesDialog, qtbot: Any
) -> None:
    window.canvas.show_volumes(ArrayVolume(np.zeros((5, 32, 32), np.uint8), None, name="image"))
    dialog.keys.choose("canvas/eraser")
    qtbot.mouseClick(dialog.keys.capture, Qt.MouseButton.LeftButton)
    QTest.keyClick(dialog.keys.capture, KEY.Key_Y)
    assert dialog.keys.keymaps.keymap.of("eraser") == ("E", "Y")
    QTest.keyClick(window.canvas.view, KEY.Key_Y)
    assert window.canvas.model.hand.tool is Tool.ERASER
    assert "E, Y" in dialog.keys.table.currentItem().text(1)


def test_a_conflict_names_both_and_changes_nothing_until_told(
    window: MainWindow, dialog: PreferencesDialog, qtbot: Any
) -> None:
    page = dialog.keys
    page.choose("canvas/brush")
    qtbot.mouseClick(page.capture, Qt.MouseButton.LeftButton)
    QTest.keyClick(page.capture, KEY.Key_F)
    assert "Next section" in page.conflict.text() and "Brush" in page.conflict.text()
    assert page.keymaps.keymap.of("brush") == ("B",)
    page.leave.click()
    assert page.conflict.text() == "" and not page.move_here.isVisible()
    page.take_key("F")
    page.move_here.click()
    assert page.keymaps.keymap.of("brush") == ("B", "F")
    assert page.keymaps.keymap.of("next-section") == ("Up",)
    assert page.reset_all.isEnabled()
    page.reset_all.click()
    assert page.keymaps.keymap.of("next-section") == ("F", "Up")


def test_a_key_of_the_window_is_captured_and_not_done(
    window: MainWindow, dialog: PreferencesDialog, qtbot: Any
) -> None:
    page = dialog.keys
    page.choose("window/annotator")
    qtbot.mouseClick(page.capture, Qt.MouseButton.LeftButton)
    QTest.keyClick(page.capture, KEY.Key_J, CTRL | SHIFT)
    assert window.action_set["annotator"].shortcuts()[-1].toString() == "Ctrl+Shift+J"
    page.take_key("Y")
    assert "while you type" in page.conflict.text()
    assert "Y" not in page.keymaps.keymap.of_action("annotator")
    page.take_key("Shift+F7")
    assert "Shift+F7" in page.keymaps.keymap.of_action("annotator")


def test_escape_gives_up_and_a_cap_takes_its_key_away(dialog: PreferencesDialog, qtbot: Any) -> None:
    page = dialog.keys
    page.choose("canvas/zoom-in")
    qtbot.mouseClick(page.capture, Qt.MouseButton.LeftButton)
    QTest.keyClick(page.capture, KEY.Key_Escape)
    assert not page.capture.isChecked() and dialog.isVisible()
    page.caps.itemAt(0).widget().click()
    assert page.keymaps.keymap.of("zoom-in") == ("=",)
    assert page.reset.isEnabled()
    page.reset.click()
    assert page.keymaps.keymap.of("zoom-in") == ("+", "=")


def test_a_chord_is_captured_where_its_first_key_begins_one(dialog: PreferencesDialog, qtbot: Any) -> None:
    page = dialog.keys
    page.keymaps.use("webknossos")
    page.choose("canvas/solo")
    qtbot.mouseClick(page.capture, Qt.MouseButton.LeftButton)
    QTest.keyClick(page.capture, KEY.Key_K, CTRL)
    assert "then" in page.capture.text()
    QTest.keyClick(page.capture, KEY.Key_S)
    assert page.keymaps.keymap.of("solo") == ("H", "Ctrl+K, S")


def test_the_table_is_searched_by_name_key_and_other_words(dialog: PreferencesDialog, qtbot: Any) -> None:
    page = dialog.keys

    def found() -> set[str]:
        return {address for address, row in page._rows.items() if not row.isHidden()}

    qtbot.keyClicks(page.search, "rubber")
    assert found() == {"canvas/eraser"}
    page.search.setText("ctrl+o")
    assert found() == {"window/open"}
    page.search.setText("")
    assert len(found()) == len(page._rows)


def test_what_nothing_does_any_more_is_told(dialog: PreferencesDialog) -> None:
    for key in ("Ctrl+Z",):
        dialog.keys.keymaps.remove_key("window/undo", key)
    assert "undo" in dialog.keys.warning.text()
    assert dialog.mouse.warning.text() == dialog.keys.warning.text()


def test_a_preset_chosen_changes_keys_menus_tooltips_and_hints(
    window: MainWindow, dialog: PreferencesDialog
) -> None:
    page = dialog.keys
    page.preset.setCurrentIndex(page.preset.findData("napari"))
    page.preset.activated.emit(page.preset.currentIndex())
    assert window.settings.get("keymap/preset") == "napari"
    assert "Wheel: zoom" in str(window.canvas.hint())
    buttons = window.canvas.findChildren(QToolButton)
    assert "(1)" in next(each for each in buttons if each.accessibleName() == "Eraser").toolTip()
    assert window.action_set["canvas-brush"].text() == "Brush\t2"
    page.preset.setCurrentIndex(page.preset.findData("uni-em"))
    page.preset.activated.emit(page.preset.currentIndex())
    assert [key.toString() for key in window.action_set["annotator"].shortcuts()] == ["F4", "F8"]


def test_the_mouse_is_changed_row_by_row(window: MainWindow, dialog: PreferencesDialog) -> None:
    page = dialog.mouse
    box = page.choice(Slot("Wheel", ""))
    box.setCurrentIndex(box.findData(Gesture.ZOOM))
    box.activated.emit(box.currentIndex())
    assert window.canvas.keys.keymap.mouse[Slot("Wheel", "")] is Gesture.ZOOM
    assert not page.choice(Slot("Left", "")).isEnabled()
    page.button.setCurrentText("Middle")
    page.modifier.setCurrentIndex(page.modifier.findData("Shift"))
    page.add.click()
    assert Slot("Middle", "Shift") in window.canvas.keys.keymap.mouse
    page.reset.click()
    assert window.canvas.keys.keymap.mouse[Slot("Wheel", "")] is Gesture.STEP
    assert Slot("Middle", "Shift") not in window.canvas.keys.keymap.mouse


def test_looks_act_at_once_and_are_remembered(window: MainWindow, dialog: PreferencesDialog) -> None:
    page = dialog.appearance
    before = window.canvas.painting.style().colour(5)
    page.theme.setCurrentIndex(page.theme.findData("light"))
    assert window.appearance.is_light
    page.font_size.setValue(13)
    assert QApplication.font().pointSize() == 13
    page.hues.setCurrentIndex(page.hues.findData(Hues.SAFE))
    safe = window.canvas.painting.style().colour(5)
    assert safe != before
    page.vividness.setValue(40)
    assert window.canvas.painting.style().colour(5) != safe
    assert window.preferences.palette == Palette(Hues.SAFE, 0.4)
    page.hues.setCurrentIndex(page.hues.findData(Hues.ALL))
    page.vividness.setValue(100)
    assert window.canvas.painting.style().colour(5) == before
    window.appearance.set_theme("dark")
    window.appearance.set_font_size(10)


def test_memory_autosave_and_folder(window: MainWindow, dialog: PreferencesDialog, tmp_path: Path) -> None:
    page = dialog.canvas
    page.automatic.setChecked(False)
    page.memory.setValue(512)
    page.memory.editingFinished.emit()
    assert window.canvas.reader.cache.budget_bytes == 512 << 20
    page.automatic.setChecked(True)
    assert window.preferences.memory_mb is None
    page.autosave.setValue(17)
    assert window.sessions._autosave.interval() == 17 * 60_000
    usual = paths.work_folder()
    dialog.files.take(tmp_path / "mine")
    assert paths.work_folder() == tmp_path / "mine"
    dialog.files.usual.click()
    assert paths.work_folder() == usual


def test_the_choices_hold_in_the_next_window(window: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    window.preferences.keymaps.use("mib")
    window.preferences.set_autosave_minutes(9)
    window.preferences.set_work_folder(tmp_path)
    window.settings.save()
    other = app.make_window()
    qtbot.addWidget(other, before_close_func=lambda each: each.sessions.end())
    assert other.canvas.keys.keymap.preset == "mib"
    assert other.sessions._autosave.interval() == 9 * 60_000
    assert paths.work_folder() == tmp_path


def test_the_first_start_asks_once(window: MainWindow, qtbot: Any) -> None:
    assert shown(KeymapChooser) == []
    app._open(window, [])
    (chooser,) = shown(KeymapChooser)
    qtbot.mouseClick(chooser.cards["webknossos"], Qt.MouseButton.LeftButton)
    assert window.canvas.keys.keymap.preset == "webknossos"
    qtbot.waitUntil(lambda: shown(KeymapChooser) == [])
    app._open(window, [])
    assert shown(KeymapChooser) == []
    window.action_set["choose-keymap"].trigger()
    (chooser,) = shown(KeymapChooser)
    assert chooser.cards["webknossos"].isChecked()
    chooser.skip.click()
    assert window.canvas.keys.keymap.preset == "webknossos"


def test_a_start_that_is_only_measured_does_not_ask(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(startup_report.VARIABLE, str(tmp_path / "report.json"))
    app._open(window, [])
    assert shown(KeymapChooser) == []


def test_the_preferences_open_once_and_follow_the_theme(
    window: MainWindow, dialog: PreferencesDialog, qtbot: Any
) -> None:
    window.show_preferences()
    assert shown(PreferencesDialog) == [dialog]
    before = dialog.list.item(0).icon().pixmap(22).toImage()
    window.appearance.set_theme("light")
    qtbot.waitUntil(lambda: dialog.list.item(0).icon().pixmap(22).toImage() != before)
    window.appearance.set_theme("dark")


def test_a_start_with_a_file_does_not_ask(window: MainWindow, stack: Path) -> None:
    app._open(window, [str(stack)])
    assert shown(KeymapChooser) == []
    assert not window.settings.get("keymap/was asked")


def test_f1_tells_of_the_tool_in_hand(window: MainWindow, qtbot: Any) -> None:
    window.preferences.keymaps.use("napari")
    window.canvas.model.hand.tool = Tool.ERASER
    window.activateWindow()
    window.canvas.view.setFocus()
    qtbot.waitUntil(window.canvas.view.hasFocus)
    QTest.keyClick(window.windowHandle(), KEY.Key_F1)
    qtbot.waitUntil(lambda: bool(pages()))
    assert "Eraser" in pages()[0].toPlainText()
    assert "1, E" in pages()[0].toPlainText()


def pages() -> list[QTextBrowser]:
    windows = [each for each in QApplication.topLevelWidgets() if each.windowTitle().startswith("Help")]
    return [browser for each in windows if each.isVisible() for browser in each.findChildren(QTextBrowser)]


def test_the_palette_shows_present_keys_and_the_most_recent_first(window: MainWindow, qtbot: Any) -> None:
    window.preferences.keymaps.use("napari")

    def open_palette(text: str) -> Any:
        window.show_palette()
        palette = QApplication.activePopupWidget()
        palette.line.setText(text)
        return palette

    palette = open_palette("rubber")
    assert palette.list.topLevelItem(0).text(0) == "Eraser"
    assert palette.list.topLevelItem(0).text(2) == "1, E"
    qtbot.keyClick(palette.line, KEY.Key_Return)
    qtbot.waitUntil(lambda: window.canvas.model.hand.tool is Tool.ERASER)
    palette = open_palette("")
    assert palette.list.topLevelItem(0).text(0) == "Eraser"
    palette.close()


def test_every_shortcut_stands_in_a_menu(window: MainWindow) -> None:
    window.action_set.fill()
    for id in ("canvas-brush", "canvas-next-section", "canvas-slot-3"):
        made = window.action_set[id]
        assert any(made in menu.actions() for menu in made.associatedWidgets() if menu is not window)
    window.canvas.show_volumes(ArrayVolume(np.zeros((5, 32, 32), np.uint8), None, name="image"))
    window.action_set["canvas-next-section"].trigger()
    assert window.canvas.model.z == 1


def test_colours_that_were_chosen_stay_under_another_palette() -> None:
    mesh = Mesh(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.uint32), 3)
    objects = MeshObjects()
    objects.add([mesh, replace(mesh, label=4), replace(mesh, label=5, colour=(1, 2, 3))])
    objects.set_field([4], "colour", (9, 9, 9))
    objects.follow_palette(Palette(), Palette(Hues.SAFE))
    assert [objects[label].colour for label in (3, 4, 5)] == [
        colour_of(3, Palette(Hues.SAFE)),
        (9, 9, 9),
        (1, 2, 3),
    ]
