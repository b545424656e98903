"""A proofreading session: the only writer of a label volume, with a history that survives crashes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from psygnal import Signal

from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import StoredVolume
from uniem.errors import UniemError
from uniem.proofreading.checkpoint import mark_checkpoint
from uniem.proofreading.edits import Edit
from uniem.proofreading.history import History
from uniem.proofreading.journal import EntryKind, Journal, Sync
from uniem.proofreading.live_volume import LiveVolume, replay
from uniem.proofreading.lock import EditingLock
from uniem.proofreading.objects import ObjectTable
from uniem.proofreading.opening import Opened, open_for_editing, recover


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
        self._next_label = int(self._journal.fact("next_label") or 1)
        self.volume = LiveVolume(self._store)
        self.objects = ObjectTable(self.volume)
        self._history: History
        self._history, self.recovered_edits = recover(opened, self.volume, self.objects)
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

    def apply(self, edit: Edit) -> None:
        """Record an edit, apply it and tell; raise, with nothing changed, if it does not fit the volume."""
        self.volume.check(edit)
        self._reserve(max(edit.labels, default=0))
        entry = self._journal.append_edit(edit)
        self._history.fold(entry)
        self._carry_out(edit)

    def undo(self) -> Edit | None:
        """Take back the last edit and return it, or None if there is none."""
        if not self._history.undo:
            return None
        last = self._history.undo[-1]
        edit = self._journal.edit(last.entry)
        self._history.fold(self._journal.append(EntryKind.UNDO, last.entry, last.title))
        self._carry_out(edit.inverse())
        return edit

    def redo(self) -> Edit | None:
        """Repeat the edit undone last and return it, or None if there is none."""
        if not self._history.redo:
            return None
        last = self._history.redo[-1]
        edit = self._journal.edit(last.entry)
        self._history.fold(self._journal.append(EntryKind.REDO, last.entry, last.title))
        self._carry_out(edit)
        return edit

    def save(self, name: str = "") -> None:
        """Write all edits to the volume and set a checkpoint; what can be undone stays so.

        If the disk is full the edits stay in the journal and in the session, and saving can be tried again.
        """
        assert self._history.checkpoint is not None
        number = self._history.checkpoint.ref + 1
        with self._journal.durably():
            self._history.fold(self._journal.append(EntryKind.SAVING, number))
            try:
                self.volume.refresh_levels()
                self._store.commit()
                checkpoint = mark_checkpoint(self._store, self._journal, self.objects, number, name)
            except BaseException:
                self._go_on_unsaved()
                raise
        self._store.begin()
        self._history.fold(checkpoint)
        self.volume.forget_pending()
        self.saved.emit()
        self.history_changed.emit()

    def _go_on_unsaved(self) -> None:
        """Hold the edits in a new transaction after a save that failed."""
        self._store.abort()
        self._store.begin()
        self.volume.forget_pending()
        edits = [step.edit(self._journal) for step in self._history.written]
        replay(edits, self.volume)

    def revert(self) -> None:
        """Take back everything since the last checkpoint, as one step that is not undone."""
        assert self._history.checkpoint is not None
        back = [step.edit(self._journal) for step in self._history.taken_back()]
        was_torn = self._history.is_torn
        checkpoint = self._history.checkpoint
        self._history.fold(self._journal.append(EntryKind.REVERT, checkpoint.id, checkpoint.title))
        for edit in back:
            if was_torn:
                self.volume.put(edit)
            self.objects.record(edit)
        if not was_torn:
            self._store.abort()
            self._store.begin()
            self.volume.forget_pending()
        self.objects.settle()
        self._tell(back)

    def close(self) -> None:
        """End the session; unsaved edits stay in the journal and come back when it is opened again."""
        if self._is_open:
            self._is_open = False
            self._store.abort()
            self._journal.close()
            self._lock.release()

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

    def _carry_out(self, edit: Edit) -> None:
        """Apply an edit that is in the journal."""
        self.volume.put(edit)
        self.objects.record(edit)
        self.objects.settle()
        self._tell([edit])

    def _tell(self, edits: Iterable[Edit]) -> None:
        edits = list(edits)
        labels = frozenset().union(*(edit.labels for edit in edits))
        self.objects.changed.emit(labels)
        for box in _boxes_to_show(edits):
            self.changed.emit(box, labels)
        self.history_changed.emit()

    def _keep_counts(self) -> None:
        with self._journal.together():
            self.objects.keep_counts(self._journal, self._journal.last_id)


def _boxes_to_show(edits: list[Edit]) -> list[Box]:
    """Return one box around all patches, unless they are so scattered that each is better shown alone."""
    boxes = [patch.box for edit in edits for patch in edit.patches]
    if not boxes:
        return []
    around = boxes[0]
    for box in boxes[1:]:
        around = around.union(box)
    return [around] if around.size <= 4 * sum(box.size for box in boxes) else boxes
