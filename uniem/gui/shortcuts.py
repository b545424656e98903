"""The keys of the window and the canvas and the mouse buttons as tables, read off where they are declared."""

from __future__ import annotations

from collections.abc import Sequence

from uniem.gui.actions import WINDOW_ACTIONS, Action
from uniem.gui.canvas.keymap import MOUSE, SHORTCUTS, MouseBinding

Row = tuple[str, str, str]


def shortcut_groups(actions: Sequence[Action] = WINDOW_ACTIONS) -> list[tuple[str, list[Row]]]:
    """Return titled tables of (keys or buttons, what they do, more about it)."""
    window = [
        (", ".join(action.keys), action.title.rstrip("…"), action.tip) for action in actions if action.keys
    ]
    canvas = [(", ".join(one.keys), one.title, one.tooltip) for one in SHORTCUTS]
    return [("Window", window), ("Canvas", canvas), ("Mouse on the canvas", [_row(one) for one in MOUSE])]


def _row(binding: MouseBinding) -> Row:
    button = f"{binding.modifier} + {binding.button}" if binding.modifier else binding.button
    return button, str(binding.gesture), f"with {', '.join(binding.tools)}" if binding.tools else "always"
