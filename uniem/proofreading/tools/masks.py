"""Masks of voxels made into edits, piece by piece."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.data.volume import Volume
from uniem.progress import Context
from uniem.proofreading.edits import Edit, Patch, tight_box
from uniem.proofreading.tools.protect import Protect

Mask = tuple[Box, NDArray[np.bool_]]
# Work is cut along this grid, whose lines are chunk borders of new stores as well.
TILE: Triple = (16, 512, 512)


def edit_of(
    title: str,
    volume: Volume,
    masks: Iterable[Mask],
    label: int,
    protect: Protect,
    context: Context | None = None,
) -> Edit | None:
    """Give the voxels under masks a label, except the protected ones; None if nothing changes.

    No voxel may be in two masks. The context is asked between masks whether to go on.
    """
    context = context or Context()
    parts: list[Patch] = []
    for box, mask in masks:
        context.check_cancelled()
        inner = tight_box(mask)
        if inner is None:
            continue
        box, mask = inner.translated(box.start), mask[inner.slices]
        before = volume.read(box)
        patch = Patch.of(box.start, mask & protect.paintable(before), before, label)
        if patch is not None:
            parts.append(patch)
    return Edit(title, tuple(parts)) if parts else None


def paint_title(label: int) -> str:
    """Return what giving voxels a label is called."""
    return f"Paint {label}" if label else "Erase"


def tiles(box: Box, tile: Triple = TILE) -> Iterator[Box]:
    """Cut a box along the grid of tiles, in z, y, x order."""
    ranges = (
        range(start // size, -(-stop // size))
        for start, stop, size in zip(box.start, box.stop, tile, strict=True)
    )
    for z, y, x in itertools.product(*ranges):
        start = (z * tile[0], y * tile[1], x * tile[2])
        yield Box.of_shape(tile).translated(start).intersection(box)
