"""The presets of keys and mouse, and the keymap that each gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from uniem.gui.canvas.hand.tool_shortcuts import TOOL_SHORTCUTS
from uniem.gui.canvas.hand_shortcuts import HAND_SHORTCUTS
from uniem.gui.canvas.keymap import (
    CANVAS,
    DEFAULT,
    ITK_SNAP,
    MIB,
    NAPARI,
    UNI_EM,
    WEBKNOSSOS,
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
from uniem.gui.canvas.view_shortcuts import VIEW_SHORTCUTS


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
            # There it paints too, and inverts what may be painted over.
            Slot("Left", "Ctrl", Tools.PAINTING): None,
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

SHORTCUTS: tuple[Shortcut, ...] = (*VIEW_SHORTCUTS, *HAND_SHORTCUTS, *TOOL_SHORTCUTS)


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
