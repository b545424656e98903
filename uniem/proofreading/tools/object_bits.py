"""The voxels of one object, one bit each and only where it is, so that objects of any size fit memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.data.volume import Volume
from uniem.progress import Context
from uniem.proofreading.edits import tight_box
from uniem.proofreading.tools.masks import TILE, Mask, tiles


class ObjectBits:
    """Which voxels of a box belong to an object; `count` is how many do."""

    def __init__(self, box: Box) -> None:
        self.box, self.count = box, 0
        # Rows along x are packed, so that any part can be unpacked by itself.
        self._pieces: dict[Triple, tuple[Box, NDArray[np.uint8]]] = {}

    @classmethod
    def read(
        cls,
        volume: Volume,
        label: int,
        box: Box,
        places: Iterable[Box] | None = None,
        context: Context | None = None,
    ) -> ObjectBits:
        """Read an object tile by tile.

        `places` are boxes that together hold all its voxels; without them the whole box is looked through.
        """
        bits = cls(box)
        around = _tiles_around(places, box) if places is not None else list(tiles(box))
        for tile in (context or Context()).track(around, "reading the object"):
            if volume.has_data(tile):
                bits._add(tile, volume.read(tile) == label)
        return bits

    def __iter__(self) -> Iterator[Mask]:
        """Yield boxes, each within a tile, and which of their voxels belong to the object."""
        for box, bits in self._pieces.values():
            yield box, np.unpackbits(bits, axis=-1, count=box.shape[2]).view(np.bool_)

    def within(self, box: Box) -> NDArray[np.bool_]:
        """Return which voxels of a box belong to the object."""
        mask = np.zeros(box.shape, np.bool_)
        for tile in tiles(box):
            held, bits = self._pieces.get(_key(tile), (None, None))
            part = held.intersection(box) if held is not None else tile
            if held is None or bits is None or part.is_empty:
                continue
            inner = part.relative_to(held.start)
            (z0, y0, x0), (z1, y1, x1) = inner.start, inner.stop
            first = x0 // 8
            rows = np.unpackbits(bits[z0:z1, y0:y1, first : -(-x1 // 8)], axis=-1)
            inside = rows[..., x0 - 8 * first : x1 - 8 * first]
            mask[part.relative_to(box.start).slices] = inside
        return mask

    def coarse(self, factor: Triple) -> NDArray[np.bool_]:
        """Return which of the cells, `factor` voxels wide, hold any voxel of the object."""
        cells = cells_of(self.box, factor)
        found = np.zeros(cells.shape, np.bool_)
        for box, mask in self:
            own = cells_of(box, factor)
            found[own.relative_to(cells.start).slices] = pooled(mask, box, factor, False, np.maximum)
        return found

    def darkest(self, image: Volume, factor: Triple, context: Context | None = None) -> NDArray[Any]:
        """Return the darkest gray of the object in each cell; as bright as can be where there is none."""
        cells, brightest = cells_of(self.box, factor), _largest(image.dtype)
        found = np.full(cells.shape, brightest, image.dtype)
        for box, mask in (context or Context()).track(self, "reading the image", len(self._pieces)):
            own, gray = cells_of(box, factor), np.where(mask, image.read(box), brightest)
            found[own.relative_to(cells.start).slices] = pooled(gray, box, factor, brightest, np.minimum)
        return found

    def _add(self, tile: Box, mask: NDArray[np.bool_]) -> None:
        inner = tight_box(mask)
        if inner is not None:
            mask = mask[inner.slices]
            self.count += int(np.count_nonzero(mask))
            self._pieces[_key(tile)] = inner.translated(tile.start), np.packbits(mask, axis=-1)


def cells_of(box: Box, factor: Triple) -> Box:
    """Return the cells, `factor` voxels wide and counted from the origin of the volume, that a box meets."""
    start = tuple(a // f for a, f in zip(box.start, factor, strict=True))
    stop = tuple(-(-b // f) for b, f in zip(box.stop, factor, strict=True))
    return Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))


def pooled(array: NDArray[Any], box: Box, factor: Triple, outside: Any, reduce: np.ufunc) -> NDArray[Any]:
    """Return the voxels of a box reduced to one value for each cell it meets."""
    cells = cells_of(box, factor)
    before = [a - c * f for a, c, f in zip(box.start, cells.start, factor, strict=True)]
    after = [c * f - b for b, c, f in zip(box.stop, cells.stop, factor, strict=True)]
    if any(before) or any(after):
        padding = list(zip(before, after, strict=True))
        array = np.pad(array, padding, constant_values=outside)
    for axis, f in enumerate(factor):
        parts = [
            array[tuple(slice(o if a == axis else 0, None, f if a == axis else 1) for a in range(3))]
            for o in range(f)
        ]
        array = parts[0]
        for part in parts[1:]:
            array = reduce(array, part)
    return array


def spread(coarse: NDArray[Any], cells: Box, factor: Triple, box: Box) -> NDArray[Any]:
    """Return the values of cells for each voxel of a box inside them."""
    own = cells_of(box, factor)
    array = coarse[own.relative_to(cells.start).slices]
    for axis, f in enumerate(factor):
        first = box.start[axis] - own.start[axis] * f
        array = array.repeat(f, axis=axis) if f > 1 else array
        kept = slice(first, first + box.shape[axis])
        array = array[tuple(kept if a == axis else slice(None) for a in range(3))]
    return array


def _tiles_around(places: Iterable[Box], box: Box) -> list[Box]:
    """Return what of each tile lies around some boxes."""
    around: dict[Triple, Box] = {}
    for place in places:
        for part in tiles(place.intersection(box)):
            key = _key(part)
            around[key] = part.union(around.get(key, part))
    return list(around.values())


def _key(part: Box) -> Triple:
    """Return which tile a box lies in."""
    z, y, x = (start // size for start, size in zip(part.start, TILE, strict=True))
    return (z, y, x)


def _largest(dtype: np.dtype[Any]) -> Any:
    return np.iinfo(dtype).max if dtype.kind in "iu" else dtype.type(np.finfo(dtype).max)
