"""What an action of the window is: something a user can ask for, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Action:
    """Something a user can ask for.

    Attributes
    ----------
    menu : str
        Where it stands, as in "View/Theme"; the first part is one of MENUS.
    call : str
        What it calls: a dotted name seen from the window, and an argument after a colon: "panels.open:clahe".
    synonyms : str
        Other words under which the command palette finds it.
    state : str
        Dotted name of a property that says whether a checkable action is on; empty for a plain action.
    needs : str
        Dotted name of a property that says whether it can be done now; empty: always.
    others : mapping of preset id to keys
        The keys in other presets of the keymap than the default one.
    shortcut : str
        The shortcut of the canvas that does the same, and whose keys are told.
    """

    id: str
    title: str
    menu: str
    call: str
    keys: tuple[str, ...] = ()
    tip: str = ""
    synonyms: str = ""
    state: str = ""
    needs: str = ""
    icon: str = ""
    ends_part: bool = False
    is_last: bool = False
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shortcut: str = ""
