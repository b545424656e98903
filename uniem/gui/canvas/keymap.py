"""Keys and mouse buttons as a value: a preset with the user's changes on top, and what each means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple, Protocol

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeyEvent, QKeySequence

from uniem.gui.canvas.view_model import Tool

Keys = tuple[str, ...]
CANVAS, WINDOW = "canvas", "window"
# The ids of the presets, for the tables of shortcuts. A key that a preset gives to one shortcut is taken from
# those that only have it by default.
DEFAULT = "default"
UNI_EM, WEBKNOSSOS, NAPARI, MIB, ITK_SNAP = "uni-em", "webknossos", "napari", "mib", "itk-snap"
# Between the two keys of a chord, as Qt writes it: "Ctrl+K, B".
THEN = ", "


class Bound(Protocol):
    """Something that keys start: a shortcut of the canvas or an action of the window."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def keys(self) -> Keys:
        """Its keys in the default preset, and in those that name no others."""

    @property
    def others(self) -> Mapping[str, Keys]:
        """Its keys in other presets."""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """An action of the canvas and the keys that start it.

    Attributes
    ----------
    keys : tuple of str
        By the character they produce, so that they hold on every keyboard layout; a chord is "Ctrl+K, B".
    is_held : bool
        It acts while the key is down and ends when it comes up.
    others : mapping of preset id to keys
        The keys in other presets; one that is not named here has `keys`, less those it gives to others.
    menu : str
        The menu that offers it too; empty for what makes no sense in one.
    synonyms : str
        Other words under which the command palette finds it.
    """

    id: str
    title: str
    keys: Keys
    tooltip: str
    is_held: bool = False
    others: Mapping[str, Keys] = field(default_factory=dict)
    menu: str = ""
    synonyms: str = ""


class Gesture(StrEnum):
    """What a mouse button or the wheel does."""

    USE = "use tool"
    PAN = "move"
    PAINT = "paint"
    ERASE = "erase"
    PICK = "pick label"
    MENU = "menu"
    ERASE_OR_MENU = "erase, click for menu"
    PAN_OR_MENU = "move, click for menu"
    ZOOM_OR_MENU = "zoom, click for menu"
    STEP = "section"
    LEAP = "ten sections"
    RESIZE = "brush size"
    ZOOM = "zoom"


class Tools(StrEnum):
    """The tools in whose hands a button has a meaning of its own."""

    ANY = "any tool"
    PAINTING = "tools that paint"
    SIZED = "tools with a size"

    def holds(self, tool: Tool) -> bool:
        """Tell whether a tool is among these."""
        if self is Tools.PAINTING:
            return tool.paints
        return self is Tools.ANY or tool.has_size


class Slot(NamedTuple):
    """A button (Left, Middle, Right or Wheel) with a modifier, in the hands of some tools."""

    button: str
    modifier: str
    tools: Tools = Tools.ANY

    @property
    def text(self) -> str:
        """The slot in words: "Shift + Wheel, tools with a size"."""
        button = f"{self.modifier} + {self.button}" if self.modifier else self.button
        return button if self.tools is Tools.ANY else f"{button}, {self.tools}"


BUTTONS = ("Left", "Middle", "Right", "Wheel")
MODIFIERS = ("", "Shift", "Ctrl", "Ctrl+Shift", "Space")
BUTTON_GESTURES = (
    Gesture.USE,
    Gesture.PAN,
    Gesture.ERASE,
    Gesture.PICK,
    Gesture.MENU,
    Gesture.ERASE_OR_MENU,
    Gesture.PAN_OR_MENU,
    Gesture.ZOOM_OR_MENU,
)
WHEEL_GESTURES = (Gesture.STEP, Gesture.LEAP, Gesture.ZOOM, Gesture.RESIZE)
Mouse = Mapping[Slot, Gesture]


def gestures_for(button: str) -> tuple[Gesture, ...]:
    """Return what a button, or the wheel, can be told to do."""
    return WHEEL_GESTURES if button == "Wheel" else BUTTON_GESTURES


@dataclass(frozen=True)
class Keymap:
    """What keys and buttons mean: `keys` by address ("canvas/brush", "window/save"), `mouse` by slot."""

    preset: str
    keys: Mapping[str, Keys]
    mouse: Mouse

    def of(self, shortcut_id: str) -> Keys:
        """Return the keys of a shortcut of the canvas."""
        return self.keys.get(f"{CANVAS}/{shortcut_id}", ())

    def of_action(self, action_id: str) -> Keys:
        """Return the keys of an action of the window."""
        return self.keys.get(f"{WINDOW}/{action_id}", ())

    def shortcut_id(self, key: str) -> str | None:
        """Return the shortcut of the canvas that a key or a chord starts."""
        return self._by_key.get(key)

    def begun(self, prefix: str) -> dict[str, str]:
        """Return how a chord can go on after its first key: the second keys and their shortcuts' ids."""
        start = f"{prefix}{THEN}"
        return {key.removeprefix(start): id for key, id in self._by_key.items() if key.startswith(start)}

    def gesture_of(self, button: str, modifier: str, tool: Tool) -> Gesture | None:
        """Return what a button does now; a modifier without a meaning of its own changes nothing."""
        for wanted in weaker(modifier):
            for tools in (Tools.SIZED, Tools.PAINTING, Tools.ANY):
                gesture = self.mouse.get(Slot(button, wanted, tools))
                if gesture is not None and tools.holds(tool):
                    return _in_hand(gesture, tool)
        return None

    @cached_property
    def _by_key(self) -> dict[str, str]:
        own = ((address.partition("/"), keys) for address, keys in self.keys.items())
        return {key: id for (scope, _, id), keys in own if scope == CANVAS for key in keys}


class Clash(NamedTuple):
    """A key that two addresses claim with the same right; the first one keeps it."""

    key: str
    holder: str
    other: str


class Entry(NamedTuple):
    """An address with its keys in a preset, and whether the preset itself names them."""

    address: str
    keys: Keys
    is_named: bool


def entries(preset: str, scope: str, bound: Iterable[Bound]) -> Iterator[Entry]:
    """List what a preset says about shortcuts or actions."""
    for one in bound:
        yield Entry(f"{scope}/{one.id}", one.others.get(preset, one.keys), preset in one.others)


def resolved(said: Iterable[Entry], changes: Mapping[str, Keys]) -> tuple[dict[str, Keys], list[Clash]]:
    """Return the keys by address with one meaning for each key, and what clashed.

    A key goes to the user's change that names it, else to the shortcut for which the preset names it, else to
    the one that has it by default.
    """
    listed = list(said)
    wanted = {entry.address: changes.get(entry.address, entry.keys) for entry in listed}
    rank = {e.address: 0 if e.address in changes else 1 if e.is_named else 2 for e in listed}
    holders: dict[str, str] = {}
    found: dict[str, list[str]] = {address: [] for address in wanted}
    clashes: list[Clash] = []
    for entry in sorted(listed, key=lambda entry: rank[entry.address]):
        for key in wanted[entry.address]:
            holder = _holder(key, holders)
            if holder is None:
                holders[key] = entry.address
                found[entry.address].append(key)
            elif holder == entry.address or rank[holder] == rank[entry.address]:
                clashes.append(Clash(key, holder, entry.address))
    return {address: tuple(keys) for address, keys in found.items()}, clashes


def _holder(key: str, holders: Mapping[str, str]) -> str | None:
    """Return who has a key already, or a chord that begins with it, or the key with which it begins."""
    first = key.partition(THEN)[0]
    if first != key and first in holders:
        return holders[first]
    chord = next((taken for taken in holders if taken.startswith(f"{key}{THEN}")), key)
    return holders.get(chord)


def weaker(modifier: str) -> tuple[str, ...]:
    """Return a modifier and those whose meaning it takes over where it has none."""
    if not modifier:
        return ("",)
    return ("Ctrl+Shift", "Ctrl", "") if modifier == "Ctrl+Shift" else (modifier, "")


def _in_hand(gesture: Gesture, tool: Tool) -> Gesture:
    """Return what a gesture comes to with a tool."""
    if gesture is not Gesture.USE:
        return gesture
    uses = {Tool.NAVIGATE: Gesture.PAN, Tool.PICK: Gesture.PICK, Tool.ERASER: Gesture.ERASE}
    return uses.get(tool, Gesture.PAINT)


_MODIFIER_KEYS = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr)


def key_name(event: QKeyEvent) -> str:
    """Return the name of the key pressed, such as 'F', 'Shift+A' or 'Num+0'; '' with Alt or for modifiers.

    Keys go by the character that they produce: '+' is '+' on every keyboard, whether it needs Shift or not.
    """
    modifiers = event.modifiers()
    if modifiers & (Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier):
        return ""
    if event.key() in _MODIFIER_KEYS:
        return ""
    key = Qt.Key.Key_Tab if event.key() == Qt.Key.Key_Backtab else event.key()
    name = str(QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText))
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
