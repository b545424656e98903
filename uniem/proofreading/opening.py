"""Opening a volume for editing: the lock, the journal, and repeating what was not saved."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from pathlib import Path

from uniem.data.store import StoredVolume, is_store, open_store
from uniem.data.volume import Kind
from uniem.errors import UniemError
from uniem.proofreading.checkpoint import VolumeChanged, changed_outside, check_unchanged, mark_checkpoint
from uniem.proofreading.edits import Edit, FieldChange
from uniem.proofreading.history import History, Step
from uniem.proofreading.journal import FILE_NAME, EntryKind, Journal, JournalDamaged, Sync
from uniem.proofreading.live_volume import EditDoesNotFit, LiveVolume, replay, replay_exactly
from uniem.proofreading.lock import EditingLock
from uniem.proofreading.objects import ObjectTable

LOCK_NAME = "journal.lock"
_EDITS = (EntryKind.APPLY, EntryKind.UNDO, EntryKind.REDO)
_ENDS = (EntryKind.CHECKPOINT, EntryKind.REVERT)


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


def recover(opened: Opened, volume: LiveVolume, objects: ObjectTable) -> tuple[History, int]:
    """Bring volume and objects to where the journal ends; return its history and the edits repeated."""
    store, journal = opened.store, opened.journal
    history, table_steps, repeated = History(), list[Step](), 0
    counted_up_to = objects.restore(journal)
    for entry in journal.entries():
        steps = history.fold(entry)
        if counted_up_to is not None and entry.id > counted_up_to:
            table_steps += steps
        repeated = repeated + 1 if entry.kind in _EDITS else 0 if entry.kind in _ENDS else repeated
    edit_of = functools.cache(lambda step: step.edit(journal))
    edits = [edit_of(step) for step in history.written]
    check_unchanged(store, journal, history, (patch.box for edit in edits for patch in edit.patches))
    store.begin()
    try:
        replay(edits, volume) if history.is_torn else replay_exactly(edits, volume)
    except EditDoesNotFit as error:
        raise changed_outside(store, history, "an unsaved edit does not fit it any more") from error
    _restore_table(objects, edits, [edit_of(step) for step in table_steps])
    return history, repeated


def set_history_aside(path: Path, author: str = "") -> Path | None:
    """Keep the voxels as they are and begin a new history; names, colours and locks are carried over.

    Returns where the old journal was put, or None if there was none. What was not saved, and all undo, is
    lost to the volume but stays in that file.
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
        journal.remember("next_label", next_label)
        if fields:
            journal.append_edit(Edit("Keep names, colours and locks", fields))
        journal.close()
        return aside if aside.exists() else None
    finally:
        lock.release()


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
            mark_checkpoint(store, journal, ObjectTable(LiveVolume(store)), 0, "")
    except BaseException:
        journal.close()
        raise
    return journal


def _restore_table(objects: ObjectTable, edits: list[Edit], edits_since_counted: list[Edit]) -> None:
    for edit in edits:
        for part in edit.parts:
            if isinstance(part, FieldChange):
                objects.record_field(part)
    objects.record_many([patch for edit in edits_since_counted for patch in edit.patches])
    objects.settle()


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
