"""Steps of the history made into voxels: at once, or seen at once and written later."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.proofreading.deferred import Change, Overwriting, Renaming, taken_back
from uniem.proofreading.edits import NOWHERE, Edit, Relabelling
from uniem.proofreading.history import Step
from uniem.proofreading.journal import Journal, JournalDamaged
from uniem.proofreading.live_volume import EditDoesNotFit, LiveVolume
from uniem.proofreading.occupancy import Rows

# A block in which more changes wait is written at once, for it would be slow to read: each takes some
# microseconds, a few tens where it is seen.
_MOST_WAITING = 200


class Done(NamedTuple):
    """A step of the history, and the edit to apply for it."""

    step: Step
    edit: Edit


def carry_out(done: Done, volume: LiveVolume, journal: Journal) -> None:
    """Make the volume what it is after a step: small edits are written, large ones seen until they are."""
    if not done.edit.is_large:
        for patch in done.edit.patches:
            volume.put(patch)
        return
    deferred = volume.deferred
    _each_change([done], volume, journal, deferred.add, deferred.take_back)


def replay(steps: Iterable[Done], volume: LiveVolume, journal: Journal, exactly: bool = False) -> None:
    """Make the volume what it is after many steps.

    With `exactly`, raise `EditDoesNotFit` if one was made for other voxels; without, write what is to be,
    whatever is there: so it was after a save that broke off.
    """
    ways = defaultdict[int, list[Change]](list)

    def take_back(block: int, entry: int) -> bool:
        if taken_back(ways[block], entry):
            return True
        if not volume.deferred.take_back(block, entry):
            return False
        ways[block].clear()
        return True

    _each_change(steps, volume, journal, lambda block, change: ways[block].append(change), take_back)
    folded = _checked(ways, volume) if exactly else {}
    for block, changes in ways.items():
        for change in changes:
            volume.deferred.add(block, change)
        if block in folded:
            volume.fold_as(block, folded[block])
        elif len(changes) > _MOST_WAITING and volume.is_written:
            volume.fold(block)


def changes_in(
    box: Box, steps: Iterable[Done], volume: LiveVolume, journal: Journal
) -> dict[int, list[Change]]:
    """Return what steps do in each block that meets a box, in order; nothing may wait in these blocks."""
    ways = {block: list[Change]() for block in volume.grid.blocks_of(box)}

    def add(block: int, change: Change) -> None:
        if block in ways:
            ways[block].append(change)

    _each_change(steps, volume, journal, add, lambda block, entry: block not in ways)
    return ways


def changes_by_block(steps: Iterable[Done], volume: LiveVolume, journal: Journal) -> dict[int, list[Change]]:
    """Return what steps do in each block that they meet, in order; nothing may wait in any block."""
    found = defaultdict[int, list[Change]](list)
    _each_change(
        steps, volume, journal, lambda block, change: found[block].append(change), lambda block, entry: False
    )
    return found


def before_of(step: Step, journal: Journal) -> Rows | None:
    """Return how objects stood before an edit, if this step takes it back and that was kept."""
    kept = None if step.is_done else journal.places(step.entry)
    return Rows.from_bytes(kept) if kept is not None else None


def _each_change(
    steps: Iterable[Done],
    volume: LiveVolume,
    journal: Journal,
    add: Callable[[int, Change], None],
    take_back: Callable[[int, int], bool],
) -> None:
    """Tell what each step does in each block, in order."""
    for step, edit in steps:
        for patch in edit.patches:
            volume.check_place(patch, edit.title)
            change = Overwriting(step.entry, patch)
            for block in volume.grid.blocks_of(patch.box):
                add(block, change)
        if edit.relabelling is not None:
            _relabel(step.entry, edit.relabelling, journal, add, take_back)


def _relabel(
    entry: int,
    part: Relabelling,
    journal: Journal,
    add: Callable[[int, Change], None],
    take_back: Callable[[int, int], bool],
) -> None:
    """Tell what a relabelling does: by its voxels where it was ever written, by its labels elsewhere."""
    places, written = journal.places(entry), journal.parts(entry)
    if places is None:
        raise JournalDamaged(f"{journal.path} lacks the places of row {entry}.", "Copy the volume again.")
    renaming = Renaming(entry, part.mapping)
    for block in Rows.from_bytes(places).blocks.tolist():
        if part.is_taken_back and take_back(block, entry):
            continue
        if block in written:
            add(block, Overwriting(entry, written[block], not part.is_taken_back))
        elif not part.is_taken_back:
            add(block, renaming)
        else:
            raise JournalDamaged(
                f"{journal.path} lacks what row {entry} changed in block {block}.", "Copy the volume again."
            )


def _checked(ways: dict[int, list[Change]], volume: LiveVolume) -> dict[int, NDArray[Any]]:
    """Raise unless every patch finds the voxels that it was made for, on disk or after those before it.

    Returns what becomes of the blocks that are to be written at once.
    """
    folded: dict[int, NDArray[Any]] = {}
    boxes = {block: _box_to_check(block, changes, volume) for block, changes in ways.items()}
    boxes = {block: box for block, box in boxes.items() if not box.is_empty}
    for (block, box), voxels in zip(boxes.items(), volume.read_saved(list(boxes.values())), strict=True):
        changes = ways[block]
        array = voxels if len(changes) == 1 or voxels.flags.writeable else voxels.copy()
        for number, change in enumerate(changes, 1):
            if isinstance(change, Overwriting) and not change.fits(array, box):
                raise EditDoesNotFit(f"An edit was made for other labels than there are at {box}.")
            if number < len(changes) or len(changes) > _MOST_WAITING:
                change.apply(array, box)
        if _is_to_be_folded(changes, volume):
            folded[block] = array
    return folded


def _is_to_be_folded(changes: list[Change], volume: LiveVolume) -> bool:
    """Tell whether a block is written at once without the journal's being told which voxels changed."""
    is_much = len(changes) > _MOST_WAITING and volume.is_written
    return is_much and not any(isinstance(change, Renaming) for change in changes)


def _box_to_check(block: int, changes: list[Change], volume: LiveVolume) -> Box:
    whole = volume.grid.box_of(block)
    if _is_to_be_folded(changes, volume):
        return whole
    patches = [change.patch() for change in changes if isinstance(change, Overwriting)]
    boxes = [patch.box for patch in patches if patch is not None]
    if len(boxes) == 1 and whole.contains(boxes[0]):
        return boxes[0]
    return functools.reduce(Box.union, boxes, NOWHERE).intersection(whole)
