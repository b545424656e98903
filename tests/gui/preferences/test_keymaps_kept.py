"""The keymap in use: what is remembered, what is moved, what a file brings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from uniem.errors import UniemError
from uniem.gui.actions import WINDOW_ACTIONS, canvas_actions
from uniem.gui.canvas.keymap import Gesture, Slot
from uniem.gui.preferences.keymaps import Keymaps
from uniem.workspace import Settings

ACTIONS = [*WINDOW_ACTIONS, *canvas_actions()]


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def keymaps(settings: Settings) -> Keymaps:
    return Keymaps(settings, ACTIONS)


def test_only_differences_are_remembered(keymaps: Keymaps, settings: Settings) -> None:
    keymaps.use("mib")
    keymaps.add_key("canvas/solo", "Y")
    keymaps.set_gesture(Slot("Middle", ""), Gesture.ERASE)
    assert settings.get("keymap/mib") == {"keys": {"canvas/solo": ["H", "Y"]}, "mouse": {"Middle": "erase"}}
    again = Keymaps(settings, ACTIONS)
    assert again.preset == "mib"
    assert again.keymap == keymaps.keymap
    again.remove_key("canvas/solo", "Y")
    again.set_gesture(Slot("Middle", ""), Gesture.PAN)
    assert settings.get("keymap/mib") == {"keys": {}, "mouse": {}}
    assert not again.has_changes


def test_every_preset_keeps_its_own_changes(keymaps: Keymaps) -> None:
    keymaps.add_key("canvas/solo", "Y")
    keymaps.use("napari")
    assert keymaps.keymap.of("solo") == ("H",)
    keymaps.use("default")
    assert keymaps.keymap.of("solo") == ("H", "Y")


def test_a_key_is_moved_from_who_has_it(keymaps: Keymaps) -> None:
    told = []
    keymaps.changed.connect(lambda: told.append(1))
    assert keymaps.holders("F", "canvas/brush") == ["canvas/next-section"]
    assert keymaps.holders("B", "canvas/brush") == []
    keymaps.add_key("canvas/brush", "F")
    assert keymaps.keymap.of("brush") == ("B", "F")
    assert keymaps.keymap.of("next-section") == ("Up",)
    assert told
    keymaps.reset("canvas/brush")
    keymaps.reset("canvas/next-section")
    assert keymaps.keymap.of("next-section") == ("F", "Up")


def test_a_key_between_canvas_and_window_has_one_meaning(keymaps: Keymaps) -> None:
    assert keymaps.holders("Ctrl+S", "canvas/brush") == ["window/save"]
    keymaps.add_key("window/save", "Ctrl+1")
    assert keymaps.keymap.of_action("save") == ("Ctrl+S", "Ctrl+1")
    assert keymaps.keymap.of("pin-1") == ()


def test_a_key_that_begins_chords_is_theirs(keymaps: Keymaps) -> None:
    keymaps.use("webknossos")
    assert "canvas/eraser" in keymaps.holders("Ctrl+K", "canvas/solo")
    keymaps.add_key("canvas/solo", "Ctrl+K")
    assert keymaps.keymap.of("solo") == ("H", "Ctrl+K")
    assert keymaps.keymap.of("eraser") == ("E",)


def test_reset_takes_everything_back(keymaps: Keymaps) -> None:
    before = keymaps.keymap
    keymaps.add_key("canvas/brush", "F")
    keymaps.set_gesture(Slot("Right", ""), Gesture.PAN)
    keymaps.reset_all()
    assert keymaps.keymap == before


def test_a_file_brings_preset_and_changes(keymaps: Keymaps, tmp_path: Path) -> None:
    keymaps.use("itk-snap")
    keymaps.add_key("canvas/brush", "Ctrl+G")
    keymaps.set_gesture(Slot("Wheel", "Shift"), None)
    keymaps.write(tmp_path / "mine.json")
    other = Keymaps(Settings(tmp_path / "settings.json"), ACTIONS)
    assert other.read(tmp_path / "mine.json") == []
    assert other.keymap == keymaps.keymap
    assert Slot("Wheel", "Shift") not in other.keymap.mouse


def test_unknown_names_in_a_file_are_left_out_and_told(keymaps: Keymaps, tmp_path: Path) -> None:
    record = {
        "format": "uniem keymap",
        "version": 1,
        "preset": "default",
        "keys": {"canvas/teleport": ["Y"], "canvas/brush": ["Y"], "canvas/eraser": "E"},
        "mouse": {"Fifth": "erase", "Middle": "explode", "Wheel": "zoom"},
    }
    (tmp_path / "old.json").write_text(json.dumps(record), "utf-8")
    assert keymaps.read(tmp_path / "old.json") == ["canvas/teleport", "canvas/eraser", "Fifth", "Middle"]
    assert keymaps.keymap.of("brush") == ("Y",)
    assert keymaps.keymap.mouse[Slot("Wheel", "")] is Gesture.ZOOM


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "uniem keymap", "preset": "emacs"}', "\x00"])
def test_another_file_changes_nothing(keymaps: Keymaps, tmp_path: Path, text: str) -> None:
    (tmp_path / "other.json").write_text(text, "utf-8")
    before = keymaps.keymap
    with pytest.raises(UniemError):
        keymaps.read(tmp_path / "other.json")
    assert keymaps.keymap is before


def test_a_folder_that_is_gone_is_told(keymaps: Keymaps, tmp_path: Path) -> None:
    with pytest.raises(UniemError, match="cannot be written"):
        keymaps.write(tmp_path / "gone" / "mine.json")


def test_a_damaged_setting_is_as_none() -> None:
    settings = Settings()
    settings.set("keymap/preset", 7)
    settings.set("keymap/default", {"keys": [], "mouse": {"Wheel": 3}})
    assert Keymaps(settings, ACTIONS).preset == "default"
    assert not Keymaps(settings, ACTIONS).has_changes
