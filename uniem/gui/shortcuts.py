"""The keys of the window and the canvas and the mouse buttons as tables, read off where they are declared."""

from __future__ import annotations

from collections.abc import Sequence

from uniem.gui.action import Action
from uniem.gui.canvas.keymap import BUTTONS, CANVAS, MODIFIERS, WINDOW, Keymap, Slot, Tools
from uniem.gui.canvas.keymap_presets import SHORTCUTS

Row = tuple[str, ...]


def shortcut_groups(keymaps: Sequence[Keymap], actions: Sequence[Action]) -> list[tuple[str, list[Row]]]:
    """Return titled tables of (what is done, keys or buttons in each keymap, more about it)."""
    window = [
        _row(action.title.rstrip("…"), f"{WINDOW}/{action.id}", action.tip, keymaps) for action in actions
    ]
    canvas = [_row(one.title, f"{CANVAS}/{one.id}", one.tooltip, keymaps) for one in SHORTCUTS]
    return [
        ("Canvas", [row for row in canvas if any(row[1:-1])]),
        ("Mouse on the canvas", mouse_rows(keymaps)),
        ("Window", [row for row in window if any(row[1:-1])]),
    ]


def mouse_rows(keymaps: Sequence[Keymap]) -> list[Row]:
    """Return (button with its modifier and tools, what it does in each keymap, nothing more)."""
    return [
        (slot.text, *(str(keymap.mouse.get(slot, "")) for keymap in keymaps), "")
        for slot in slots()
        if any(slot in keymap.mouse for keymap in keymaps)
    ]


def slots() -> list[Slot]:
    """Return every button with every modifier and group of tools, the most general first."""
    return [Slot(b, m, t) for b in BUTTONS for m in MODIFIERS for t in Tools if (b, m) != ("Wheel", "Space")]


def shown(keys: Sequence[str]) -> str:
    """Return keys as one text; a chord's two keys stand side by side."""
    return ", ".join(key.replace(", ", " ") for key in keys)


def _row(title: str, address: str, more: str, keymaps: Sequence[Keymap]) -> Row:
    return (title, *(shown(keymap.keys.get(address, ())) for keymap in keymaps), more)
