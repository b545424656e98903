"""Where each label is: how many voxels it has in each block, and the box around them there."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.proofreading.edits import Patch, distinct, tight_box
from uniem.proofreading.grid import BlockGrid
from uniem.proofreading.tally import (
    COUNT,
    START,
    STOP,
    Columns,
    Ints,
    Tally,
    join,
    measure_block,
    packed,
    rows_in_block,
    summed,
    tallied,
    unpacked,
)

# Up to so many labels of a patch are looked at one after the other; more are sorted.
_FEW_LABELS = 6


class Rows(NamedTuple):
    """How some labels stand in some blocks."""

    labels: NDArray[np.uint64]
    blocks: Ints
    tally: Tally

    def to_bytes(self) -> bytes:
        """Encode it."""
        named = {"of": self.labels, "in": self.blocks, **self.tally._asdict()}
        return packed(named)

    @staticmethod
    def from_bytes(data: bytes) -> Rows:
        """Decode what `to_bytes` made."""
        named = unpacked(data)
        tally = Tally(named["labels"], named["blocks"], named["table"])
        return Rows(named["of"], named["in"], tally)


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

    def __init__(self, grid: BlockGrid, tally: Tally) -> None:
        self.grid = grid
        self._edited: dict[int, _Places] = {}
        self._stale: set[tuple[int, int]] = set()
        self._set_base(tally)

    def _set_base(self, tally: Tally) -> None:
        self.base_name = uuid.uuid4().hex
        if not _is_sorted(tally):
            order = np.lexsort((tally.blocks, tally.labels))
            tally = Tally(tally.labels[order], tally.blocks[order], tally.table[order])
        self._base, self._encoded_base = tally, b""
        is_first = np.ones(len(tally.labels), np.bool_)
        is_first[1:] = tally.labels[1:] != tally.labels[:-1]
        self._first = np.flatnonzero(is_first)
        self._ids = tally.labels[self._first]
        self._base_columns = summed(self._base, self._ids, self._first)
        self._columns: Columns | None = None

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
            box = self.grid.box_of(block)
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

    def blocks_with(self, labels: Iterable[int]) -> Ints:
        """Return the blocks that hold voxels of some labels, ascending."""
        return np.unique(np.concatenate([np.zeros(0, np.int64), *(self._places(n).blocks for n in labels)]))

    def rows_in(self, labels: Iterable[int], blocks: Ints) -> Rows:
        """Return how some labels stand in some blocks, for `put_rows`."""
        listed, parts = sorted(labels), []
        for label in listed:
            places = self._places(label)
            here = np.isin(places.blocks, blocks, assume_unique=True)
            count = int(np.count_nonzero(here))
            parts.append(Tally(np.full(count, label, np.uint64), places.blocks[here], places.table[here]))
        return Rows(np.array(listed, np.uint64), np.unique(blocks), join(parts))

    def put_rows(self, rows: Rows) -> None:
        """Make some labels stand in some blocks as they did."""
        self._columns = None
        order = np.argsort(rows.tally.labels, kind="stable")
        labels, blocks, table = rows.tally.labels[order], rows.tally.blocks[order], rows.tally.table[order]
        for label in rows.labels.tolist():
            some = slice(*np.searchsorted(labels, np.array([label, label + 1], np.uint64)).tolist())
            self._set_rows(label, rows.blocks, blocks[some], table[some])

    def relabel(self, mapping: Mapping[int, int]) -> None:
        """Account for whole objects given other labels, all at once."""
        self._columns = None
        taken: dict[int, list[_Places]] = {}
        for source, target in mapping.items():
            taken.setdefault(target, []).append(self._places(source))
        stale = [(mapping[label], block) for label, block in self._stale if label in mapping]
        none = np.zeros(0, np.int64)
        for source in mapping:
            self._edited[source] = _Places(none, np.zeros((0, 7), np.int64))
        for target, parts in taken.items():
            if target:
                self._edited[target] = _union([self._places(target), *parts])
        self._stale.update(place for place in stale if place[0])

    def compact(self) -> None:
        """Make what was edited part of the base, when it has become much."""
        rows = sum(len(places.blocks) for places in self._edited.values())
        if rows > 10_000 + len(self._base.blocks) // 4:
            edited, ids = self._edited_tally(), np.array(list(self._edited), dtype=np.uint64)
            keep = ~np.isin(self._base.labels, ids)
            labels, blocks, table = self._base
            self._edited = {}
            self._set_base(join([Tally(labels[keep], blocks[keep], table[keep]), edited]))

    def encode_base(self) -> None:
        """Have `base_to_bytes` ready, which takes a second for a million labels; a thread may do it."""
        labels, blocks, table = (_narrowed(array) for array in self._base)
        named = {"labels": labels, "blocks": blocks, "table": table}
        self._encoded_base = packed(named | {"block_shape": np.array(self.grid.block_shape)})

    def base_to_bytes(self) -> bytes:
        """Encode the counts that hold where no edit changed them; `base_name` changes when they do."""
        if not self._encoded_base:
            self.encode_base()
        encoded, self._encoded_base = self._encoded_base, b""
        return encoded

    def edited_to_bytes(self) -> bytes:
        """Encode the counts of the labels that were edited since."""
        labels = np.array(list(self._edited), dtype=np.uint64)
        lengths = np.array([len(places.blocks) for places in self._edited.values()], dtype=np.int64)
        return packed(self._edited_tally()._asdict() | {"edited": labels, "lengths": lengths})

    @staticmethod
    def from_bytes(grid: BlockGrid, base_name: str, base: bytes, edited: bytes) -> Occupancy | None:
        """Make it again from its encoded parts; None if they are of other blocks."""
        whole, changes = unpacked(base), unpacked(edited)
        if tuple(whole["block_shape"].tolist()) != grid.block_shape:
            return None
        labels, blocks, table = whole["labels"], whole["blocks"], whole["table"]
        tally = Tally(labels.astype(np.uint64), blocks.astype(np.int64), table.astype(np.int64))
        occupancy = Occupancy(grid, tally)
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

    def _set_rows(self, label: int, blocks: Ints, new_blocks: Ints, new_table: Ints) -> None:
        """Replace what a label has in some blocks."""
        places = self._places(label)
        kept = ~np.isin(places.blocks, blocks, assume_unique=True)
        joined = np.concatenate([places.blocks[kept], new_blocks])
        order = np.argsort(joined, kind="stable")
        table = np.concatenate([places.table[kept], new_table])[order]
        self._edited[label] = _Places(joined[order], table)

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
        block = self.grid.block_of(patch.box.start)
        if block == self.grid.block_of((z - 1, y - 1, x - 1)):
            for labels, sign in ((patch.before, -1), (patch.after, 1)):
                yield from ((label, block, row) for label, row in rows_in_block(patch, labels, sign))
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
        blocks = self.grid.number(points)
        tally = tallied(labels, blocks, points)
        tally.table[:, COUNT] *= sign
        rows = zip(tally.labels.tolist(), tally.blocks.tolist(), tally.table, strict=True)
        yield from (row for row in rows if row[0] != 0)

    def _rows_of(
        self, label: int, box: Box, inside: NDArray[np.bool_], sign: int
    ) -> Iterator[tuple[int, int, Ints]]:
        """Yield the rows of one label that has the given voxels of a box."""
        for block in self.grid.blocks_of(box):
            part = self.grid.box_of(block).intersection(box)
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
        """Return the columns of the base with those of the edited labels in their places."""
        if not self._edited:
            return self._base_columns
        edited = self._edited_tally()
        order = np.lexsort((edited.blocks, edited.labels))
        edited = Tally(edited.labels[order], edited.blocks[order], edited.table[order])
        new = summed(edited, *np.unique(edited.labels, return_index=True))
        base, labels = self._base_columns, np.sort(np.array(list(self._edited), dtype=np.uint64))
        old = np.searchsorted(base.ids, labels)
        old = old[base.ids[old.clip(max=max(0, len(base.ids) - 1))] == labels] if len(base.ids) else old[:0]
        at = np.searchsorted(np.delete(base.ids, old), new.ids)

        def spliced(before: NDArray[Any], after: NDArray[Any]) -> NDArray[Any]:
            return np.insert(np.delete(before, old, axis=0), at, after, axis=0)

        return Columns(
            spliced(base.ids, new.ids),
            spliced(base.voxels, new.voxels),
            spliced(base.start, new.start),
            spliced(base.stop, new.stop),
        )


def _union(parts: list[_Places]) -> _Places:
    """Return the places of objects that became one."""
    blocks = np.concatenate([places.blocks for places in parts])
    table = np.concatenate([places.table for places in parts])
    if not len(blocks):
        return _Places(blocks, table)
    order = np.argsort(blocks, kind="stable")
    blocks, table = blocks[order], table[order]
    first = np.flatnonzero(np.concatenate([[True], blocks[1:] != blocks[:-1]]))
    merged = np.empty((len(first), 7), np.int64)
    merged[:, COUNT] = np.add.reduceat(table[:, COUNT], first)
    merged[:, START] = np.minimum.reduceat(table[:, START], first, axis=0)
    merged[:, STOP] = np.maximum.reduceat(table[:, STOP], first, axis=0)
    return _Places(blocks[first], merged)


def _is_sorted(tally: Tally) -> bool:
    labels, blocks = tally.labels, tally.blocks
    is_on = labels[1:] > labels[:-1]
    return bool((is_on | ((labels[1:] == labels[:-1]) & (blocks[1:] >= blocks[:-1]))).all())


def _narrowed(array: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers, none negative, in the smallest type that holds them."""
    return array.astype(np.min_scalar_type(int(array.max(initial=0))))


def _box(row: Ints) -> Box:
    _, z0, y0, x0, z1, y1, x1 = row.tolist()
    return Box((z0, y0, x0), (z1, y1, x1))
