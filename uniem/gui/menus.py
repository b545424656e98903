"""Menus, keys and states made from the list of actions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from psygnal import Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QAction, QMainWindow, QMenu

from uniem.gui import style
from uniem.gui.action import Action
from uniem.gui.actions import MENUS, SUBMENUS
from uniem.gui.canvas.keymap import Keymap

# Menus that are there only if something is in them, which is not known before they are filled.
_PERHAPS_EMPTY = ("Plugins", "Script")


class ActionSet:
    """The actions of a window as Qt actions: in menus, with their keys, on or off, enabled or not.

    The names in an action's `call`, `state` and `needs` are looked up on the window when they are used.
    `more` finds the actions that take long to find. They are made and the menus filled, then `filled()`
    told, when `fill` is called or one of them is asked for.
    """

    filled = Signal()

    def __init__(
        self, window: QMainWindow, actions: Sequence[Action], more: Callable[[], Iterable[Action]]
    ) -> None:
        self._window = window
        self._more: Callable[[], Iterable[Action]] | None = more
        self._actions: dict[str, Action] = {}
        self._made: dict[str, QAction] = {}
        self._menus: dict[str, QMenu] = {}
        self._add(actions)
        for name in MENUS:
            self.menu(name).menuAction().setVisible(name not in _PERHAPS_EMPTY)

    def __getitem__(self, id: str) -> QAction:
        """Return the Qt action of an id."""
        if id not in self._made:
            self.fill()
        return self._made[id]

    def fill(self) -> None:
        """Make the rest of the actions and fill the menus, where that is not done yet."""
        if self._more is None:
            return
        more, self._more = self._more, None
        self._add(more())
        self._fill_menus(self._actions.values())
        for name in MENUS:
            self._menus[name].menuAction().setVisible(bool(self._menus[name].actions()))
        self.dress()
        self.filled.emit()
        self.refresh()

    def made(self) -> list[Action]:
        """Return the actions that are made so far."""
        return list(self._actions.values())

    def menu(self, path: str) -> QMenu:
        """Return the menu at a path such as "View/Theme", made where it was not."""
        if path not in self._menus:
            parent, _, title = path.rpartition("/")
            menu = QMenu(title, self._window)
            menu.setToolTipsVisible(True)
            menu.aboutToShow.connect(self.fill)
            menu.aboutToShow.connect(self.refresh)
            if parent:
                self.menu(parent).addMenu(menu)
            else:
                self._window.menuBar().addMenu(menu)
            self._menus[path] = menu
        return self._menus[path]

    def found(self) -> list[tuple[Action, QAction]]:
        """Return every action with its Qt action, in menu order."""
        self.fill()
        return [(action, self._made[id]) for id, action in self._actions.items()]

    def refresh(self) -> None:
        """Enable what can be done now, and tick what is on."""
        for id, action in self._actions.items():
            if action.needs:
                self._made[id].setEnabled(bool(self.look_up(action.needs)))
            if action.state:
                self._made[id].setChecked(bool(self.look_up(action.state)))

    def use_keys(self, keymap: Keymap) -> None:
        """Give the actions the keys of a keymap; those of the canvas are told, for the canvas takes them."""
        for id, action in self._actions.items():
            made = self._made[id]
            made.setShortcuts([QKeySequence(key) for key in keymap.of_action(id)])
            told = keymap.of(action.shortcut)[:1] if not keymap.of_action(id) else ()
            made.setText("\t".join((action.title, *told)))

    def dress(self) -> None:
        """Give the actions their icons, in the colours of the present theme."""
        for id, action in self._actions.items():
            if action.icon:
                self._made[id].setIcon(style.icon(action.icon))

    def _add(self, actions: Iterable[Action]) -> None:
        for action in actions:
            self._actions[action.id] = action
            self._made[action.id] = self._make(action)

    def _make(self, action: Action) -> QAction:
        made = QAction(action.title, self._window)
        made.setObjectName(action.id)
        made.setToolTip(action.tip)
        made.setStatusTip(action.tip)
        made.setCheckable(bool(action.state))
        made.triggered.connect(functools.partial(self._call, action))
        self._window.addAction(made)
        return made

    def _call(self, action: Action, _checked: bool = False) -> None:
        name, _, argument = action.call.partition(":")
        target: Callable[..., Any] = self.look_up(name)
        target(*([argument] if argument else []))
        self.refresh()

    def look_up(self, dotted: str) -> Any:
        """Return what a dotted name means, seen from the window."""
        return functools.reduce(getattr, dotted.split("."), self._window)

    def _fill_menus(self, actions: Iterable[Action]) -> None:
        by_menu: dict[str, list[Action]] = {}
        for action in actions:
            by_menu.setdefault(action.menu.split("/")[0], []).append(action)
        for name in MENUS:
            mine = sorted(by_menu.get(name, []), key=lambda action: action.is_last)
            for path in SUBMENUS:
                if any(action.menu == path for action in mine):
                    self.menu(path)
            for action in mine:
                if action.is_last:
                    self.menu(action.menu).addSeparator()
                self.menu(action.menu).addAction(self._made[action.id])
                if action.ends_part:
                    self.menu(action.menu).addSeparator()
