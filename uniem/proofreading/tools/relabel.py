"""Voxels of one label given another, within a box or in a whole object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from uniem.data.geometry import Box
from uniem.data.volume import Volume
from uniem.progress import Context
from uniem.proofreading.edits import Edit, Patch
from uniem.proofreading.tools.masks import Mask, edit_of, tiles
from uniem.proofreading.tools.protect import Protect, check_label, check_unlocked


def relabel(
    volume: Volume,
    old: int,
    new: int,
    boxes: Iterable[Box],
    protect: Protect | None = None,
    context: Context | None = None,
) -> Edit | None:
    """Give all voxels of a label in some boxes, none of which overlap, another label; 0 deletes them.

    For a whole object the boxes are `objects.boxes_of(old)`, for one section their parts in it. Which labels
    may change is clear from the call, so only locks count of what is protected.
    """
    locks = Protect(locked=(protect or Protect()).locked)
    check_label(volume, new, locks)
    check_unlocked([old], locks)
    title = f"Relabel {old} as {new}" if new else f"Delete {old}"
    return edit_of(title, volume, _where(volume, old, boxes), new, locks, context)


def swap(
    volume: Volume,
    first: int,
    second: int,
    box: Box,
    protect: Protect | None = None,
    context: Context | None = None,
) -> Edit | None:
    """Exchange two labels, one of which may be background, inside a box such as one section."""
    locks = Protect(locked=(protect or Protect()).locked)
    check_label(volume, first, locks)
    check_label(volume, second, locks)
    parts: list[Patch] = []
    for tile in tiles(box.intersection(Box.of_shape(volume.shape))):
        (context or Context()).check_cancelled()
        before = volume.read(tile)
        is_first, is_second = before == first, before == second
        after = np.where(is_first, np.asarray(second, before.dtype), np.asarray(first, before.dtype))
        patch = Patch.of(tile.start, is_first | is_second, before, after)
        parts += [patch] if patch is not None else []
    return Edit(f"Swap {first} and {second}", tuple(parts)) if parts else None


def _where(volume: Volume, label: int, boxes: Iterable[Box]) -> Iterator[Mask]:
    whole = Box.of_shape(volume.shape)
    for box in boxes:
        for tile in tiles(box.intersection(whole)):
            yield tile, volume.read(tile) == label
