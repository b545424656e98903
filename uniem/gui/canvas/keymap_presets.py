"""The shortcuts of the canvas with their keys in every preset, and the mouse of every preset: data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from uniem.gui.canvas.keymap import (
    CANVAS,
    WINDOW,
    Bound,
    Clash,
    Gesture,
    Keymap,
    Keys,
    Mouse,
    Shortcut,
    Slot,
    Tools,
    entries,
    resolved,
)


@dataclass(frozen=True, slots=True)
class Preset:
    """A scheme of keys and mouse that some hands know already.

    Attributes
    ----------
    mouse : mapping of slot to gesture, or None to leave the button without one
        What differs from the default.
    """

    id: str
    title: str
    about: str
    mouse: Mapping[Slot, Gesture | None]


DEFAULT = "default"
UNI_EM, WEBKNOSSOS, NAPARI, MIB, ITK_SNAP = "uni-em", "webknossos", "napari", "mib", "itk-snap"

DEFAULT_MOUSE: Mouse = {
    Slot("Left", ""): Gesture.USE,
    Slot("Left", "Space"): Gesture.PAN,
    Slot("Left", "Shift"): Gesture.PICK,
    Slot("Left", "Ctrl", Tools.PAINTING): Gesture.ERASE,
    Slot("Middle", ""): Gesture.PAN,
    Slot("Right", "", Tools.PAINTING): Gesture.ERASE_OR_MENU,
    Slot("Right", ""): Gesture.MENU,
    Slot("Wheel", ""): Gesture.STEP,
    Slot("Wheel", "Ctrl"): Gesture.ZOOM,
    Slot("Wheel", "Shift", Tools.SIZED): Gesture.RESIZE,
    Slot("Wheel", "Shift"): Gesture.LEAP,
}

PRESETS: tuple[Preset, ...] = (
    Preset(DEFAULT, "uniem", "What most tools have in common; one hand on the keys, one on the mouse.", {}),
    Preset(
        UNI_EM,
        "UNI-EM / Dojo",
        "W and S for sections, wheel zooms, the right button moves.",
        {
            Slot("Wheel", ""): Gesture.ZOOM,
            Slot("Wheel", "Ctrl"): Gesture.STEP,
            Slot("Right", "", Tools.PAINTING): Gesture.PAN_OR_MENU,
            Slot("Right", ""): Gesture.PAN_OR_MENU,
        },
    ),
    Preset(
        WEBKNOSSOS,
        "WEBKNOSSOS / KNOSSOS",
        "F and D for sections, C for a new label, Ctrl+K and a letter for the tools.",
        {
            Slot("Left", "Ctrl+Shift", Tools.PAINTING): Gesture.ERASE,
            Slot("Right", "", Tools.PAINTING): Gesture.MENU,
        },
    ),
    Preset(
        NAPARI,
        "napari",
        "The wheel zooms, numbers choose the mode, M makes a new label.",
        {
            Slot("Wheel", ""): Gesture.ZOOM,
            Slot("Wheel", "Ctrl"): Gesture.STEP,
            Slot("Right", "", Tools.PAINTING): Gesture.ZOOM_OR_MENU,
            Slot("Right", ""): Gesture.ZOOM_OR_MENU,
        },
    ),
    Preset(
        MIB,
        "MIB",
        "The right button moves, Ctrl+wheel sizes the brush, Q and W zoom.",
        {
            Slot("Wheel", "Ctrl", Tools.SIZED): Gesture.RESIZE,
            Slot("Wheel", "Shift", Tools.SIZED): Gesture.LEAP,
            Slot("Right", "", Tools.PAINTING): Gesture.PAN_OR_MENU,
            Slot("Right", ""): Gesture.PAN_OR_MENU,
        },
    ),
    Preset(
        ITK_SNAP,
        "ITK-SNAP",
        "The right button erases or zooms, + and - size the brush, S hides the labels.",
        {Slot("Right", ""): Gesture.ZOOM_OR_MENU},
    ),
)

# A key that a preset gives to one shortcut is taken from those that only have it by default.
SHORTCUTS: tuple[Shortcut, ...] = (
    Shortcut(
        "next-section",
        "Next section",
        ("F", "Up"),
        "Go one section up the stack.",
        others={UNI_EM: ("W", "Up"), NAPARI: ("Right", "Up"), MIB: ("Up",), ITK_SNAP: ("PgUp", "Up")},
        menu="View/Go",
        synonyms="slice scroll forward up z",
    ),
    Shortcut(
        "previous-section",
        "Previous section",
        ("D", "Down"),
        "Go one section down the stack.",
        others={
            UNI_EM: ("S", "Down"),
            NAPARI: ("Left", "Down"),
            MIB: ("Down",),
            ITK_SNAP: ("PgDown", "Down"),
        },
        menu="View/Go",
        synonyms="slice scroll back down z",
    ),
    Shortcut(
        "ten-sections-on",
        "Ten sections on",
        ("PgUp",),
        "Go ten sections up the stack.",
        others={
            WEBKNOSSOS: ("Shift+F", "PgUp"),
            MIB: ("Shift+Up", "PgUp"),
            ITK_SNAP: ("Shift+PgUp",),
        },
        menu="View/Go",
        synonyms="slice scroll leap",
    ),
    Shortcut(
        "ten-sections-back",
        "Ten sections back",
        ("PgDown",),
        "Go ten sections down the stack.",
        others={
            WEBKNOSSOS: ("Shift+D", "PgDown"),
            MIB: ("Shift+Down", "PgDown"),
            ITK_SNAP: ("Shift+PgDown",),
        },
        menu="View/Go",
        synonyms="slice scroll leap",
    ),
    Shortcut(
        "peek",
        "Peek and return",
        ("Q",),
        "Look at other sections; release to jump back.",
        is_held=True,
        others={UNI_EM: ("Shift+Q",), MIB: ("Shift+Q",)},
    ),
    Shortcut(
        "zoom-in",
        "Zoom in",
        ("+", "="),
        "Enlarge at the mouse.",
        others={UNI_EM: ("C",), WEBKNOSSOS: ("I", "+", "="), MIB: ("W", "+", "="), ITK_SNAP: ("Ctrl+Up",)},
        menu="View/Zoom",
        synonyms="larger magnify",
    ),
    Shortcut(
        "zoom-out",
        "Zoom out",
        ("-",),
        "Shrink at the mouse.",
        others={UNI_EM: ("X",), WEBKNOSSOS: ("O", "-"), MIB: ("Q", "-"), ITK_SNAP: ("Ctrl+Down",)},
        menu="View/Zoom",
        synonyms="smaller",
    ),
    Shortcut(
        "fit",
        "Fit section",
        ("Home", "Num+0"),
        "Show the whole section.",
        others={NAPARI: ("Home", "Ctrl+R", "Num+0")},
        menu="View/Zoom",
    ),
    Shortcut(
        "maximise",
        "One view or three",
        (".",),
        "Show this view alone, or all three planes.",
        menu="View",
        synonyms="planes xz yz orthogonal maximise single",
    ),
    Shortcut(
        "navigate",
        "Navigate",
        ("V",),
        "Drag to move the section.",
        others={WEBKNOSSOS: ("Ctrl+K, M",), NAPARI: ("6", "Z"), ITK_SNAP: ("1", "2")},
        menu="Proofread/Tools",
        synonyms="tool pan move hand",
    ),
    Shortcut(
        "brush",
        "Brush",
        ("B",),
        "Paint the label in hand.",
        others={
            UNI_EM: ("F3", "B"),
            WEBKNOSSOS: ("Ctrl+K, B", "B"),
            NAPARI: ("2", "P", "B"),
            ITK_SNAP: ("4", "B"),
        },
        menu="Proofread/Tools",
        synonyms="tool paint draw adjust",
    ),
    Shortcut(
        "eraser",
        "Eraser",
        ("E",),
        "Paint background.",
        others={UNI_EM: ("Shift+E",), WEBKNOSSOS: ("Ctrl+K, E", "E"), NAPARI: ("1", "E")},
        menu="Proofread/Tools",
        synonyms="tool erase rubber delete",
    ),
    Shortcut(
        "smaller-brush",
        "Smaller brush",
        ("[",),
        "Shrink the brush by 10 %.",
        others={UNI_EM: ("-", "["), WEBKNOSSOS: ("Shift+O", "["), ITK_SNAP: ("-", "[")},
        menu="Proofread/Brush",
        synonyms="size radius",
    ),
    Shortcut(
        "larger-brush",
        "Larger brush",
        ("]",),
        "Grow the brush by 10 %.",
        others={UNI_EM: ("=", "+", "]"), WEBKNOSSOS: ("Shift+I", "]"), ITK_SNAP: ("+", "=", "]")},
        menu="Proofread/Brush",
        synonyms="size radius bigger",
    ),
    Shortcut(
        "new-label",
        "New label",
        ("N",),
        "Take the first unused label into the hand.",
        others={WEBKNOSSOS: ("C",), NAPARI: ("M",)},
        menu="Proofread/Label in hand",
        synonyms="object segment id create",
    ),
    Shortcut(
        "pick",
        "Pick label",
        ("L",),
        "Take the label under the mouse into the hand.",
        others={WEBKNOSSOS: ("Ctrl+K, P", "L"), NAPARI: ("5", "L"), MIB: ("Ctrl+F", "L")},
        synonyms="eyedropper choose",
    ),
    Shortcut(
        "swap",
        "Swap with background",
        ("X",),
        "Change between the label in hand and background.",
        others={UNI_EM: ("Shift+X",)},
        menu="Proofread/Label in hand",
        synonyms="exchange erase",
    ),
    Shortcut(
        "see-raw",
        "See raw",
        ("Space",),
        "Tap: labels on or off. Hold: hide them; drag to move.",
        is_held=True,
        others={
            UNI_EM: ("Space", "Q"),
            WEBKNOSSOS: ("Space", "3"),
            NAPARI: ("Space", "V"),
            ITK_SNAP: ("Space", "S"),
        },
    ),
    Shortcut(
        "less-opacity",
        "Labels less opaque",
        ("A",),
        "Make the labels more transparent.",
        others={UNI_EM: ("D",)},
        menu="View/Labels",
        synonyms="alpha transparent",
    ),
    Shortcut(
        "more-opacity",
        "Labels more opaque",
        ("Shift+A",),
        "Make the labels less transparent.",
        others={UNI_EM: ("E",), ITK_SNAP: ("D",)},
        menu="View/Labels",
        synonyms="alpha",
    ),
    Shortcut(
        "outlines",
        "Outlines",
        ("O",),
        "Draw only the outlines of labels.",
        others={UNI_EM: ("A",), WEBKNOSSOS: ("Shift+L",)},
        menu="View/Labels",
        synonyms="contours borders",
    ),
    Shortcut(
        "solo",
        "Solo",
        ("H",),
        "Draw only the label in hand and those selected in the table.",
        menu="View/Labels",
        synonyms="isolate hide others only selected",
    ),
    *(
        Shortcut(
            f"slot-{n}",
            f"Label slot {n}",
            (str(n),),
            "Take the label pinned to this number.",
            others={NAPARI: (f"Num+{n}",), ITK_SNAP: (f"Num+{n}",)}
            | ({WEBKNOSSOS: (f"Num+{n}",)} if n == 3 else {}),
            menu="Proofread/Label slots",
        )
        for n in range(1, 10)
    ),
    *(
        Shortcut(
            f"pin-{n}",
            f"Pin to slot {n}",
            (f"Ctrl+{n}",),
            "Pin the label in hand to this number.",
            menu="Proofread/Label slots",
        )
        for n in range(1, 10)
    ),
    Shortcut(
        "accept",
        "Accept",
        ("Return", "Enter"),
        "Do what the tool in hand has prepared.",
        others={UNI_EM: ("Tab", "Return", "Enter")},
        menu="Proofread",
        synonyms="commit confirm apply",
    ),
    Shortcut(
        "cancel",
        "Cancel",
        ("Esc",),
        "Forget what the tool in hand has begun.",
        menu="Proofread",
        synonyms="discard abort",
    ),
)


def preset_of(id: str) -> Preset:
    """Return the preset of an id; the default one for an id that is not known."""
    return next((preset for preset in PRESETS if preset.id == id), PRESETS[0])


def mouse_of(preset: str, changes: Mapping[Slot, Gesture | None] | None = None) -> Mouse:
    """Return the mouse of a preset with the user's changes."""
    merged = {**DEFAULT_MOUSE, **preset_of(preset).mouse, **(changes or {})}
    return {slot: gesture for slot, gesture in merged.items() if gesture is not None}


def keymap_of(
    preset: str = DEFAULT,
    actions: Iterable[Bound] = (),
    keys: Mapping[str, Keys] | None = None,
    mouse: Mapping[Slot, Gesture | None] | None = None,
) -> Keymap:
    """Return the keymap of a preset for the canvas and actions of a window, with the user's changes."""
    return Keymap(preset, _resolve(preset, actions, keys or {})[0], mouse_of(preset, mouse))


def clashes_of(preset: str, actions: Iterable[Bound] = ()) -> list[Clash]:
    """Return the keys to which a preset gives two meanings: there must be none."""
    return _resolve(preset, actions, {})[1]


def _resolve(
    preset: str, actions: Iterable[Bound], keys: Mapping[str, Keys]
) -> tuple[dict[str, Keys], list[Clash]]:
    said = [*entries(preset, CANVAS, SHORTCUTS), *entries(preset, WINDOW, actions)]
    return resolved(said, keys)
