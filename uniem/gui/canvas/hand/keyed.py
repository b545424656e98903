"""Buttons of the canvas: their icons follow the theme, and their tooltips the keymap."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QSize, Qt, QTimer
from qtpy.QtWidgets import QFrame, QToolButton, QWidget

from uniem.gui.canvas.keymap import Keymap
from uniem.gui.canvas.keymap_presets import SHORTCUTS
from uniem.gui.style import icon

_SHORTCUTS = {shortcut.id: shortcut for shortcut in SHORTCUTS}


class KeyedBar(QWidget):
    """A strip whose tooltips tell the keys of the present keymap."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._icons: list[tuple[QToolButton, str]] = []
        self._keyed: list[tuple[QWidget, str, tuple[str, ...], str]] = []

    def show_keys(self, keymap: Keymap) -> None:
        """Tell the keys of a keymap in the tooltips."""
        for widget, title, ids, more in self._keyed:
            keys = ", ".join(key for id in ids for key in keymap.of(id)[:1])
            widget.setToolTip(f"{title}  ({keys}){more}" if keys else f"{title}{more}")

    def draw_icons(self) -> None:
        """Draw the icons in the colours of the present theme."""
        for button, name in self._icons:
            button.setIcon(icon(name))

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icons in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            # After the theme is complete, its icons included.
            QTimer.singleShot(0, self.draw_icons)

    def _button(
        self, icon_name: str, shortcut_id: str = "", checkable: bool = False, tooltip: str = ""
    ) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setCheckable(checkable)
        button.setIconSize(QSize(20, 20))
        # A focused button would take Space and Enter for itself.
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        shortcut = _SHORTCUTS.get(shortcut_id)
        button.setToolTip(tooltip)
        if shortcut is not None:
            self._explain(button, shortcut.title, (shortcut.id,), f"\n{tooltip or shortcut.tooltip}")
        button.setAccessibleName(shortcut.title if shortcut else tooltip.partition("\n")[0])
        self._icons.append((button, icon_name))
        return button

    def _explain(self, widget: QWidget, title: str, ids: tuple[str, ...], more: str = "") -> None:
        """Let a widget's tooltip tell its title, the keys of some shortcuts, and more."""
        self._keyed.append((widget, title, ids, more))


def separator(is_vertical: bool = True) -> QFrame:
    """Return a thin line between groups of a strip."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.VLine if is_vertical else QFrame.Shape.HLine)
    line.setFrameShadow(QFrame.Shadow.Sunken)
    if is_vertical:
        line.setFixedHeight(22)
    else:
        line.setFixedWidth(24)
    return line
