"""The data of a project that were not found: listed, located, or taken off the list."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from uniem.data.project import moved_place, places_of
from uniem.gui.background import Background
from uniem.gui.projects.dialogs import MissingDialog
from uniem.gui.window_state import Entry, read_entry


class MissingData(QObject):
    """Keep what is missing, whatever happens, until it is found or the user takes it off the list.

    Signals: `found(Entry)`; `changed()` after one was found or taken off; `failed(str)`.
    """

    found = Signal(object)
    changed = Signal()
    failed = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._folder: Path | None = None
        self._dialog: MissingDialog | None = None
        self._background = Background(self)
        self.entries: list[Entry] = []

    def take(self, entries: Sequence[Entry], folder: Path | None) -> None:
        """Begin anew with what is missing of the project in a folder; None: of a session without one."""
        self._background.cancel()
        if self._dialog is not None:
            self._dialog.close()
        self.entries, self._folder = list(entries), folder

    def show(self) -> None:
        """List what is missing."""
        if self._dialog is not None:
            self._dialog.raise_()
            return
        dialog = self._dialog = MissingDialog(self.entries, self._folder, self._window)
        dialog.locate_wanted.connect(self.locate)
        dialog.remove_wanted.connect(self.remove)
        dialog.finished.connect(self._forget_dialog)
        dialog.open()

    def locate(self, entry: Entry, path: str) -> None:
        """Look for something missing at another place, and for what was beside it beside that."""
        dataset = "".join(entry.record.location.partition("::")[1:])
        places = {**self._moved_with(entry, path), entry.number: path + dataset}
        folder = self._folder
        wanted = [(other.number, other.record) for other in self.entries if other.number in places]
        self._background.run(
            lambda _: [read_entry(number, record, places[number], folder) for number, record in wanted],
            functools.partial(self._take_read, entry.number),
        )

    def remove(self, entry: Entry) -> None:
        """Take something off the list for good; no file is deleted."""
        self._drop(entry.number)
        self._tell()

    def _moved_with(self, entry: Entry, path: str) -> dict[int, str]:
        found: dict[int, str] = {}
        for other in self.entries:
            for old in places_of(entry.record, self._folder):
                for place in places_of(other.record, self._folder):
                    if moved := moved_place(place, old, path):
                        found.setdefault(other.number, moved)
        return found

    def _take_read(self, asked: int, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.noun is not None:
                self._drop(entry.number)
                self.found.emit(entry)
            elif entry.number == asked:
                self.failed.emit(entry.problem)
        self._tell()

    def _drop(self, number: int) -> None:
        self.entries = [entry for entry in self.entries if entry.number != number]

    def _tell(self) -> None:
        self.changed.emit()
        if self._dialog is not None:
            self._dialog.set_entries(self.entries)
            if not self.entries:
                self._dialog.accept()

    def _forget_dialog(self, _result: int) -> None:
        self._dialog = None
