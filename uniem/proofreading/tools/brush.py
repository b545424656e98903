"""Brush and eraser: a stroke made into an edit, at the cost of the voxels it covers."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.rasterise import RIM, disc_stroke
from uniem.data.volume import Volume, check_same_shape
from uniem.progress import Context
from uniem.proofreading.edits import Edit, tight_box
from uniem.proofreading.tools.masks import Mask, edit_of, paint_title
from uniem.proofreading.tools.plane import Pair, Plane, Point, brush_aspect, voxels_per_x
from uniem.proofreading.tools.protect import Protect, check_label

# Sections of a stroke in 3D are gathered so many at a time.
_DEPTH = 16


class Tip(StrEnum):
    """What the brush is: a disc in the plane, or a ball that reaches the planes on both sides."""

    DISC = "disc"
    BALL = "ball"


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line drawn with a round brush in planes of one direction.

    Points are voxel indices, the centre of voxel i at i; each says in which plane it lies. The radius, or
    one for each point, is in voxels along x: where voxels are longer along z, the brush covers fewer of
    them, and is round in nm. Between points of different radius the edges run straight. A ball covers in
    every plane what discs of its cross-sections there would draw.
    """

    points_zyx: tuple[Point, ...]
    radius_px: float | tuple[float, ...]
    plane: Plane = Plane.XY
    tip: Tip = Tip.DISC

    @property
    def radii_px(self) -> tuple[float, ...]:
        """The radius at each point."""
        if isinstance(self.radius_px, tuple):
            return self.radius_px
        return (self.radius_px,) * len(self.points_zyx)


@dataclass(frozen=True, slots=True)
class GrayRange:
    """Gray values of an image, both ends included, within which a brush paints."""

    image: Volume
    low: float
    high: float

    def limit(self, masks: Iterator[Mask]) -> Iterator[Mask]:
        """Yield the masks without the voxels whose gray value is outside."""
        for box, mask in masks:
            inner = tight_box(mask)
            if inner is not None:
                gray = self.image.read(inner.translated(box.start))
                is_inside = (gray >= self.low) & (gray <= self.high)
                yield inner.translated(box.start), mask[inner.slices] & is_inside


@dataclass(frozen=True, slots=True)
class _Line:
    """A polyline in one plane with a radius at each point."""

    points: list[Pair]
    radii: list[float]


def paint(
    volume: Volume,
    stroke: Stroke,
    label: int,
    protect: Protect | None = None,
    gray: GrayRange | None = None,
    context: Context | None = None,
) -> Edit | None:
    """Give the voxels under a stroke a label, 0 to erase; None if nothing changes.

    A line of some width is a stroke of two points. With `gray`, only voxels within a range of gray values
    are painted. Raises `UniemError` if the label is locked or larger than the volume can hold.
    """
    protect = protect or Protect()
    check_label(volume, label, protect)
    masks = stroke_masks(volume, stroke)
    if gray is not None:
        check_same_shape(volume, gray.image)
        masks = gray.limit(masks)
    return edit_of(paint_title(label), volume, masks, label, protect, context)


def stroke_masks(volume: Volume, stroke: Stroke) -> Iterator[Mask]:
    """Yield boxes and which of their voxels a stroke covers, each voxel once."""
    lines = _lines_by_position(volume, stroke)
    for _, positions in itertools.groupby(sorted(lines), key=lambda position: position // _DEPTH):
        yield from _gather(volume, stroke, {position: lines[position] for position in positions})


def _lines_by_position(volume: Volume, stroke: Stroke) -> dict[int, list[_Line]]:
    """Return what the stroke draws in each plane that it meets, by the plane's position."""
    across, (row, column) = stroke.plane.fixed_axis, stroke.plane.axes
    lines = defaultdict[int, list[_Line]](list)
    points = zip(stroke.points_zyx, stroke.radii_px, strict=True)
    for position, run in itertools.groupby(points, key=lambda item: int(item[0][across])):
        drawn = [((point[row], point[column]), radius) for point, radius in run]
        if stroke.tip is Tip.DISC:
            lines[position].append(_Line([point for point, _ in drawn], [radius for _, radius in drawn]))
            continue
        aspect = voxels_per_x(volume.voxel_size, across)
        reach = math.floor(max(radius for _, radius in drawn) * aspect + RIM)
        for offset in range(-reach, reach + 1):
            lines[position + offset] += _cross_sections(drawn, abs(offset) / aspect)
    return {position: some for position, some in lines.items() if 0 <= position < volume.shape[across]}


def _cross_sections(drawn: list[tuple[Pair, float]], distance: float) -> list[_Line]:
    """Return the lines that balls draw in a plane at a distance, in voxels along x."""
    lines = []
    for is_met, run in itertools.groupby(drawn, key=lambda item: item[1] >= distance - RIM):
        if is_met:
            points, radii = zip(*run, strict=True)
            lines.append(_Line(list(points), [math.sqrt(max(0.0, r * r - distance**2)) for r in radii]))
    return lines


def _gather(volume: Volume, stroke: Stroke, lines: dict[int, list[_Line]]) -> Iterator[Mask]:
    """Yield the voxels of lines in neighbouring planes, tile by tile."""
    plane, (row, column) = stroke.plane, stroke.plane.axes
    shape, aspect = (volume.shape[row], volume.shape[column]), brush_aspect(volume.voxel_size, stroke.plane)
    first, depth = min(lines), max(lines) - min(lines) + 1
    side = 256 if max(stroke.radii_px) < 256 else 512
    found: dict[tuple[int, int], NDArray[np.bool_]] = {}
    for position, some in lines.items():
        for piece in itertools.chain.from_iterable(map(_pieces, some)):
            r0, c0, mask = disc_stroke(piece.points, piece.radii, shape, aspect)
            for r, c in _tiles_under(r0, c0, mask.shape, side):
                tile = found.setdefault((r, c), np.zeros((depth, side, side), np.bool_))[position - first]
                top, left = max(r, r0), max(c, c0)
                part = mask[top - r0 : r + side - r0, left - c0 : c + side - c0]
                tile[top - r : top - r + part.shape[0], left - c : left - c + part.shape[1]] |= part
    for (r, c), tile in found.items():
        box = plane.box(first, (r, c), (r + side, c + side), depth)
        yield box, np.moveaxis(tile, 0, plane.fixed_axis)


def _tiles_under(r0: int, c0: int, shape: tuple[int, ...], side: int) -> Iterator[tuple[int, int]]:
    """Yield first row and column of the tiles that a mask meets."""
    rows, columns = (range(a // side * side, a + n, side) for a, n in zip((r0, c0), shape, strict=True))
    yield from itertools.product(rows, columns) if shape[0] and shape[1] else ()


def _pieces(line: _Line) -> Iterator[_Line]:
    """Cut a polyline so that the box around each piece is not much larger than the brush."""
    most = 2 * max(line.radii) + 64
    points, radii = line.points[:1], line.radii[:1]
    ends = zip(line.points, line.radii, strict=True)
    for (start, start_radius), (stop, stop_radius) in itertools.pairwise(ends):
        steps = max(1, math.ceil(math.dist(start, stop) / most))
        for i in range(1, steps + 1):
            point = (start[0] + (stop[0] - start[0]) * i / steps, start[1] + (stop[1] - start[1]) * i / steps)
            if _extent([*points, point]) > most and len(points) > 1:
                yield _Line(points, radii)
                points, radii = points[-1:], radii[-1:]
            points.append(point)
            radii.append(start_radius + (stop_radius - start_radius) * i / steps)
    yield _Line(points, radii)


def _extent(points: list[Pair]) -> float:
    rows, columns = zip(*points, strict=True)
    return float(max(max(rows) - min(rows), max(columns) - min(columns)))
