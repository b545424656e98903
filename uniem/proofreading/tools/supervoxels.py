"""The supervoxel brush: regions of the image made on demand, painted as a whole where they are touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.superpixels import Relief, superpixels
from uniem.data.geometry import Box
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.progress import Context
from uniem.proofreading.edits import Edit
from uniem.proofreading.tools.brush import Stroke, stroke_masks
from uniem.proofreading.tools.masks import Mask, edit_of, paint_title, tiles
from uniem.proofreading.tools.plane import voxels_per_x
from uniem.proofreading.tools.protect import Protect, check_label, is_among

MOST_VOXELS = 1 << 24


@dataclass(frozen=True, slots=True, eq=False)
class Supervoxels:
    """Regions of a box: the number of each voxel's region, (z, y, x) int32, from 1."""

    box: Box
    numbers: NDArray[np.int32]

    def touched(self, volume: Volume, stroke: Stroke) -> frozenset[int]:
        """Return the regions that a stroke touches."""
        found: set[int] = set()
        for box, mask in stroke_masks(volume, stroke):
            common = box.intersection(self.box)
            if not common.is_empty:
                numbers = self.numbers[common.relative_to(self.box.start).slices]
                found.update(np.unique(numbers[mask[common.relative_to(box.start).slices]]).tolist())
        return frozenset(found)

    def mask(self, chosen: frozenset[int]) -> NDArray[np.bool_]:
        """Return which voxels of the box belong to the chosen regions."""
        return is_among(self.numbers, chosen)


def make_supervoxels(
    image: Volume,
    box: Box,
    size_px: float,
    relief: Relief = Relief.DARK_LINES,
    context: Context | None = None,
) -> Supervoxels:
    """Cut a box of an image, such as the visible part of a section, into regions of about a size across.

    The size is in voxels along x. Meant for a thread: the long steps let other threads run.
    """
    box = box.intersection(Box.of_shape(image.shape))
    if box.size > MOST_VOXELS:
        raise UniemError(
            f"{box.size:,} voxels are too many for the supervoxel brush.", "Zoom in or take fewer sections."
        )
    context = context or Context()
    gray = image.read(box)
    context.check_cancelled()
    spacing = [1 / voxels_per_x(image.voxel_size, axis) for axis in range(3)]
    numbers = superpixels(gray, size_px, spacing, relief)
    context.check_cancelled()
    return Supervoxels(box, numbers)


def paint_supervoxels(
    volume: Volume,
    supervoxels: Supervoxels,
    stroke: Stroke,
    label: int,
    protect: Protect | None = None,
    context: Context | None = None,
) -> Edit | None:
    """Give the regions that a stroke touches a label, 0 to erase; None if nothing changes."""
    protect = protect or Protect()
    check_label(volume, label, protect)
    masks = _masks(supervoxels, supervoxels.touched(volume, stroke))
    return edit_of(paint_title(label), volume, masks, label, protect, context)


def _masks(supervoxels: Supervoxels, chosen: frozenset[int]) -> Iterator[Mask]:
    box = supervoxels.box
    for tile in tiles(box) if chosen else ():
        yield tile, is_among(supervoxels.numbers[tile.relative_to(box.start).slices], chosen)
