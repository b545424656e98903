"""Where a view looks: the point in its middle and how large a voxel is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

MIN_SCALE = 1 / 256
MAX_SCALE = 128.0


@dataclass(frozen=True, slots=True)
class Camera:
    """A view onto a section; rows and columns are in voxels, screen places in logical pixels.

    Attributes
    ----------
    row, column : float
        The place in the middle of the view; the first voxel spans [0, 1).
    scale : float
        Screen pixels per voxel along a row.
    aspect : float
        The height of a voxel over its width.
    """

    row: float = 0.0
    column: float = 0.0
    scale: float = 1.0
    aspect: float = 1.0

    @staticmethod
    def fitting(shape_yx: tuple[int, int], size: tuple[int, int], aspect: float = 1.0) -> Camera:
        """Return the camera that shows a whole section in a view of size (width, height)."""
        height, width = shape_yx
        scale = 0.98 * min(size[0] / width, size[1] / (height * aspect))
        return Camera(height / 2, width / 2, _limited(scale), aspect)

    def to_section(self, x: float, y: float, size: tuple[int, int]) -> tuple[float, float]:
        """Return the row and column under a place in a view of size (width, height)."""
        row = self.row + (y - size[1] / 2) / (self.scale * self.aspect)
        return row, self.column + (x - size[0] / 2) / self.scale

    def to_screen(self, row: float, column: float, size: tuple[int, int]) -> tuple[float, float]:
        """Return the place (x, y) of a row and column in a view of size (width, height)."""
        y = (row - self.row) * self.scale * self.aspect + size[1] / 2
        return (column - self.column) * self.scale + size[0] / 2, y

    def zoomed(self, factor: float, x: float, y: float, size: tuple[int, int]) -> Camera:
        """Return the camera zoomed by a factor while the voxel under (x, y) stays there."""
        row, column = self.to_section(x, y, size)
        scale = _limited(self.scale * factor)
        kept = self.scale / scale
        return replace(
            self,
            row=row + (self.row - row) * kept,
            column=column + (self.column - column) * kept,
            scale=scale,
        )

    def panned(self, dx: float, dy: float) -> Camera:
        """Return the camera after the section was dragged by (dx, dy) screen pixels."""
        return replace(
            self, row=self.row - dy / (self.scale * self.aspect), column=self.column - dx / self.scale
        )

    def view_box(self, size: tuple[int, int]) -> tuple[float, float, float, float]:
        """Return the first row, first column, last row and last column in view."""
        row, column = self.to_section(0, 0, size)
        last_row, last_column = self.to_section(size[0], size[1], size)
        return row, column, last_row, last_column


def _limited(scale: float) -> float:
    return min(max(scale, MIN_SCALE), MAX_SCALE)
