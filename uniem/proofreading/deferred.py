"""Changes of whole objects and large regions: seen at once, and written block by block later."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.proofreading.edits import Edit, Patch
from uniem.proofreading.grid import BlockGrid

_FULL: Triple = (1, 1, 1)
# Up to so many labels are looked for one by one, which beats a search.
_FEW = 4


class Change(Protocol):
    """What becomes of the voxels of a block; `entry` is the row of the journal that says so."""

    entry: int

    def apply(self, array: NDArray[Any], box: Box, factor: Triple = _FULL) -> None:
        """Change an array that shows a box of a level coarser by a factor."""


class Renaming:
    """Some labels become others wherever they are."""

    def __init__(self, entry: int, mapping: Iterable[tuple[int, int]]) -> None:
        self.entry = entry
        self.mapping = dict(mapping)
        sources = sorted(self.mapping)
        self._sources = np.array(sources, np.uint64)
        self._targets = np.array([self.mapping[source] for source in sources], np.uint64)

    def apply(self, array: NDArray[Any], box: Box, factor: Triple = _FULL) -> None:
        """Rename the labels; the box does not matter."""
        sources, targets = self._sources.astype(array.dtype), self._targets.astype(array.dtype)
        if len(sources) > _FEW:
            _rename_by_search(array, sources, targets)
            return
        # All are found before one is renamed, so that labels can be exchanged.
        found = [array == source for source in sources]
        for mask, target in zip(found, targets, strict=True):
            array[mask] = target


class Overwriting:
    """The voxels of a patch get their labels; `patch` may be bytes that are decoded when they are needed."""

    def __init__(self, entry: int, patch: Patch | bytes, is_done: bool = True) -> None:
        self.entry = entry
        self._patch, self._is_done = patch, is_done

    def patch(self) -> Patch | None:
        """Return the patch in the direction in which it is applied; None if it changes nothing."""
        return _decoded(self) if isinstance(self._patch, bytes) else self._patch

    def decode(self) -> Patch | None:
        """Decode the bytes."""
        assert isinstance(self._patch, bytes)
        if not self._patch:
            return None
        (patch,) = Edit.from_bytes(self._patch).patches
        return patch if self._is_done else patch.inverse()

    def apply(self, array: NDArray[Any], box: Box, factor: Triple = _FULL) -> None:
        """Write the patch's labels; coarser levels take every so manieth voxel."""
        patch = self.patch()
        if patch is not None and factor == _FULL and box.contains(patch.box):
            array[patch.box.relative_to(box.start).slices][patch.selection()] = patch.after
            return
        inner = _coarser(patch.box, factor).intersection(box) if patch is not None else box
        if patch is None or inner.is_empty:
            return
        selection, after = _expanded(patch)
        places = tuple(
            slice(a * f - s, (b - 1) * f - s + 1, f)
            for a, b, f, s in zip(inner.start, inner.stop, factor, patch.box.start, strict=True)
        )
        chosen = selection[places]
        view = array[inner.relative_to(box.start).slices]
        view[chosen] = after if after.ndim == 1 else after[places][chosen]

    def fits(self, array: NDArray[Any], box: Box) -> bool:
        """Tell whether an array that shows a box has the labels that the patch expects there."""
        patch = self.patch()
        if patch is not None and not box.contains(patch.box):
            inner = patch.box.intersection(box)
            patch = None if inner.is_empty else patch.within(inner)
        if patch is None:
            return True
        view = array[patch.box.relative_to(box.start).slices]
        return bool((view[patch.selection()] == patch.before).all())


class Deferred:
    """The changes that wait in each block, in order: read through them, and fold them in when there is time.

    `waiting` are those that the finest level lacks, `behind` those that the coarser levels lack, which are
    computed anew from the finest one.
    """

    def __init__(self, grid: BlockGrid) -> None:
        self.grid = grid
        self.waiting: dict[int, list[Change]] = {}
        self.behind: dict[int, list[Change]] = {}
        self.lock = threading.RLock()
        # Counts what happened to the changes, so that a reader in another thread notices.
        self.version = 0

    def add(self, block: int, change: Change) -> None:
        """Let a change wait in a block."""
        with self.lock:
            self.waiting.setdefault(block, []).append(change)
            self.behind.setdefault(block, []).append(change)
            self.version += 1

    def take_back(self, block: int, entry: int) -> bool:
        """Go back to before the renaming of an entry, if it still waits in a block."""
        with self.lock:
            if not taken_back(self.waiting.get(block, []), entry):
                return False
            taken_back(self.behind[block], entry)
            for listed in (self.waiting, self.behind):
                if not listed[block]:
                    del listed[block]
            self.version += 1
            return True

    def folded(self, block: int) -> None:
        """Note that the finest level has all changes of a block."""
        del self.waiting[block]
        self.version += 1

    def caught_up(self, block: int) -> None:
        """Note that the coarser levels were computed anew in a block."""
        with self.lock:
            if block in self.waiting:
                self.behind[block] = list(self.waiting[block])
            else:
                self.behind.pop(block, None)
            self.version += 1

    def clear(self) -> None:
        """Forget all changes."""
        with self.lock:
            self.waiting, self.behind = {}, {}
            self.version += 1

    def read(self, box: Box, read: Callable[[], NDArray[Any]], factor: Triple = _FULL) -> NDArray[Any]:
        """Read a box of a level with all changes; the changes may be folded by another thread meanwhile."""
        for _ in range(2):
            version = self.version
            array = self._changed(read(), box, factor)
            if version == self.version:
                return array
        with self.lock:
            return self._changed(read(), box, factor)

    def _changed(self, array: NDArray[Any], box: Box, factor: Triple) -> NDArray[Any]:
        with self.lock:
            listed = self.waiting if factor == _FULL else self.behind
            if not listed:
                return array
            fine = Box(_times(box.start, factor), _times(box.stop, factor))
            found = [(b, tuple(listed[b])) for b in self.grid.blocks_of(self._inside(fine)) if b in listed]
        is_own = False
        for block, changes in found:
            part = _coarser(self.grid.box_of(block), factor).intersection(box)
            if not part.is_empty:
                array = array if is_own else array.copy()
                is_own = True
                for change in composed(changes):
                    change.apply(array[part.relative_to(box.start).slices], part, factor)
        return array

    def _inside(self, box: Box) -> Box:
        return box.intersection(Box.of_shape(self.grid.shape))


def taken_back(changes: list[Change], entry: int) -> bool:
    """Cut changes off before the renaming of an entry, and tell whether it was there.

    It was never written then, nor was what came later; and it is undone last of these.
    """
    for i, change in enumerate(changes):
        if isinstance(change, Renaming) and change.entry == entry:
            del changes[i:]
            return True
    return False


def composed(changes: tuple[Change, ...]) -> Sequence[Change]:
    """Return changes with renamings in a row made into one."""
    # Patches are not kept by a cache that outlives their session.
    return _composed(changes) if sum(isinstance(each, Renaming) for each in changes) > 1 else changes


@functools.lru_cache(256)
def _composed(changes: tuple[Change, ...]) -> list[Change]:
    shorter: list[Change] = []
    for change in changes:
        last = shorter[-1] if shorter else None
        if isinstance(change, Renaming) and isinstance(last, Renaming):
            mapping = {a: change.mapping.get(b, b) for a, b in last.mapping.items()}
            for source, target in change.mapping.items():
                mapping.setdefault(source, target)
            shorter[-1] = Renaming(change.entry, mapping.items())
        else:
            shorter.append(change)
    return shorter


@functools.lru_cache(32)
def _decoded(change: Overwriting) -> Patch | None:
    return change.decode()


@functools.lru_cache(4)
def _expanded(patch: Patch) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Return which voxels of its box a patch changes, and their labels: one, or an array of the box."""
    selection = patch.selection()
    if len(patch.after) == 1:
        return selection, patch.after
    after = np.zeros(patch.box.shape, patch.after.dtype)
    after[selection] = patch.after
    return selection, after


def _rename_by_search(array: NDArray[Any], sources: NDArray[Any], targets: NDArray[Any]) -> None:
    """Rename many labels, sorted, in an array whose labels lie in runs along x."""
    flat = array.ravel()
    if not len(flat):
        return
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    values = flat[starts]
    places = np.searchsorted(sources, values).clip(max=len(sources) - 1)
    is_source = sources[places] == values
    if is_source.any():
        values = np.where(is_source, targets[places], values)
        array[...] = np.repeat(values, np.diff(starts, append=flat.size)).reshape(array.shape)


def _coarser(box: Box, factor: Triple) -> Box:
    """Return the voxels of a coarser level whose first fine voxel lies in a box."""
    return box if factor == _FULL else Box(_divided(box.start, factor), _divided(box.stop, factor))


def _divided(point: Triple, factor: Triple) -> Triple:
    return (-(-point[0] // factor[0]), -(-point[1] // factor[1]), -(-point[2] // factor[2]))


def _times(point: Triple, factor: Triple) -> Triple:
    return (point[0] * factor[0], point[1] * factor[1], point[2] * factor[2])
