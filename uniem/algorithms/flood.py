"""Regions grown from seeds block by block: the cost follows the region, whatever the volume's size."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.progress import Context

Candidates = Callable[[Box], NDArray[np.bool_]]
_CACHED_BLOCKS = 32


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Connected voxels: masks of blocks, packed to bits; incomplete where growth ended at the limit."""

    packed: dict[Box, NDArray[np.uint8]]
    voxels: int
    is_complete: bool

    def masks(self) -> Iterator[tuple[Box, NDArray[np.bool_]]]:
        """Yield the blocks that the region meets, and which of their voxels belong to it."""
        for box in self.packed:
            yield box, self.mask(box)

    def mask(self, box: Box) -> NDArray[np.bool_]:
        """Return which voxels of a block belong to the region."""
        if box not in self.packed:
            return np.zeros(box.shape, np.bool_)
        return np.unpackbits(self.packed[box], count=box.size).view(np.bool_).reshape(box.shape)


def grow_region(
    seeds: Iterable[Box],
    candidates: Candidates,
    bounds: Box,
    max_voxels: int,
    context: Context | None = None,
) -> Region:
    """Return the candidates inside bounds that connect to a seed through faces of voxels.

    `candidates` tells for a box which of its voxels may belong to the region; seeds that are none start
    nothing. In bounds that are one voxel thick, growth is in that plane. Once there are more than
    `max_voxels` voxels it ends, and the region is not complete.

    Blocks wait until a neighbour touches them; in each, connected components (cc3d) touched by what has been
    reached so far are taken whole.
    """
    return _Growth(candidates, bounds, context or Context()).run(seeds, max_voxels)


def block_boxes(box: Box, bounds: Box) -> Iterator[Box]:
    """Yield the blocks of growth inside bounds that a box meets, as they are keyed in a region."""
    for key in _keys(box, block_shape(bounds)):
        yield _block(key, block_shape(bounds)).intersection(bounds)


def block_shape(bounds: Box) -> Triple:
    """Return the shape of the blocks in which regions grow: thick ones, or wide ones in a plane."""
    return (256, 256, 256) if 1 in bounds.shape else (16, 256, 256)


class _Growth:
    """What has been reached, and the blocks that wait."""

    def __init__(self, candidates: Candidates, bounds: Box, context: Context) -> None:
        self._candidates, self._bounds, self._context = candidates, bounds, context
        self._shape = block_shape(bounds)
        self._waiting: OrderedDict[Triple, list[tuple[Box, NDArray[np.bool_] | None]]] = OrderedDict()
        self._components: OrderedDict[Triple, NDArray[np.unsignedinteger]] = OrderedDict()
        self._taken: dict[Triple, set[int]] = {}
        self._packed: dict[Box, NDArray[np.uint8]] = {}

    def run(self, seeds: Iterable[Box], max_voxels: int) -> Region:
        for seed in seeds:
            self._touch(seed.intersection(self._bounds))
        voxels = 0
        while self._waiting and voxels <= max_voxels:
            self._context.check_cancelled()
            voxels += self._visit(*self._waiting.popitem(last=False))
            self._context.progress(voxels, None, "following the region")
        return Region(self._packed, voxels, voxels <= max_voxels)

    def _touch(self, box: Box, mask: NDArray[np.bool_] | None = None) -> None:
        """Let the blocks wait that a box meets; a mask must lie in a single block."""
        for key in () if box.is_empty else _keys(box, self._shape):
            self._waiting.setdefault(key, []).append((box.intersection(_block(key, self._shape)), mask))

    def _visit(self, key: Triple, touched: list[tuple[Box, NDArray[np.bool_] | None]]) -> int:
        """Take what the touched voxels of a block connect to, and touch its neighbours."""
        box = _block(key, self._shape).intersection(self._bounds)
        components, taken = self._components_of(key, box), self._taken.setdefault(key, set())
        found: set[int] = set()
        for part, mask in touched:
            view = components[part.relative_to(box.start).slices]
            found.update(np.unique(view if mask is None else view[mask]).tolist())
        found -= taken | {0}
        if not found:
            return 0
        taken |= found
        is_new = np.zeros(int(components.max()) + 1, np.bool_)
        is_new[list(found)] = True
        new = is_new[components]
        bits = np.packbits(new, axis=None)
        self._packed[box] = self._packed[box] | bits if box in self._packed else bits
        self._touch_neighbours(box, new)
        return int(np.count_nonzero(new))

    def _touch_neighbours(self, box: Box, new: NDArray[np.bool_]) -> None:
        for axis, side in itertools.product(range(3), (0, -1)):
            face = new.take([side], axis=axis)
            start, stop = list(box.start), list(box.stop)
            start[axis] = box.start[axis] - 1 if side == 0 else box.stop[axis]
            stop[axis] = start[axis] + 1
            beyond = Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
            if self._bounds.contains(beyond) and face.any():
                self._touch(beyond, face)

    def _components_of(self, key: Triple, box: Box) -> NDArray[np.unsignedinteger]:
        import cc3d

        components = self._components.pop(key, None)
        if components is None:
            mask = np.ascontiguousarray(self._candidates(box))
            components = cc3d.connected_components(mask, connectivity=6)
        self._components[key] = components
        if len(self._components) > _CACHED_BLOCKS:
            self._components.popitem(last=False)
        return components


def _keys(box: Box, shape: Triple) -> Iterator[Triple]:
    ranges = (range(a // n, -(-b // n)) for a, b, n in zip(box.start, box.stop, shape, strict=True))
    yield from itertools.product(*ranges)


def _block(key: Triple, shape: Triple) -> Box:
    return Box.of_shape(shape).translated((key[0] * shape[0], key[1] * shape[1], key[2] * shape[2]))
