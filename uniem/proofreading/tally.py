"""Voxels of labels counted by block: what a volume holds, as arrays."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Triple
from uniem.proofreading.edits import Patch, distinct, tight_box

Ints = NDArray[np.int64]
# A row of a label's table: voxels in the block, then start and stop of the box around them.
COUNT, START, STOP = 0, slice(1, 4), slice(4, 7)


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


def tallied(labels: NDArray[Any], blocks: Ints, points: Ints) -> Tally:
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


def rows_in_block(patch: Patch, labels: NDArray[Any], sign: int) -> Iterator[tuple[int, Ints]]:
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


def summed(tally: Tally, ids: NDArray[np.uint64], first: Ints) -> Columns:
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


def packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Encode named arrays."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return zlib.compress(buffer.getbuffer(), 1)


def unpacked(data: bytes) -> dict[str, NDArray[Any]]:
    """Decode what `packed` made."""
    with np.load(io.BytesIO(zlib.decompress(data)), allow_pickle=False) as arrays:
        return dict(arrays)
