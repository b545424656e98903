"""Keys turned into actions, by the table in `keymap`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QKeyEvent

from uniem.gui.canvas.keymap import Shortcut, shortcut_of

Action = Callable[[], None]


class KeyInput(QObject):
    """Start the action of a key, and end that of a held key when it comes up.

    Parameters
    ----------
    actions : mapping of shortcut id to function
        What keys start.
    endings : mapping of shortcut id to function
        What the release of held keys does.
    """

    modifiers_changed = Signal(object)

    def __init__(
        self, actions: Mapping[str, Action], endings: Mapping[str, Action], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._actions = actions
        self._endings = endings
        self._held: dict[int, str] = {}

    def knows(self, event: QEvent) -> bool:
        """Tell whether a key event starts anything."""
        return isinstance(event, QKeyEvent) and shortcut_of(event) is not None

    def press(self, event: QKeyEvent) -> bool:
        """Start what the key stands for; return whether it is one of ours."""
        self.modifiers_changed.emit(_modifiers_after(event, is_down=True))
        shortcut = shortcut_of(event)
        if shortcut is None:
            return False
        if not self._is_repeat_of_held(shortcut, event):
            if shortcut.is_held:
                self._held[event.key()] = shortcut.id
            self._actions[shortcut.id]()
        return True

    def release(self, event: QKeyEvent) -> bool:
        """End what a held key stands for; return whether it was held."""
        self.modifiers_changed.emit(_modifiers_after(event, is_down=False))
        if event.isAutoRepeat() or event.key() not in self._held:
            return event.key() in self._held
        self._endings[self._held.pop(event.key())]()
        return True

    def release_all(self) -> None:
        """End everything that is held."""
        while self._held:
            _, shortcut_id = self._held.popitem()
            self._endings[shortcut_id]()

    def _is_repeat_of_held(self, shortcut: Shortcut, event: QKeyEvent) -> bool:
        return shortcut.is_held and (event.isAutoRepeat() or event.key() in self._held)


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
