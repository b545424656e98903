"""The keys and mouse buttons of the canvas as data, for what acts on them, for hints and for the manual."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeyEvent, QKeySequence

from uniem.gui.canvas.view_model import Tool


@dataclass(frozen=True, slots=True)
class Shortcut:
    """An action of the canvas and the keys that start it.

    Attributes
    ----------
    keys : tuple of str
        By the character they produce, so that they hold on every keyboard layout.
    is_held : bool
        It acts while the key is down and ends when it comes up.
    """

    id: str
    title: str
    keys: tuple[str, ...]
    tooltip: str
    is_held: bool = False


SHORTCUTS: tuple[Shortcut, ...] = (
    Shortcut("next-section", "Next section", ("F", "Up"), "Go one section up the stack."),
    Shortcut("previous-section", "Previous section", ("D", "Down"), "Go one section down the stack."),
    Shortcut("ten-sections-on", "Ten sections on", ("PgUp",), "Go ten sections up the stack."),
    Shortcut("ten-sections-back", "Ten sections back", ("PgDown",), "Go ten sections down the stack."),
    Shortcut(
        "peek", "Peek and return", ("Q",), "Look at other sections; release to jump back.", is_held=True
    ),
    Shortcut("zoom-in", "Zoom in", ("+", "="), "Enlarge at the mouse."),
    Shortcut("zoom-out", "Zoom out", ("-",), "Shrink at the mouse."),
    Shortcut("fit", "Fit section", ("Home", "Num+0"), "Show the whole section."),
    Shortcut("maximise", "One view or three", (".",), "Show this view alone, or all three planes."),
    Shortcut("navigate", "Navigate", ("V",), "Drag to move the section."),
    Shortcut("brush", "Brush", ("B",), "Paint the label in hand."),
    Shortcut("eraser", "Eraser", ("E",), "Paint background."),
    Shortcut("smaller-brush", "Smaller brush", ("[",), "Shrink the brush by 10 %."),
    Shortcut("larger-brush", "Larger brush", ("]",), "Grow the brush by 10 %."),
    Shortcut("new-label", "New label", ("N",), "Take the first unused label into the hand."),
    Shortcut("pick", "Pick label", ("L",), "Take the label under the mouse into the hand."),
    Shortcut("swap", "Swap with background", ("X",), "Change between the label in hand and background."),
    Shortcut(
        "see-raw",
        "See raw",
        ("Space",),
        "Tap: labels on or off. Hold: hide them; drag to move.",
        is_held=True,
    ),
    Shortcut("less-opacity", "Labels less opaque", ("A",), "Make the labels more transparent."),
    Shortcut("more-opacity", "Labels more opaque", ("Shift+A",), "Make the labels less transparent."),
    Shortcut("outlines", "Outlines", ("O",), "Draw only the outlines of labels."),
    Shortcut("solo", "Solo", ("H",), "Draw only the label in hand and those selected in the table."),
    *(
        Shortcut(f"slot-{n}", f"Label slot {n}", (str(n),), "Take the label pinned to this number.")
        for n in range(1, 10)
    ),
    *(
        Shortcut(f"pin-{n}", f"Pin to slot {n}", (f"Ctrl+{n}",), "Pin the label in hand to this number.")
        for n in range(1, 10)
    ),
    Shortcut("accept", "Accept", ("Return", "Enter"), "Do what the tool in hand has prepared."),
    Shortcut("cancel", "Cancel", ("Esc",), "Forget what the tool in hand has begun."),
)
_BY_KEY = {key: shortcut for shortcut in SHORTCUTS for key in shortcut.keys}


def shortcut_of(event: QKeyEvent) -> Shortcut | None:
    """Return the shortcut a key event stands for."""
    return _BY_KEY.get(key_name(event))


def key_name(event: QKeyEvent) -> str:
    """Return the name of the key pressed, such as 'F', 'Shift+A' or 'Num+0'; '' with Alt."""
    modifiers = event.modifiers()
    if modifiers & (Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier):
        return ""
    name = QKeySequence(event.key()).toString(QKeySequence.SequenceFormat.PortableText)
    if modifiers & Qt.KeyboardModifier.KeypadModifier and name.isdigit():
        name = f"Num+{name}"
    # Shift counts with letters and named keys only: '+' needs it on some keyboards and not on others.
    if (
        modifiers & Qt.KeyboardModifier.ShiftModifier
        and (len(name) > 1 or name.isalpha())
        and name != "Space"
    ):
        name = f"Shift+{name}"
    return f"Ctrl+{name}" if modifiers & Qt.KeyboardModifier.ControlModifier else name


class Gesture(StrEnum):
    """What a mouse button or the wheel does."""

    PAN = "move"
    PAINT = "paint"
    ERASE = "erase"
    PICK = "pick label"
    MENU = "menu"
    ERASE_OR_MENU = "erase, click for menu"
    STEP = "section"
    LEAP = "ten sections"
    RESIZE = "brush size"
    ZOOM = "zoom"


@dataclass(frozen=True, slots=True)
class MouseBinding:
    """What a button (Left, Middle, Right or Wheel) does with a modifier, in some tools (None: in all)."""

    button: str
    modifier: str
    tools: tuple[Tool, ...] | None
    gesture: Gesture


_PAINTING = (Tool.BRUSH, Tool.ERASER)
MOUSE: tuple[MouseBinding, ...] = (
    MouseBinding("Left", "Space", None, Gesture.PAN),
    MouseBinding("Left", "Shift", None, Gesture.PICK),
    MouseBinding("Left", "Ctrl", _PAINTING, Gesture.ERASE),
    MouseBinding("Left", "", (Tool.BRUSH,), Gesture.PAINT),
    MouseBinding("Left", "", (Tool.ERASER,), Gesture.ERASE),
    MouseBinding("Left", "", (Tool.PICK,), Gesture.PICK),
    MouseBinding("Left", "", (Tool.NAVIGATE,), Gesture.PAN),
    MouseBinding("Right", "", _PAINTING, Gesture.ERASE_OR_MENU),
    MouseBinding("Right", "", None, Gesture.MENU),
    MouseBinding("Middle", "", None, Gesture.PAN),
    MouseBinding("Wheel", "Ctrl", None, Gesture.ZOOM),
    MouseBinding("Wheel", "Shift", _PAINTING, Gesture.RESIZE),
    MouseBinding("Wheel", "Shift", None, Gesture.LEAP),
    MouseBinding("Wheel", "", None, Gesture.STEP),
)


def gesture_of(button: str, modifier: str, tool: Tool) -> Gesture | None:
    """Return what a button does now; a modifier without a meaning of its own changes nothing."""
    for wanted in (modifier, ""):
        for binding in MOUSE:
            in_tool = binding.tools is None or tool in binding.tools
            if binding.button == button and binding.modifier == wanted and in_tool:
                return binding.gesture
    return None


def hint(modifier: str, tool: Tool) -> str:
    """Return one line that says what buttons and wheel do now."""
    parts = [(button, gesture_of(button, modifier, tool)) for button in ("Left", "Right", "Middle", "Wheel")]
    now = " · ".join(f"{button}: {gesture}" for button, gesture in parts if gesture)
    if modifier:
        return f"{modifier}  +  {now}"
    others = "Ctrl+wheel: zoom · Shift+click: pick · Space: see raw"
    return f"{now} · {others}"
