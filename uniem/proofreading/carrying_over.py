"""Edits that were not saved, made again on voxels that were changed outside their history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from uniem.data.volume import Volume
from uniem.proofreading.edits import Edit, FieldChange, Part, Patch, Relabelling
from uniem.proofreading.history import History, Step
from uniem.proofreading.journal import Journal
from uniem.proofreading.objects import ObjectTable
from uniem.proofreading.session import ProofreadingSession


def make_edits_again(session: ProofreadingSession, aside: Path) -> int:
    """Make the unsaved edits of a history that was set aside on the voxels as they are now.

    `aside` is what `set_history_aside` returned. Each becomes an edit that can be undone; what it drew is
    drawn whatever is there now, and the objects it merged are merged as they are now. Returns how many
    changed anything. The objects must have been counted.
    """
    return sum(made for made, _ in make_again_steps(session, aside))


def make_again_steps(session: ProofreadingSession, aside: Path) -> Iterator[tuple[bool, float]]:
    """Make unsaved edits again, one at each step; yield whether it changed anything, and which part is done.

    Where that was broken off it goes on: no edit is made twice.
    """
    old, history = Journal.open(aside), History()
    try:
        for entry in old.entries():
            history.fold(entry)
        for number, step in enumerate(history.steps, 1):
            edit = step.edit(old)
            parts = tuple(_fitting(session, old, step, edit))
            title = edit.title if step.is_done else f"Take back: {edit.title}"
            again = Edit(title, parts) if parts else None
            yield session.apply_once(f"{aside.name} {number}", again), number / len(history.steps)
    finally:
        old.close()


def _fitting(session: ProofreadingSession, old: Journal, step: Step, edit: Edit) -> Iterator[Part]:
    """Yield the parts of an edit that change something now."""
    for part in edit.parts:
        if isinstance(part, FieldChange):
            yield from _field(session.objects, part)
        elif isinstance(part, Patch):
            yield from _patch(session.volume, part)
        elif part.is_taken_back:
            yield from _separated(session.volume, old, step)
        else:
            there = tuple(pair for pair in part.mapping if pair[0] in session.objects)
            yield from (Relabelling(there),) if there else ()


def _field(objects: ObjectTable, change: FieldChange) -> Iterator[FieldChange]:
    before = getattr(objects.fields_of(change.label), change.field)
    if before != change.after:
        yield FieldChange(change.label, change.field, before, change.after)


def _patch(volume: Volume, patch: Patch) -> Iterator[Patch]:
    now, selection = volume.read(patch.box), patch.selection()
    after = np.zeros(now.shape, now.dtype)
    after[selection] = patch.after
    made = Patch.of(patch.box.start, selection, now, after)
    if made is not None:
        yield made


def _separated(volume: Volume, old: Journal, step: Step) -> Iterator[Patch]:
    """Yield what takes a merge back that was saved."""
    for content in old.parts(step.entry).values():
        for patch in Edit.from_bytes(content).patches if content else ():
            yield from _patch(volume, patch.inverse())
