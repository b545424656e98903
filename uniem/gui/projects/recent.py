"""The projects opened last, apart from the data, in the menu of recent things."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from qtpy.QtWidgets import QAction, QMenu

from uniem.gui import style


def add_projects(menu: QMenu, folders: Sequence[str], open_project: Callable[[str], None]) -> None:
    """Put projects before what is in a menu, each part under a title."""
    if not folders:
        return
    first = menu.actions()[0] if menu.actions() else None
    menu.insertSection(first, "Projects")
    for text in folders:
        path = Path(text)
        action = QAction(style.icon("folder-star-outline"), f"{path.name}    {path.parent}", menu)
        action.setToolTip(text)
        action.triggered.connect(functools.partial(_call, open_project, text))
        menu.insertAction(first, action)
    if first is not None:
        menu.insertSection(first, "Data")
    menu.setEnabled(True)


def _call(open_project: Callable[[str], None], text: str, _checked: bool = False) -> None:
    open_project(text)
