"""Coarser copies of a block of voxels: means of images, modes of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Triple, VoxelSize


def next_factor(shape: Triple, voxel_size: VoxelSize | None, so_far: Triple) -> Triple:
    """Choose the step to the next level: halve y and x, and z too once its voxels are no longer the longest.

    With an unknown voxel size z is kept, since most stacks of sections are coarser along z.
    """
    if voxel_size is None or shape[0] < 2:
        return (1, 2, 2)
    z, y = voxel_size.z * so_far[0], voxel_size.y * so_far[1]
    return (2, 2, 2) if z < 1.5 * y else (1, 2, 2)


def downsample(block: NDArray[Any], factor: Triple, *, is_labels: bool) -> NDArray[Any]:
    """Shrink (z, y, x) by whole factors, keeping the dtype; a ragged border repeats its last voxel."""
    padding = [(0, -n % f) for n, f in zip(block.shape, factor, strict=True)]
    if any(after for _, after in padding):
        block = np.pad(block, padding, mode="edge")
    parts = [
        block[z :: factor[0], y :: factor[1], x :: factor[2]]
        for z in range(factor[0])
        for y in range(factor[1])
        for x in range(factor[2])
    ]
    return _mode(parts) if is_labels else _mean(parts, block.dtype)


def _mean(parts: list[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind == "f":
        return (sum(part.astype(np.float64) for part in parts) / len(parts)).astype(dtype)  # type: ignore[union-attr]
    wide = np.uint64 if dtype.kind == "u" else np.int64
    if dtype.itemsize < 4:
        wide = np.uint32 if dtype.kind == "u" else np.int32  # type: ignore[assignment]
    total = np.full(parts[0].shape, len(parts) // 2, dtype=wide)
    for part in parts:
        total += part
    return (total // len(parts)).astype(dtype)


def _mode(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Return the commonest label of each cell; among equals the first in z, y, x order wins."""
    best = parts[0].copy()
    best_count = _count(parts, best)
    for part in parts[1:]:
        count = _count(parts, part)
        better = count > best_count
        best[better] = part[better]
        best_count[better] = count[better]
    return best


def _count(parts: list[NDArray[Any]], candidate: NDArray[Any]) -> NDArray[np.uint8]:
    count = np.zeros(candidate.shape, dtype=np.uint8)
    for part in parts:
        count += part == candidate
    return count
