"""The keymap in use: a preset and the user's changes on top of it, remembered as differences only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from psygnal import Signal

from uniem.errors import UniemError
from uniem.gui.action import Action
from uniem.gui.canvas.keymap import (
    CANVAS,
    DEFAULT,
    THEN,
    WINDOW,
    Bound,
    Gesture,
    Keymap,
    Keys,
    Slot,
    gestures_for,
)
from uniem.gui.canvas.keymap_presets import PRESETS, SHORTCUTS, keymap_of, mouse_of, preset_of
from uniem.gui.shortcuts import slots
from uniem.workspace import Settings

PRESET_KEY, ASKED_KEY = "keymap/preset", "keymap/was asked"
FORMAT = "uniem keymap"
MouseChanges = dict[Slot, Gesture | None]
_SLOTS = {slot.text: slot for slot in slots()}


class Keymaps:
    """Choose a preset, change single keys and buttons, keep them in the settings; `changed()` after each.

    Every preset keeps its own changes, so that trying another one loses nothing.
    """

    changed = Signal()

    def __init__(self, settings: Settings, actions: Sequence[Action]) -> None:
        self.actions = tuple(actions)
        self._settings = settings
        self._keys: dict[str, Keys] = {}
        self._mouse: MouseChanges = {}
        kept = settings.get(PRESET_KEY, DEFAULT)
        self._preset = preset_of(kept if isinstance(kept, str) else DEFAULT).id
        self._take_kept()

    def set_actions(self, actions: Sequence[Action]) -> None:
        """Know other actions, and what the user chose for them."""
        self.actions = tuple(actions)
        self._take_kept()
        self.changed.emit()

    @property
    def keymap(self) -> Keymap:
        """What keys and mouse mean now."""
        return self._keymap

    @property
    def preset(self) -> str:
        """The id of the preset."""
        return self._preset

    @property
    def has_changes(self) -> bool:
        """Tell whether the user changed anything in this preset."""
        return bool(self._keys or self._mouse)

    def bound(self) -> list[tuple[str, Bound]]:
        """Return everything keys can start, by address, the canvas first."""
        canvas = [(f"{CANVAS}/{one.id}", one) for one in SHORTCUTS]
        return [*canvas, *((f"{WINDOW}/{one.id}", one) for one in self.actions if not one.shortcut)]

    def title(self, address: str) -> str:
        """Return what an address is called."""
        found = dict(self.bound())[address]
        return str(getattr(found, "title", address)).rstrip("…")

    def use(self, preset: str) -> None:
        """Use a preset, with the changes made in it before."""
        self._preset = preset_of(preset).id
        self._settings.set(PRESET_KEY, self._preset)
        self._take_kept()
        self.changed.emit()

    def is_changed(self, address: str) -> bool:
        """Tell whether the user chose the keys of an address."""
        return address in self._keys

    def holders(self, key: str, address: str) -> list[str]:
        """Return the other addresses that have a key, or a chord that it would begin or that begins it."""
        return [
            other
            for other, keys in self._keymap.keys.items()
            if other != address and any(_meet(key, taken) for taken in keys)
        ]

    def add_key(self, address: str, key: str) -> None:
        """Give an address one more key; whoever had it loses it."""
        for other in self.holders(key, address):
            self._keys[other] = tuple(k for k in self._keymap.keys[other] if not _meet(key, k))
        own = [taken for taken in self._keymap.keys.get(address, ()) if not _meet(key, taken)]
        self._keys[address] = (*own, key)
        self._keep()

    def remove_key(self, address: str, key: str) -> None:
        """Take a key from an address."""
        self._keys[address] = tuple(taken for taken in self._keymap.keys[address] if taken != key)
        self._keep()

    def reset(self, address: str) -> None:
        """Give an address the keys of the preset again; what the user gave to others stays with them."""
        if self._keys.pop(address, None) is not None:
            self._keep()

    def reset_all(self) -> None:
        """Forget every change of keys and mouse in this preset."""
        self._keys, self._mouse = {}, {}
        self._keep()

    def set_gesture(self, slot: Slot, gesture: Gesture | None) -> None:
        """Let a button do something else, or nothing of its own."""
        self._mouse[slot] = gesture
        self._keep()

    def reset_mouse(self) -> None:
        """Forget every change of the mouse in this preset."""
        self._mouse = {}
        self._keep()

    def record(self) -> dict[str, Any]:
        """Return the preset and the changes as JSON."""
        return {"preset": self._preset, **_packed(self._keys, self._mouse)}

    def write(self, path: Path) -> None:
        """Write the keymap to a file for another computer."""
        text = json.dumps({"format": FORMAT, "version": 1, **self.record()}, indent=1, ensure_ascii=False)
        part = path.with_name(f".{path.name}.part")
        try:
            part.write_text(text, "utf-8")
            part.replace(path)
        except OSError as error:
            raise UniemError(
                f"The keymap cannot be written to {path}: {error.strerror}.", "Choose another folder."
            ) from error

    def read(self, path: Path) -> list[str]:
        """Use the keymap of a file; return the names in it that are not known here, which are left out."""
        try:
            record = json.loads(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise UniemError(
                f"{path.name} cannot be read as a keymap: {error}.", "Choose a file written by Export."
            ) from error
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise UniemError(f"{path.name} is not a keymap of uniem.", "Choose a file written by Export.")
        preset = record.get("preset")
        if preset not in {each.id for each in PRESETS}:
            raise UniemError(
                f"{path.name} is based on the preset {preset!r}, which is not known here.",
                f"The presets are {', '.join(each.id for each in PRESETS)}.",
            )
        keys, mouse, unknown = _unpacked(record, {address for address, _ in self.bound()})
        self._preset, self._keys, self._mouse = preset, keys, mouse
        self._settings.set(PRESET_KEY, preset)
        self._keep()
        return unknown

    def _take_kept(self) -> None:
        record = self._settings.get(f"keymap/{self._preset}", {})
        known = {address for address, _ in self.bound()}
        self._keys, self._mouse, _ = _unpacked(record if isinstance(record, dict) else {}, known)
        self._make()

    def _keep(self) -> None:
        """Remember the changes, less those that say what the preset says, and tell of them."""
        self._make()
        plain = keymap_of(self._preset, self._plain_actions())
        self._keys = {a: keys for a, keys in self._keys.items() if keys != plain.keys.get(a, ())}
        normal = mouse_of(self._preset)
        self._mouse = {slot: g for slot, g in self._mouse.items() if g is not normal.get(slot)}
        self._make()
        self._settings.set(f"keymap/{self._preset}", _packed(self._keys, self._mouse))
        self.changed.emit()

    def _make(self) -> None:
        self._keymap = keymap_of(self._preset, self._plain_actions(), self._keys, self._mouse)

    def _plain_actions(self) -> list[Action]:
        return [action for action in self.actions if not action.shortcut]


def _meet(one: str, other: str) -> bool:
    """Tell whether two keys cannot both have a meaning: they are equal, or one begins the other."""
    return one == other or one.startswith(f"{other}{THEN}") or other.startswith(f"{one}{THEN}")


def _packed(keys: Mapping[str, Keys], mouse: Mapping[Slot, Gesture | None]) -> dict[str, Any]:
    return {
        "keys": {address: list(each) for address, each in sorted(keys.items())},
        "mouse": {slot.text: gesture and str(gesture) for slot, gesture in sorted(mouse.items())},
    }


def _unpacked(record: Mapping[str, Any], known: set[str]) -> tuple[dict[str, Keys], MouseChanges, list[str]]:
    """Return the changes of keys and mouse in a record, and what in it is not known."""
    keys: dict[str, Keys] = {}
    mouse: MouseChanges = {}
    unknown: list[str] = []
    for address, each in _items(record.get("keys")):
        if address in known and isinstance(each, list) and all(isinstance(key, str) for key in each):
            keys[address] = tuple(each)
        else:
            unknown.append(address)
    for name, wanted in _items(record.get("mouse")):
        slot = _SLOTS.get(name)
        gestures = {str(gesture): gesture for gesture in gestures_for(slot.button)} if slot else {}
        if slot is not None and (wanted is None or wanted in gestures):
            mouse[slot] = gestures.get(wanted)
        else:
            unknown.append(name)
    return keys, mouse, unknown


def _items(value: object) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []
