"""Lasso and polygon: the voxels inside an outline made into an edit, tile by tile."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from uniem.algorithms.rasterise import FillRule, polygon_mask
from uniem.data.geometry import Box
from uniem.data.volume import Volume, check_same_shape
from uniem.progress import Context
from uniem.proofreading.edits import Edit
from uniem.proofreading.tools.brush import GrayRange
from uniem.proofreading.tools.masks import Mask, edit_of, paint_title, tiles
from uniem.proofreading.tools.plane import Plane, Point
from uniem.proofreading.tools.protect import Protect, check_label


def paint_polygon(
    volume: Volume,
    points_zyx: Sequence[Point],
    label: int,
    protect: Protect | None = None,
    plane: Plane = Plane.XY,
    rule: FillRule = "non-zero",
    gray: GrayRange | None = None,
    context: Context | None = None,
) -> Edit | None:
    """Give the voxels inside a closed outline in one plane a label, 0 to erase; None if nothing changes.

    Points are voxel indices, the centre of voxel i at i; the first one says which plane. A voxel is inside
    if its centre is; see `polygon_mask` for centres on the outline and outlines that cross themselves.
    """
    protect = protect or Protect()
    check_label(volume, label, protect)
    masks = _inside(volume, points_zyx, plane, rule)
    if gray is not None:
        check_same_shape(volume, gray.image)
        masks = gray.limit(masks)
    return edit_of(paint_title(label), volume, masks, label, protect, context)


def _inside(volume: Volume, points_zyx: Sequence[Point], plane: Plane, rule: FillRule) -> Iterator[Mask]:
    row, column = plane.axes
    points = [(point[row], point[column]) for point in points_zyx]
    rows, columns = zip(*points, strict=True)
    low = (math.ceil(min(rows)), math.ceil(min(columns)))
    high = (math.floor(max(rows)) + 1, math.floor(max(columns)) + 1)
    position = int(points_zyx[0][plane.fixed_axis])
    around = plane.box(position, low, high).intersection(Box.of_shape(volume.shape))
    for tile in () if around.is_empty else tiles(around, (512, 512, 512)):
        start, stop = ((corner[row], corner[column]) for corner in (tile.start, tile.stop))
        yield tile, plane.solid(polygon_mask(points, start, stop, rule))
