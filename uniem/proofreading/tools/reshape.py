"""Grow, shrink and smooth an object by a distance in nm, in a plane or in 3D, block by block."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms import morphology
from uniem.data.geometry import Box, Triple
from uniem.data.volume import Volume
from uniem.progress import Context
from uniem.proofreading.edits import Edit, Patch
from uniem.proofreading.tools.masks import tiles
from uniem.proofreading.tools.plane import Plane
from uniem.proofreading.tools.protect import Protect, check_label

Change = Callable[[NDArray[np.bool_], float, Sequence[float]], NDArray[np.bool_]]
_BLOCK: Triple = (32, 256, 256)


def grow(
    volume: Volume,
    label: int,
    box: Box,
    radius_nm: float,
    protect: Protect | None = None,
    plane: Plane | None = None,
    context: Context | None = None,
) -> Edit | None:
    """Give a label to voxels within a radius of it, in 3D or in every section of a plane.

    `box` holds the label's voxels: the object's box, or its part in one section. Other labels are spared
    unless `protect` selects them. Where the voxel size is unknown, the radius is in voxels.
    """
    return _reshape(f"Grow {label}", volume, label, box, radius_nm, morphology.grown, protect, plane, context)


def shrink(
    volume: Volume,
    label: int,
    box: Box,
    radius_nm: float,
    protect: Protect | None = None,
    plane: Plane | None = None,
    context: Context | None = None,
) -> Edit | None:
    """Make background of an object's voxels within a radius of what is not it; see `grow`.

    It does not shrink from the border of the volume.
    """
    return _reshape(
        f"Shrink {label}", volume, label, box, radius_nm, morphology.shrunk, protect, plane, context
    )


def smooth(
    volume: Volume,
    label: int,
    box: Box,
    radius_nm: float,
    protect: Protect | None = None,
    plane: Plane | None = None,
    context: Context | None = None,
) -> Edit | None:
    """Take off bumps and fill dents of an object that are smaller than a radius; see `grow`."""
    return _reshape(
        f"Smooth {label}", volume, label, box, radius_nm, morphology.smoothed, protect, plane, context
    )


def _reshape(
    title: str,
    volume: Volume,
    label: int,
    box: Box,
    radius_nm: float,
    change: Change,
    protect: Protect | None,
    plane: Plane | None,
    context: Context | None,
) -> Edit | None:
    protect = (protect or Protect()).sparing_others()
    check_label(volume, label, protect)
    spacing = list(volume.voxel_size or (1.0, 1.0, 1.0))
    if plane is not None:
        spacing[plane.fixed_axis] = math.inf
    halo = morphology.reach(radius_nm, spacing)
    parts: list[Patch] = []
    for core, outer in _blocks(volume, box, halo):
        (context or Context()).check_cancelled()
        array = volume.read(outer)
        mask = array == label
        if mask.any():
            inner = core.relative_to(outer.start).slices
            new, old, before = change(mask, radius_nm, spacing)[inner], mask[inner], array[inner]
            changing = (new & ~old & protect.paintable(before)) | (old & ~new)
            after = np.where(new, np.asarray(label, before.dtype), np.zeros((), before.dtype))
            patch = Patch.of(core.start, changing, before, after)
            parts += [patch] if patch is not None else []
    return Edit(title, tuple(parts)) if parts else None


def _blocks(volume: Volume, box: Box, halo: Triple) -> Iterator[tuple[Box, Box]]:
    """Yield the blocks in which voxels may change, and what is read to know."""
    whole = Box.of_shape(volume.shape)
    for core in tiles(box.expanded(halo).intersection(whole), _BLOCK):
        yield core, core.expanded(halo).intersection(whole)
