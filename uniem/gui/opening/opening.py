"""Opening what the user names: by dialog, drop, paste, address, recent list or command line."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QApplication, QFileDialog, QMenu, QWidget

from uniem.data.formats import endings
from uniem.data.location import is_web_address, name_of_location, split_location
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.gui.background import Background
from uniem.gui.notices import BusyBar
from uniem.gui.opening.address_dialog import AddressDialog
from uniem.gui.opening.dropping import locations_in
from uniem.gui.opening.folder_chooser import FolderChooser
from uniem.gui.opening.part_chooser import PartDialog
from uniem.gui.opening.survey import Choice, Found, survey
from uniem.gui.results import Results
from uniem.workspace import OpenItem, Settings, Workspace

logger = logging.getLogger(__name__)

_PATTERNS = " ".join(f"*{ending}" for ending in (*endings(), ".csv", ".ply", ".stl", ".obj", ".uniem.zip"))
FILES = f"All that can be opened ({_PATTERNS});;All files (*)"
START = "open folder"
RECENT_ADDRESSES = "recent addresses"
KEPT_ADDRESSES = 20
TOLD_PROBLEMS = 6
TOLD_CHARACTERS = 60


class Opening(QObject):
    """Open locations without holding up the window, show them, and say what could not be opened.

    Signals: `failed(str)`; `opened(item)` for every item that the user opened; `project_wanted(path)`.
    """

    failed = Signal(str)
    opened = Signal(object)
    project_wanted = Signal(object)

    def __init__(self, workspace: Workspace, results: Results, settings: Settings, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._results, self._settings, self._window = workspace, results, settings, window
        self._background = Background(self)
        self._under_way: list[str] = []
        self._problems: list[UniemError] = []
        self.busy_bar = BusyBar()
        self.busy_bar.cancelled.connect(self.cancel)

    @property
    def is_busy(self) -> bool:
        """Tell whether anything is being opened."""
        return self._background.is_busy

    def open(self, locations: Iterable[str]) -> None:
        """Begin to open and show several things; what is being opened already is left to that.

        Images are shown before labels, so that labels land on their image.
        """
        if not self._under_way:
            self._problems.clear()
        new = [place for place in dict.fromkeys(locations) if place.strip() and place not in self._under_way]
        # A server that is slow to answer must not keep files waiting.
        groups = [[place] for place in new if is_web_address(place)]
        groups.append([place for place in new if not is_web_address(place)])
        for group in filter(None, groups):
            self._begin(group)

    def cancel(self) -> None:
        """Open nothing of what is under way."""
        self._background.cancel()
        self._under_way.clear()
        self._tell_busy()

    def close_down(self) -> None:
        """Wait for nothing any more."""
        self.cancel()

    def ask_files(self) -> None:
        """Ask for files and open them."""
        found, _ = QFileDialog.getOpenFileNames(self._window, "Open", self._start(), FILES)
        if found:
            self._settings.set(START, str(Path(found[0]).parent))
            self.open(found)

    def ask_folder(self) -> None:
        """Ask for a folder, showing what is in it, and open it: sections, a store, a model or meshes."""
        chooser = FolderChooser(self._settings, self._window)
        chooser.chosen.connect(self.open)
        chooser.open()

    def ask_address(self) -> None:
        """Ask for a web address or a path, and open it."""
        dialog = AddressDialog(self._recent_addresses(), QApplication.clipboard().text(), self._window)
        dialog.accepted.connect(lambda: self.open([dialog.address]))
        dialog.open()

    def paste(self) -> None:
        """Open the files, paths or addresses in the clipboard."""
        data = QApplication.clipboard().mimeData()
        places = locations_in(data)
        if places:
            self.open(places)
            return
        text = (data.text() if data is not None else "").strip()
        shown = f"“{_shortened(text)}”" if text else "nothing that is text"
        self.failed.emit(f"The clipboard holds {shown}, which is no path or address that could be opened.")

    def fill_recent(self, menu: QMenu) -> None:
        """List what was opened last in a menu."""
        menu.clear()
        for location in self._settings.recent_locations:
            action = menu.addAction(f"{_shortened(name_of_location(location))}    {_place_of(location)}")
            action.setToolTip(location)
            action.triggered.connect(functools.partial(self._open_recent, location))
        menu.setEnabled(not menu.isEmpty())

    def _open_recent(self, location: str, _checked: bool = False) -> None:
        self.open([location])

    def _begin(self, group: list[str]) -> None:
        self._under_way += group
        is_open = frozenset(item.location for item in self._workspace.items)
        self._background.run(
            lambda task: survey(group, is_open, lambda: task.is_cancelled),
            functools.partial(self._take, group),
            functools.partial(self._fail, group),
        )
        self._tell_busy()

    def _end(self, group: Sequence[str]) -> None:
        self._under_way = [place for place in self._under_way if place not in group]
        self._tell_busy()

    def _fail(self, group: Sequence[str], error: UniemError) -> None:
        self._end(group)
        self._tell([UniemError(f"{_listed(group)} cannot be opened. {error.message}", error.hint)])

    def _take(self, group: Sequence[str], found: Found) -> None:
        self._end(group)
        items = []
        for place, noun in found.opened:
            item = self._workspace.at(place)
            if item is None and noun is not None:
                item = self._workspace.add(noun, location=place)
            if item is not None:
                items.append(item)
                self._remember(place)
        for item in sorted(items, key=_is_labels):
            self._results.show(item)
        for item in items:
            self.opened.emit(item)
        self._tell(found.problems)
        for path in found.projects[-1:]:
            self.project_wanted.emit(path)
        for choice in found.choices:
            self._ask_parts(choice)

    def _tell(self, problems: Sequence[UniemError]) -> None:
        """Tell what is wrong together with what was so since all this was begun."""
        self._problems += problems
        if problems:
            self.failed.emit(told(self._problems))

    def _ask_parts(self, choice: Choice) -> None:
        dialog = PartDialog(name_of_location(choice.location), choice.parts, self._window)
        dialog.accepted.connect(lambda: self.open(dialog.chosen))
        dialog.open()

    def _remember(self, place: str) -> None:
        self._settings.add_recent(place)
        if is_web_address(place):
            others = [other for other in self._recent_addresses() if other != place]
            self._settings.set(RECENT_ADDRESSES, [place, *others][:KEPT_ADDRESSES])

    def _recent_addresses(self) -> list[str]:
        return [str(place) for place in self._settings.get(RECENT_ADDRESSES, [])]

    def _start(self) -> str:
        return str(self._settings.get(START, ""))

    def _tell_busy(self) -> None:
        self.busy_bar.say(f"Opening {_listed(self._under_way)}…" if self._under_way else "")


def told(problems: Sequence[UniemError]) -> str:
    """Return problems as one message that can be read."""
    if len(problems) == 1:
        return str(problems[0])
    lines = [f"• {problem}" for problem in problems[:TOLD_PROBLEMS]]
    if len(problems) > TOLD_PROBLEMS:
        lines.append(f"and {len(problems) - TOLD_PROBLEMS} more, which are all in the log.")
    return "\n".join([f"{len(problems)} things could not be opened:", *lines])


def _shortened(text: str) -> str:
    line = text.split("\n")[0]
    return line if len(line) <= TOLD_CHARACTERS else f"{line[: TOLD_CHARACTERS - 1]}…"


def _listed(places: Sequence[str]) -> str:
    if len(places) == 1:
        return _shortened(name_of_location(places[0]))
    return f"{len(places):,} things"


def _place_of(location: str) -> str:
    if is_web_address(location):
        return _shortened(location.rpartition("/")[0])
    return str(split_location(location)[0].parent)


def _is_labels(item: OpenItem) -> bool:
    return isinstance(item.noun, Volume) and item.noun.kind is Kind.LABELS
