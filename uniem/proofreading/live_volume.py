"""A volume as edited: what is on disk and every unsaved edit, at every level of its pyramid."""

from __future__ import annotations

import functools
import itertools
import math
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.data.store import StoredVolume
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.proofreading.edits import Edit, Patch

# Coarser levels are brought up to date in tiles of this shape, so that far strokes do not make one huge box.
_TILE: Triple = (16, 512, 512)


class EditDoesNotFit(UniemError):
    """An edit was made for other voxels than there are."""


class LiveVolume(Volume):
    """Read a store with its unsaved edits; only a session writes them."""

    def __init__(self, store: StoredVolume) -> None:
        super().__init__(store.shape, store.dtype, store.voxel_size, store.kind)
        self.name, self.source = store.name, store.source
        self._store = store
        self._chunks: set[Triple] = set()
        self._outdated: dict[Triple, Box] = {}
        self._refreshing = threading.Lock()

    @property
    def chunk_shape(self) -> Triple:
        """The shape of a chunk of the store."""
        return self._store.chunk_shape

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box, unsaved edits included."""
        return self._store.read(box)

    def write(self, box: Box, array: NDArray[Any]) -> None:
        """Refuse: what is not an edit could not be undone."""
        raise UniemError(f"{self.name} is being edited.", "Change it through an edit, or close the session.")

    def has_data(self, box: Box) -> bool:
        """Tell whether a box may hold anything but background."""
        is_pending = not self._chunks.isdisjoint(_tiles_of(box, self.chunk_shape))
        return is_pending or self._store.has_data(box)

    @property
    def levels(self) -> list[Volume]:
        """The pyramid, full resolution first, unsaved edits included."""
        return [self, *(_LiveLevel(self, level) for level in self._store.levels[1:])]

    @property
    def pending_bytes(self) -> int:
        """How much memory the unsaved edits hold at most."""
        return len(self._chunks) * math.prod(self.chunk_shape) * self.dtype.itemsize

    def check(self, edit: Edit) -> None:
        """Raise unless the voxels are as the edit expects them."""
        whole = Box.of_shape(self.shape)
        for patch in edit.patches:
            if not whole.contains(patch.box) or patch.before.dtype != self.dtype:
                raise EditDoesNotFit(
                    f"'{edit.title}' is for {patch.before.dtype} labels at {patch.box}; this is {self}.",
                    "Open the volume that it was made for.",
                )
            if not (self.read(patch.box)[patch.selection()] == patch.before).all():
                raise EditDoesNotFit(
                    f"'{edit.title}' was made for other labels than {self.name} has at {patch.box}.",
                    "The volume changed in the meantime; make the edit again.",
                )

    def put(self, edit: Edit) -> None:
        """Write the voxels of an edit into the transaction."""
        for patch in edit.patches:
            array = self.read(patch.box).copy()
            array[patch.selection()] = patch.after
            self._store.write(patch.box, array)
            self.note(patch.box)

    def refresh_levels(self) -> None:
        """Bring the coarser levels up to date; views may ask from several threads."""
        with self._refreshing:
            while self._outdated:
                tile, box = self._outdated.popitem()
                try:
                    self._store.update_pyramid(box)
                except BaseException:
                    self._outdated[tile] = box.union(self._outdated.get(tile, box))
                    raise

    def overwrite(self, box: Box, array: NDArray[Any]) -> None:
        """Write voxels into the transaction that edits in the journal lead to."""
        self._store.write(box, array)

    def forget_pending(self) -> None:
        """Start counting anew after the transaction ended."""
        self._chunks.clear()
        self._outdated.clear()

    def note(self, box: Box) -> None:
        """Remember that the voxels of a box changed."""
        self._chunks.update(_tiles_of(box, self.chunk_shape))
        for tile in _tiles_of(box, _TILE):
            part = box.intersection(_tile_box(tile, _TILE))
            self._outdated[tile] = part.union(self._outdated.get(tile, part))


def replay(edits: Iterable[Edit], volume: LiveVolume) -> None:
    """Write the voxels of many edits, whatever is there: each chunk is read and written once."""
    for box, patches in _by_chunk(edits, volume):
        array = volume.read(box).copy()
        for patch in patches:
            view, selection, part = _meeting(array, box, patch)
            view[selection] = part.after
        volume.overwrite(box, array)


def replay_exactly(edits: Iterable[Edit], volume: LiveVolume) -> None:
    """Write the voxels of many edits; raise `EditDoesNotFit` if one was made for other voxels."""
    for box, patches in _by_chunk(edits, volume):
        array = volume.read(box).copy()
        for patch in patches:
            view, selection, part = _meeting(array, box, patch)
            if not (view[selection] == part.before).all():
                raise EditDoesNotFit(f"An edit was made for other labels than there are at {patch.box}.")
            view[selection] = part.after
        volume.overwrite(box, array)


def _by_chunk(edits: Iterable[Edit], volume: LiveVolume) -> Iterator[tuple[Box, list[Patch]]]:
    """Yield chunks and the patches that meet them, in order: between chunks their order does not matter."""
    whole, groups = Box.of_shape(volume.shape), defaultdict[Triple, list[Patch]](list)
    tile_shape = _triple(min(a, b) for a, b in zip(volume.chunk_shape, _TILE, strict=True))
    for edit in edits:
        for patch in edit.patches:
            if patch.before.dtype != volume.dtype or not whole.contains(patch.box):
                raise EditDoesNotFit(
                    f"An edit of {patch.before.dtype} labels at {patch.box} is not for {volume}."
                )
            for tile in _tiles_of(patch.box, tile_shape):
                groups[tile].append(patch)
    for tile, patches in groups.items():
        box = _tile_box(tile, tile_shape).intersection(whole)
        changed = functools.reduce(Box.union, (patch.box for patch in patches))
        volume.note(box.intersection(changed))
        yield box, patches


def _meeting(array: NDArray[Any], box: Box, patch: Patch) -> tuple[NDArray[Any], NDArray[np.bool_], Patch]:
    """Return where an array that shows a box meets a patch, which voxels it changes, and that part."""
    inner, selection = box.intersection(patch.box), patch.selection()
    if inner != patch.box:
        selection = selection[inner.relative_to(patch.box.start).slices]
        patch = patch.within(inner)
    return array[inner.relative_to(box.start).slices], selection, patch


class _LiveLevel(Volume):
    """A coarser level, brought up to date when it is looked at."""

    def __init__(self, full: LiveVolume, level: Volume) -> None:
        super().__init__(level.shape, level.dtype, level.voxel_size, level.kind)
        self.name = level.name
        self._full, self._level = full, level

    @property
    def chunk_shape(self) -> Triple:
        return self._level.chunk_shape

    def read(self, box: Box) -> NDArray[Any]:
        self._full.refresh_levels()
        return self._level.read(box)


def _tiles_of(box: Box, tile_shape: Triple) -> list[Triple]:
    """Return the indices of the tiles that a box meets."""
    ranges = [range(a // n, -(-b // n)) for a, b, n in zip(box.start, box.stop, tile_shape, strict=True)]
    return [_triple(index) for index in itertools.product(*ranges)]


def _tile_box(tile: Triple, tile_shape: Triple) -> Box:
    start = _triple(i * n for i, n in zip(tile, tile_shape, strict=True))
    return Box(start, _triple(a + n for a, n in zip(start, tile_shape, strict=True)))


def _triple(values: Any) -> Triple:
    z, y, x = values
    return (int(z), int(y), int(x))
