"""Keys turned into actions, by the keymap in use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QKeyEvent

from uniem.gui.canvas.keymap import THEN, Keymap, key_name
from uniem.gui.canvas.keymap_presets import keymap_of

Action = Callable[[], None]


class KeyInput(QObject):
    """Start the action of a key or a chord, and end that of a held key when it comes up.

    Signals: `modifiers_changed(modifiers)`; `chord_changed(first key)`, empty when the chord is over;
    `keymap_changed()`.

    Parameters
    ----------
    actions : mapping of shortcut id to function
        What keys start.
    endings : mapping of shortcut id to function
        What the release of held keys does.
    """

    modifiers_changed = Signal(object)
    chord_changed = Signal(str)
    keymap_changed = Signal()

    def __init__(
        self, actions: Mapping[str, Action], endings: Mapping[str, Action], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._endings = endings
        self._keymap = keymap_of()
        self._held: dict[int, str] = {}
        self._chord = ""

    @property
    def keymap(self) -> Keymap:
        """What keys and mouse buttons mean now."""
        return self._keymap

    def use(self, keymap: Keymap) -> None:
        """Give keys and mouse buttons other meanings."""
        self.release_all()
        self._keymap = keymap
        self.keymap_changed.emit()

    @property
    def chord(self) -> str:
        """The first key of a chord, while the second one is awaited."""
        return self._chord

    def knows(self, event: QEvent) -> bool:
        """Tell whether a key event starts anything."""
        if not isinstance(event, QKeyEvent) or not (name := key_name(event)):
            return False
        return bool(self._chord or self._keymap.shortcut_id(name) or self._keymap.begun(name))

    def press(self, event: QKeyEvent) -> bool:
        """Start what the key stands for; return whether it is one of ours."""
        self.modifiers_changed.emit(_modifiers_after(event, is_down=True))
        name = key_name(event)
        if not name:
            return False
        if self._chord:
            shortcut_id = self._second(name)
            self._set_chord("")
        elif self._keymap.begun(name):
            self._set_chord(name)
            return True
        else:
            shortcut_id = self._keymap.shortcut_id(name)
            if shortcut_id is None:
                return False
        if shortcut_id is not None and not self._is_repeat_of_held(shortcut_id, event):
            if shortcut_id in self._endings:
                self._held[event.key()] = shortcut_id
            self._actions[shortcut_id]()
            # The mouse may mean something else now.
            self.modifiers_changed.emit(_modifiers_after(event, is_down=True))
        return True

    def release(self, event: QKeyEvent) -> bool:
        """End what a held key stands for; return whether it was held."""
        self.modifiers_changed.emit(_modifiers_after(event, is_down=False))
        if event.isAutoRepeat() or event.key() not in self._held:
            return event.key() in self._held
        self._endings[self._held.pop(event.key())]()
        self.modifiers_changed.emit(_modifiers_after(event, is_down=False))
        return True

    def release_all(self) -> None:
        """End everything that is held, and forget a chord that was begun."""
        self._set_chord("")
        while self._held:
            _, shortcut_id = self._held.popitem()
            self._endings[shortcut_id]()

    def _second(self, name: str) -> str | None:
        """Return what a chord stands for; Ctrl may still be down from its first key."""
        names = (f"{self._chord}{THEN}{key}" for key in (name, name.removeprefix("Ctrl+")))
        return next((id for id in map(self._keymap.shortcut_id, names) if id is not None), None)

    def _set_chord(self, first: str) -> None:
        if first != self._chord:
            self._chord = first
            self.chord_changed.emit(first)

    def _is_repeat_of_held(self, shortcut_id: str, event: QKeyEvent) -> bool:
        is_held = shortcut_id in self._endings
        return is_held and (event.isAutoRepeat() or event.key() in self._held)


_MODIFIERS = {
    Qt.Key.Key_Control: Qt.KeyboardModifier.ControlModifier,
    Qt.Key.Key_Shift: Qt.KeyboardModifier.ShiftModifier,
}


def _modifiers_after(event: QKeyEvent, is_down: bool) -> Qt.KeyboardModifiers:
    """Return the modifiers that are down after the event: some systems leave out the very key it is about."""
    modifiers = event.modifiers()
    own = _MODIFIERS.get(Qt.Key(event.key()))
    if own is None:
        return modifiers
    return cast(Qt.KeyboardModifiers, modifiers | own if is_down else modifiers & ~own)
