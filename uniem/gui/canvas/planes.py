"""How the planes of a volume lie on the screen: which axes run down, across, and into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.volume import Volume
from uniem.proofreading.tools.plane import Plane, brush_aspect

Span = tuple[int, int]
AXIS_NAMES = ("z", "y", "x")


@dataclass(frozen=True, slots=True)
class ViewAxes:
    """The axes of a view: into the screen, down its rows, and along its columns.

    The yz view shows z along its columns, so that y runs down as in the xy view beside it.
    """

    plane: Plane
    across: int
    rows: int
    columns: int

    @property
    def is_turned(self) -> bool:
        """Tell whether rows and columns are swapped against the order of z, y, x."""
        return self.rows > self.columns

    def section_of(self, block: NDArray[Any], index: int) -> NDArray[Any]:
        """Return the (row, column) view of a section of a (z, y, x) block."""
        if self.across == 0:
            section = block[index]
        else:
            section = block[:, index] if self.across == 1 else block[:, :, index]
        return section.T if self.is_turned else section

    def turned(self, picture: NDArray[Any]) -> NDArray[Any]:
        """Return (first axis, second axis) of the plane as (row, column), or the other way round."""
        return picture.T if self.is_turned else picture

    def box(self, position: int, rows: Span, columns: Span) -> Box:
        """Return the box of one section's rows and columns."""
        start, stop = [0, 0, 0], [0, 0, 0]
        for axis, (low, high) in zip(
            (self.across, self.rows, self.columns), ((position, position + 1), rows, columns), strict=True
        ):
            start[axis], stop[axis] = low, high
        return Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))

    def zyx(self, position: int, row: int, column: int) -> Triple:
        """Return the voxel at a row and column of a section."""
        place = [0, 0, 0]
        place[self.across], place[self.rows], place[self.columns] = position, row, column
        return (place[0], place[1], place[2])

    def shape(self, shape_zyx: Triple) -> tuple[int, int]:
        """Return the numbers of rows and columns of a section."""
        return shape_zyx[self.rows], shape_zyx[self.columns]

    def aspect(self, voxel_size: VoxelSize | None) -> float:
        """Return the height of a voxel over its width, as it is in the specimen."""
        return voxel_size[self.rows] / voxel_size[self.columns] if voxel_size is not None else 1.0

    def column_nm(self, volume: Volume | None) -> float | None:
        """Return how wide a voxel is, also where only the pixels of the sections are known; else None."""
        if volume is None:
            return None
        if volume.voxel_size is not None:
            return volume.voxel_size[self.columns]
        return volume.pixel_size[1] if volume.pixel_size is not None and self.plane is Plane.XY else None

    def brush_aspect(self, voxel_size: VoxelSize | None) -> tuple[float, float]:
        """Return how many voxels along rows and columns are as long as one along x."""
        one, other = brush_aspect(voxel_size, self.plane)
        return (other, one) if self.is_turned else (one, other)


VIEW_AXES = {
    Plane.XY: ViewAxes(Plane.XY, 0, 1, 2),
    Plane.XZ: ViewAxes(Plane.XZ, 1, 0, 2),
    Plane.YZ: ViewAxes(Plane.YZ, 2, 1, 0),
}
