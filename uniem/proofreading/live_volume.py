"""A volume as edited: what is on disk and every unsaved edit, at every level of its pyramid."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.data.store import StoredVolume
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.proofreading.deferred import Deferred, Renaming
from uniem.proofreading.edits import Edit, Patch, Relabelling
from uniem.proofreading.grid import BlockGrid, block_shape_of

# Coarser levels are brought up to date in tiles of about this shape, so that far strokes make no huge box.
_TILE: Triple = (16, 512, 512)
_READ_AHEAD_BYTES = 64 << 20
KeepPart = Callable[[int, int, bytes], None]


class EditDoesNotFit(UniemError):
    """An edit was made for other voxels than there are."""


class LiveVolume(Volume):
    """Read a store with its unsaved edits; only a session writes them."""

    def __init__(self, store: StoredVolume, block_shape: Triple | None = None) -> None:
        super().__init__(store.shape, store.dtype, store.voxel_size, store.kind)
        self.name, self.source = store.name, store.source
        self.grid = BlockGrid(store.shape, block_shape or block_shape_of(store.chunk_shape))
        self.deferred = Deferred(self.grid)
        # A view writes nothing: all edits wait in it for ever.
        self.is_written = store.writable
        self._store = store
        self._keep_part: KeepPart = _refuse_part
        self._pyramid = _Pyramid(store, self.deferred)

    @property
    def chunk_shape(self) -> Triple:
        """The shape of a chunk of the store."""
        return self._store.chunk_shape

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box, unsaved edits included."""
        return self.deferred.read(box, lambda: self._store.read(box))

    def read_saved(self, boxes: Sequence[Box]) -> Iterator[NDArray[Any]]:
        """Yield the voxels of many small boxes without the changes that wait."""
        largest = max((box.size for box in boxes), default=1) * self.dtype.itemsize
        return self._store.read_many(boxes, min(256, max(1, _READ_AHEAD_BYTES // largest)))

    def write(self, box: Box, array: NDArray[Any]) -> None:
        """Refuse: what is not an edit could not be undone."""
        raise UniemError(f"{self.name} is being edited.", "Change it through an edit, or close the session.")

    def has_data(self, box: Box) -> bool:
        """Tell whether a box may hold anything but background."""
        waits = not self.deferred.waiting.keys().isdisjoint(self.grid.blocks_of(box))
        return waits or self._store.has_data(box)

    @property
    def levels(self) -> list[Volume]:
        """The pyramid, full resolution first, unsaved edits included."""
        levels = range(1, len(self._store.levels))
        return [self, *(_LiveLevel(self._store, i, self._pyramid) for i in levels)]

    @property
    def pending_bytes(self) -> int:
        """How much memory the unsaved edits hold at most."""
        return self._store.held_bytes

    def check(self, edit: Edit) -> None:
        """Raise unless the voxels are as the edit expects them."""
        if edit.relabelling is not None:
            self._check_relabelling(edit, edit.relabelling)
        for patch in edit.patches:
            self.check_place(patch, edit.title)
            if not (self.read(patch.box)[patch.selection()] == patch.before).all():
                raise EditDoesNotFit(
                    f"'{edit.title}' was made for other labels than {self.name} has at {patch.box}.",
                    "The volume changed in the meantime; make the edit again.",
                )

    def check_place(self, patch: Patch, title: str) -> None:
        """Raise unless a patch lies in this volume and has labels of its type."""
        if not Box.of_shape(self.shape).contains(patch.box) or patch.before.dtype != self.dtype:
            raise EditDoesNotFit(
                f"'{title}' is for {patch.before.dtype} labels at {patch.box}; this is {self}.",
                "Open the volume that it was made for.",
            )

    def _check_relabelling(self, edit: Edit, part: Relabelling) -> None:
        sources, largest = part.sources(), int(np.iinfo(self.dtype).max)
        if edit.patches or len(set(sources)) < len(sources) or 0 in sources:
            raise EditDoesNotFit(f"'{edit.title}' changes whole objects in more than one way.")
        for label in part.labels():
            if not 0 < label <= largest:
                raise EditDoesNotFit(
                    f"Label {label} does not fit {self.name}, which holds 0 to {largest}.",
                    "Choose a smaller label, or convert the volume to a wider type.",
                )

    def put(self, patch: Patch) -> None:
        """Write the voxels of a patch."""
        for block in self.grid.blocks_of(patch.box):
            self.fold(block)
        selection = patch.selection()
        array = np.zeros(selection.shape, self.dtype)
        array[selection] = patch.after
        self.overwrite(patch.box, array, selection)

    def overwrite(self, box: Box, array: NDArray[Any], where: NDArray[np.bool_] | None = None) -> None:
        """Write voxels that edits in the journal lead to; they are held until a save."""
        self._store.write(box, array, where)
        self._pyramid.note(box)

    def keep_parts_with(self, keep_part: KeepPart) -> None:
        """Say where is kept which voxels a relabelling changed, before they are written."""
        self._keep_part = keep_part

    def fold(self, block: int) -> None:
        """Write what waits in a block."""
        if block not in self.deferred.waiting:
            return
        box = self.grid.box_of(block)
        with self.deferred.lock:
            array = self._store.read(box).copy()
            for change in self.deferred.waiting[block]:
                before = array.copy() if isinstance(change, Renaming) else array
                change.apply(array, box)
                if isinstance(change, Renaming):
                    patch = Patch.of(box.start, array != before, before, array)
                    content = Edit("", (patch,)).to_bytes() if patch is not None else b""
                    self._keep_part(change.entry, block, content)
            self._store.write(box, array)
            self.deferred.folded(block)
        self._pyramid.note(box, is_urgent=False)

    def fold_as(self, block: int, array: NDArray[Any]) -> None:
        """Write a block of which is known what all that waits makes of it."""
        box = self.grid.box_of(block)
        with self.deferred.lock:
            self._store.write(box, array)
            self.deferred.folded(block)
        self._pyramid.note(box, is_urgent=False)

    def fold_steps(self, most_bytes: int) -> Iterator[None]:
        """Fold block after block until all is written or so much is held; yield after each."""
        yield from self.fold_waiting(most_bytes)
        if not self.deferred.waiting:
            yield from self._pyramid.refresh_steps()

    def fold_waiting(self, most_bytes: int) -> Iterator[None]:
        """Fold block after block; the coarser levels are left as they are."""
        while self.deferred.waiting and self.pending_bytes < most_bytes:
            self.fold(next(iter(self.deferred.waiting)))
            yield

    def refresh_levels(self) -> None:
        """Bring the coarser levels up to date, in any thread, unless something waits to be folded."""
        if not self.deferred.waiting:
            for _ in self._pyramid.refresh_steps():
                pass

    def set_apart(self) -> bool:
        """Let a thread write what was written here so far; return whether nothing else is to be saved."""
        with self._pyramid.at_rest():
            is_all = not self.deferred.waiting and not self._pyramid.is_outdated
            self._store.held.set_apart()
        return is_all

    def forget_changes(self) -> None:
        """Go back to what is on the disk."""
        self._store.abort()
        self._store.begin()
        self.deferred.clear()
        self._pyramid.clear()


class _Pyramid:
    """Know which tiles of the coarser levels are outdated, and compute them anew."""

    def __init__(self, store: StoredVolume, deferred: Deferred) -> None:
        self.deferred = deferred
        self._store = store
        z, y, x = (b * -(-t // b) for t, b in zip(_TILE, deferred.grid.block_shape, strict=True))
        self._tile: Triple = (z, y, x)
        # Tiles in which strokes were drawn, and those whose changes views show without computing anything.
        self._urgent: dict[Triple, Box] = {}
        self._other: dict[Triple, Box] = {}
        self._refreshing = threading.RLock()

    @property
    def is_outdated(self) -> bool:
        """Tell whether any tile is outdated."""
        return bool(self._urgent or self._other)

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[None]:
        """Let no tile be computed meanwhile."""
        with self._refreshing:
            yield

    def note(self, box: Box, is_urgent: bool = True) -> None:
        """Remember that the voxels of a box changed."""
        outdated = self._urgent if is_urgent else self._other
        for block in self.deferred.grid.blocks_of(box) if self.deferred.behind else ():
            # What waits for the coarser levels of a block is over once the whole block is computed anew.
            if block in self.deferred.behind:
                box = box.union(self.deferred.grid.box_of(block))
        for tile in tiles_of(box, self._tile):
            part = box.intersection(_tile_box(tile, self._tile))
            outdated[tile] = part.union(outdated.get(tile, part))

    def refresh_steps(self) -> Iterator[None]:
        """Compute everything that is outdated anew; yield after each tile."""
        while tiles := [*self._urgent, *self._other]:
            for tile in tiles:
                self._refresh(tile)
                yield

    def refresh_seen(self, box: Box) -> None:
        """Compute anew what strokes changed in a box of full resolution; views ask from several threads."""
        with self._refreshing:
            for tile in tiles_of(box, self._tile) if self._urgent else ():
                if tile in self._urgent:
                    self._refresh(tile)

    def clear(self) -> None:
        """Forget what was outdated."""
        self._urgent.clear()
        self._other.clear()

    def _refresh(self, tile: Triple) -> None:
        with self._refreshing:
            boxes = [outdated.pop(tile) for outdated in (self._urgent, self._other) if tile in outdated]
            try:
                for box in boxes:
                    self._store.update_pyramid(box)
            except BaseException:
                for box in boxes:
                    self._urgent[tile] = box.union(self._urgent.get(tile, box))
                raise
            for box in boxes:
                self._caught_up(box)

    def _caught_up(self, box: Box) -> None:
        for block in self.deferred.grid.blocks_of(box):
            if box.contains(self.deferred.grid.box_of(block)):
                self.deferred.caught_up(block)


class _LiveLevel(Volume):
    """A coarser level, brought up to date when it is looked at."""

    def __init__(self, store: StoredVolume, index: int, pyramid: _Pyramid) -> None:
        level = store.levels[index]
        super().__init__(level.shape, level.dtype, level.voxel_size, level.kind)
        self.name = level.name
        self._level, self._pyramid = level, pyramid
        z, y, x = (max(1, round(factor)) for factor in store.level_factor(index))
        self._factor: Triple = (z, y, x)

    @property
    def chunk_shape(self) -> Triple:
        return self._level.chunk_shape

    def read(self, box: Box) -> NDArray[Any]:
        start, stop = (
            tuple(n * f for n, f in zip(end, self._factor, strict=True)) for end in (box.start, box.stop)
        )
        self._pyramid.refresh_seen(Box(_triple(start), _triple(stop)))
        return self._pyramid.deferred.read(box, lambda: self._level.read(box), self._factor)


def _refuse_part(entry: int, block: int, content: bytes) -> None:
    raise UniemError("This volume is open for reading only.", "Open it for editing first.")


def tiles_of(box: Box, tile_shape: Triple) -> list[Triple]:
    """Return the indices of the tiles that a box meets."""
    ranges = [range(a // n, -(-b // n)) for a, b, n in zip(box.start, box.stop, tile_shape, strict=True)]
    return [_triple(index) for index in itertools.product(*ranges)]


def _tile_box(tile: Triple, tile_shape: Triple) -> Box:
    start = _triple(i * n for i, n in zip(tile, tile_shape, strict=True))
    return Box(start, _triple(a + n for a, n in zip(start, tile_shape, strict=True)))


def _triple(values: Iterable[Any]) -> Triple:
    z, y, x = values
    return (int(z), int(y), int(x))
