"""A section of labels with a stroke on it that is still being drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.gui.canvas.compose import Axis, sample_nearest
from uniem.proofreading.tools.protect import Protect

TILE = 256


class DraftSection:
    """A (y, x) section whose painted tiles are copies: the data stay as they are until the stroke ends."""

    def __init__(self, section: NDArray[Any]) -> None:
        self.section = section
        self._tiles: dict[tuple[int, int], NDArray[Any]] = {}

    def paint(self, y0: int, x0: int, mask: NDArray[np.bool_], label: int, protect: Protect) -> None:
        """Set the masked voxels to a label, except the protected ones."""
        for row, column in self._tiles_under(y0, x0, mask.shape):
            tile = self._tile(row, column)
            top, left = max(y0, row * TILE), max(x0, column * TILE)
            bottom = min(y0 + mask.shape[0], row * TILE + tile.shape[0])
            right = min(x0 + mask.shape[1], column * TILE + tile.shape[1])
            if bottom <= top or right <= left:
                continue
            part = tile[top - row * TILE : bottom - row * TILE, left - column * TILE : right - column * TILE]
            chosen = mask[top - y0 : bottom - y0, left - x0 : right - x0]
            part[chosen & protect.paintable(part)] = label

    def sample(self, rows: Axis, columns: Axis) -> NDArray[Any]:
        """Return the voxel of each pixel, painted ones included."""
        sampled = sample_nearest(self.section, rows, columns)
        if not self._tiles or sampled.size == 0:
            return sampled
        sampled = sampled.copy()
        for row, column in self._painted_under(rows, columns):
            tile = self._tiles[row, column]
            top, bottom = rows.pixels_of(row * TILE, row * TILE + tile.shape[0])
            left, right = columns.pixels_of(column * TILE, column * TILE + tile.shape[1])
            if bottom > top and right > left:
                inside = np.ix_(
                    rows.index[top:bottom] - row * TILE, columns.index[left:right] - column * TILE
                )
                sampled[top:bottom, left:right] = tile[inside]
        return sampled

    def label_at(self, y: int, x: int) -> int:
        """Return the label of one voxel."""
        tile = self._tiles.get((y // TILE, x // TILE))
        return int(self.section[y, x] if tile is None else tile[y % TILE, x % TILE])

    def _tile(self, row: int, column: int) -> NDArray[Any]:
        tile = self._tiles.get((row, column))
        if tile is None:
            tile = self.section[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE].copy()
            self._tiles[row, column] = tile
        return tile

    def _painted_under(self, rows: Axis, columns: Axis) -> list[tuple[int, int]]:
        first_row, last_row = int(rows.index[0]) // TILE, int(rows.index[-1]) // TILE
        first_column, last_column = int(columns.index[0]) // TILE, int(columns.index[-1]) // TILE
        return [
            (row, column)
            for row, column in self._tiles
            if first_row <= row <= last_row and first_column <= column <= last_column
        ]

    def _tiles_under(self, y0: int, x0: int, shape: tuple[int, ...]) -> list[tuple[int, int]]:
        height, width = self.section.shape
        rows = range(max(0, y0) // TILE, (min(height, y0 + shape[0]) - 1) // TILE + 1)
        columns = range(max(0, x0) // TILE, (min(width, x0 + shape[1]) - 1) // TILE + 1)
        return [(row, column) for row in rows for column in columns]
