"""The resolutions at which a volume can be looked at: those it stores, and coarser ones made on demand."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.pyramid import downsample, next_factor
from uniem.data.volume import ArrayVolume, Kind, Volume

COARSEST_EDGE = 1024
BLOCK_EDGE = 256
LARGEST_BLOCK_BYTES = 64 << 20
Factor = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One resolution of a volume.

    Attributes
    ----------
    factor : (z, y, x)
        How many voxels of the full resolution one of its voxels spans.
    block_shape : (z, y, x)
        What is read at once: the chunks in which it is stored, where it has any.
    """

    volume: Volume
    factor: Factor
    block_shape: Triple

    def block_box(self, index: Triple) -> Box:
        """Return the box of a block, which ends with the volume."""
        (i, j, k), (p, q, r), (depth, height, width) = index, self.block_shape, self.volume.shape
        stop = (min(i * p + p, depth), min(j * q + q, height), min(k * r + r, width))
        return Box((i * p, j * q, k * r), stop)

    def blocks_of(self, box: Box) -> list[Triple]:
        """Return the indices of the blocks that meet a box of this level."""
        z, y, x = (
            range(a // n, -(-b // n)) for a, b, n in zip(box.start, box.stop, self.block_shape, strict=True)
        )
        return list(itertools.product(z, y, x))

    def count_blocks(self, box: Box) -> int:
        """Return how many blocks meet a box of this level."""
        return math.prod(
            -(-b // n) - a // n for a, b, n in zip(box.start, box.stop, self.block_shape, strict=True)
        )

    def scaled(self, box: Box) -> Box:
        """Return the box of this level that meets a box of the full resolution."""
        start = tuple(math.floor(a / f) for a, f in zip(box.start, self.factor, strict=True))
        stop = tuple(
            min(n, math.ceil(b / f)) for b, f, n in zip(box.stop, self.factor, self.volume.shape, strict=True)
        )
        return Box(_triple(start), _triple(stop))


def memory_of(volume: Volume) -> NDArray[Any] | None:
    """Return the array of a volume that lies in memory; a mapped file may still be on the disk."""
    if isinstance(volume, ArrayVolume) and type(volume.array) is np.ndarray:
        return volume.array
    return None


def levels_of(volume: Volume) -> list[Level]:
    """Return the resolutions of a volume, full resolution first; the last section fits 1024 voxels a side."""
    stored = volume.levels
    levels = [Level(each, _factor(volume, each), _block_shape(each)) for each in stored]
    levels[0] = Level(volume, (1.0, 1.0, 1.0), _block_shape(volume))
    while max(levels[-1].volume.shape[1:]) > COARSEST_EDGE:
        levels.append(_reduced(levels[-1], volume.voxel_size))
    return levels


class ReducedVolume(Volume):
    """Half the resolution of another volume, computed as it is read; nothing of it is kept."""

    def __init__(self, source: Volume, factor: Triple) -> None:
        shape = _triple(-(-n // f) for n, f in zip(source.shape, factor, strict=True))
        super().__init__(shape, source.dtype, None, source.kind)
        self.name = source.name
        self._source, self._factor = source, factor

    def has_data(self, box: Box) -> bool:
        """Tell whether a box may hold anything but 0."""
        return self._source.has_data(self._finer(box))

    def read(self, box: Box) -> NDArray[Any]:
        """Return means of images and modes of labels, block by block, skipping what is not stored."""
        array = np.zeros(box.shape, self.dtype)
        starts = [
            range(a - a % step, b, step)
            for a, b, step in zip(box.start, box.stop, (1, BLOCK_EDGE, BLOCK_EDGE), strict=True)
        ]
        for start in itertools.product(*starts):
            stop = _triple(a + n for a, n in zip(start, (1, BLOCK_EDGE, BLOCK_EDGE), strict=True))
            part = Box(_triple(start), stop).intersection(box)
            fine = self._finer(part)
            if self._source.has_data(fine):
                coarse = downsample(self._source.read(fine), self._factor, is_labels=self.kind is Kind.LABELS)
                array[part.relative_to(box.start).slices] = coarse
        return array

    def _finer(self, box: Box) -> Box:
        start = _triple(a * f for a, f in zip(box.start, self._factor, strict=True))
        stop = _triple(
            min(b * f, n) for b, f, n in zip(box.stop, self._factor, self._source.shape, strict=True)
        )
        return Box(start, stop)


def _reduced(level: Level, voxel_size: VoxelSize | None) -> Level:
    so_far = _triple(round(f) for f in level.factor)
    step = next_factor(level.volume.shape, voxel_size, so_far)
    volume = ReducedVolume(level.volume, step)
    factor = (level.factor[0] * step[0], level.factor[1] * step[1], level.factor[2] * step[2])
    shape = _triple(min(n, e) for n, e in zip(volume.shape, (1, BLOCK_EDGE, BLOCK_EDGE), strict=True))
    return Level(volume, factor, shape)


def _factor(full: Volume, level: Volume) -> Factor:
    factors = []
    for axis in range(3):
        if full.voxel_size is not None and level.voxel_size is not None:
            factors.append(float(round(level.voxel_size[axis] / full.voxel_size[axis])))
        else:
            factors.append(_step(full.shape[axis], level.shape[axis]))
    return (max(1.0, factors[0]), max(1.0, factors[1]), max(1.0, factors[2]))


def _step(length: int, coarse_length: int) -> float:
    """Return by how much an axis was shortened: a power of two, if one explains it."""
    for step in (1, 2, 4, 8, 16, 32, 64, 128):
        if -(-length // step) == coarse_length:
            return float(step)
    return float(max(1, round(length / coarse_length)))


def _block_shape(volume: Volume) -> Triple:
    """Return the stored chunks of a volume, or whole sections, in pieces of at most 64 MB."""
    depth, height, width = (min(c, n) for c, n in zip(volume.chunk_shape, volume.shape, strict=True))
    most = LARGEST_BLOCK_BYTES // volume.dtype.itemsize
    depth = max(1, min(depth, most // (height * width)))
    height = max(1, min(height, most // width))
    return (depth, height, width)


def _triple(values: Any) -> Triple:
    z, y, x = values
    return (int(z), int(y), int(x))
