"""Superpixels and supervoxels: small regions that keep to edges of the image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Relief(StrEnum):
    """What the borders of superpixels follow."""

    DARK_LINES = "dark lines"
    """Dark membranes; best for cells."""
    EDGES = "edges"
    """Changes of gray; best for organelles."""


def superpixels(
    gray: NDArray[Any], size: float, spacing: Sequence[float], relief: Relief = Relief.DARK_LINES
) -> NDArray[np.int32]:
    """Cut (z, y, x) gray values into regions of about `size` across, numbered from 1.

    Size and spacing of voxels have one unit. A watershed (scikit-image) of the smoothed image floods from
    the lowest voxel of each cell of a grid; axes of one voxel are left out, so a section is cut in 2D.
    """
    from scipy.ndimage import gaussian_filter
    from skimage.segmentation import watershed

    if gray.size == 1:
        return np.ones(gray.shape, np.int32)
    flat = np.squeeze(gray.astype(np.float32))
    steps = [step for step, length in zip(spacing, gray.shape, strict=True) if length > 1]
    # Noise is taken off over one voxel of the finest axis.
    smooth = gaussian_filter(flat, [min(steps) / step for step in steps])
    ground = -smooth if relief is Relief.DARK_LINES else _slope(smooth, steps)
    cell = [max(1, round(size / step)) for step in steps]
    regions: NDArray[np.int32] = watershed(ground, lowest_of_cells(ground, cell))  # type: ignore[no-untyped-call]
    return regions.astype(np.int32, copy=False).reshape(gray.shape)


def _slope(smooth: NDArray[np.float32], steps: Sequence[float]) -> NDArray[np.float32]:
    """Return how steeply gray changes at each voxel."""
    total = np.zeros_like(smooth)
    for axis, step in enumerate(steps):
        total += np.square(np.gradient(smooth, step, axis=axis))
    return np.sqrt(total, out=total)


def lowest_of_cells(ground: NDArray[np.float32], cell: Sequence[int]) -> NDArray[np.int32]:
    """Return where each cell of a grid is lowest: numbers from 1, in scan order of the cells."""
    seeds = np.zeros(ground.shape, np.int32)
    counts = [-(-length // edge) for length, edge in zip(ground.shape, cell, strict=True)]
    padding = [(0, n * edge - length) for n, edge, length in zip(counts, cell, ground.shape, strict=True)]
    padded = np.pad(ground, padding, constant_values=np.inf)
    split = padded.reshape([n for pair in zip(counts, cell, strict=True) for n in pair])
    axes = range(ground.ndim)
    cells = split.transpose([2 * i for i in axes] + [2 * i + 1 for i in axes])
    lowest = np.unravel_index(cells.reshape(*counts, -1).argmin(axis=-1), cell)
    corners = np.meshgrid(*(np.arange(n) * e for n, e in zip(counts, cell, strict=True)), indexing="ij")
    places = tuple(corner + offset for corner, offset in zip(corners, lowest, strict=True))
    seeds[places] = np.arange(1, math.prod(counts) + 1).reshape(counts)
    return seeds
