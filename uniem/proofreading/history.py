"""What can be undone and redone, and what a crash would have to repeat: a fold over the journal's rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from uniem.proofreading.edits import Edit
from uniem.proofreading.journal import Entry, EntryKind, Journal


class Step(NamedTuple):
    """An edit done, or taken back."""

    entry: int
    is_done: bool

    def inverse(self) -> Step:
        """Return the step that takes this one back."""
        return Step(self.entry, not self.is_done)

    def edit(self, journal: Journal) -> Edit:
        """Return the edit to apply for this step."""
        return self.of(journal.edit(self.entry))

    def of(self, edit: Edit) -> Edit:
        """Return what is to be applied for this step, given the edit as it was made."""
        return edit if self.is_done else edit.inverse()


class Titled(NamedTuple):
    """An edit that can be undone or redone."""

    entry: int
    title: str


@dataclass
class History:
    """The state that rows of the journal lead to; `fold` them in order.

    Attributes
    ----------
    undo, redo : list[Titled]
        What can be undone and redone, the next one last.
    steps : list[Step]
        What happened since what is saved, as far as it was not reverted.
    written : list[Step]
        What the voxels on disk need to become the voxels as edited. It differs from `steps` after a save was
        torn and its edits then reverted: the disk may hold some of them, so taking them back is a step too.
    is_torn : bool
        Whether a save began after the checkpoint and did not end.
    parents : dict[int, int]
        The edit before each edit, 0 before the first: what was undone and painted over is a branch.
    """

    undo: list[Titled] = field(default_factory=list)
    redo: list[Titled] = field(default_factory=list)
    checkpoint: Entry | None = None
    steps: list[Step] = field(default_factory=list)
    written: list[Step] = field(default_factory=list)
    is_torn: bool = False
    parents: dict[int, int] = field(default_factory=dict)
    _titles: dict[int, str] = field(default_factory=dict)
    _saved: tuple[list[Titled], list[Titled]] = ([], [])
    # Both undo lists agree at least up to here.
    _agreed: int = 0
    # What can be undone and redone in what a save writes, and how many steps that holds; edits may follow
    # before the save ends.
    _leaving: tuple[list[Titled], list[Titled], int, int] | None = None

    def fold(self, entry: Entry) -> list[Step]:
        """Take in a row; return the steps that it stands for."""
        match entry.kind:
            case EntryKind.APPLY:
                self.parents[entry.id] = self.position
                self._titles[entry.id] = entry.title
                self.undo.append(Titled(entry.id, entry.title))
                self.redo.clear()
                return self._stepped(Step(entry.id, True))
            case EntryKind.UNDO:
                self.redo.append(self.undo.pop())
                self._agreed = min(self._agreed, len(self.undo))
                return self._stepped(Step(entry.ref, False))
            case EntryKind.REDO:
                self.undo.append(self.redo.pop())
                return self._stepped(Step(entry.ref, True))
            case EntryKind.SAVING:
                self.is_torn = True
                self._leaving = (self.undo.copy(), self.redo.copy(), len(self.steps), len(self.written))
                return []
            case EntryKind.CHECKPOINT:
                self._keep(entry)
                return []
            case EntryKind.REVERT:
                return self._reverted()
            case EntryKind.GO_TO:
                return self._gone_to(entry.ref)

    @property
    def position(self) -> int:
        """The edit done last of those that are not undone; 0 if there is none."""
        return self.undo[-1].entry if self.undo else 0

    @property
    def saved_position(self) -> int:
        """The edit done last in what is saved; 0 if there is none."""
        return self._saved[0][-1].entry if self._saved[0] else 0

    def line_to(self, edit: int) -> list[int]:
        """Return the edits that lead from the beginning to an edit, which is the last of them."""
        line = []
        while edit:
            line.append(edit)
            edit = self.parents[edit]
        return line[::-1]

    def way(self, start: int, end: int) -> list[Step]:
        """Return the steps from just after one edit to just after another."""
        back, on = self.line_to(start), self.line_to(end)
        shared = _shared(back, on)
        return [Step(e, False) for e in reversed(back[shared:])] + [Step(e, True) for e in on[shared:]]

    @property
    def unsaved(self) -> int:
        """How many edits lie between what is saved and what is seen."""
        saved, start = self._saved[0], self._agreed
        while start < min(len(saved), len(self.undo)) and saved[start] == self.undo[start]:
            start += 1
        return (len(saved) - start) + (len(self.undo) - start)

    def taken_back(self) -> list[Step]:
        """Return the steps that lead from here to the checkpoint."""
        return [step.inverse() for step in reversed(self.steps)]

    def _gone_to(self, edit: int) -> list[Step]:
        steps = self.way(self.position, edit)
        line, ahead = self.line_to(edit), [*self.undo, *reversed(self.redo)]
        shared = _shared([each.entry for each in ahead], line)
        is_behind_or_ahead = shared == len(line)
        self.redo = ahead[shared:][::-1] if is_behind_or_ahead else []
        self._agreed = min(self._agreed, _shared([each.entry for each in self.undo], line))
        self.undo = [Titled(each, self._titles[each]) for each in line]
        for step in steps:
            self._stepped(step)
        return steps

    def _stepped(self, step: Step) -> list[Step]:
        self.steps.append(step)
        self.written.append(step)
        return [step]

    def _keep(self, entry: Entry) -> None:
        """Take what the save set apart for saved; a journal that was compacted tells of no saving."""
        undo, redo, steps, written = self._leaving or (self.undo.copy(), self.redo.copy(), None, None)
        self.checkpoint = entry
        self._saved, self._leaving = (undo, redo), None
        self.steps = [] if steps is None else self.steps[steps:]
        self.written = [] if written is None else self.written[written:]
        self._agreed = (
            _shared([e.entry for e in undo], [e.entry for e in self.undo]) if self.steps else len(undo)
        )
        self.is_torn = False

    def _reverted(self) -> list[Step]:
        back = self.taken_back()
        self.written = self.written + back if self.is_torn else []
        self.steps, self._leaving = [], None
        self.undo, self.redo = self._saved[0].copy(), self._saved[1].copy()
        self._agreed = len(self.undo)
        return back


def _shared(one: list[int], other: list[int]) -> int:
    """Return how many numbers two lists have in common at their beginnings."""
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
