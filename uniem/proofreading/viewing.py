"""A volume as it stands in a session elsewhere: seen with its unsaved edits, and not writable."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from uniem.data.edited import Said, SeenAsEdited
from uniem.data.store import open_store
from uniem.file_lock import note_of_holder
from uniem.proofreading.checkpoint import VolumeChanged
from uniem.proofreading.journal import FILE_NAME, Journal, last_row
from uniem.proofreading.live_volume import LiveVolume
from uniem.proofreading.lock import described
from uniem.proofreading.objects import ObjectTable
from uniem.proofreading.opening import LOCK_NAME, grid_of, recover

_ATTEMPTS, _PAUSE_S = 3, 0.2


@dataclass(frozen=True)
class EditedView:
    """What `view_edited` found.

    Attributes
    ----------
    volume : LiveVolume
        The voxels with all edits, at every level; it refuses to be written.
    objects : ObjectTable
        Names, colours and locks; sizes only if they were counted.
    unsaved : int
        How many edits are not saved.
    row : int
        The last row of the journal that is seen; `is_current` tells whether there are newer ones.
    saves : int
        How often it had been saved.
    """

    volume: LiveVolume
    objects: ObjectTable
    unsaved: int
    row: int
    saves: int
    path: Path

    @property
    def is_held(self) -> bool:
        """Tell whether somebody edits it now; otherwise it can be opened for editing."""
        return note_of_holder(self.path / LOCK_NAME) is not None

    @property
    def notice(self) -> str:
        """What to tell the user: who edits, and what is seen."""
        holder = note_of_holder(self.path / LOCK_NAME)
        count = "1 edit that is" if self.unsaved == 1 else f"{self.unsaved:,} edits that are"
        if holder is None:
            return f"{self.path.name} has {count} not saved. It is shown with them, for viewing only."
        also = f", with {count} not saved" if self.unsaved else ""
        who = f"{self.path.name} is being edited{described(holder)}."
        return f"{who} It is shown as it stands there{also}, for viewing only."

    @property
    def is_current(self) -> bool:
        """Tell whether nothing was edited or saved since; look again with `view_edited` if it was."""
        return last_row(self.path / FILE_NAME) == self.row

    @property
    def is_as_saved(self) -> bool:
        """Tell whether the disk has not been written since."""
        return bool(open_store(self.path).attributes.get("journal", {}).get("checkpoint") == self.saves)


def view_edited(path: Path) -> EditedView | None:
    """Open a volume as it stands in its session, with unsaved edits; None if it has no journal.

    Nothing is written: neither lock nor journal nor voxels. Raises `VolumeChanged` as a session does.
    """
    if not (path / FILE_NAME).exists():
        return None
    for _ in range(_ATTEMPTS):
        try:
            return _view(path)
        except VolumeChanged:
            # It may just have been saved, between the journal's being read and the voxels'.
            time.sleep(_PAUSE_S)
    return _view(path)


def _view(path: Path) -> EditedView:
    journal = Journal.copy_in_memory(path / FILE_NAME)
    try:
        store = open_store(path)
        volume = LiveVolume(store, grid_of(journal, store))
        objects = ObjectTable(volume)
        recovered = recover(store, journal, volume, objects)
        checkpoint = recovered.history.checkpoint
        assert checkpoint is not None
        saves = int(store.attributes.get("journal", {}).get("checkpoint", checkpoint.ref))
        return EditedView(volume, objects, recovered.history.unsaved, journal.last_id, saves, path)
    finally:
        journal.close()


def see_unsaved(path: Path) -> SeenAsEdited | None:
    """Return a volume with the edits that are not saved, for a job to read; None if there are none."""
    view = view_edited(path)
    if view is None or not view.unsaved:
        return None
    count = "1 edit that is" if view.unsaved == 1 else f"{view.unsaved:,} edits that are"

    def warning() -> str:
        if view.is_as_saved:
            return ""
        return f"{path.name} was saved while it was read; parts that were read late may be newer."

    return SeenAsEdited(view.volume, f"{path.name} is read with {count} not saved yet.", warning)


def said_of_objects(path: Path) -> Mapping[int, Said]:
    """Return what is said of a volume's objects, by their ids, saved or not; nothing without a journal."""
    view = view_edited(path)
    if view is None:
        return {}
    return {label: Said(each.name, each.locked, each.colour) for label, each in view.objects.said.items()}
