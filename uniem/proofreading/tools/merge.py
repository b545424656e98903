"""Objects merged into one, deleted, or absorbed because they are small."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from uniem.data.geometry import Box, Triple
from uniem.data.volume import Volume
from uniem.progress import Context
from uniem.proofreading.edits import Edit
from uniem.proofreading.tools.masks import TILE, Mask, edit_of, tiles
from uniem.proofreading.tools.protect import Protect, check_label, check_unlocked, is_among

# Boxes that together hold all voxels of a label, as `ObjectTable.boxes_of` gives them.
Places = Callable[[int], Iterable[Box]]


def merge(
    volume: Volume,
    into: int,
    others: Iterable[int],
    places: Places,
    protect: Protect | None = None,
    context: Context | None = None,
) -> Edit | None:
    """Give all voxels of other objects the label of one; None if there is nothing to merge.

    Background and locked objects among the others are spared. Raises `UniemError` if the one is locked.
    """
    locks = Protect(locked=(protect or Protect()).locked)
    check_label(volume, into, locks)
    chosen = sorted(set(others) - locks.locked - {0, into})
    masks = _where(volume, chosen, places)
    return edit_of(f"Merge {_listed(chosen)} into {into}", volume, masks, into, locks, context)


def delete(
    volume: Volume,
    labels: Iterable[int],
    places: Places,
    protect: Protect | None = None,
    context: Context | None = None,
) -> Edit | None:
    """Make background of objects; None if they have no voxels. Raises `UniemError` if one is locked."""
    locks = Protect(locked=(protect or Protect()).locked)
    chosen = sorted(set(labels) - {0})
    check_unlocked(chosen, locks)
    masks = _where(volume, chosen, places)
    return edit_of(f"Delete {_listed(chosen)}", volume, masks, 0, locks, context)


def absorb_small(
    volume: Volume,
    label: int,
    max_voxels: int,
    voxels_of: Callable[[int], int],
    places: Places,
    protect: Protect | None = None,
    context: Context | None = None,
) -> Edit | None:
    """Merge into an object all of at most so many voxels that touch it with a face of a voxel."""
    context = context or Context()
    found = neighbours(volume, label, places(label), context)
    small = [other for other in found if voxels_of(other) <= max_voxels]
    return merge(volume, label, small, places, protect, context)


def neighbours(
    volume: Volume, label: int, boxes: Iterable[Box], context: Context | None = None
) -> frozenset[int]:
    """Return the objects that touch an object with a face of a voxel."""
    found: set[int] = set()
    whole = Box.of_shape(volume.shape)
    for box in boxes:
        (context or Context()).check_cancelled()
        array = volume.read(box.expanded((1, 1, 1)).intersection(whole))
        mask = array == label
        for axis in range(3):
            low, high = (_shifted(axis, part) for part in (slice(None, -1), slice(1, None)))
            for one, two in ((low, high), (high, low)):
                found.update(np.unique(array[two][mask[one]]).tolist())
    return frozenset(found - {0, label})


def _where(volume: Volume, labels: list[int], places: Places) -> Iterator[Mask]:
    """Yield the voxels of some labels, each tile once."""
    whole, around = Box.of_shape(volume.shape), dict[Triple, Box]()
    for label in labels:
        for box in places(label):
            for tile in tiles(box.intersection(whole)):
                z, y, x = (start // size for start, size in zip(tile.start, TILE, strict=True))
                around[z, y, x] = tile.union(around.get((z, y, x), tile))
    for box in around.values():
        yield box, is_among(volume.read(box), labels)


def _shifted(axis: int, part: slice) -> tuple[slice, ...]:
    return tuple(part if a == axis else slice(None) for a in range(3))


def _listed(labels: list[int]) -> str:
    return ", ".join(map(str, labels)) if len(labels) <= 3 else f"{len(labels)} objects"
