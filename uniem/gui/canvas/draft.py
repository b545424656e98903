"""A section of labels with a stroke on it that is still being drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.rasterise import disc_stroke
from uniem.gui.canvas.compose import Axis, local_index, sample_nearest
from uniem.gui.canvas.sections import Section
from uniem.proofreading.tools.protect import Protect

TILE = 256
Pair = tuple[float, float]
RowsColumns = tuple[int, int, int, int]  # first row, first column, last row, last column; half-open


@dataclass(frozen=True, slots=True, eq=False)
class ShownRange:
    """The gray values of a section of an image, both ends included, within which a stroke is drawn."""

    section: Section
    low: float
    high: float

    def inside(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return which of some rows and columns of the reference are within."""
        index = local_index(self.section, 0, rows), local_index(self.section, 1, columns)
        gray = self.section.array[np.ix_(*index)]
        within: NDArray[np.bool_] = (gray >= self.low) & (gray <= self.high)
        return within


class DraftSection:
    """A section whose painted tiles are copies: the data stay as they are until the stroke ends.

    Where a coarser level is shown, the stroke is drawn at its resolution.
    """

    def __init__(self, section: Section) -> None:
        self.section = section
        self.gray: ShownRange | None = None
        self._tiles: dict[tuple[int, int], NDArray[Any]] = {}

    def draw(
        self,
        points: list[tuple[int, int]],
        radii_px: Sequence[float],
        aspect: Pair,
        label: int,
        protect: Protect,
        is_turned: bool = False,
    ) -> RowsColumns | None:
        """Draw a round brush along points, all in voxels of the reference; return where, None for nowhere.

        There is a radius for each point, along x. `is_turned` tells that rows and columns are swapped against
        z, y, x: rims are rounded alike then.
        """
        section = self.section
        factors = np.array(section.factors)
        local = (np.array(points) - (factors - 1) / 2) / factors - section.origin
        local_aspect = np.array(aspect) / factors
        if not section.is_full:
            radii_px = [max(radius, 0.5 / float(local_aspect.max())) for radius in radii_px]
        order = -1 if is_turned else 1
        height, width = section.array.shape[::order]
        stretch = local_aspect[::order]
        first, second, mask = disc_stroke(
            local[:, ::order], radii_px, (height, width), (float(stretch[0]), float(stretch[1]))
        )
        if not mask.size:
            return None
        row, column = (second, first) if is_turned else (first, second)
        mask = mask.T if is_turned else mask
        if self.gray is not None:
            rows, columns = self._places(row, column, mask.shape)
            mask = mask & self.gray.inside(rows, columns)
        self.paint(row, column, mask, label, protect)
        corners = np.array([[row, column], [row + mask.shape[0], column + mask.shape[1]]]) + section.origin
        (y0, x0), (y1, x1) = np.ceil(corners * factors).astype(int).tolist()
        return y0, x0, y1, x1

    def draw_mask(
        self, mask: NDArray[np.bool_], origin: tuple[int, int], label: int, protect: Protect
    ) -> RowsColumns | None:
        """Draw voxels of the reference that are given as (row, column) bool at a place; return where."""
        section = self.section
        first = [
            max(0, int(place // factor) - start)
            for place, factor, start in zip(origin, section.factors, section.origin, strict=True)
        ]
        last = [
            min(length, int(-(-(place + n) // factor)) - start)
            for place, n, factor, start, length in zip(
                origin, mask.shape, section.factors, section.origin, section.array.shape, strict=True
            )
        ]
        if last[0] <= first[0] or last[1] <= first[1]:
            return None
        rows, columns = self._places(first[0], first[1], (last[0] - first[0], last[1] - first[1]))
        index = [
            np.clip(places - start, 0, n - 1)
            for places, start, n in zip((rows, columns), origin, mask.shape, strict=True)
        ]
        self.paint(first[0], first[1], mask[np.ix_(*index)], label, protect)
        return origin[0], origin[1], origin[0] + mask.shape[0], origin[1] + mask.shape[1]

    def paint(self, row0: int, column0: int, mask: NDArray[np.bool_], label: int, protect: Protect) -> None:
        """Set the masked voxels of the array to a label, except the protected ones."""
        for row, column in self._tiles_under(row0, column0, mask.shape):
            tile = self._tile(row, column)
            top, left = max(row0, row * TILE), max(column0, column * TILE)
            bottom = min(row0 + mask.shape[0], row * TILE + tile.shape[0])
            right = min(column0 + mask.shape[1], column * TILE + tile.shape[1])
            if bottom <= top or right <= left:
                continue
            part = tile[top - row * TILE : bottom - row * TILE, left - column * TILE : right - column * TILE]
            chosen = mask[top - row0 : bottom - row0, left - column0 : right - column0]
            np.copyto(part, label, where=chosen & protect.paintable(part), casting="unsafe")

    def keep(self) -> None:
        """Write what was drawn into the picture, if that is a copy and not the data themselves."""
        if not self.section.is_copy:
            return
        for (row, column), tile in self._tiles.items():
            place = (slice(row * TILE, (row + 1) * TILE), slice(column * TILE, (column + 1) * TILE))
            self.section.array[place] = tile

    def sample(self, rows: Axis, columns: Axis) -> NDArray[Any]:
        """Return the voxel of each pixel, painted ones included."""
        sampled = sample_nearest(self.section, rows, columns)
        if not self._tiles or sampled.size == 0:
            return sampled
        sampled = sampled.copy()
        row_index = local_index(self.section, 0, rows.index)
        column_index = local_index(self.section, 1, columns.index)
        for (row, column), tile in self._tiles.items():
            top, bottom = np.searchsorted(row_index, (row * TILE, row * TILE + tile.shape[0]))
            left, right = np.searchsorted(column_index, (column * TILE, column * TILE + tile.shape[1]))
            if bottom > top and right > left:
                y, x = row_index[top:bottom] - row * TILE, column_index[left:right] - column * TILE
                is_run = y[-1] - y[0] + 1 == len(y) and x[-1] - x[0] + 1 == len(x)
                picked = tile[y[0] : y[-1] + 1, x[0] : x[-1] + 1] if is_run else tile[np.ix_(y, x)]
                sampled[top:bottom, left:right] = picked
        return sampled

    def label_at(self, row: int, column: int) -> int:
        """Return the label at a place of the reference."""
        y = int(local_index(self.section, 0, np.array([row]))[0])
        x = int(local_index(self.section, 1, np.array([column]))[0])
        tile = self._tiles.get((y // TILE, x // TILE))
        return int(self.section.array[y, x] if tile is None else tile[y % TILE, x % TILE])

    def _places(
        self, row: int, column: int, shape: tuple[int, ...]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the rows and columns of the reference in the middle of voxels of the section."""
        found = [
            np.floor((np.arange(first, first + n) + start + 0.5) * factor).astype(np.intp)
            for first, n, start, factor in zip(
                (row, column), shape, self.section.origin, self.section.factors, strict=True
            )
        ]
        return found[0], found[1]

    def _tile(self, row: int, column: int) -> NDArray[Any]:
        tile = self._tiles.get((row, column))
        if tile is None:
            place = (slice(row * TILE, (row + 1) * TILE), slice(column * TILE, (column + 1) * TILE))
            tile = self._tiles[row, column] = np.array(self.section.array[place])
        return tile

    def _tiles_under(self, y0: int, x0: int, shape: tuple[int, ...]) -> list[tuple[int, int]]:
        height, width = self.section.array.shape
        rows = range(max(0, y0) // TILE, (min(height, y0 + shape[0]) - 1) // TILE + 1)
        columns = range(max(0, x0) // TILE, (min(width, x0 + shape[1]) - 1) // TILE + 1)
        return [(row, column) for row in rows for column in columns]
