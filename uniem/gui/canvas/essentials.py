"""What nobody can work without, and what of it a keymap leaves without a key or a button."""

from __future__ import annotations

from collections.abc import Callable

from uniem.gui.canvas.keymap import BUTTONS, MODIFIERS, Gesture, Keymap, weaker
from uniem.gui.canvas.view_model import Tool

_SHORTCUTS = {
    "scroll": ("next-section", "previous-section"),
    "zoom": ("zoom-in", "zoom-out"),
    "brush size": ("smaller-brush", "larger-brush"),
    "pick a label": ("pick",),
    "erase": ("eraser",),
}
_GESTURES = {
    "scroll": (Gesture.STEP,),
    "zoom": (Gesture.ZOOM, Gesture.ZOOM_OR_MENU),
    "brush size": (Gesture.RESIZE,),
    "pick a label": (Gesture.PICK,),
    "erase": (Gesture.ERASE, Gesture.ERASE_OR_MENU),
    "move": (Gesture.PAN, Gesture.PAN_OR_MENU),
    "open the menu": (Gesture.MENU, Gesture.ERASE_OR_MENU, Gesture.PAN_OR_MENU, Gesture.ZOOM_OR_MENU),
}
_ACTIONS = ("undo", "redo", "save")


def unreachable(keymap: Keymap) -> list[str]:
    """Return what can be done with neither a key nor a button while the brush is in the hand."""
    reachable = {what for what, ids in _SHORTCUTS.items() if all(keymap.of(id) for id in ids)}
    reachable |= {what for what in _GESTURES if ways_to(keymap, what)}
    if keymap.of("brush") and keymap.gesture_of("Left", "", Tool.BRUSH) is Gesture.PAINT:
        reachable.add("paint")
    has_actions = any(address.startswith("window/") for address in keymap.keys)
    reachable |= {id for id in _ACTIONS if keymap.of_action(id) or not has_actions}
    wanted = dict.fromkeys((*_SHORTCUTS, *_GESTURES, "paint", *_ACTIONS))
    return [what for what in wanted if what not in reachable]


def ways_to(keymap: Keymap, what: str, tool: Tool = Tool.BRUSH) -> list[str]:
    """Return the buttons by which something is done with a tool: "Ctrl+wheel", "Right drag"."""
    wanted = _GESTURES.get(what, ())
    found = (
        (button, modifier)
        for modifier in MODIFIERS
        for button in BUTTONS[::-1]
        if (gesture := keymap.gesture_of(button, modifier, tool)) in wanted
        # A modifier that changes nothing is no other way.
        and all(keymap.gesture_of(button, fewer, tool) is not gesture for fewer in weaker(modifier)[1:])
    )
    return [_named(button, modifier) for button, modifier in found]


def main_keys(keymap: Keymap) -> list[tuple[str, str]]:
    """Return how the things done most are done: what, and the buttons and keys."""
    rows: list[tuple[str, Callable[[], list[str]]]] = [
        ("Scroll", lambda: [*ways_to(keymap, "scroll"), *_first(keymap, _SHORTCUTS["scroll"])]),
        ("Zoom", lambda: [*ways_to(keymap, "zoom"), *_first(keymap, _SHORTCUTS["zoom"])]),
        ("Move", lambda: ways_to(keymap, "move")[:2]),
        ("Brush", lambda: list(keymap.of("brush")[:1])),
        ("Erase", lambda: [*ways_to(keymap, "erase")[:1], *keymap.of("eraser")[:1]]),
        ("Brush size", lambda: [*ways_to(keymap, "brush size"), *_first(keymap, _SHORTCUTS["brush size"])]),
        ("New label", lambda: list(keymap.of("new-label")[:1])),
        ("See raw", lambda: list(keymap.of("see-raw")[:2])),
    ]
    return [(what, ", ".join(key.replace(", ", " ") for key in keys())) for what, keys in rows]


def _first(keymap: Keymap, ids: tuple[str, ...]) -> list[str]:
    """Return the first key of each shortcut as one: "F / D"."""
    keys = [keymap.of(id)[0] for id in ids if keymap.of(id)]
    return [" / ".join(keys)] if keys else []


def _named(button: str, modifier: str) -> str:
    name = "wheel" if button == "Wheel" else "drag" if button == "Left" and modifier else f"{button} drag"
    return f"{modifier}+{name}" if modifier else name.capitalize()
