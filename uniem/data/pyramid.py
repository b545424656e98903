"""Coarser copies of a block of voxels: means of images, modes of labels."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.heap import HeapTrimmer

if TYPE_CHECKING:
    import tensorstore as ts

SMALLEST_SIDE = 512


def next_factor(shape: Triple, voxel_size: VoxelSize | None, so_far: Triple) -> Triple:
    """Choose the step to the next level: halve y and x, and z too once its voxels are no longer the longest.

    With an unknown voxel size z is kept, since most stacks of sections are coarser along z.
    """
    if voxel_size is None or shape[0] < 2:
        return (1, 2, 2)
    z, y = voxel_size.z * so_far[0], voxel_size.y * so_far[1]
    return (2, 2, 2) if z < 1.5 * y else (1, 2, 2)


def level_factors(shape: Triple, voxel_size: VoxelSize | None) -> list[Triple]:
    """Return how many voxels one of each level spans, finest first, until a section fits 512 a side."""
    factors: list[Triple] = [(1, 1, 1)]
    while max(shape[1:]) > SMALLEST_SIDE:
        step = next_factor(shape, voxel_size, factors[-1])
        shape = coarser_shape(shape, step)
        z, y, x = factors[-1]
        factors.append((z * step[0], y * step[1], x * step[2]))
    return factors


def coarser_shape(shape: Triple, factor: Triple) -> Triple:
    """Return the shape of a volume shrunk by a factor, a ragged border included."""
    return (-(-shape[0] // factor[0]), -(-shape[1] // factor[1]), -(-shape[2] // factor[2]))


def downsample(block: NDArray[Any], factor: Triple, *, is_labels: bool) -> NDArray[Any]:
    """Shrink (z, y, x) by whole factors, keeping the dtype; a ragged border repeats its last voxel."""
    padding = [(0, -n % f) for n, f in zip(block.shape, factor, strict=True)]
    if any(after for _, after in padding):
        block = np.pad(block, padding, mode="edge")
    if not is_labels:
        is_simple = factor == (1, 2, 2) and block.dtype in (np.uint8, np.uint16)
        return _halved(block) if is_simple else _mean(block, factor)
    return _mode(
        [
            block[z :: factor[0], y :: factor[1], x :: factor[2]]
            for z in range(factor[0])
            for y in range(factor[1])
            for x in range(factor[2])
        ]
    )


def fill_level(
    source: ts.TensorStore,
    target: ts.TensorStore,
    factor: Triple,
    *,
    is_labels: bool,
) -> Iterator[int]:
    """Fill a level from the finer one, a layer of chunks after the other; yield the voxels read for each."""
    depth, height, _ = chunk_shape_of(target)
    layers, rows, columns = target.shape
    whole: Triple = (source.shape[0], source.shape[1], source.shape[2])
    heap = HeapTrimmer()
    for z in range(0, layers, depth):
        size = 0
        for y in range(0, rows, 2 * height):
            box = Box((z, y, 0), (min(z + depth, layers), min(y + 2 * height, rows), columns))
            fine = source[finer_box(box, factor, whole).slices].read().result()
            coarse = downsample(fine, factor, is_labels=is_labels)
            target[box.slices].write(coarse).result()
            size += coarse.size * math.prod(factor)
            heap.count(coarse.nbytes * math.prod(factor))
        yield size


def chunk_shape_of(array: ts.TensorStore) -> Triple:
    """Return the shape of an array's chunks."""
    depth, height, width = array.chunk_layout.write_chunk.shape or array.shape
    return (int(depth or 1), int(height or 1), int(width or 1))


def finer_box(box: Box, factor: Triple, shape: Triple) -> Box:
    """Return the voxels of a level of some shape from which a box of a level coarser by a factor is made."""
    depth, height, width = shape
    start = (box.start[0] * factor[0], box.start[1] * factor[1], box.start[2] * factor[2])
    stop = (
        min(depth, box.stop[0] * factor[0]),
        min(height, box.stop[1] * factor[1]),
        min(width, box.stop[2] * factor[2]),
    )
    return Box(start, stop)


def _halved(block: NDArray[Any]) -> NDArray[Any]:
    """Halve y and x of unsigned bytes or words by their means, rounded as in `_mean`."""
    import cv2

    size = (block.shape[2] // 2, block.shape[1] // 2)
    coarse = np.empty((len(block), size[1], size[0]), block.dtype)
    for section, target in zip(block, coarse, strict=True):
        cv2.resize(np.ascontiguousarray(section), size, dst=target, interpolation=cv2.INTER_AREA)
    return coarse


def _mean(block: NDArray[Any], factor: Triple) -> NDArray[Any]:
    """Return the mean of each cell; halves are rounded up."""
    dtype, count = block.dtype, math.prod(factor)
    # One axis after the other, x last: only its voxels do not lie side by side.
    total = _sum([block[z :: factor[0]].astype(_accumulator(dtype)) for z in range(factor[0])])
    total = _sum([total[:, y :: factor[1]] for y in range(factor[1])])
    total = _sum([total[:, :, x :: factor[2]] for x in range(factor[2])])
    if dtype.kind == "f":
        mean = total / count
    else:
        mean = (total + total.dtype.type(count // 2)) // total.dtype.type(count)
    return mean.astype(dtype, copy=False)


def _accumulator(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return a type that holds the sum of a cell's voxels."""
    if dtype.kind == "f":
        return np.dtype(np.float64)
    return np.dtype(f"{dtype.kind}{4 if dtype.itemsize < 4 else 8}")


def _sum(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return functools.reduce(np.add, parts)


def _mode(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Return the commonest label of each cell; among equals the first in z, y, x order wins."""
    best = parts[0].copy()
    is_mixed = np.zeros(best.shape, np.bool_)
    for part in parts[1:]:
        is_mixed |= part != best
    # Few cells lie on a border of objects; only there labels have to be counted.
    candidates = np.stack([part[is_mixed] for part in parts])
    if candidates.size:
        counts = np.stack([(candidates == each).sum(axis=0, dtype=np.uint8) for each in candidates])
        best[is_mixed] = np.take_along_axis(candidates, counts.argmax(axis=0)[None], axis=0)[0]
    return best
