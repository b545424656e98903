"""Brush and eraser: a stroke in one plane made into an edit, at the cost of the voxels it covers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.rasterise import disc_stroke
from uniem.data.geometry import Box, VoxelSize
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.proofreading.edits import Edit, Patch, tight_box

Pair = tuple[float, float]
# Strokes are cut along these lines of the plane, which are chunk borders of new stores as well.
_TILE = 256


class Plane(StrEnum):
    """A plane of the volume, by the axes that lie in it; rows come before columns in z, y, x order."""

    XY = "xy"
    XZ = "xz"
    YZ = "yz"

    @property
    def fixed_axis(self) -> int:
        """The axis across the plane."""
        return {Plane.XY: 0, Plane.XZ: 1, Plane.YZ: 2}[self]

    @property
    def axes(self) -> tuple[int, int]:
        """The axes of rows and columns."""
        return {Plane.XY: (1, 2), Plane.XZ: (0, 2), Plane.YZ: (0, 1)}[self]


class Over(StrEnum):
    """What a brush may paint over."""

    ALL = "all"
    BACKGROUND = "background"
    ONE_LABEL = "one label"


@dataclass(frozen=True, slots=True)
class Protect:
    """Which voxels a tool spares: by rule, and those of locked objects always."""

    over: Over = Over.ALL
    inside: int = 0
    locked: frozenset[int] = frozenset()

    def paintable(self, labels: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which voxels may be changed, given their labels."""
        free: NDArray[np.bool_]
        if self.over is Over.BACKGROUND:
            free = labels == 0
        elif self.over is Over.ONE_LABEL:
            free = labels == self.inside
        else:
            free = np.ones(labels.shape, np.bool_)
        if self.locked and free.any():
            free &= ~np.isin(labels, np.array(list(self.locked), dtype=labels.dtype))
        return free


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line drawn with a round brush in one plane.

    Points are voxel indices, the centre of voxel i at i; the first one says which plane. The radius is in
    voxels along x: where voxels are longer along z, the brush covers fewer of them, and is round in nm.
    """

    points_zyx: tuple[tuple[float, float, float], ...]
    radius_px: float
    plane: Plane = Plane.XY


def paint(volume: Volume, stroke: Stroke, label: int, protect: Protect | None = None) -> Edit | None:
    """Give the voxels under a stroke a label, 0 to erase; None if nothing changes.

    Raises `UniemError` if the label is locked or larger than the volume can hold.
    """
    protect = protect or Protect()
    _check_label(volume, label, protect)
    parts = []
    for box, selection in _covered(volume, stroke):
        before = volume.read(box)
        patch = Patch.of(box.start, selection & protect.paintable(before), before, label)
        if patch is not None:
            parts.append(patch)
    return Edit(f"Paint {label}" if label else "Erase", tuple(parts)) if parts else None


def brush_aspect(voxel_size: VoxelSize | None, plane: Plane) -> Pair:
    """Return how many voxels along rows and columns of a plane are as long as one along x."""
    if voxel_size is None:
        return (1.0, 1.0)
    row, column = plane.axes
    return (voxel_size.x / voxel_size[row], voxel_size.x / voxel_size[column])


def _check_label(volume: Volume, label: int, protect: Protect) -> None:
    if label in protect.locked:
        raise UniemError(
            f"Object {label} is locked.", "Unlock it in the object table, or choose another label."
        )
    largest = np.iinfo(volume.dtype).max
    if not 0 <= label <= largest:
        raise UniemError(
            f"Label {label} does not fit {volume.name or 'the volume'}, which holds 0 to {largest}.",
            "Choose a smaller label, or convert the volume to a wider type.",
        )


def _covered(volume: Volume, stroke: Stroke) -> Iterator[tuple[Box, NDArray[np.bool_]]]:
    """Yield boxes and which of their voxels the stroke covers, tile by tile."""
    across, (row, column) = stroke.plane.fixed_axis, stroke.plane.axes
    position = int(stroke.points_zyx[0][across])
    if not 0 <= position < volume.shape[across]:
        return
    points = [(point[row], point[column]) for point in stroke.points_zyx]
    aspect = brush_aspect(volume.voxel_size, stroke.plane)
    plane_shape = (volume.shape[row], volume.shape[column])
    for (r0, c0), mask in _tiled(points, stroke.radius_px, plane_shape, aspect).items():
        selection = np.expand_dims(mask, across)
        inner = tight_box(selection)
        if inner is not None:
            start = [0, 0, 0]
            start[across], start[row], start[column] = position, r0, c0
            yield inner.translated((start[0], start[1], start[2])), selection[inner.slices]


def _tiled(
    points: list[Pair], radius_px: float, shape: tuple[int, int], aspect: Pair
) -> dict[tuple[int, int], NDArray[np.bool_]]:
    """Return the pixels of a stroke by tile: {first row and column: (row, column) bool}."""
    tiles: dict[tuple[int, int], NDArray[np.bool_]] = {}
    for piece in _pieces(points, radius_px):
        r0, c0, mask = disc_stroke(piece, radius_px, shape, aspect)
        rows, columns = (
            range(a // _TILE * _TILE, a + n, _TILE) for a, n in zip((r0, c0), mask.shape, strict=True)
        )
        for r, c in itertools.product(rows, columns) if mask.size else ():
            tile = tiles.setdefault((r, c), np.zeros((_TILE, _TILE), np.bool_))
            top, left = max(r, r0), max(c, c0)
            part = mask[top - r0 : r + _TILE - r0, left - c0 : c + _TILE - c0]
            tile[top - r : top - r + part.shape[0], left - c : left - c + part.shape[1]] |= part
    return tiles


def _pieces(points: list[Pair], radius_px: float) -> Iterator[list[Pair]]:
    """Cut a polyline so that the box around each piece is not much larger than the brush."""
    most = 2 * radius_px + 64
    piece = points[:1]
    for start, stop in itertools.pairwise(points):
        steps = max(1, math.ceil(math.dist(start, stop) / most))
        for i in range(1, steps + 1):
            point = (start[0] + (stop[0] - start[0]) * i / steps, start[1] + (stop[1] - start[1]) * i / steps)
            if _extent([*piece, point]) > most and len(piece) > 1:
                yield piece
                piece = piece[-1:]
            piece.append(point)
    yield piece


def _extent(points: list[Pair]) -> float:
    rows, columns = zip(*points, strict=True)
    return float(max(max(rows) - min(rows), max(columns) - min(columns)))
