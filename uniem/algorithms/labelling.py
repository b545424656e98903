"""Connected components of volumes of any size, in memory or slab by slab."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.blockwise import boxes, map_blocks, slabs_across
from uniem.data.geometry import Box, Triple
from uniem.data.volume import Volume, check_same_shape
from uniem.errors import UniemError
from uniem.progress import Context

Connectivity = Literal[4, 6, 8, 18, 26]
Prepare = Callable[[NDArray[Any]], NDArray[Any]]

IN_MEMORY_BYTES = 1 << 30
SLAB_VOXELS = 1 << 25


def label_components(
    source: Volume,
    out: Volume,
    *,
    level: float = 0.0,
    value: int | None = None,
    connectivity: Connectivity = 6,
    min_size_voxels: int = 0,
    context: Context | None = None,
    memory_bytes: int = IN_MEMORY_BYTES,
    slab_voxels: int = SLAB_VOXELS,
) -> int:
    """Number the connected components of the foreground from 1 to N, and return N.

    Foreground is what is above `level` or, where given, what equals `value`. 6, 18 or 26 neighbours connect
    in 3D; 4 or 8 neighbours treat every section on its own. Components of fewer than `min_size_voxels`
    become background. Ids follow the z, y, x scan order of the components' first voxels, however computed.

    Up to a need of `memory_bytes`, cc3d sees the whole volume; above it, slabs of `slab_voxels` across the
    longest axis: once to find which components touch, once more to write their final ids.
    """

    def prepare(array: NDArray[Any]) -> NDArray[Any]:
        return foreground(array, level, value)

    task = _Task(source, out, prepare, connectivity, min_size_voxels, context or Context(), slab_voxels)
    return task.run(memory_bytes)


def label_segments(
    segmentation: Volume,
    out: Volume,
    *,
    connectivity: Connectivity = 6,
    min_size_voxels: int = 0,
    context: Context | None = None,
    memory_bytes: int = IN_MEMORY_BYTES,
    slab_voxels: int = SLAB_VOXELS,
) -> int:
    """Give every connected part of every label an id of its own; see `label_components`."""
    if segmentation.dtype.kind not in "uib":
        raise UniemError(f"{segmentation} does not hold labels.", "Give a volume of whole numbers.")
    run_context = context or Context()
    task = _Task(segmentation, out, _as_is, connectivity, min_size_voxels, run_context, slab_voxels)
    return task.run(memory_bytes)


def label_array(
    array: NDArray[Any], connectivity: Connectivity = 6, min_size_voxels: int = 0
) -> tuple[NDArray[np.uint32], int]:
    """Return the components of equal non-zero values of a (z, y, x) array, 1..N in scan order, and N."""
    labels, count = _components(array, connectivity)
    if min_size_voxels > 1 and count:
        keep = voxel_counts(labels, count) >= min_size_voxels
        keep[0] = False
        lookup = np.where(keep, np.cumsum(keep), 0).astype(np.uint32)
        _relabel(labels, lookup)
        count = int(np.count_nonzero(keep))
    return labels, count


def foreground(array: NDArray[Any], level: float = 0.0, value: int | None = None) -> NDArray[np.uint8]:
    """Return a mask of what is above `level` or equals `value`, 0/1; the array itself if it is a mask."""
    if value is not None:
        return np.asarray(array == value).view(np.uint8)
    if array.dtype == np.bool_ and level == 0:
        return array.view(np.uint8)
    if array.dtype == np.uint8 and level == 0 and _is_mask(array):
        return array
    whole = array.dtype.kind in "uib" and math.isfinite(level)
    return np.asarray(array > (math.floor(level) if whole else level)).view(np.uint8)


def voxel_counts(labels: NDArray[np.uint32], count: int) -> NDArray[np.int64]:
    """Count the voxels of the ids 0..count of a (z, y, x) array, through its runs of equal voxels."""
    total = np.zeros(count + 1, np.float64)
    for section in labels:
        flat = section.ravel()
        starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
        ids, lengths = flat[starts], np.diff(starts, append=flat.size)
        lowest = int(ids.min())
        counted = np.bincount(ids - np.uint32(lowest), weights=lengths)
        total[lowest : lowest + len(counted)] += counted
    return total.astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Slab:
    """What is kept of a slab after its components were found."""

    count: int
    first: NDArray[np.int64]
    sizes: NDArray[np.int64] | None
    faces: tuple[NDArray[np.uint32], NDArray[np.uint32]]
    values: tuple[NDArray[Any], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class _Task:
    """A labelling of a volume, with its rules."""

    source: Volume
    out: Volume
    prepare: Prepare
    connectivity: Connectivity
    min_size_voxels: int
    context: Context
    slab_voxels: int

    def run(self, memory_bytes: int) -> int:
        """Label in memory if the volume, its mask and its labels fit, else slab by slab."""
        check_same_shape(self.source, self.out)
        voxels = math.prod(self.source.shape)
        if voxels == 0:
            return 0
        mask_bytes = 0 if self.prepare is _as_is or self.source.dtype.itemsize == 1 else voxels
        if self.source.nbytes + mask_bytes + 4 * voxels <= memory_bytes:
            return self._run_in_memory()
        return self._run_by_slabs()

    def _run_in_memory(self) -> int:
        self.context.progress(0, None, "labelling")
        array = self.prepare(self.source.read(Box.of_shape(self.source.shape)))
        self.context.check_cancelled()
        labels, count = label_array(array, self.connectivity, self.min_size_voxels)
        self._check_room(count)
        for box in self.context.track(boxes(self.source.shape), "writing labels"):
            self.out.write(box, labels[box.slices].astype(self.out.dtype, copy=False))
        return count

    def _run_by_slabs(self) -> int:
        axis = int(np.argmax(self.source.shape))
        cut = slabs_across(self.source.shape, axis, self.slab_voxels)

        def find(box: Box) -> _Slab:
            return self._find(box, axis)

        offsets, first, sizes, pairs = [0], [], [], [np.zeros((0, 2), np.int64)]
        below: _Slab | None = None
        for slab in map_blocks(find, cut, self.context, "finding components", workers=2):
            if below is not None:
                pairs.append(self._contacts(below, slab, axis) + np.array(offsets[-2:]))
            offsets.append(offsets[-1] + slab.count)
            first.append(slab.first)
            sizes.append(slab.sizes)
            below = slab
        counted = np.concatenate([s for s in sizes if s is not None]) if self.min_size_voxels > 1 else None
        joined = _join(
            offsets[-1], np.concatenate(pairs), np.concatenate(first), counted, self.min_size_voxels
        )
        count = int(joined.max(initial=0))
        self._check_room(count)

        def relabelled(item: tuple[Box, int, int]) -> tuple[Box, NDArray[np.uint32]]:
            box, start, stop = item
            labels, _ = _components(self.prepare(self.source.read(box)), self.connectivity)
            _relabel(labels, np.concatenate([[0], joined[start:stop]]).astype(np.uint32))
            return box, labels

        items = list(zip(cut, offsets[:-1], offsets[1:], strict=True))
        for box, labels in map_blocks(relabelled, items, self.context, "writing labels", workers=1):
            self.out.write(box, labels.astype(self.out.dtype, copy=False))
        return count

    def _find(self, box: Box, axis: int) -> _Slab:
        array = self.prepare(self.source.read(box))
        labels, count = _components(array, self.connectivity)
        if axis == 0:
            first = np.full(count, -1, np.int64)
        else:
            first = _first_voxels(labels, count, box, self.source.shape)
        sizes = voxel_counts(labels, count)[1:] if self.min_size_voxels > 1 else None
        return _Slab(count, first, sizes, _ends(labels, axis), _ends(array, axis))

    def _contacts(self, below: _Slab, above: _Slab, axis: int) -> NDArray[np.int64]:
        """Return the pairs of ids, 0-based in each slab, that touch across the interface of two slabs."""
        found = [np.zeros(0, np.uint64)]
        for shift in _shifts(self.connectivity, axis):
            one, two = _overlap(below.faces[1].shape, shift)
            ids_below, ids_above = below.faces[1][one], above.faces[0][two]
            touch = (ids_below > 0) & (ids_above > 0) & (below.values[1][one] == above.values[0][two])
            keys = (ids_below[touch].astype(np.uint64) << np.uint64(32)) | ids_above[touch]
            found.append(np.unique(keys))
        keys = np.unique(np.concatenate(found))
        return np.stack([keys >> np.uint64(32), keys & np.uint64(0xFFFFFFFF)], axis=1).astype(np.int64) - 1

    def _check_room(self, count: int) -> None:
        largest = int(np.iinfo(self.out.dtype).max) if self.out.dtype.kind in "ui" else 0
        if count > largest:
            raise UniemError(
                f"{count} components do not fit into {self.out.dtype} labels.",
                "Write to uint32 labels, or raise the smallest size.",
            )


def _is_mask(array: NDArray[np.uint8]) -> bool:
    """Tell whether only one value occurs beside 0, section by section to stay in the processor's cache."""
    highest = array.max(initial=0)
    return all(np.count_nonzero(section) == np.count_nonzero(section == highest) for section in array)


def _ends(array: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return copies of the first and the last plane across an axis."""
    return np.take(array, 0, axis), np.take(array, -1, axis)


def _as_is(array: NDArray[Any]) -> NDArray[Any]:
    return array


def _components(array: NDArray[Any], connectivity: Connectivity) -> tuple[NDArray[np.uint32], int]:
    """Return cc3d's labels, which follow the scan order, and their number.

    A mask goes in as plain uint8: cc3d's code for many values is faster than its code for masks.
    """
    if connectivity not in (4, 8):
        return _cc3d(array, connectivity)
    labels = np.empty(array.shape, np.uint32)
    total = 0
    for section, target in zip(array, labels, strict=True):
        found, count = _cc3d(section, connectivity)
        np.add(found, np.uint32(total), out=target, where=found > 0)
        target[found == 0] = 0
        total += count
    return labels, total


def _cc3d(array: NDArray[Any], connectivity: Connectivity) -> tuple[NDArray[np.uint32], int]:
    import cc3d

    # cc3d refuses read-only arrays, though it does not write to them.
    ready = np.require(array, requirements=["C", "W"])
    labels, count = cc3d.connected_components(
        ready, connectivity=connectivity, out_dtype=np.uint32, return_N=True
    )
    return np.asarray(labels, np.uint32), int(count)


def _relabel(labels: NDArray[np.uint32], lookup: NDArray[np.uint32]) -> None:
    """Replace every id by its entry in the table, in place."""
    for section in labels:
        np.take(lookup, section, out=section, mode="clip")


def _first_voxels(labels: NDArray[np.uint32], count: int, box: Box, shape: Triple) -> NDArray[np.int64]:
    """Return where each component begins, as the flat index into the whole volume."""
    first = np.zeros(count, np.int64)
    seen = 0
    for z, section in enumerate(labels):
        reached = np.maximum.accumulate(section.ravel())
        if not reached.size or int(reached[-1]) <= seen:
            continue
        highest = int(reached[-1])
        flat = np.searchsorted(reached, np.arange(seen + 1, highest + 1, dtype=np.uint32))
        y, x = np.divmod(flat, section.shape[1])
        rows = (z + box.start[0]) * shape[1] + y + box.start[1]
        first[seen:highest] = rows * shape[2] + x + box.start[2]
        seen = highest
    return first


def _shifts(connectivity: Connectivity, axis: int) -> list[tuple[int, int]]:
    """Return the steps within the interface plane that neighbours across it may be apart."""
    if connectivity in (4, 8):
        if axis == 0:
            return []
        return [(0, dx) for dx in ((0,) if connectivity == 4 else (-1, 0, 1))]
    reach = {6: 0, 18: 1, 26: 2}[connectivity]
    steps = (-1, 0, 1)
    return [(a, b) for a in steps for b in steps if abs(a) + abs(b) <= reach]


def _overlap(shape: tuple[int, ...], shift: tuple[int, int]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the indices that lay one plane over another, shifted."""
    one = tuple(slice(max(0, -s), n - max(0, s)) for s, n in zip(shift, shape, strict=True))
    two = tuple(slice(max(0, s), n - max(0, -s)) for s, n in zip(shift, shape, strict=True))
    return one, two


def _join(
    count: int,
    pairs: NDArray[np.int64],
    first: NDArray[np.int64],
    sizes: NDArray[np.int64] | None,
    min_size_voxels: int,
) -> NDArray[np.int64]:
    """Return the final ids of `count` parts, given which touch, where they begin and their sizes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(pairs), np.bool_), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    groups, group = connected_components(links, directed=False)
    # Parts from slabs of whole sections come in scan order and carry equal marks: the sort is stable.
    order = np.argsort(first, kind="stable")
    _, begins = np.unique(group[order], return_index=True)
    keep = np.ones(groups, np.bool_)
    if sizes is not None:
        keep = np.bincount(group, weights=sizes, minlength=groups) >= min_size_voxels
    ids = np.zeros(groups, np.int64)
    ranked = np.argsort(begins)
    ranked = ranked[keep[ranked]]
    ids[ranked] = np.arange(1, len(ranked) + 1)
    final: NDArray[np.int64] = ids[group]
    return final
