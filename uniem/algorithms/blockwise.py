"""Run functions over the blocks of a volume with threads, bounded memory, progress and cancel."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from uniem.data import geometry
from uniem.data.geometry import Block, Box, Triple, blocks
from uniem.data.volume import Volume, check_same_shape
from uniem.progress import Context

Item = TypeVar("Item")
Result = TypeVar("Result")

BLOCK_VOXELS = 1 << 23
# Chunks on disk are seldom deeper or wider than these; blocks in their multiples decode each chunk once.
CHUNK_DEPTH = 32
CHUNK_WIDTH = 128


def default_workers() -> int:
    """Return how many threads block-wise work uses: one per processor, at most 4 to bound the memory."""
    return min(4, os.cpu_count() or 1)


def block_shape(shape: Triple, max_voxels: int = BLOCK_VOXELS) -> Triple:
    """Choose blocks of at most `max_voxels`: whole sections if 32 of them fit, else strips, else bricks."""
    depth, height, width = shape
    thick = _fit(depth, max_voxels // max(1, height * width), CHUNK_DEPTH)
    if thick >= min(depth, CHUNK_DEPTH):
        return thick, height, width
    thick = min(depth, CHUNK_DEPTH)
    rows = _fit(height, max_voxels // max(1, thick * width), CHUNK_WIDTH)
    if rows >= min(height, CHUNK_WIDTH):
        return thick, rows, width
    rows = min(height, CHUNK_WIDTH)
    return thick, rows, max(1, _fit(width, max_voxels // (thick * rows), CHUNK_WIDTH))


def slabs_across(shape: Triple, axis: int, max_voxels: int = BLOCK_VOXELS) -> list[Box]:
    """Cut a volume across one axis into slabs of about `max_voxels`, at least one voxel thick."""
    plane = math.prod(shape) // max(1, shape[axis])
    granule = CHUNK_DEPTH if axis == 0 else CHUNK_WIDTH
    cut = list(shape)
    cut[axis] = max(1, _fit(shape[axis], max_voxels // max(1, plane), granule))
    return [block.core for block in blocks(shape, (cut[0], cut[1], cut[2]))]


def boxes(shape: Triple, max_voxels: int = BLOCK_VOXELS) -> list[Box]:
    """Cut a volume into boxes of `block_shape`, in z, y, x order."""
    return [block.core for block in blocks(shape, block_shape(shape, max_voxels))]


def map_blocks(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    context: Context,
    label: str,
    workers: int | None = None,
) -> Iterator[Result]:
    """Yield `function(item)` in the order of the items, computed ahead by a few threads.

    At most `workers` results wait at any time, so memory is bounded by `workers + 1` blocks. Progress is
    reported and cancelling honoured after each item; a cancel or an error drops the items not yet begun.
    """
    workers = workers or default_workers()
    queue = iter(items)
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            pending.extend(pool.submit(function, item) for item in islice(queue, workers))
            for _ in context.track(range(len(items)), label):
                result = pending.popleft().result()
                pending.extend(pool.submit(function, item) for item in islice(queue, 1))
                yield result
        finally:
            for future in pending:
                future.cancel()


def filter_volume(
    function: Callable[[NDArray[Any]], NDArray[Any]],
    source: Volume,
    target: Volume,
    *,
    halo: Triple,
    context: Context,
    label: str = "blocks",
    max_voxels: int = BLOCK_VOXELS,
    workers: int | None = None,
) -> None:
    """Write `function(block with halo)`, without the halo, over the whole of `target`.

    The function takes a (z, y, x) array of the source's dtype and returns one of the same shape; it must not
    change its input. `halo` is how many voxels beyond a block it looks; it ends at the border of the volume.
    """
    check_same_shape(source, target)

    def compute(block: Block) -> tuple[Box, NDArray[Any]]:
        return block.core, function(source.read(block.outer))[block.core_in_outer]

    cut = list(blocks(source.shape, block_shape(source.shape, max_voxels), halo))
    for box, result in map_blocks(compute, cut, context, label, workers):
        target.write(box, np.ascontiguousarray(result.astype(target.dtype, copy=False)))


def filter_sections(
    function: Callable[[NDArray[Any]], NDArray[Any]],
    source: Volume,
    target: Volume,
    *,
    context: Context,
    label: str = "sections",
    workers: int | None = None,
) -> None:
    """Write `function(section)`, (y, x) to (y, x), over every section of `target`, slab by slab."""
    check_same_shape(source, target)
    cut = geometry.slabs(source.shape, source.dtype.itemsize + target.dtype.itemsize)
    with ThreadPoolExecutor(workers or default_workers()) as pool:
        for slab in context.track(cut, label):
            sections, results = source.read(slab), np.empty(slab.shape, target.dtype)
            pending = [pool.submit(_put, function, sections[z], results[z]) for z in range(len(sections))]
            for future in pending:
                future.result()
            target.write(slab, results)


def _put(
    function: Callable[[NDArray[Any]], NDArray[Any]], section: NDArray[Any], place: NDArray[Any]
) -> None:
    place[...] = function(section)


def _fit(length: int, wanted: int, granule: int) -> int:
    """Return `wanted`, rounded down to whole granules where it holds one, and at most `length`."""
    if wanted >= length:
        return length
    return wanted - wanted % granule if wanted > granule else wanted
