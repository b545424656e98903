"""What the mouse buttons and the wheel do right now, in words."""

from __future__ import annotations

from dataclasses import dataclass

from uniem.gui.canvas.keymap import BUTTONS, Gesture, Keymap
from uniem.gui.canvas.keymap_presets import SHORTCUTS
from uniem.gui.canvas.view_model import Tool

_WORDS = {Gesture.PICK: "pick label", Gesture.PAN_OR_MENU: "move", Gesture.ZOOM_OR_MENU: "zoom"}
# What the button that erases does in the hands of tools that do not paint.
_INSTEAD_OF_ERASING = {Tool.MERGE: "let go", Tool.SPLIT: "forget", Tool.SEEDS: "mark the other part"}
_TITLES = {shortcut.id: shortcut.title for shortcut in SHORTCUTS}
_AXES = "zyx"
SPACE = "Space"


@dataclass(frozen=True, slots=True)
class Hint:
    """What to do and what comes of it: `modifier` is down; pairs of a button, or keys, and words.

    `str()` gives one line of text.
    """

    modifier: str
    buttons: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Return one line."""
        now = " · ".join(f"{button}: {words}" for button, words in self.buttons)
        others = " · ".join(f"{keys}: {words}" for keys, words in self.others)
        held = f"{self.modifier}  +  " if self.modifier else ""
        return " · ".join(part for part in (f"{held}{now}", others) if part)


def hint_of(keymap: Keymap, modifier: str, tool: Tool, axis: int = 0) -> Hint:
    """Return what buttons and wheel do now, over a section across an axis (0 is z)."""
    found = ((button, keymap.gesture_of(button, modifier, tool)) for button in BUTTONS)
    buttons = tuple((button, _words(gesture, tool, axis)) for button, gesture in found if gesture is not None)
    return Hint(_cap(keymap, modifier), buttons, () if modifier else _others(keymap, tool, axis))


def chord_hint(keymap: Keymap, first: str) -> Hint:
    """Return how a chord can go on."""
    goes_on = tuple((key, _TITLES[id]) for key, id in keymap.begun(first).items())
    return Hint(first, (), goes_on)


def _words(gesture: Gesture, tool: Tool, axis: int) -> str:
    if gesture is Gesture.PAINT and tool is not Tool.BRUSH:
        return "mark a part" if tool is Tool.SEEDS else str(tool)
    if gesture in (Gesture.ERASE, Gesture.ERASE_OR_MENU) and tool in _INSTEAD_OF_ERASING:
        return _INSTEAD_OF_ERASING[tool]
    if gesture in (Gesture.STEP, Gesture.LEAP) and axis:
        return f"{gesture} along {_AXES[axis]}"
    return _WORDS.get(gesture, str(gesture))


def _others(keymap: Keymap, tool: Tool, axis: int) -> tuple[tuple[str, str], ...]:
    """Return what a modifier would change, as far as people look for it."""
    pairs = []
    for button, modifier in (("Wheel", "Ctrl"), ("Wheel", "Shift"), ("Left", "Shift"), ("Left", "Ctrl")):
        gesture = keymap.gesture_of(button, modifier, tool)
        if gesture is not None and gesture is not keymap.gesture_of(button, "", tool):
            pairs.append((f"{modifier}+{button.lower()}", _words(gesture, tool, axis)))
    if keymap.of("see-raw"):
        pairs.insert(1, (_cap(keymap, SPACE), "hold to see raw"))
    return tuple(pairs)


def _cap(keymap: Keymap, modifier: str) -> str:
    """Return what stands on the key: what Space is for may be on another one."""
    keys = keymap.of("see-raw")
    return keys[0] if modifier == SPACE and keys and SPACE not in keys else modifier
