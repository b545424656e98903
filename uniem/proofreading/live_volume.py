"""A volume as edited: what is on disk and every unsaved edit, at every level of its pyramid."""

from __future__ import annotations

import itertools
import math
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
_MOST_TILE_BYTES = 256 << 20


class EditDoesNotFit(UniemError):
    """An edit was made for other voxels than there are."""


class LiveVolume(Volume):
    """Read a store with its unsaved edits; only a session writes them."""

    def __init__(self, store: StoredVolume) -> None:
        super().__init__(store.shape, store.dtype, store.voxel_size, store.kind)
        self.name, self.source, self.chunk_shape = store.name, store.source, store.chunk_shape
        self._store = store
        self._chunks: set[Triple] = set()
        self._outdated: dict[Triple, Box] = {}

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box, unsaved edits included."""
        return self._store.read(box)

    def write(self, box: Box, array: NDArray[Any]) -> None:
        """Refuse: what is not an edit could not be undone."""
        raise UniemError(f"{self.name} is being edited.", "Change it through an edit, or close the session.")

    def has_data(self, box: Box) -> bool:
        """Tell whether a box may hold anything but background."""
        return self._store.has_data(box)

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
            if not np.array_equal(*_compared(self.read(patch.box), patch)):
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
        """Bring the coarser levels up to date."""
        while self._outdated:
            _, box = self._outdated.popitem()
            self._store.update_pyramid(box)

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


class Replay:
    """Repeat many edits: tiles are read once, changed in memory and written once."""

    def __init__(self, volume: LiveVolume, store: StoredVolume) -> None:
        self._volume, self._store = volume, store
        largest = (16, 512, 512)
        self._tile: Triple = _triple(min(a, b) for a, b in zip(volume.chunk_shape, largest, strict=True))
        self._arrays: dict[Triple, NDArray[Any]] = {}
        self._bytes = 0

    def fits(self, patch: Patch) -> bool:
        """Tell whether the voxels are as a patch expects them."""
        if not Box.of_shape(self._volume.shape).contains(patch.box):
            return False
        if patch.before.dtype != self._volume.dtype:
            return False
        return bool(np.array_equal(*_compared(self._view(patch.box), patch)))

    def put(self, patch: Patch) -> None:
        """Change the voxels of a patch."""
        array = self._view(patch.box)
        array[patch.selection()] = patch.after
        if len(_tiles_of(patch.box, self._tile)) > 1:
            self._store.write(patch.box, array)
        self._volume.note(patch.box)

    def finish(self) -> None:
        """Write what is held."""
        for tile, array in self._arrays.items():
            start = _tile_box(tile, self._tile).start
            self._store.write(_box_at(start, array), array)
        self._arrays.clear()
        self._bytes = 0

    def _view(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box: a view into its tile, or a copy if it meets several."""
        tiles = _tiles_of(box, self._tile)
        if len(tiles) > 1:
            self.finish()
            return self._store.read(box).copy()
        tile = tiles[0]
        if tile not in self._arrays:
            if self._bytes > _MOST_TILE_BYTES:
                self.finish()
            whole = Box.of_shape(self._volume.shape)
            self._arrays[tile] = self._store.read(_tile_box(tile, self._tile).intersection(whole)).copy()
            self._bytes += self._arrays[tile].nbytes
        return self._arrays[tile][box.relative_to(_tile_box(tile, self._tile).start).slices]


class _LiveLevel(Volume):
    """A coarser level, brought up to date when it is looked at."""

    def __init__(self, full: LiveVolume, level: Volume) -> None:
        super().__init__(level.shape, level.dtype, level.voxel_size, level.kind)
        self.name = level.name
        self._full, self._level = full, level

    def read(self, box: Box) -> NDArray[Any]:
        self._full.refresh_levels()
        return self._level.read(box)


def _compared(array: NDArray[Any], patch: Patch) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the labels where a patch changes them, and those it expects."""
    found = array[patch.selection()]
    return found, np.broadcast_to(patch.before, found.shape)


def _tiles_of(box: Box, tile_shape: Triple) -> list[Triple]:
    """Return the indices of the tiles that a box meets."""
    ranges = [range(a // n, -(-b // n)) for a, b, n in zip(box.start, box.stop, tile_shape, strict=True)]
    return [_triple(index) for index in itertools.product(*ranges)]


def _tile_box(tile: Triple, tile_shape: Triple) -> Box:
    start = _triple(i * n for i, n in zip(tile, tile_shape, strict=True))
    return Box(start, _triple(a + n for a, n in zip(start, tile_shape, strict=True)))


def _box_at(start: Triple, array: NDArray[Any]) -> Box:
    return Box(start, _triple(a + n for a, n in zip(start, array.shape, strict=True)))


def _triple(values: Any) -> Triple:
    z, y, x = values
    return (int(z), int(y), int(x))
