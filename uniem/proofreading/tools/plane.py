"""The planes of a volume in which tools draw, and what is round in them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple, VoxelSize

Pair = tuple[float, float]
Point = tuple[float, float, float]


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

    def box(self, position: int, start_rc: tuple[int, int], stop_rc: tuple[int, int], depth: int = 1) -> Box:
        """Return the box of some rows and columns of the plane at a position, `depth` planes thick."""
        start, stop = [0, 0, 0], [0, 0, 0]
        for axis, first, last in zip(
            (self.fixed_axis, *self.axes), (position, *start_rc), (position + depth, *stop_rc), strict=True
        ):
            start[axis], stop[axis] = int(first), int(last)
        return Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))

    def section(self, position: int, shape: Triple) -> Box:
        """Return the whole plane at a position of a volume of this shape."""
        row, column = self.axes
        return self.box(position, (0, 0), (shape[row], shape[column]))

    def flat(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return a (z, y, x) array that is one plane thick as (row, column)."""
        return np.squeeze(array, axis=self.fixed_axis)

    def solid(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return a (row, column) array as (z, y, x), one plane thick."""
        return np.expand_dims(array, self.fixed_axis)


def brush_aspect(voxel_size: VoxelSize | None, plane: Plane) -> Pair:
    """Return how many voxels along rows and columns of a plane are as long as one along x."""
    row, column = plane.axes
    return (voxels_per_x(voxel_size, row), voxels_per_x(voxel_size, column))


def voxels_per_x(voxel_size: VoxelSize | None, axis: int) -> float:
    """Return how many voxels along an axis are as long as one along x; 1 where the size is unknown."""
    return 1.0 if voxel_size is None else voxel_size.x / voxel_size[axis]
