"""An object of any size shared among seeds: cut coarsely first, then exactly near where the parts meet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.blockwise import map_blocks
from uniem.algorithms.dividing import borders, divide, part_around, refine
from uniem.data.geometry import Box, Triple
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.progress import Context
from uniem.proofreading.edits import tight_box
from uniem.proofreading.tools.masks import TILE, tiles
from uniem.proofreading.tools.object_bits import ObjectBits, cells_of, spread

# An object is cut at a scale at which it has no more voxels than this, in a box of no more than that.
MOST_FILLED, MOST_CELLS = 1 << 19, 1 << 24
# The exact border is found in blocks of about this edge, in voxels.
_BLOCK = 64
Parts = NDArray[Any]


class Shares:
    """The parts of an object, numbered from 1; 0 is what no seed connects to."""

    def __init__(self, bits: ObjectBits, factor: Triple, coarse: Parts) -> None:
        self.bits, self.factor, self.coarse = bits, factor, coarse
        self.cells = cells_of(bits.box, factor)
        self._exact: dict[Triple, tuple[Box, Parts]] = {}

    def __iter__(self) -> Iterator[tuple[Box, Parts]]:
        """Yield boxes, each within a tile, that hold all the object, and the parts of their voxels."""
        for box, mask in self.bits:
            parts = spread(self.coarse, self.cells, self.factor, box) * mask
            for block in tiles(box, self._block()):
                exact_box, exact = self._exact.get(self._key(block), (None, None))
                part = block if exact_box is None else block.intersection(exact_box)
                if exact_box is not None and exact is not None and not part.is_empty:
                    inner = exact[part.relative_to(exact_box.start).slices]
                    parts[part.relative_to(box.start).slices] = inner
            yield box, parts

    def refine(
        self,
        seeds: Mapping[Triple, int],
        image: Volume | None,
        spacing: Sequence[float],
        context: Context,
    ) -> None:
        """Find the exact border, and let each seed (by its voxel) be in its part."""
        from scipy.ndimage import binary_dilation

        near = borders(self.coarse)
        if image is None:
            # Dark lines are found where they are; necks need more room.
            near = binary_dilation(near)
        self._add_misplaced(near, seeds)
        places = np.argwhere(near)
        voxels = (places + self.cells.start) * self.factor
        keys = np.unique(voxels // self._block(), axis=0)

        def refine_at(key: list[int]) -> None:
            start = tuple(k * n for k, n in zip(key, self._block(), strict=True))
            block = Box.of_shape(self._block()).translated((start[0], start[1], start[2]))
            self._refine_block(block.intersection(self.bits.box), near, seeds, image, spacing)

        for _ in map_blocks(refine_at, keys.tolist(), context, "finding the border"):
            pass

    def _refine_block(
        self,
        block: Box,
        near: NDArray[np.bool_],
        seeds: Mapping[Triple, int],
        image: Volume | None,
        spacing: Sequence[float],
    ) -> None:
        key, cells = self._key(block), cells_of(block, self.factor)
        where = tight_box(near[cells.relative_to(self.cells.start).slices])
        assert where is not None, "the block is not near the border"
        # What is far from the border stays as it is, so only the rest is looked at.
        block = _voxels_of(where.translated(cells.start), self.factor).intersection(block)
        z, y, x = (2 * f for f in self.factor)
        outer = block.expanded((z, y, x)).intersection(self.bits.box)
        mask = self.bits.within(outer)
        parts = spread(self.coarse, self.cells, self.factor, outer) * mask
        wanted = spread(near, self.cells, self.factor, outer) & mask
        for voxel, number in seeds.items():
            at = tuple(v - s for v, s in zip(voxel, outer.start, strict=True))
            if all(0 <= a < n for a, n in zip(at, outer.shape, strict=True)):
                parts[at], wanted[at] = number, False
        gray = None if image is None else image.read(outer)
        found = refine(mask, parts, wanted, gray, spacing)
        inner = found[block.relative_to(outer.start).slices].astype(parts.dtype)
        self._exact[key] = block, inner

    def _add_misplaced(self, near: NDArray[np.bool_], seeds: Mapping[Triple, int]) -> None:
        """Mark the cells around seeds that the coarse cut has in another part."""
        for voxel, number in seeds.items():
            cell = _cell(voxel, self.factor, self.cells.start)
            if self.coarse[cell] != number:
                near[tuple(slice(max(0, c - 2), c + 3) for c in cell)] = True

    def _block(self) -> Triple:
        z, y, x = (max(_BLOCK, f) for f in self.factor)
        return (z, y, x)

    def _key(self, block: Box) -> Triple:
        z, y, x = (start // size for start, size in zip(block.start, self._block(), strict=True))
        return (z, y, x)


def share(
    bits: ObjectBits,
    seeds: Mapping[Triple, int],
    image: Volume | None,
    spacing: Sequence[float],
    context: Context | None = None,
) -> Shares:
    """Share an object among seeds: voxels of it and their parts, numbered from 1. See `divide`.

    Raises `UniemError` if it is too large for that at any scale.
    """

    def cut(mask: NDArray[np.bool_], gray: NDArray[Any] | None, start: Triple, factor: Triple) -> Parts:
        marked = np.zeros(mask.shape, np.int32)
        for voxel, number in seeds.items():
            marked[_cell(voxel, factor, start)] = number
        parts = divide(mask, marked, gray, [step * f for step, f in zip(spacing, factor, strict=True)])
        return parts.astype(np.min_scalar_type(max(seeds.values(), default=0)))

    return _shares(bits, cut, seeds, image, spacing, context or Context())


def share_out(
    bits: ObjectBits,
    voxel: Triple,
    image: Volume | None,
    spacing: Sequence[float],
    context: Context | None = None,
) -> Shares | None:
    """Share an object between the part around a voxel of it, 2, and what touches that, 1. See `part_around`.

    None if narrow places or dark lines set no part off there. Raises as `share`.
    """

    def cut(mask: NDArray[np.bool_], gray: NDArray[Any] | None, start: Triple, factor: Triple) -> Parts:
        place = _cell(voxel, factor, start)
        wider = [step * f for step, f in zip(spacing, factor, strict=True)]
        return mask.astype(np.uint8) + part_around(mask, place, gray, wider)

    shares = _shares(bits, cut, {voxel: 2}, image, spacing, context or Context())
    return shares if borders(shares.coarse).any() else None


def _shares(
    bits: ObjectBits,
    cut: Callable[[NDArray[np.bool_], NDArray[Any] | None, Triple, Triple], Parts],
    seeds: Mapping[Triple, int],
    image: Volume | None,
    spacing: Sequence[float],
    context: Context,
) -> Shares:
    """Cut an object at a scale that suits its size, then refine that."""
    factor = _factor(bits, spacing)
    mask = bits.coarse(factor)
    gray = None if image is None else bits.darkest(image, factor, context)
    context.check_cancelled()
    shares = Shares(bits, factor, cut(mask, gray, cells_of(bits.box, factor).start, factor))
    context.check_cancelled()
    if factor != (1, 1, 1):
        shares.refine(seeds, image, spacing, context)
    return shares


def _voxels_of(cells: Box, factor: Triple) -> Box:
    """Return the voxels of cells."""
    (z0, y0, x0), (z1, y1, x1) = cells.start, cells.stop
    z, y, x = factor
    return Box((z0 * z, y0 * y, x0 * x), (z1 * z, y1 * y, x1 * x))


def _cell(voxel: Triple, factor: Triple, start: Triple) -> Triple:
    z, y, x = (v // f - s for v, f, s in zip(voxel, factor, start, strict=True))
    return (z, y, x)


def _factor(bits: ObjectBits, spacing: Sequence[float]) -> Triple:
    """Return by how much to coarsen z, y and x: the finest axes first, until few enough voxels are left."""
    factor, shape = (1, 1, 1), bits.box.shape
    while math.prod(cells_of(bits.box, factor).shape) > MOST_CELLS or bits.count > MOST_FILLED * math.prod(
        factor
    ):
        steps = [s * f if n > f else math.inf for s, f, n in zip(spacing, factor, shape, strict=True)]
        finest = min(steps)
        z, y, x = (f * 2 if step < 1.5 * finest else f for f, step in zip(factor, steps, strict=True))
        # Cells that do not fit the tiles would be shared by two of them.
        if (z, y, x) == factor or any(f > size for f, size in zip((z, y, x), TILE, strict=True)):
            raise UniemError(
                f"An object in a box of {bits.box.size:,} voxels is too large to be split at once.",
                "Cut it into smaller ones first, by lines in single sections or by painting.",
            )
        factor = (z, y, x)
    return factor
