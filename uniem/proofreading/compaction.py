"""A history made shorter: named saves stay within reach, and what lies between them becomes one edit each."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from uniem.data.geometry import Box
from uniem.data.store import StoredVolume, open_store
from uniem.errors import UniemError
from uniem.proofreading.applying import Done, changes_in
from uniem.proofreading.deferred import Change, Overwriting
from uniem.proofreading.edits import NOWHERE, Edit, FieldChange, Patch
from uniem.proofreading.history import History, Step
from uniem.proofreading.journal import FILE_NAME, Entry, EntryKind, Journal, JournalDamaged
from uniem.proofreading.live_volume import LiveVolume
from uniem.proofreading.lock import EditingLock
from uniem.proofreading.opening import LOCK_NAME, grid_of


@dataclass(frozen=True)
class Compacted:
    """How many edits a history had and has, and its bytes."""

    edits_before: int
    edits: int
    bytes_before: int
    bytes: int


def compact_history(path: Path, author: str = "") -> Compacted:
    """Shorten the history of a saved volume that no session has open.

    Every named save stays a point to go to, and so does every edit after the last of them that is not undone.
    What was undone or left, and the steps between the saves, cannot be gone to any more. The new journal
    takes the old one's place at once, complete. Raises `UniemError` if there are edits that are not saved.
    """
    lock = EditingLock(path / LOCK_NAME, path.name, author)
    try:
        store = open_store(path)
        old = Journal.open(path / FILE_NAME)
        try:
            size = old.path.stat().st_size
            shorter = path / (FILE_NAME + ".compact")
            counts = _Compaction(store, old, shorter).run()
        finally:
            old.close()
        if old.path.with_name(FILE_NAME + "-wal").exists():
            shorter.unlink()
            raise UniemError(f"The history of {path.name} is being read.", "Try again in a moment.")
        shorter.replace(old.path)
        return Compacted(*counts, size, old.path.stat().st_size)
    finally:
        lock.release()


class _Compaction:
    """Write the points of a history that are kept into another journal."""

    def __init__(self, store: StoredVolume, old: Journal, target: Path) -> None:
        self._old, self._target = old, target
        self._volume = LiveVolume(store, grid_of(old, store))
        self._history = History()
        self._saves: list[tuple[Entry, int]] = []
        self._applied: dict[int, Entry] = {}
        last: Entry | None = None
        for row in old.entries():
            self._history.fold(row)
            last = row
            if row.kind is EntryKind.APPLY:
                self._applied[row.id] = row
            elif row.kind is EntryKind.CHECKPOINT:
                self._saves.append((row, self._history.saved_position))
        if last is None or last.kind is not EntryKind.CHECKPOINT or self._history.steps:
            raise UniemError(f"{store.name} has edits that are not saved.", "Save them first.")

    def run(self) -> tuple[int, int]:
        """Write the journal; return how many edits there were and are."""
        kept = self._kept()
        self._target.unlink(missing_ok=True)
        new = Journal.create(self._target)
        try:
            with new.together():
                new.copy_facts(self._old)
                self._write(new, kept)
        finally:
            new.close()
        return len(self._applied), len(kept)

    def _kept(self) -> list[int]:
        """Return the edits that are kept as points, in the order in which they were made."""
        named = {position for row, position in self._saves if row.title}
        line = self._history.line_to(self._history.position)
        first = max((i for i, edit in enumerate(line, 1) if edit in named), default=0)
        return sorted((named | set(line[first:])) - {0})

    def _write(self, new: Journal, kept: list[int]) -> None:
        saves = [save for save in self._saves[:-1] if save[0].title]
        last_save, numbers = self._saves[-1][0], {0: 0}
        self._copy_row(new, self._saves[0][0])
        for edit in kept:
            line = self._history.line_to(edit)
            before = max((i for i, each in enumerate(line[:-1], 1) if each in numbers), default=0)
            start = line[before - 1] if before else 0
            self._go_to(new, numbers[start])
            numbers[edit] = self._copy_edits(new, line[before:])
            for row, position in saves:
                if position == edit:
                    self._copy_row(new, row)
        self._go_to(new, numbers.get(self._history.position, 0))
        self._copy_row(new, last_save)
        new.copy_snapshots(self._old)

    def _go_to(self, new: Journal, edit: int) -> None:
        """Go to a point of the new history; it begins before all."""
        new.append(EntryKind.GO_TO, edit)

    def _copy_row(self, new: Journal, row: Entry) -> int:
        return new.append_row(replace(row, id=new.last_id + 1)).id

    def _copy_edits(self, new: Journal, edits: list[int]) -> int:
        """Copy an edit, or many as one; return the number of its row."""
        last = self._applied[edits[-1]]
        if len(edits) == 1:
            number = self._copy_row(new, last)
            new.copy_edit(self._old, last.id, number)
            return number
        done = [Done(Step(each, True), self._old.edit(each)) for each in edits]
        patches, changes = self._net_patches(done), _net_fields(done)
        return new.append_edit(Edit(f"{len(edits):,} edits", (*patches, *changes)), like=last).id

    def _net_patches(self, done: list[Done]) -> list[Patch]:
        """Return what edits change together, block by block."""
        box = functools.reduce(Box.union, (edit.box for _, edit in done), NOWHERE)
        ways = changes_in(box, done, self._volume, self._old)
        found = (self._net_patch(block, way) for block, way in ways.items() if way)
        return [patch for patch in found if patch is not None]

    def _net_patch(self, block: int, way: list[Change]) -> Patch | None:
        box = self._volume.grid.box_of(block)
        is_changed = np.zeros(box.shape, np.bool_)
        before, after = (np.zeros(box.shape, self._volume.dtype) for _ in range(2))
        for change in way:
            if not isinstance(change, Overwriting):
                raise JournalDamaged(
                    f"{self._old.path} lacks what row {change.entry} changed in block {block}.",
                    "Keep the history as it is.",
                )
            patch = change.patch()
            if patch is None or patch.box.intersection(box).is_empty:
                continue
            part = patch.within(box)
            places = part.box.relative_to(box.start).slices
            selection = part.selection()
            is_new = selection & ~is_changed[places]
            values = np.zeros(selection.shape, before.dtype)
            values[selection] = part.before
            before[places][is_new] = values[is_new]
            after[places][selection] = part.after
            is_changed[places] |= selection
        return Patch.of(box.start, is_changed, before, after)


def _net_fields(done: list[Done]) -> list[FieldChange]:
    """Return what edits change of the fields of objects together."""
    net: dict[tuple[int, str], FieldChange] = {}
    for _, edit in done:
        for part in edit.parts:
            if isinstance(part, FieldChange):
                first = net.get((part.label, part.field), part)
                net[part.label, part.field] = replace(part, before=first.before)
    return [change for change in net.values() if change.before != change.after]
