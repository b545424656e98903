"""A volume as it stands in a session elsewhere: seen with its unsaved edits, and not writable."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from uniem.data.store import open_store
from uniem.file_lock import note_of_holder
from uniem.proofreading.checkpoint import VolumeChanged
from uniem.proofreading.journal import FILE_NAME, Journal
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
    """

    volume: LiveVolume
    objects: ObjectTable
    unsaved: int
    row: int
    path: Path

    @property
    def notice(self) -> str:
        """What to tell the user: who edits, and what is seen."""
        holder = note_of_holder(self.path / LOCK_NAME)
        who = f"is being edited{described(holder)}" if holder else "has edits that are not saved"
        return (
            f"{self.path.name} {who}. It is open here for viewing only, with {self.unsaved:,} edits that "
            "are not saved."
        )

    @property
    def is_current(self) -> bool:
        """Tell whether nothing was edited since; look again with `view_edited` if it was."""
        journal = Journal.copy_in_memory(self.path / FILE_NAME)
        try:
            return journal.last_id == self.row
        finally:
            journal.close()


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
        return EditedView(volume, objects, recovered.history.unsaved, journal.last_id, path)
    finally:
        journal.close()
