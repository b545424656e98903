"""The blocks into which a volume is cut for counting objects and for writing changes later."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np

from uniem.data.geometry import Box, Triple

_BLOCK_SHAPE: Triple = (8, 256, 256)


@dataclass(frozen=True)
class BlockGrid:
    """Blocks numbered in z, y, x order; those at the far border may be smaller."""

    shape: Triple
    block_shape: Triple

    @functools.cached_property
    def counts(self) -> Triple:
        """How many blocks there are along z, y, x."""
        z, y, x = (-(-n // b) for n, b in zip(self.shape, self.block_shape, strict=True))
        return (z, y, x)

    def block_of(self, point_zyx: Triple) -> int:
        """Return the number of the block that holds a voxel."""
        z, y, x = (p // b for p, b in zip(point_zyx, self.block_shape, strict=True))
        _, rows, columns = self.counts
        return (z * rows + y) * columns + x

    def box_of(self, block: int) -> Box:
        """Return the block of a number."""
        _, rows, columns = self.counts
        index = (block // (rows * columns), block // columns % rows, block % columns)
        start = (
            index[0] * self.block_shape[0],
            index[1] * self.block_shape[1],
            index[2] * self.block_shape[2],
        )
        return Box.of_shape(self.block_shape).translated(start).intersection(Box.of_shape(self.shape))

    def blocks_of(self, box: Box) -> list[int]:
        """Return the numbers of the blocks that a box meets."""
        if box.is_empty:
            return []
        ranges = (
            range(a // n, -(-b // n)) for a, b, n in zip(box.start, box.stop, self.block_shape, strict=True)
        )
        _, rows, columns = self.counts
        return [(z * rows + y) * columns + x for z, y, x in itertools.product(*ranges)]

    def number(self, points: np.ndarray) -> np.ndarray:
        """Return the block of each voxel, (n, 3) z, y, x."""
        numbers: np.ndarray = np.ravel_multi_index(tuple((points // self.block_shape).T), self.counts)
        return numbers


def block_shape_of(chunk_shape: Triple) -> Triple:
    """Choose the blocks of a volume: its chunks, unless they are tiny or huge."""
    return chunk_shape if 1 << 17 <= math.prod(chunk_shape) <= 1 << 21 else _BLOCK_SHAPE
