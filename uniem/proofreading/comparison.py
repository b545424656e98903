"""Two points of the past side by side: which voxels differ between them, block by block."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.errors import UniemError
from uniem.proofreading.deferred import Change
from uniem.proofreading.edits import tight_box
from uniem.proofreading.session import ProofreadingSession


@dataclass(frozen=True, slots=True)
class BlockDifference:
    """What differs in a block: a box around it, and the labels there at both points, deflated."""

    box: Box
    dtype: np.dtype[Any]
    before_bytes: bytes
    after_bytes: bytes

    @staticmethod
    def of(start: tuple[int, int, int], before: NDArray[Any], after: NDArray[Any]) -> BlockDifference | None:
        """Compare two (z, y, x) arrays of labels; None where they are the same."""
        inner = tight_box(before != after)
        if inner is None:
            return None
        parts = (np.ascontiguousarray(array[inner.slices]) for array in (before, after))
        return BlockDifference(
            inner.translated(start), before.dtype, *(zlib.compress(part.tobytes(), 1) for part in parts)
        )

    def labels(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the labels of the box at the first point and at the second, (z, y, x)."""
        before, after = (
            np.frombuffer(zlib.decompress(data), self.dtype).reshape(self.box.shape)
            for data in (self.before_bytes, self.after_bytes)
        )
        return before, after


@dataclass
class Totals:
    """How many voxels were background and became an object, the other way round, or changed their object."""

    gained: int = 0
    lost: int = 0
    moved: int = 0
    labels: set[int] = field(default_factory=set)

    @property
    def voxels(self) -> int:
        """How many voxels differ."""
        return self.gained + self.lost + self.moved

    def add(self, before: NDArray[Any], after: NDArray[Any]) -> None:
        """Count the voxels that differ between two arrays of labels."""
        differs = before != after
        old, new = before[differs], after[differs]
        gained, lost = int(np.count_nonzero(old == 0)), int(np.count_nonzero(new == 0))
        self.gained += gained
        self.lost += lost
        self.moved += len(old) - gained - lost
        self.labels |= {*np.unique(old).tolist(), *np.unique(new).tolist()} - {0}


class Comparison:
    """Find what differs between just after one edit and just after another (0: before all).

    First go through `prepare`, which reads the journal, in the thread of the session; then through `find`,
    which any thread may do. An edit made meanwhile makes it void.
    """

    def __init__(self, session: ProofreadingSession, first: int, second: int) -> None:
        self.first, self.second = first, second
        self.totals = Totals()
        self.edits = 0
        self._session, self._volume = session, session.volume
        self._back: dict[int, list[Change]] = {}
        self._on: dict[int, list[Change]] = {}

    def prepare(self) -> Iterator[float]:
        """Read what was done between, yielding the part done, 0 to 1, every few milliseconds."""
        # Only of what was written is known which voxels it changed.
        waiting = max(1, self._session.unwritten_blocks)
        for _ in self._session.write_steps():
            yield 0.5 * (1 - min(1.0, self._session.unwritten_blocks / waiting))
        if self._session.unwritten_blocks:
            raise UniemError("Too much is not saved yet to be compared.", "Save, and compare again.")
        timeline = self._session.timeline
        position = timeline.position
        back, on = timeline.way(position, self.first), timeline.way(self.first, self.second)
        self.edits = len(on)
        total, done = max(1, len(back) + len(on)), 0
        for way, changes in ((back, self._back), (on, self._on)):
            found = defaultdict[int, list[Change]](list)
            for step in way:
                timeline.add_changes(step, found)
                done += 1
                yield 0.5 + 0.5 * done / total
            changes.update(found)
        # Where nothing was done between the two points nothing differs.
        self._back = {block: self._back.get(block, []) for block in self._on}

    @property
    def blocks(self) -> list[int]:
        """The blocks in which anything was done between the two points."""
        return sorted(self._on)

    def find(self, block: int) -> BlockDifference | None:
        """Return what differs in a block, and count it."""
        box = self._volume.grid.box_of(block)
        before = self._volume.read(box).copy()
        for change in self._back[block]:
            change.apply(before, box)
        after = before.copy()
        for change in self._on[block]:
            change.apply(after, box)
        self.totals.add(before, after)
        return BlockDifference.of(box.start, before, after)
