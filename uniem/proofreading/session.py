"""A proofreading session: the only writer of a label volume, with a history that survives crashes."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from psygnal import Signal

from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import StoredVolume
from uniem.errors import UniemError
from uniem.proofreading.applying import Done, before_of, carry_out, replay
from uniem.proofreading.edits import NOWHERE, Edit, FieldChange
from uniem.proofreading.history import Titled
from uniem.proofreading.journal import EntryKind, Journal, Sync
from uniem.proofreading.live_volume import LiveVolume
from uniem.proofreading.lock import EditingLock
from uniem.proofreading.objects import ObjectTable
from uniem.proofreading.occupancy import Rows
from uniem.proofreading.opening import AGAIN, Opened, grid_of, next_label_of, open_for_editing, recover
from uniem.proofreading.saving import Saving
from uniem.proofreading.timeline import Timeline

_MOST_BOXES = 64
_KEEP_COUNTS_EVERY, _FEW_EDITS = 1000, 50


class ProofreadingSession:
    """Edit a label volume: every edit is journalled, then applied, then told.

    Signals are emitted last, when the session is complete again: `changed` with each box of voxels and the
    labels concerned, `history_changed` after anything that undo, redo or the unsaved count depend on.
    """

    changed = Signal(Box, frozenset)
    history_changed = Signal()
    saved = Signal()

    def __init__(self, opened: Opened) -> None:
        self._store: StoredVolume = opened.store
        self._journal: Journal = opened.journal
        self._lock: EditingLock = opened.lock
        self._is_open = True
        self._saving: Saving | None = None
        self._next_label = next_label_of(self._journal, self._store)
        self.volume = LiveVolume(self._store, grid_of(self._journal, self._store))
        self.volume.keep_parts_with(self._journal.put_part)
        self.objects = ObjectTable(self.volume)
        recovered = recover(self._store, self._journal, self.volume, self.objects)
        self._history, self.recovered_edits = recovered
        self.timeline = Timeline(self._journal, self._history, self.volume)
        self._counts_kept_at = self.objects.kept_at or 0
        self.objects.counted.connect(self._keep_counts)

    @staticmethod
    def open(path: Path, author: str = "", sync: Sync = Sync.NORMAL) -> ProofreadingSession:
        """Open a label volume for editing, with every edit that was not saved when it was last open.

        Raises `InUse` if it is being edited elsewhere and `VolumeChanged` if its voxels are not those that
        its journal tells of; see `set_history_aside`.
        """
        opened = open_for_editing(path, author, sync)
        try:
            return ProofreadingSession(opened)
        except BaseException:
            opened.close()
            raise

    @property
    def path(self) -> Path:
        """The folder of the volume."""
        return self._store.path

    @property
    def can_undo(self) -> bool:
        """Tell whether there is an edit to undo."""
        return bool(self._history.undo)

    @property
    def can_redo(self) -> bool:
        """Tell whether there is an edit to redo."""
        return bool(self._history.redo)

    @property
    def undo_title(self) -> str:
        """The title of the edit that `undo` takes back, or nothing."""
        return self._history.undo[-1].title if self._history.undo else ""

    @property
    def redo_title(self) -> str:
        """The title of the edit that `redo` repeats, or nothing."""
        return self._history.redo[-1].title if self._history.redo else ""

    @property
    def unsaved_edits(self) -> int:
        """How many edits lie between what is saved and what is seen."""
        return self._history.unsaved

    @property
    def pending_bytes(self) -> int:
        """How much memory the unsaved edits hold at most; save when it becomes too much."""
        return self.volume.pending_bytes

    @property
    def unwritten_blocks(self) -> int:
        """How many blocks wait for `write_steps`; until then large edits are only seen."""
        return len(self.volume.deferred.waiting)

    def apply(self, edit: Edit) -> None:
        """Record an edit, apply it and tell; raise, with nothing changed, if it does not fit the volume."""
        self.volume.check(edit)
        before = None
        if edit.is_large:
            edit, before = self._prepared(edit)
        self._reserve(max(edit.labels, default=0))
        entry = self._journal.append_edit(edit, before.to_bytes() if before is not None else None)
        (step,) = self._history.fold(entry)
        self._carry_out(Done(step, edit), entry.time)

    def undo(self) -> Edit | None:
        """Take back the last edit and return it, or None if there is none."""
        return self._step(EntryKind.UNDO, self._history.undo)

    def redo(self) -> Edit | None:
        """Repeat the edit undone last and return it, or None if there is none."""
        return self._step(EntryKind.REDO, self._history.redo)

    def go_to(self, edit: int) -> None:
        """Go to just after an edit of the timeline, 0: before all; every other point stays within reach."""
        if edit and edit not in self._history.parents:
            raise UniemError(f"The history of {self.volume.name} has no edit {edit}.", "Choose one it lists.")
        if edit != self._history.position:
            entry = self._journal.append(EntryKind.GO_TO, edit)
            steps = self._history.fold(entry)
            done = [Done(step, step.edit(self._journal)) for step in steps]
            replay(done, self.volume, self._journal)
            self._account(done, entry.time)
            self._tell([edit for _, edit in done])

    def write_steps(self, most_bytes: int = 512 << 20) -> Iterator[None]:
        """Write large edits, which are seen already, block by block; stop where memory fills before a save.

        Each step takes some milliseconds, so it can be called when nothing else is to be done.
        """
        return self.volume.fold_steps(most_bytes)

    def begin_saving(self, name: str = "") -> Saving:
        """Begin to write all edits to the volume and set a checkpoint; what can be undone stays so.

        Edits may come while it goes on; they are not part of it. If the disk is full all edits stay in the
        journal and in the session, and saving can be tried again.
        """
        self.finish_saving()
        parts = (self._store, self._journal, self.volume, self.objects, self._history)
        self._saving = Saving(*parts, name, self._take_saved)
        return self._saving

    def finish_saving(self) -> None:
        """Wait until a save that is under way is over."""
        if self._saving is not None:
            self._saving.finish()

    def save(self, name: str = "") -> None:
        """Write all edits to the volume, set a checkpoint, and wait until that is done."""
        self.begin_saving(name).finish()

    def _take_saved(self) -> None:
        self.saved.emit()
        self.history_changed.emit()

    def revert(self) -> None:
        """Take back everything since the last checkpoint, as one step that is not undone."""
        self.finish_saving()
        assert self._history.checkpoint is not None
        back = [Done(step, step.edit(self._journal)) for step in self._history.taken_back()]
        was_torn, checkpoint = self._history.is_torn, self._history.checkpoint
        entry = self._journal.append(EntryKind.REVERT, checkpoint.id, checkpoint.title)
        self._history.fold(entry)
        if was_torn:
            replay(back, self.volume, self._journal)
        else:
            self.volume.forget_changes()
        self._account(back, entry.time)
        self.objects.restore_times(self._journal)
        self._tell([edit for _, edit in back])

    def close(self) -> None:
        """End the session; unsaved edits stay in the journal and come back when it is opened again."""
        if self._is_open:
            self._is_open = False
            with contextlib.suppress(UniemError):
                self.finish_saving()
            with contextlib.suppress(UniemError):
                self._keep_counts_of_much(_FEW_EDITS)
            self._store.abort()
            self._journal.close()
            self._lock.release()

    def set_sync(self, sync: Sync) -> None:
        """Choose what a power cut may cost from now on."""
        self._journal.set_sync(sync)

    @property
    def set_aside(self) -> Path | None:
        """The history set aside whose unsaved edits are still to be made again, if there is one."""
        name = self._journal.fact(AGAIN)
        return self.path / str(name) if name else None

    def forget_set_aside(self) -> None:
        """Note that no edits are to be made again any more."""
        self._journal.remember(AGAIN, "")

    def set_voxel_size(self, size: VoxelSize) -> None:
        """Record the voxel size in the volume's metadata; this is no edit and cannot be undone."""
        self._store.set_voxel_size(size)
        self.volume.voxel_size = size

    def apply_once(self, key: str, edit: Edit | None) -> bool:
        """Apply an edit unless one was applied under this key before; return whether it was applied."""
        if self._journal.fact(key) is not None:
            return False
        if edit is not None:
            self.apply(edit)
        self._journal.remember(key, 1)
        return edit is not None

    def next_label(self) -> int:
        """Return a label that was never used, nor returned before, also in earlier sessions."""
        if not self.objects.is_counted:
            raise UniemError(
                f"The objects of {self.volume.name} are still being counted.",
                "Wait until that is done before you make a new label.",
            )
        label = max(self._next_label, self.objects.largest_id() + 1)
        if label > np.iinfo(self.volume.dtype).max:
            raise UniemError(
                f"{self.volume.name} has used all labels that {self.volume.dtype} can hold.",
                "Convert it to uint32 or uint64.",
            )
        self._reserve(label)
        return label

    def _reserve(self, label: int) -> None:
        """Never give a label up to this one again."""
        if label >= self._next_label:
            self._journal.remember("next_label", label + 1)
            self._next_label = label + 1

    def _prepared(self, edit: Edit) -> tuple[Edit, Rows | None]:
        """Return a large edit with the box it needs, and how the objects it concerns stand before it."""
        part = edit.relabelling
        if part is None and not self.objects.is_counted:
            return edit, None
        counts = self.objects.counts()
        if part is None:
            touched = {block for patch in edit.patches for block in self.volume.grid.blocks_of(patch.box)}
            return edit, counts.rows_in(edit.labels, np.array(sorted(touched), np.int64))
        boxes = [box for box in (counts.total_of(source)[1] for source in part.sources()) if box is not None]
        placed = replace(part, box=functools.reduce(Box.union, boxes, NOWHERE))
        parts = tuple(placed if each is part else each for each in edit.parts)
        return Edit(edit.title, parts), counts.rows_in(part.labels(), counts.blocks_with(part.sources()))

    def _step(self, kind: EntryKind, titled: list[Titled]) -> Edit | None:
        """Take back or repeat the last of some edits, and return it as it was made."""
        if not titled:
            return None
        last = titled[-1]
        edit = self._journal.edit(last.entry)
        entry = self._journal.append(kind, last.entry, last.title)
        (step,) = self._history.fold(entry)
        self._carry_out(Done(step, edit if step.is_done else edit.inverse()), entry.time)
        return edit

    def _carry_out(self, done: Done, when: float) -> None:
        """Apply a step that is in the journal."""
        carry_out(done, self.volume, self._journal)
        self.objects.record(done.edit, when, before_of(done.step, self._journal))
        self.objects.settle()
        self._keep_counts_of_much()
        self._tell([done.edit])

    def _account(self, done: list[Done], when: float) -> None:
        """Keep the object table up to date after steps whose voxels are written."""
        for _, edit in done:
            self.objects.touch(edit.labels, when)
            for part in edit.parts:
                if isinstance(part, FieldChange):
                    self.objects.record_field(part)
        self.objects.record_many([(edit, before_of(step, self._journal)) for step, edit in done])
        self.objects.settle()

    def _tell(self, edits: Iterable[Edit]) -> None:
        edits = list(edits)
        labels = frozenset().union(*(edit.labels for edit in edits))
        self.objects.changed.emit(labels)
        for box in _boxes_to_show(edits):
            self.changed.emit(box, labels)
        self.history_changed.emit()

    def _keep_counts_of_much(self, most_edits: int = _KEEP_COUNTS_EVERY) -> None:
        """Keep the counts of objects now and then, so that opening need not count all edits again."""
        if self._journal.last_id - self._counts_kept_at > most_edits and self.objects.is_counted:
            self._keep_counts()

    def _keep_counts(self) -> None:
        self._counts_kept_at = self._journal.last_id
        with self._journal.together():
            self.objects.keep_counts(self._journal, self._journal.last_id)


def _boxes_to_show(edits: list[Edit]) -> list[Box]:
    """Return one box around all changes, unless they are so scattered that each is better shown alone."""
    boxes = [part.box for edit in edits for part in edit.parts if not isinstance(part, FieldChange)]
    boxes = [box for box in boxes if not box.is_empty]
    if not boxes:
        return []
    around = functools.reduce(Box.union, boxes)
    is_dense = around.size <= 4 * sum(box.size for box in boxes)
    return [around] if is_dense or len(boxes) > _MOST_BOXES else boxes
