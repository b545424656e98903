"""Where cells and mitochondria of the phantom lie: neurites are bundles of wandering stems."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Triple, VoxelSize
from uniem.data.phantom_noise import normal, uniform

STEM_NM = 240.0
BUNDLE_NM = 640.0
THIN_SHARE = 0.3
WANDER_NM = 260.0
SWAY_NM = 60.0
# A stem is never further from a place than the next free ones may be, plus what they all may wander.
REACH_NM = 1000.0
MITOCHONDRION_PITCH_NM = 1100.0
CELL_STREAM, STEM_STREAM, MITOCHONDRION_STREAM, VESICLE_STREAM = 10, 40, 70, 100


@dataclass(frozen=True)
class Stems:
    """The stems near a window at one depth: positions (n, 2) y, x in nm, and the cell of each."""

    positions: NDArray[np.float64]
    cells: NDArray[np.int64]


@dataclass(frozen=True)
class Mitochondrion:
    """An ellipse: what one depth shows of a mitochondrion."""

    label: int
    cell: int
    centre_nm: tuple[float, float]
    half_axes_nm: tuple[float, float]
    angle: float


class Anatomy:
    """The tissue of one phantom; every question is answered from the seed and the place alone."""

    def __init__(self, shape: Triple, voxel_size: VoxelSize, seed: int) -> None:
        self.seed = seed
        height, width = shape[1] * voxel_size.y, shape[2] * voxel_size.x
        self._first = -math.ceil(2 * REACH_NM / STEM_NM)
        self._rows = math.ceil((height + 2 * REACH_NM) / STEM_NM) - self._first
        self._columns = math.ceil((width + 2 * REACH_NM) / STEM_NM) - self._first
        self._bundle_first = math.floor(self._first * STEM_NM / BUNDLE_NM) - 2
        self._bundle_columns = math.ceil((width + 2 * REACH_NM) / BUNDLE_NM) + 4 - self._bundle_first
        bundle_rows = math.ceil((height + 2 * REACH_NM) / BUNDLE_NM) + 4 - self._bundle_first
        self._bundles = bundle_rows * self._bundle_columns
        self._slots = math.ceil(shape[0] * voxel_size.z / MITOCHONDRION_PITCH_NM) + 3

    def stems(self, z_nm: float, low_yx: tuple[float, float], high_yx: tuple[float, float]) -> Stems:
        """Return the stems that lie in a window at a depth."""
        row, column = np.meshgrid(
            *(self._grid_range(a, b) for a, b in zip(low_yx, high_yx, strict=True)), indexing="ij"
        )
        row, column = row.ravel(), column.ravel()
        cells = self._cell_of(row, column)
        positions = self._rest(row, column) + self._shift(z_nm, cells, row, column)
        inside = ((positions >= low_yx) & (positions < high_yx)).all(axis=1)
        return Stems(positions[inside], cells[inside])

    def shade(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how dark each cell's cytoplasm is, from -1 to 1."""
        return 2 * uniform(self.seed, CELL_STREAM + 4, cells) - 1

    def mitochondria(
        self, z_nm: float, low_yx: tuple[float, float], high_yx: tuple[float, float]
    ) -> list[Mitochondrion]:
        """Return the mitochondria that this depth cuts in a window, on the stems that carry them."""
        row, column = np.meshgrid(
            *(self._grid_range(a, b) for a, b in zip(low_yx, high_yx, strict=True)), indexing="ij"
        )
        row, column = row.ravel(), column.ravel()
        stem = (row - self._first) * self._columns + column - self._first
        phase = uniform(self.seed, MITOCHONDRION_STREAM, stem)
        slot = np.floor(z_nm / MITOCHONDRION_PITCH_NM + phase).astype(np.int64)
        along = (z_nm / MITOCHONDRION_PITCH_NM + phase - slot - 0.5) * MITOCHONDRION_PITCH_NM
        half_length = 230 + 300 * uniform(self.seed, MITOCHONDRION_STREAM + 2, stem, slot)
        has_one = uniform(self.seed, MITOCHONDRION_STREAM + 1, stem, slot) < 0.25
        chosen = has_one & (np.abs(along) < half_length) & (self._cell_of(row, column) <= self._bundles)
        row, column, stem, slot = row[chosen], column[chosen], stem[chosen], slot[chosen]
        taper = np.sqrt(1 - (along[chosen] / half_length[chosen]) ** 2) ** 0.7
        cells = self._cell_of(row, column)
        centres = self._rest(row, column) + self._shift(z_nm, cells, row, column)
        radius = taper * (110 + 100 * uniform(self.seed, MITOCHONDRION_STREAM + 3, stem, slot))
        stretch = 1 + 0.9 * uniform(self.seed, MITOCHONDRION_STREAM + 4, stem, slot) ** 2
        turn = uniform(self.seed, MITOCHONDRION_STREAM + 5, stem, slot) * math.pi + along[chosen] / 900
        labels = stem * self._slots + slot + 1
        return [
            Mitochondrion(
                int(n), int(c), (float(p[0]), float(p[1])), (float(r * s), float(r / s**0.5)), float(a)
            )
            for n, c, p, r, s, a in zip(labels, cells, centres, radius, stretch, turn, strict=True)
        ]

    def vesicles(
        self, z_nm: float, thickness_nm: float, low_yx: tuple[float, float], high_yx: tuple[float, float]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return centres (n, 2) y, x in nm and cells of the vesicles that a section shows."""
        row, column = np.meshgrid(
            *(self._grid_range(a, b) for a, b in zip(low_yx, high_yx, strict=True)), indexing="ij"
        )
        row, column = row.ravel(), column.ravel()
        stem = (row - self._first) * self._columns + column - self._first
        slot = np.floor(z_nm / 800 + uniform(self.seed, VESICLE_STREAM, stem)).astype(np.int64)
        has = uniform(self.seed, VESICLE_STREAM + 1, stem, slot) < 0.16
        row, column, stem = row[has], column[has], stem[has]
        cells = self._cell_of(row, column)
        centres = self._rest(row, column) + self._shift(z_nm, cells, row, column)
        layer = math.floor(z_nm / max(40.0, thickness_nm))
        number = np.arange(36)
        offsets = np.stack(
            [normal(self.seed, VESICLE_STREAM + i, stem[:, None], layer, number[None]) for i in (3, 4)],
            axis=-1,
        )
        return (centres[:, None] + 75 * offsets).reshape(-1, 2), np.repeat(cells, len(number))

    def _grid_range(self, low_nm: float, high_nm: float) -> NDArray[np.int64]:
        margin = WANDER_NM + SWAY_NM + STEM_NM
        start = math.floor((low_nm - margin) / STEM_NM)
        return np.arange(start, math.ceil((high_nm + margin) / STEM_NM) + 1)

    def _rest(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return where stems would stand if they did not wander."""
        jitter = [uniform(self.seed, STEM_STREAM + i, row, column) - 0.5 for i in (0, 1)]
        return np.stack([row + jitter[0], column + 0.5 * (row % 2) + jitter[1]], axis=-1) * STEM_NM

    def _cell_of(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the cell of each stem: its own, a thin axon, or the bundle whose centre is nearest."""
        rest = self._rest(row, column) / BUNDLE_NM
        base = np.floor(rest).astype(np.int64)
        best, nearest = np.full(len(row), np.inf), np.zeros(len(row), np.int64)
        for dy, dx in np.ndindex(3, 3):
            y, x = base[:, 0] + dy - 1, base[:, 1] + dx - 1
            centre = np.stack(
                [y + uniform(self.seed, CELL_STREAM, y, x), x + uniform(self.seed, CELL_STREAM + 1, y, x)], 1
            )
            distance = ((centre - rest) ** 2).sum(axis=1)
            closer = distance < best
            best[closer] = distance[closer]
            index = (y - self._bundle_first) * self._bundle_columns + x - self._bundle_first + 1
            nearest[closer] = index[closer]
        own = self._bundles + 1 + (row - self._first) * self._columns + column - self._first
        is_thin = uniform(self.seed, STEM_STREAM + 2, row, column) < THIN_SHARE
        return np.where(is_thin, own, nearest)

    def _shift(
        self, z_nm: float, cells: NDArray[np.int64], row: NDArray[np.int64], column: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return how far stems have wandered at a depth: with their cell, and a little each alone."""
        together = [self._wave(z_nm, 3600, CELL_STREAM + 6 + 4 * i, cells) for i in (0, 1)]
        alone = [self._wave(z_nm, 1500, STEM_STREAM + 6 + 4 * i, row, column) for i in (0, 1)]
        return np.stack([WANDER_NM * a + SWAY_NM * b for a, b in zip(together, alone, strict=True)], axis=-1)

    def _wave(
        self, z_nm: float, period_nm: float, stream: int, *indices: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return a sum of two sines of random phase and period, from -1 to 1."""
        turns = [
            z_nm / (period_nm * (0.7 + 0.6 * uniform(self.seed, stream + 1, *indices)) * scale)
            + uniform(self.seed, stream + 2, *indices) * scale
            for scale in (1.0, 0.37)
        ]
        return 0.75 * np.sin(2 * math.pi * turns[0]) + 0.25 * np.sin(2 * math.pi * turns[1])
