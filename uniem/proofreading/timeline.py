"""The past of a volume: who did what when, what changed between two points, and how voxels were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.progress import Context
from uniem.proofreading.applying import Done, changes_by_block, changes_in
from uniem.proofreading.deferred import Change
from uniem.proofreading.edits import Edit, Patch
from uniem.proofreading.history import History, Step
from uniem.proofreading.journal import Entry, EntryKind, Journal
from uniem.proofreading.live_volume import LiveVolume
from uniem.proofreading.tools.masks import tiles
from uniem.proofreading.tools.protect import is_among


class PastState(StrEnum):
    """Whether an edit is part of the volume as it is."""

    DONE = "done"
    UNDONE = "undone"
    LEFT = "left"
    """It was undone and others were made in its place; going to it brings it back."""


@dataclass(frozen=True, slots=True)
class PastEdit:
    """An edit of the past.

    Attributes
    ----------
    id : int
        What `session.go_to` takes.
    labels : tuple[int, ...]
        Some of the objects it concerns, and `count` of them in all.
    saves : tuple[str, ...]
        The names of the saves that were made just after it; an unnamed save is ''.
    """

    id: int
    title: str
    author: str
    time: float
    box: Box
    labels: tuple[int, ...]
    count: int
    state: PastState
    saves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed between two points of the past.

    Attributes
    ----------
    edits : list[Step]
        The edits done or taken back on the way.
    boxes : list[Box]
        Where voxels changed on the way, one box for each edit.
    labels : frozenset[int]
        The objects concerned.
    """

    edits: list[Step]
    boxes: list[Box] = field(default_factory=list)
    labels: frozenset[int] = frozenset()


class Timeline:
    """List the past, compare points of it, and look at voxels as they were."""

    def __init__(self, journal: Journal, history: History, volume: LiveVolume) -> None:
        self._journal, self._history, self._volume = journal, history, volume
        self._rows: list[Entry] = []

    @property
    def position(self) -> int:
        """The edit done last; 0 before all."""
        return self._history.position

    def edits(self) -> list[PastEdit]:
        """Return all edits in the order in which they were made."""
        rows = self._read_rows()
        saves = _saves_after_edits(rows)
        done = {each.entry for each in self._history.undo}
        undone = {each.entry for each in self._history.redo}
        return [
            self._past_edit(row, done, undone, tuple(saves.get(row.id, ())))
            for row in rows
            if row.kind is EntryKind.APPLY
        ]

    def saves(self) -> list[tuple[str, float, int]]:
        """Return name and time of each save, and the edit done last then, which `session.go_to` takes."""
        history, found = History(), []
        for row in self._read_rows():
            history.fold(row)
            if row.kind is EntryKind.CHECKPOINT:
                found.append((row.title, row.time, history.saved_position))
        return found

    def compare(self, first: int, second: int) -> Difference:
        """Return what changed from just after one edit to just after another."""
        way = self._history.way(first, second)
        rows = {row.id: row for row in self._read_rows()}
        edits = [step.edit(self._journal) for step in way]
        boxes = [box for box in (self._box_of(rows[step.entry]) for step in way) if not box.is_empty]
        return Difference(way, boxes, frozenset().union(*(edit.labels for edit in edits)))

    def way(self, first: int, second: int) -> list[Step]:
        """Return the steps from just after one edit to just after another."""
        return self._history.way(first, second)

    def add_changes(self, step: Step, found: defaultdict[int, list[Change]]) -> None:
        """Add what a step does to the changes of the blocks it meets; nothing may wait to be written."""
        changes = changes_by_block([Done(step, step.edit(self._journal))], self._volume, self._journal)
        for block, listed in changes.items():
            found[block] += listed

    def read_as_it_was(self, box: Box, after: int) -> NDArray[Any]:
        """Return the voxels of a box as they were just after an edit, 0: before all."""
        return self._changed(self._volume.read(box), box, self._way_in(box, after))

    def restore_inside(self, box: Box, after: int) -> Edit | None:
        """Return an edit that makes a box's voxels what they were just after an edit; None if they are."""
        return self.restoring(box, after)(Context())

    def restoring(
        self, box: Box, after: int, locked: frozenset[int] = frozenset()
    ) -> Callable[[Context], Edit | None]:
        """Return what makes the edit of `restore_inside`, in any thread; nothing may be edited meanwhile.

        Locked objects neither lose voxels nor get any.
        """
        way = self._way_in(box, after)
        listed = list(tiles(box.intersection(Box.of_shape(self._volume.shape))))

        def make(context: Context) -> Edit | None:
            found = (self._patch_back(tile, way, locked) for tile in context.track(listed, "parts"))
            patches = tuple(patch for patch in found if patch is not None)
            return Edit("Undo inside a box", patches) if patches else None

        return make

    def _patch_back(self, tile: Box, way: dict[int, list[Change]], locked: frozenset[int]) -> Patch | None:
        now = self._volume.read(tile)
        was = self._changed(now, tile, way)
        is_free = ~(is_among(now, locked) | is_among(was, locked))
        return Patch.of(tile.start, is_free & (was != now), now, was)

    def _way_in(self, box: Box, after: int) -> dict[int, list[Change]]:
        """Return what has to be changed in each block of a box to make it what it was."""
        # Only what was written is known voxel by voxel, so that it can be taken back.
        for block in self._volume.grid.blocks_of(box):
            self._volume.fold(block)
        rows = {row.id: row for row in self._read_rows()}
        steps = [
            step
            for step in self._history.way(self.position, after)
            if not self._box_of(rows[step.entry]).intersection(box).is_empty
        ]
        done = (Done(step, step.edit(self._journal)) for step in steps)
        return changes_in(box, done, self._volume, self._journal)

    def _changed(self, array: NDArray[Any], box: Box, way: dict[int, list[Change]]) -> NDArray[Any]:
        array = array.copy()
        for block in self._volume.grid.blocks_of(box):
            part = self._volume.grid.box_of(block).intersection(box)
            for change in way.get(block, ()):
                change.apply(array[part.relative_to(box.start).slices], part)
        return array

    def _past_edit(self, row: Entry, done: set[int], undone: set[int], saves: tuple[str, ...]) -> PastEdit:
        state = PastState.DONE if row.id in done else PastState.UNDONE if row.id in undone else PastState.LEFT
        labels, count = self._labels_of(row)
        return PastEdit(
            row.id, row.title, row.author, row.time, self._box_of(row), labels, count, state, saves
        )

    def _read_rows(self) -> list[Entry]:
        """Return all rows of the journal, reading those that are new."""
        self._rows += self._journal.entries(self._rows[-1].id if self._rows else 0)
        return self._rows

    def _box_of(self, row: Entry) -> Box:
        if not row.details:
            return self._journal.edit(row.id).box
        z0, y0, x0, z1, y1, x1 = row.details["box"]
        return Box((z0, y0, x0), (z1, y1, x1))

    def _labels_of(self, row: Entry) -> tuple[tuple[int, ...], int]:
        if not row.details:
            labels = sorted(self._journal.edit(row.id).labels)
            return tuple(labels), len(labels)
        return tuple(row.details["labels"]), row.details["count"]


def _saves_after_edits(rows: list[Entry]) -> dict[int, list[str]]:
    """Return the names of the saves made after each edit."""
    history, saves = History(), dict[int, list[str]]()
    for row in rows:
        history.fold(row)
        if row.kind is EntryKind.CHECKPOINT:
            saves.setdefault(history.saved_position, []).append(row.title)
    return saves
