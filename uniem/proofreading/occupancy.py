"""Where each label is: how many voxels it has in each block, and the box around them there."""

from __future__ import annotations

import io
import itertools
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.proofreading.edits import Patch, distinct, tight_box

Ints = NDArray[np.int64]
# A row of a label's table: voxels in the block, then start and stop of the box around them.
COUNT, START, STOP = 0, slice(1, 4), slice(4, 7)
# Up to so many labels of a patch are looked at one after the other; more are sorted.
_FEW_LABELS = 6


class Tally(NamedTuple):
    """Voxels of labels in blocks: row i says that `labels[i]` has `table[i]` in `blocks[i]`."""

    labels: NDArray[np.uint64]
    blocks: Ints
    table: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The objects of a volume: ids (n,) ascending, voxels (n,), start and stop (n, 3) of their boxes."""

    ids: NDArray[np.uint64]
    voxels: Ints
    start: Ints
    stop: Ints


class _Places:
    """The blocks of one label, ascending, and its table."""

    __slots__ = ("blocks", "table")

    def __init__(self, blocks: Ints, table: Ints) -> None:
        self.blocks, self.table = blocks, table

    def find(self, block: int) -> tuple[int, bool]:
        at = int(np.searchsorted(self.blocks, block))
        return at, at < len(self.blocks) and int(self.blocks[at]) == block


class Occupancy:
    """Counts and boxes of all labels, kept exact edit by edit at the cost of the blocks an edit meets.

    The counts of the whole volume are arrays sorted by label and block, so that millions of labels stay
    cheap; a label that is edited gets its own small table, which then holds instead.
    """

    def __init__(self, shape: Triple, block_shape: Triple, tally: Tally) -> None:
        self.block_shape = block_shape
        self._shape = shape
        self._grid = tuple(-(-n // b) for n, b in zip(shape, block_shape, strict=True))
        self._edited: dict[int, _Places] = {}
        self._stale: set[tuple[int, int]] = set()
        self._set_base(tally)

    def _set_base(self, tally: Tally) -> None:
        self.base_name = uuid.uuid4().hex
        order = np.lexsort((tally.blocks, tally.labels))
        self._base = Tally(tally.labels[order], tally.blocks[order], tally.table[order])
        self._ids, self._first = np.unique(self._base.labels, return_index=True)
        self._base_columns = _summed(self._base, self._ids, self._first)
        self._columns: Columns | None = None

    def block_of(self, point_zyx: Triple) -> int:
        """Return the number of the block that holds a voxel."""
        z, y, x = (p // b for p, b in zip(point_zyx, self.block_shape, strict=True))
        return (z * self._grid[1] + y) * self._grid[2] + x

    def box_of(self, block: int) -> Box:
        """Return the block of a number."""
        index = np.unravel_index(block, self._grid)
        z, y, x = (int(i) * b for i, b in zip(index, self.block_shape, strict=True))
        return Box.of_shape(self.block_shape).translated((z, y, x)).intersection(Box.of_shape(self._shape))

    def blocks_of(self, box: Box) -> list[int]:
        """Return the numbers of the blocks that a box meets."""
        ranges = (
            range(a // n, -(-b // n)) for a, b, n in zip(box.start, box.stop, self.block_shape, strict=True)
        )
        return [(z * self._grid[1] + y) * self._grid[2] + x for z, y, x in itertools.product(*ranges)]

    def boxes_of(self, label: int) -> list[Box]:
        """Return a box around the label's voxels in each block that it meets."""
        return [_box(row) for row in self._places(label).table]

    def total_of(self, label: int) -> tuple[int, Box | None]:
        """Return the label's voxels and the box around them."""
        table = self._places(label).table
        if not len(table):
            return 0, None
        start, stop = table[:, START].min(axis=0), table[:, STOP].max(axis=0)
        return int(table[:, COUNT].sum()), _box(np.concatenate([[0], start, stop]))

    def columns(self) -> Columns:
        """Return all objects that have voxels, by ascending id."""
        if self._columns is None:
            self._columns = self._merged_columns()
        return self._columns

    def record(self, patch: Patch) -> None:
        """Account for a patch; `settle` then shrinks the boxes that may have become smaller."""
        self._columns = None
        for label, block, row in self._losses_and_gains(patch):
            if row[COUNT] < 0:
                self._remove(label, block, row)
            else:
                self._add(label, block, row)

    def measure_again(self, changed: dict[int, set[int]], read: Callable[[Box], NDArray[Any]]) -> None:
        """Count labels anew in blocks, given the labels that changed in each: cheaper for many edits."""
        self._columns = None
        for block, labels in changed.items():
            box = self.box_of(block)
            tally = measure_block(read(box), box.start, block)
            rows = dict(zip(tally.labels.tolist(), tally.table, strict=True))
            for label in labels:
                self._replace(label, block, rows.get(label))

    def settle(self, read: Callable[[Box], NDArray[Any]]) -> None:
        """Measure again the boxes from whose faces voxels were taken, reading the volume as it is now."""
        for label, block in self._stale:
            places = self._places(label)
            at, is_there = places.find(block)
            if not is_there:
                continue
            outer = _box(places.table[at])
            inner = tight_box(read(outer) == label)
            assert inner is not None, "the counts do not belong to this volume"
            inner = inner.translated(outer.start)
            places.table[at, START], places.table[at, STOP] = inner.start, inner.stop
        self._stale.clear()

    def compact(self) -> None:
        """Make what was edited part of the base, when it has become much."""
        rows = sum(len(places.blocks) for places in self._edited.values())
        if rows > 10_000 + len(self._base.blocks) // 4:
            edited, ids = self._edited_tally(), np.array(list(self._edited), dtype=np.uint64)
            keep = ~np.isin(self._base.labels, ids)
            labels, blocks, table = self._base
            self._edited = {}
            self._set_base(join([Tally(labels[keep], blocks[keep], table[keep]), edited]))

    def base_to_bytes(self) -> bytes:
        """Encode the counts that hold where no edit changed them; `base_name` changes when they do."""
        return _packed(self._base._asdict() | {"block_shape": np.array(self.block_shape)})

    def edited_to_bytes(self) -> bytes:
        """Encode the counts of the labels that were edited since."""
        labels = np.array(list(self._edited), dtype=np.uint64)
        lengths = np.array([len(places.blocks) for places in self._edited.values()], dtype=np.int64)
        return _packed(self._edited_tally()._asdict() | {"edited": labels, "lengths": lengths})

    @staticmethod
    def from_bytes(shape: Triple, base_name: str, base: bytes, edited: bytes) -> Occupancy:
        """Make it again from its encoded parts."""
        whole, changes = _unpacked(base), _unpacked(edited)
        z, y, x = whole["block_shape"].tolist()
        tally = Tally(whole["labels"], whole["blocks"], whole["table"])
        occupancy = Occupancy(shape, (z, y, x), tally)
        occupancy.base_name = base_name
        stops = np.cumsum(changes["lengths"])
        for label, start, stop in zip(changes["edited"], stops - changes["lengths"], stops, strict=True):
            rows = slice(int(start), int(stop))
            occupancy._edited[int(label)] = _Places(changes["blocks"][rows], changes["table"][rows])
        return occupancy

    def _places(self, label: int) -> _Places:
        if label in self._edited:
            return self._edited[label]
        at = int(np.searchsorted(self._ids, np.uint64(label)))
        if at == len(self._ids) or int(self._ids[at]) != label:
            return _Places(np.zeros(0, np.int64), np.zeros((0, 7), np.int64))
        stop = int(self._first[at + 1]) if at + 1 < len(self._first) else len(self._base.blocks)
        rows = slice(int(self._first[at]), stop)
        return _Places(self._base.blocks[rows], self._base.table[rows])

    def _own_places(self, label: int) -> _Places:
        """Return the label's table, free to be changed."""
        if label not in self._edited:
            places = self._places(label)
            self._edited[label] = _Places(places.blocks.copy(), places.table.copy())
        return self._edited[label]

    def _add(self, label: int, block: int, row: Ints) -> None:
        places = self._own_places(label)
        at, is_there = places.find(block)
        if not is_there:
            places.blocks = np.insert(places.blocks, at, block)
            places.table = np.insert(places.table, at, row, axis=0)
            return
        kept = places.table[at]
        kept[COUNT] += row[COUNT]
        np.minimum(kept[START], row[START], out=kept[START])
        np.maximum(kept[STOP], row[STOP], out=kept[STOP])

    def _replace(self, label: int, block: int, row: Ints | None) -> None:
        """Set the row of a label in a block; None if it is not there."""
        places = self._own_places(label)
        at, is_there = places.find(block)
        if is_there:
            places.blocks = np.delete(places.blocks, at)
            places.table = np.delete(places.table, at, axis=0)
        if row is not None:
            self._add(label, block, row)

    def _remove(self, label: int, block: int, row: Ints) -> None:
        places = self._own_places(label)
        at, is_there = places.find(block)
        assert is_there, "the counts do not belong to this volume"
        kept = places.table[at]
        kept[COUNT] += row[COUNT]
        if kept[COUNT] == 0:
            places.blocks = np.delete(places.blocks, at)
            places.table = np.delete(places.table, at, axis=0)
        elif (kept[1:] == row[1:]).any():
            self._stale.add((label, block))

    def _losses_and_gains(self, patch: Patch) -> Iterator[tuple[int, int, Ints]]:
        """Yield label, block and row for what a patch takes (negative counts) and then gives."""
        z, y, x = patch.box.stop
        block = self.block_of(patch.box.start)
        if block == self.block_of((z - 1, y - 1, x - 1)):
            for labels, sign in ((patch.before, -1), (patch.after, 1)):
                yield from ((label, block, row) for label, row in _rows_in_block(patch, labels, sign))
            return
        for labels, sign in ((patch.before, -1), (patch.after, 1)):
            yield from self._rows_by_block(patch, labels, sign)

    def _rows_by_block(
        self, patch: Patch, labels: NDArray[Any], sign: int
    ) -> Iterator[tuple[int, int, Ints]]:
        """Yield label, block and row for the labels that a patch takes (sign -1) or gives."""
        if len(labels) == 1:
            if labels[0] != 0:
                yield from self._rows_of(int(labels[0]), patch.box, patch.selection(), sign)
            return
        few = distinct(labels)
        if len(few) <= _FEW_LABELS:
            selection = patch.selection()
            for label in few:
                if label != 0:
                    inside = np.zeros_like(selection)
                    inside[selection] = labels == label
                    yield from self._rows_of(label, patch.box, inside, sign)
            return
        points = np.argwhere(patch.selection()) + patch.box.start
        blocks = np.ravel_multi_index(tuple((points // self.block_shape).T), self._grid)
        tally = _tallied(labels, blocks, points)
        tally.table[:, COUNT] *= sign
        rows = zip(tally.labels.tolist(), tally.blocks.tolist(), tally.table, strict=True)
        yield from (row for row in rows if row[0] != 0)

    def _rows_of(
        self, label: int, box: Box, inside: NDArray[np.bool_], sign: int
    ) -> Iterator[tuple[int, int, Ints]]:
        """Yield the rows of one label that has the given voxels of a box."""
        for block in self.blocks_of(box):
            part = self.box_of(block).intersection(box)
            view = inside[part.relative_to(box.start).slices]
            if (inner := tight_box(view)) is not None:
                inner = inner.translated(part.start)
                yield label, block, np.array([sign * int(np.count_nonzero(view)), *inner.start, *inner.stop])

    def _edited_tally(self) -> Tally:
        items = list(self._edited.items())
        labels = [np.full(len(places.blocks), label, np.uint64) for label, places in items]
        blocks = [places.blocks for _, places in items]
        tables = [places.table for _, places in items]
        return join([Tally(*rows) for rows in zip(labels, blocks, tables, strict=True)])

    def _merged_columns(self) -> Columns:
        if not self._edited:
            return self._base_columns
        base = self._base_columns
        edited = self._edited_tally()
        order = np.lexsort((edited.blocks, edited.labels))
        edited = Tally(edited.labels[order], edited.blocks[order], edited.table[order])
        new = _summed(edited, *np.unique(edited.labels, return_index=True))
        keep = ~np.isin(base.ids, np.array(list(self._edited), dtype=np.uint64))
        ids = np.concatenate([base.ids[keep], new.ids])
        order = np.argsort(ids, kind="stable")
        rest = ((base.voxels, new.voxels), (base.start, new.start), (base.stop, new.stop))
        return Columns(ids[order], *(np.concatenate([old[keep], add])[order] for old, add in rest))


def measure_block(labels: NDArray[Any], start: Triple, block: int) -> Tally:
    """Count the labels of one block, (z, y, x), that begins at `start`; with fastremap and cc3d."""
    import cc3d
    import fastremap

    renumbered, ids = fastremap.renumber(np.ascontiguousarray(labels))
    if len(ids) == 1 and 0 in ids:
        return join([])
    statistics = cc3d.statistics(renumbered, no_slice_conversion=True)
    ids.pop(0, None)
    rows = np.fromiter(ids.values(), dtype=np.int64, count=len(ids))
    boxes = statistics["bounding_boxes"][rows].astype(np.int64)
    table = np.empty((len(rows), 7), np.int64)
    table[:, COUNT] = statistics["voxel_counts"][rows]
    table[:, START] = boxes[:, 0::2] + start
    table[:, STOP] = boxes[:, 1::2] + 1 + start
    labels_here = np.fromiter(ids.keys(), dtype=np.uint64, count=len(ids))
    return Tally(labels_here, np.full(len(rows), block, np.int64), table)


def join(tallies: list[Tally]) -> Tally:
    """Put tallies one behind the other."""
    empty = Tally(np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros((0, 7), np.int64))
    return Tally(*(np.concatenate(columns) for columns in zip(empty, *tallies, strict=True)))


def _tallied(labels: NDArray[Any], blocks: Ints, points: Ints) -> Tally:
    """Count labels by block, given the label, block and z, y, x of each voxel."""
    order = np.lexsort((blocks, labels))
    labels, blocks, points = labels[order], blocks[order], points[order]
    is_first = np.concatenate([[True], (labels[1:] != labels[:-1]) | (blocks[1:] != blocks[:-1])])
    first = np.flatnonzero(is_first)
    table = np.empty((len(first), 7), np.int64)
    table[:, COUNT] = np.diff(first, append=len(labels))
    table[:, START] = np.minimum.reduceat(points, first, axis=0)
    table[:, STOP] = np.maximum.reduceat(points, first, axis=0) + 1
    return Tally(labels[first].astype(np.uint64), blocks[first], table)


def _rows_in_block(patch: Patch, labels: NDArray[Any], sign: int) -> Iterator[tuple[int, Ints]]:
    """Yield the labels that a patch inside one block takes (sign -1) or gives, each with its row."""
    if len(labels) == 1:
        if labels[0] != 0:
            yield int(labels[0]), np.array([sign * patch.count, *patch.box.start, *patch.box.stop])
        return
    selection = patch.selection()
    for label in distinct(labels):
        inside = np.zeros_like(selection)
        inside[selection] = labels == label
        box = tight_box(inside)
        if label != 0 and box is not None:
            box = box.translated(patch.box.start)
            yield label, np.array([sign * int(np.count_nonzero(inside)), *box.start, *box.stop])


def _summed(tally: Tally, ids: NDArray[np.uint64], first: Ints) -> Columns:
    """Sum a tally sorted by label over the blocks of each label."""
    if not len(ids):
        none = np.zeros((0, 3), np.int64)
        return Columns(ids, np.zeros(0, np.int64), none, none)
    table = tally.table
    return Columns(
        ids,
        np.add.reduceat(table[:, COUNT], first),
        np.minimum.reduceat(table[:, START], first, axis=0),
        np.maximum.reduceat(table[:, STOP], first, axis=0),
    )


def _box(row: Ints) -> Box:
    _, z0, y0, x0, z1, y1, x1 = row.tolist()
    return Box((z0, y0, x0), (z1, y1, x1))


def _packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return zlib.compress(buffer.getbuffer(), 1)


def _unpacked(data: bytes) -> dict[str, NDArray[Any]]:
    with np.load(io.BytesIO(zlib.decompress(data)), allow_pickle=False) as arrays:
        return dict(arrays)
