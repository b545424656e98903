"""Opening what the user names: by dialog, by dropping it, from the recent list, from the command line."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable
from pathlib import Path

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QMenu, QWidget

from uniem.data.formats import endings
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.gui.results import Results
from uniem.workspace import OpenItem, Settings, Workspace

logger = logging.getLogger(__name__)

_PATTERNS = " ".join(f"*{ending}" for ending in (*endings(), ".csv", ".ply", ".stl", ".obj"))
FILES = f"All that can be opened ({_PATTERNS});;All files (*)"


class Opening(QObject):
    """Open locations, show them, and say what could not be opened."""

    failed = Signal(str)

    def __init__(self, workspace: Workspace, results: Results, settings: Settings, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._results, self._settings, self._window = workspace, results, settings, window

    def open(self, locations: Iterable[str]) -> list[OpenItem]:
        """Open and show several locations: images before labels, so that labels land on their image."""
        opened, problems = [], []
        for location in locations:
            try:
                opened.append(self._workspace.open(location))
                self._settings.add_recent(location)
            except UniemError as error:
                logger.warning("%s", error)
                problems.append(str(error))
        for item in sorted(opened, key=_is_labels):
            self._results.show(item)
        if problems:
            self.failed.emit("\n".join(problems))
        return opened

    def ask_files(self) -> None:
        """Ask for files and open them."""
        found, _ = QFileDialog.getOpenFileNames(self._window, "Open", self._start(), FILES)
        self._remember(found)
        self.open(found)

    def ask_folder(self) -> None:
        """Ask for a folder and open it: sections, a store, a model or meshes."""
        found = QFileDialog.getExistingDirectory(self._window, "Open folder", self._start())
        self._remember([found] if found else [])
        self.open([found] if found else [])

    def fill_recent(self, menu: QMenu) -> None:
        """List what was opened last in a menu."""
        menu.clear()
        for location in self._settings.recent_locations:
            path = Path(location)
            action = menu.addAction(f"{path.name}    {path.parent}")
            action.setToolTip(location)
            action.triggered.connect(functools.partial(self._open_one, location))
        menu.setEnabled(not menu.isEmpty())

    def _open_one(self, location: str, _checked: bool = False) -> None:
        self.open([location])

    def _start(self) -> str:
        return str(self._settings.get("open folder", ""))

    def _remember(self, found: list[str]) -> None:
        if found:
            self._settings.set("open folder", str(Path(found[0]).parent))


def _is_labels(item: OpenItem) -> bool:
    return isinstance(item.noun, Volume) and item.noun.kind is Kind.LABELS
