"""Opening a volume for editing: the lock, the journal, and repeating what was not saved."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from uniem.data.geometry import Triple
from uniem.data.store import StoredVolume, is_store, open_store
from uniem.data.volume import Kind
from uniem.errors import UniemError
from uniem.proofreading.applying import Done, before_of, replay
from uniem.proofreading.checkpoint import (
    Reached,
    VolumeChanged,
    changed_outside,
    check_unchanged,
    fingerprint,
    mark_checkpoint,
)
from uniem.proofreading.edits import Edit, FieldChange
from uniem.proofreading.grid import block_shape_of
from uniem.proofreading.history import History, Step
from uniem.proofreading.journal import FILE_NAME, EntryKind, Journal, JournalDamaged, Sync
from uniem.proofreading.live_volume import EditDoesNotFit, LiveVolume
from uniem.proofreading.lock import EditingLock
from uniem.proofreading.objects import ObjectTable

LOCK_NAME = "journal.lock"
# The fact that names the history whose unsaved edits are to be made again.
AGAIN = "make again"
_EDITS = (EntryKind.APPLY, EntryKind.UNDO, EntryKind.REDO, EntryKind.GO_TO)


@dataclass(frozen=True)
class Opened:
    """What a session owns."""

    store: StoredVolume
    journal: Journal
    lock: EditingLock

    def close(self) -> None:
        """Let go of everything."""
        self.store.abort()
        self.journal.close()
        self.lock.release()


def open_for_editing(path: Path, author: str, sync: Sync) -> Opened:
    """Lock a label volume and open it with its journal, which is made at the first time."""
    if not is_store(path):
        raise UniemError(f"{path} is not an OME-Zarr volume.", "Import it as labels first.")
    lock = EditingLock(path / LOCK_NAME, path.name, author)
    try:
        store = open_store(path, writable=True)
        if store.kind is not Kind.LABELS or store.dtype.kind not in "ui":
            raise UniemError(
                f"{path.name} holds {store.kind} as {store.dtype}, not labels.",
                "Make a label volume for it, or convert it to labels.",
            )
        return Opened(store, _journal_of(store, author, sync), lock)
    except BaseException:
        lock.release()
        raise


class Recovered(NamedTuple):
    """Where a journal ends, and how many edits were repeated to get there."""

    history: History
    repeated: int


def recover(store: StoredVolume, journal: Journal, volume: LiveVolume, objects: ObjectTable) -> Recovered:
    """Bring volume and objects to where the journal ends."""
    past = read_past(journal, objects.restore(journal))
    known = journal.edits(sorted({step.entry for step in [*past.history.written, *past.uncounted]}))
    edit_of = functools.cache(lambda step: step.of(known[step.entry]))
    written = [Done(step, edit_of(step)) for step in past.history.written]
    touched = (part.box for done in written for part in done.edit.parts if not isinstance(part, FieldChange))
    check_unchanged(store, journal, past.history, touched)
    if store.writable:
        store.begin()
    try:
        replay(written, volume, journal, exactly=not past.history.is_torn)
    except EditDoesNotFit as error:
        raise changed_outside(store, past.history, "an unsaved edit does not fit it any more") from error
    for done in written:
        for part in done.edit.parts:
            if isinstance(part, FieldChange):
                objects.record_field(part)
    for step, when in past.since_revert:
        labels = past.labels.get(step.entry)
        objects.touch(edit_of(step).labels if labels is None else labels, when)
    objects.record_many([(edit_of(step), before_of(step, journal)) for step in past.uncounted])
    objects.settle()
    return Recovered(past.history, past.repeated)


@dataclass
class Past:
    """What the rows of a journal say.

    Attributes
    ----------
    repeated : int
        How many edits follow the last checkpoint or revert.
    uncounted : list[Step]
        The steps after those that the kept counts of objects hold; none if there are no counts.
    since_revert : list[tuple[Step, float]]
        The steps since the last checkpoint or revert, and when they were taken.
    labels : dict[int, frozenset[int]]
        The objects that edits concern, where their rows list them all.
    """

    history: History
    repeated: int = 0
    uncounted: list[Step] = field(default_factory=list)
    since_revert: list[tuple[Step, float]] = field(default_factory=list)
    labels: dict[int, frozenset[int]] = field(default_factory=dict)


def read_past(journal: Journal, counted_up_to: int | None) -> Past:
    """Fold all rows of a journal, given the row up to which objects are counted."""
    past, leaving = Past(History()), (0, 0)
    for entry in journal.entries():
        steps = past.history.fold(entry)
        if counted_up_to is not None and entry.id > counted_up_to:
            past.uncounted += steps
        if entry.kind in _EDITS:
            past.repeated += 1
            if entry.details and entry.details["count"] == len(entry.details["labels"]):
                past.labels[entry.id] = frozenset(entry.details["labels"])
            past.since_revert += [(step, entry.time) for step in steps]
        elif entry.kind is EntryKind.SAVING:
            leaving = (past.repeated, len(past.since_revert))
        elif entry.kind is EntryKind.CHECKPOINT:
            past.repeated -= leaving[0]
            del past.since_revert[: leaving[1]]
            leaving = (0, 0)
        elif entry.kind is EntryKind.REVERT:
            past.repeated, leaving = 0, (0, 0)
            past.since_revert.clear()
    return past


def set_history_aside(path: Path, author: str = "", makes_again: bool = False) -> Path | None:
    """Keep the voxels as they are and begin a new history; names, colours and locks are carried over.

    Returns where the old journal was put, or None if there was none. What was not saved, and all undo, is
    lost to the volume but stays in that file. With `makes_again` the next session knows that its unsaved
    edits are to be made again.
    """
    lock = EditingLock(path / LOCK_NAME, path.name, author)
    try:
        store = open_store(path, writable=True)
        old = path / FILE_NAME
        fields, next_label = _kept_of(old, store)
        aside = old.with_name(time.strftime("journal-aside-%Y%m%dT%H%M%S.sqlite"))
        for suffix in ("", "-wal", "-shm"):
            file = old.with_name(old.name + suffix)
            if file.exists():
                file.rename(aside.with_name(aside.name + suffix))
        journal = _begun(Journal.create(old, author), store)
        journal.remember("next_label", max(next_label, next_label_of(journal, store)))
        if makes_again and aside.exists():
            journal.remember(AGAIN, aside.name)
        if fields:
            journal.append_edit(Edit("Keep names, colours and locks", fields))
        journal.close()
        return aside if aside.exists() else None
    finally:
        lock.release()


def grid_of(journal: Journal, store: StoredVolume) -> Triple:
    """Return the blocks of a volume, which stay the same as long as its journal."""
    kept = journal.fact("block_shape")
    if kept is None:
        kept = block_shape_of(store.chunk_shape)
        journal.remember("block_shape", kept)
    z, y, x = kept
    return (z, y, x)


def next_label_of(journal: Journal, store: StoredVolume) -> int:
    """Return the first label that was never used, as far as journal and store know."""
    return max(
        int(journal.fact("next_label") or 1), int(store.attributes.get("journal", {}).get("next_label", 1))
    )


def _journal_of(store: StoredVolume, author: str, sync: Sync) -> Journal:
    path = store.path / FILE_NAME
    if path.exists():
        journal = Journal.open(path, author, sync)
    elif "journal" in store.attributes:
        raise VolumeChanged(
            f"{store.name} was edited here before, but its journal {path} is missing.",
            "Either put the journal back, or set the history aside: the voxels then stay as they were saved "
            "last, without undo and without the edits that were not saved.",
        )
    else:
        journal = Journal.create(path, author, sync)
    return _begun(journal, store)


def _begun(journal: Journal, store: StoredVolume) -> Journal:
    """Set the first checkpoint of a new journal, from which edits count."""
    try:
        if journal.last_id == 0:
            objects = ObjectTable(LiveVolume(store))
            reached = Reached(fingerprint(store), objects.encoded())
            mark_checkpoint(store, journal, objects, 0, "", reached)
    except BaseException:
        journal.close()
        raise
    return journal


def _kept_of(path: Path, store: StoredVolume) -> tuple[tuple[FieldChange, ...], int]:
    """Return what can be kept of a journal whose voxels are in doubt: fields and the next free label."""
    if not path.exists():
        return (), 1
    try:
        journal = Journal.open(path)
    except JournalDamaged:
        return (), 1
    try:
        objects, history = ObjectTable(LiveVolume(store)), History()
        objects.restore(journal)
        for entry in journal.entries():
            history.fold(entry)
        for step in history.written:
            for part in step.edit(journal).parts:
                if isinstance(part, FieldChange):
                    objects.record_field(part)
        return objects.field_changes(), int(journal.fact("next_label") or 1)
    except JournalDamaged:
        return (), 1
    finally:
        journal.close()
