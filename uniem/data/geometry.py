"""Boxes of voxels, voxel sizes in nm, and volumes cut into blocks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from uniem.errors import UniemError

Triple = tuple[int, int, int]


class VoxelSize(NamedTuple):
    """The edge lengths of a voxel in nm."""

    z: float
    y: float
    x: float

    @property
    def volume_nm3(self) -> float:
        """The volume of a voxel in cubic nm."""
        return self.z * self.y * self.x

    @staticmethod
    def parse(text: str) -> VoxelSize:
        """Read 'z,y,x' or one number for all three, in nm."""
        try:
            numbers = [float(part) for part in text.replace("x", ",").split(",")]
        except ValueError:
            numbers = []
        if len(numbers) == 1:
            numbers *= 3
        if len(numbers) != 3 or not all(math.isfinite(n) and n > 0 for n in numbers):
            raise UniemError(f"'{text}' is not a voxel size.", "Write z,y,x in nm, as in 50,4.6,4.6.")
        return VoxelSize(*numbers)

    def __str__(self) -> str:
        return f"{self.z:g} × {self.y:g} × {self.x:g} nm"


@dataclass(frozen=True, slots=True)
class Box:
    """A half-open box of voxels, [start, stop) in z, y, x."""

    start: Triple
    stop: Triple

    @staticmethod
    def of_shape(shape: Triple) -> Box:
        """Return the box from the origin with this shape."""
        return Box((0, 0, 0), (int(shape[0]), int(shape[1]), int(shape[2])))

    @staticmethod
    def section(z: int, shape: Triple) -> Box:
        """Return section z of a volume of this shape."""
        return Box((z, 0, 0), (z + 1, shape[1], shape[2]))

    @property
    def shape(self) -> Triple:
        """The edge lengths in voxels; 0 where the box is empty."""
        return (
            max(0, self.stop[0] - self.start[0]),
            max(0, self.stop[1] - self.start[1]),
            max(0, self.stop[2] - self.start[2]),
        )

    @property
    def size(self) -> int:
        """The number of voxels."""
        return math.prod(self.shape)

    @property
    def is_empty(self) -> bool:
        """Tell whether the box holds no voxel."""
        (a, b, c), (d, e, f) = self.start, self.stop
        return a >= d or b >= e or c >= f

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """The box as an index into an array with the same origin."""
        return (
            slice(self.start[0], self.stop[0]),
            slice(self.start[1], self.stop[1]),
            slice(self.start[2], self.stop[2]),
        )

    def translated(self, offset: Triple) -> Box:
        """Return the box moved by an offset."""
        return Box(_add(self.start, offset), _add(self.stop, offset))

    def relative_to(self, origin: Triple) -> Box:
        """Return the box as seen from an origin."""
        return self.translated((-origin[0], -origin[1], -origin[2]))

    def expanded(self, halo: Triple) -> Box:
        """Return the box grown by a halo on both sides."""
        return Box(_add(self.start, (-halo[0], -halo[1], -halo[2])), _add(self.stop, halo))

    def intersection(self, other: Box) -> Box:
        """Return the common part; it may be empty."""
        (a, b, c), (d, e, f) = self.start, self.stop
        (p, q, r), (s, t, u) = other.start, other.stop
        return Box((max(a, p), max(b, q), max(c, r)), (min(d, s), min(e, t), min(f, u)))

    def union(self, other: Box) -> Box:
        """Return the smallest box around both; an empty box adds nothing."""
        if self.is_empty:
            return other
        if other.is_empty:
            return self
        (a, b, c), (d, e, f) = self.start, self.stop
        (p, q, r), (s, t, u) = other.start, other.stop
        return Box((min(a, p), min(b, q), min(c, r)), (max(d, s), max(e, t), max(f, u)))

    def contains(self, other: Box) -> bool:
        """Tell whether the other box lies inside this one."""
        (a, b, c), (d, e, f) = self.start, self.stop
        (p, q, r), (s, t, u) = other.start, other.stop
        return a <= p and b <= q and c <= r and s <= d and t <= e and u <= f

    def __str__(self) -> str:
        return "[" + ", ".join(f"{a}:{b}" for a, b in zip(self.start, self.stop, strict=True)) + "]"


@dataclass(frozen=True, slots=True)
class Block:
    """A box of a tiling and the larger box that is read to compute it."""

    core: Box
    outer: Box

    @property
    def core_in_outer(self) -> tuple[slice, slice, slice]:
        """The core as an index into an array read from the outer box."""
        return self.core.relative_to(self.outer.start).slices


def blocks(shape: Triple, block_shape: Triple, halo: Triple = (0, 0, 0)) -> Iterator[Block]:
    """Cut a volume into blocks in z, y, x order, each with a halo that ends at the border of the volume."""
    whole = Box.of_shape(shape)
    starts = [range(0, n, max(1, b)) for n, b in zip(shape, block_shape, strict=True)]
    for z, y, x in itertools.product(*starts):
        core = Box((z, y, x), _add((z, y, x), block_shape)).intersection(whole)
        yield Block(core, core.expanded(halo).intersection(whole))


def count_blocks(shape: Triple, block_shape: Triple) -> int:
    """Return how many blocks `blocks` yields."""
    return math.prod(math.ceil(n / max(1, b)) for n, b in zip(shape, block_shape, strict=True))


def chunked_pieces(box: Box, chunk_shape: Triple, max_voxels: int) -> Iterator[Box]:
    """Cut a box at the borders of chunks, so that a piece touches at most so many voxels of chunks.

    One chunk is the least, and pieces are whole along x.
    """
    depth, height, width = chunk_shape
    columns = -(-box.stop[2] // width) - box.start[2] // width
    across = max(1, max_voxels // (depth * height * width * max(1, columns)))
    rows_of_chunks = -(-box.stop[1] // height) - box.start[1] // height
    rows, layers = min(across, rows_of_chunks), max(1, across // max(1, rows_of_chunks))
    for z0, z1 in _cuts(box.start[0], box.stop[0], depth * layers):
        for y0, y1 in _cuts(box.start[1], box.stop[1], height * rows):
            yield Box((z0, y0, box.start[2]), (z1, y1, box.stop[2]))


def _cuts(start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    """Cut [start, stop) at the multiples of a step."""
    while start < stop:
        end = min(stop, start - start % step + step)
        yield start, end
        start = end


def slabs(shape: Triple, voxel_bytes: int, budget_bytes: int = 256 << 20, multiple: int = 8) -> list[Box]:
    """Cut a volume into slabs of whole sections of at most a budget each, in whole chunks.

    Where even that many sections exceed the budget, slabs are thinner; one section is the least.
    """
    section_bytes = max(1, shape[1] * shape[2] * voxel_bytes)
    depth = max(1, budget_bytes // section_bytes)
    if depth >= multiple:
        depth -= depth % multiple
    return [Box((z, 0, 0), (min(z + depth, shape[0]), shape[1], shape[2])) for z in range(0, shape[0], depth)]


def _add(a: Triple, b: Triple) -> Triple:
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])
