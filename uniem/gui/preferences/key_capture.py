"""A button that waits for a key, or for both keys of a chord."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QFocusEvent, QKeyEvent
from qtpy.QtWidgets import QPushButton, QWidget

from uniem.gui.canvas.keymap import THEN, key_name


class KeyCapture(QPushButton):
    """Pressed, it takes the next key, whatever it means elsewhere; Esc or a second press gives up.

    Signals: `captured(str)`, a key as keymaps write it.

    Parameters
    ----------
    begins_chord : function
        Tells whether a key begins a chord, so that a second one is awaited.
    """

    captured = Signal(str)

    def __init__(self, begins_chord: Callable[[str], bool], parent: QWidget | None = None) -> None:
        super().__init__("Add a key…", parent)
        self.setCheckable(True)
        self.setAutoDefault(False)
        self._begins_chord = begins_chord
        self._first = ""
        self.toggled.connect(self._show_state)

    def event(self, event: QEvent) -> bool:
        """Take every key while waiting, also those that Qt or a menu would take."""
        if self.isChecked() and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.KeyPress:
                self._take(event)
            event.accept()
            return True
        return bool(super().event(event))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Give up."""
        self.setChecked(False)
        super().focusOutEvent(event)

    def _take(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not event.modifiers():
            self.setChecked(False)
            return
        name = key_name(event)
        if not name or event.isAutoRepeat():
            return
        if not self._first and self._begins_chord(name):
            self._first = name
            self.setText(f"{name}, then…")
            return
        key = f"{self._first}{THEN}{name}" if self._first else name
        self.setChecked(False)
        self.captured.emit(key)

    def _show_state(self, is_waiting: bool) -> None:
        self._first = ""
        self.setText("Press a key (Esc: none)" if is_waiting else "Add a key…")
        if is_waiting:
            self.setFocus()
