"""Random numbers and smooth random fields that depend on nothing but a seed and a position.

So any part of a phantom can be made alone, in any order, and fits the parts around it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]


def uniform(seed: int, stream: int, *indices: ArrayLike) -> NDArray[np.float64]:
    """Return numbers in [0, 1) for integer indices, by SplitMix64 (Steele, Lea and Flood 2014)."""
    mixed = _mix(np.array([seed * 1_000_003 + stream], np.int64).view(np.uint64))
    for index in indices:
        mixed = _mix(mixed ^ np.atleast_1d(np.asarray(index, np.int64)).view(np.uint64))
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def normal(seed: int, stream: int, *indices: ArrayLike) -> NDArray[np.float64]:
    """Return nearly normal numbers of mean 0 and deviation 1: sums of three uniform ones."""
    parts = [uniform(seed, 3 * stream + i, *indices) for i in range(3)]
    return (parts[0] + parts[1] + parts[2] - 1.5) * 2.0


class SmoothField:
    """A random field, mean 0, deviation 1, that varies over `feature_nm` in the plane and `depth_nm` in z.

    A lattice of random numbers, turned into a surface by cubic B-splines; along z, lattices blend into one
    another without a change of variance.
    """

    def __init__(self, seed: int, stream: int, feature_nm: float, depth_nm: float) -> None:
        self.seed, self.stream = seed, stream
        self.feature_nm, self.depth_nm = feature_nm, depth_nm

    def at(self, z_nm: float, y_nm: NDArray[np.float64], x_nm: NDArray[np.float64]) -> Floats:
        """Return the field on the grid of these rows and columns, (y, x) float32."""
        rows, weights_y = _spline_weights(y_nm / self.feature_nm)
        columns, weights_x = _spline_weights(x_nm / self.feature_nm)
        level, part = divmod(z_nm / self.depth_nm, 1.0)
        angle = 0.5 * math.pi * part * part * (3 - 2 * part)
        lattice = math.cos(angle) * self._lattice(int(level), rows, columns)
        lattice += math.sin(angle) * self._lattice(int(level) + 1, rows, columns)
        # The mean square of the weights of a cubic B-spline is 151/315 along each axis.
        across = weights_y @ (lattice * (315 / 151)).astype(np.float32)
        return np.ascontiguousarray((weights_x @ across.T).T, np.float32)

    def _lattice(self, level: int, rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[np.float64]:
        return normal(self.seed, self.stream, level, rows[:, None], columns[None, :])


def _spline_weights(positions: NDArray[np.float64]) -> tuple[NDArray[np.int64], Any]:
    """Return the lattice points that matter, and a sparse matrix of the weight of each for each position."""
    from scipy.sparse import csr_array

    base = np.floor(positions).astype(np.int64)
    t = positions - base
    nodes = np.arange(base[0] - 1, base[-1] + 3)
    spline = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1)
    columns = (base - base[0])[:, None] + np.arange(4)
    rows = np.arange(0, 4 * len(positions) + 1, 4)
    shape = (len(positions), len(nodes))
    return nodes, csr_array(((spline / 6).astype(np.float32).ravel(), columns.ravel(), rows), shape=shape)


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = state + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
