"""An array with changes held in memory: seen by every read, and written to the disk when it is asked for."""

from __future__ import annotations

import functools
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.data.heap import HeapTrimmer
from uniem.data.pyramid import chunk_shape_of
from uniem.data.tensor_reading import read_box, unreadable
from uniem.errors import UniemError

if TYPE_CHECKING:
    import tensorstore as ts

# What is held of a chunk, by the place of each piece in it.
Pieces = dict[Triple, NDArray[Any]]
# The largest piece: strokes in any plane touch few of them, and they hold little beside a stroke.
PIECE: Triple = (8, 32, 32)
# Chunks on the way to the disk at a time.
_AT_ONCE = 4


class Held:
    """Pieces of chunks in memory, found by their chunk."""

    def __init__(self) -> None:
        self.chunks: dict[Triple, Pieces] = {}
        self.bytes = 0

    def get(self, chunk: Triple, piece: Triple) -> NDArray[Any] | None:
        """Return a piece of a chunk; None if it is not held."""
        pieces = self.chunks.get(chunk)
        return None if pieces is None else pieces.get(piece)

    def put(self, chunk: Triple, piece: Triple, voxels: NDArray[Any]) -> None:
        """Hold a piece that is not held yet."""
        self.chunks.setdefault(chunk, {})[piece] = voxels
        self.bytes += voxels.nbytes


class HeldArray:
    """Read and write one level of a store, holding the pieces of chunks that were changed.

    A transaction of TensorStore cannot be changed while it is being committed, nor read. Here what is held
    can be set apart, written by a thread, and read and changed meanwhile: the change goes into a copy.

    Attributes
    ----------
    plain : tensorstore.TensorStore
        The array as it is on the disk.
    is_held : bool
        Whether what is written from now on is held in memory.
    """

    def __init__(self, array: ts.TensorStore, is_held: bool = False) -> None:
        self.plain = array
        self.is_held = is_held
        self.shape: Triple = (int(array.shape[0]), int(array.shape[1]), int(array.shape[2]))
        self._dtype: np.dtype[Any] = array.dtype.numpy_dtype
        self._chunk = chunk_shape_of(array)
        z, y, x = (min(most, size) for most, size in zip(PIECE, self._chunk, strict=True))
        self._piece: Triple = (z, y, x)
        # Those in `_leaving` are never changed; one in `_changed` is newer than that of the same place there.
        self._changed, self._leaving = Held(), Held()
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        """How much memory the pieces take that are held."""
        return self._changed.bytes + self._leaving.bytes

    @property
    def leaving(self) -> int:
        """How many chunks have pieces that are set apart."""
        return len(self._leaving.chunks)

    def holds(self, box: Box) -> bool:
        """Tell whether a box meets a piece that is held."""
        return any(True for _ in self._held_parts(box))

    def read(self, box: Box, place: str | Path) -> NDArray[Any]:
        """Return the voxels of a box; `place` is the folder that a message names."""
        # Found before the disk is read, for they may arrive there meanwhile and be held no more.
        parts = list(self._held_parts(box))
        if parts and sum(part.size for part, _ in parts) == box.size:
            voxels = np.empty(box.shape, self._dtype)
        else:
            voxels = read_box(self.plain, box, place)
        return _overlaid(voxels, box, parts)

    def read_into(self, target: NDArray[Any], box: Box, place: str | Path) -> None:
        """Read a box straight into an array of its shape: that takes half the time of reading and copying."""
        import tensorstore as ts

        parts = list(self._held_parts(box))
        try:
            ts.array(target, copy=False).write(self.plain[box.slices].translate_to[0]).result()
        except (ValueError, OSError) as error:
            raise unreadable(place, error) from error
        _overlaid(target, box, parts)

    def begin_read(self, box: Box) -> tuple[Any, Callable[[NDArray[Any]], NDArray[Any]]]:
        """Begin to read a small box; return TensorStore's future and what completes its result."""
        parts = list(self._held_parts(box))
        return self.plain[box.slices].read(), lambda voxels: _overlaid(voxels, box, parts)

    def write(self, box: Box, voxels: NDArray[Any], where: NDArray[np.bool_] | None = None) -> None:
        """Replace the voxels of a box, or only those `where` is true; raise what TensorStore raises."""
        if not self.is_held:
            if where is not None:
                voxels = np.where(where, voxels, self.plain[box.slices].read().result())
            self.plain[box.slices].write(voxels).result()
            return
        voxels = np.broadcast_to(voxels, box.shape)
        with self._lock:
            for index in self._chunks_of(box):
                self._write_chunk(index, box, voxels, where)

    def set_apart(self) -> None:
        """Let everything held wait for `write_apart`; what is written from now on is held beside it."""
        with self._lock:
            assert not self._leaving.chunks, "what was set apart before is not written yet"
            # In this order, for readers do not wait: everything is found at every moment.
            self._leaving = self._changed
            self._changed = Held()

    def write_apart(self, told: Callable[[], None]) -> None:
        """Write what was set apart, in any thread, telling of each chunk; raise what TensorStore raises."""
        on_their_way = deque[Any]()
        try:
            for index, pieces in self._leaving.chunks.items():
                place = self.plain[self._box_of(index).slices]
                chunk = self._whole(index, pieces)
                on_their_way.append(place.write(chunk, can_reference_source_data_indefinitely=True))
                if len(on_their_way) >= _AT_ONCE:
                    on_their_way.popleft().result()
                    told()
        finally:
            _wait_for_all(on_their_way)

    def let_go(self) -> None:
        """Forget what was set apart, because it is on the disk."""
        self._leaving = Held()

    def take_back(self) -> None:
        """Hold what was set apart again, because it could not be written."""
        with self._lock:
            for index, pieces in self._leaving.chunks.items():
                for piece, voxels in pieces.items():
                    if self._changed.get(index, piece) is None:
                        self._changed.put(index, piece, voxels)
            self._leaving = Held()

    def forget(self) -> None:
        """Forget all that is held."""
        with self._lock:
            self._changed, self._leaving = Held(), Held()

    def _write_chunk(
        self, index: Triple, box: Box, voxels: NDArray[Any], where: NDArray[np.bool_] | None
    ) -> None:
        """Replace the voxels of a chunk that lie in a box."""
        new: dict[Triple, tuple[Box, NDArray[Any], NDArray[np.bool_] | None]] = {}
        partly: list[tuple[Triple, Box]] = []
        for piece, around in self._pieces_of(index, self._box_of(index).intersection(box)):
            part = around.intersection(box)
            inside = part.relative_to(box.start).slices
            chosen = None if where is None else where[inside]
            if chosen is not None and not chosen.any():
                continue
            new[piece] = part.relative_to(around.start), voxels[inside], chosen
            if part != around or (chosen is not None and not chosen.all()):
                partly.append((piece, around))
        self._hold(index, partly)
        for piece, (part, own, chosen) in new.items():
            held = self._changed.get(index, piece)
            if held is None:
                # Complete before readers find it.
                self._changed.put(index, piece, np.array(own, self._dtype, order="C"))
            elif chosen is None:
                held[part.slices] = own
            else:
                np.copyto(held[part.slices], own, where=chosen, casting="unsafe")

    def _hold(self, index: Triple, places: list[tuple[Triple, Box]]) -> None:
        """Hold pieces of a chunk as they are."""
        to_read: list[tuple[Triple, Box]] = []
        for piece, around in places:
            if self._changed.get(index, piece) is not None:
                continue
            leaving = self._leaving.get(index, piece)
            if leaving is not None:
                self._changed.put(index, piece, leaving.copy())
            else:
                to_read.append((piece, around))
        if not to_read:
            return
        whole = functools.reduce(Box.union, (around for _, around in to_read))
        voxels = self.plain[whole.slices].read().result()
        for piece, around in to_read:
            self._changed.put(
                index, piece, np.array(voxels[around.relative_to(whole.start).slices], order="C")
            )

    def _whole(self, index: Triple, pieces: Pieces) -> NDArray[Any]:
        """Return a chunk with the pieces that are held of it."""
        around = self._box_of(index)
        places = list(self._pieces_of(index, around))
        if len(pieces) == len(places):
            chunk = np.empty(around.shape, self._dtype)
        else:
            chunk = np.array(self.plain[around.slices].read().result(), order="C")
        for piece, own in places:
            if (voxels := pieces.get(piece)) is not None:
                chunk[own.relative_to(around.start).slices] = voxels
        return chunk

    def _held_parts(self, box: Box) -> Iterator[tuple[Box, NDArray[Any]]]:
        """Yield the parts of a box that lie in pieces that are held, with their voxels."""
        changed, leaving = self._changed, self._leaving
        if not (changed.chunks or leaving.chunks) or box.is_empty:
            return
        for index in self._chunks_of(box):
            if index not in changed.chunks and index not in leaving.chunks:
                continue
            for piece, around in self._pieces_of(index, self._box_of(index).intersection(box)):
                voxels = changed.get(index, piece)
                if voxels is None:
                    voxels = leaving.get(index, piece)
                if voxels is not None:
                    part = around.intersection(box)
                    yield part, voxels[part.relative_to(around.start).slices]

    def _box_of(self, index: Triple) -> Box:
        start = (index[0] * self._chunk[0], index[1] * self._chunk[1], index[2] * self._chunk[2])
        return Box.of_shape(self._chunk).translated(start).intersection(Box.of_shape(self.shape))

    def _pieces_of(self, index: Triple, inside: Box) -> Iterator[tuple[Triple, Box]]:
        """Yield the places and boxes of the pieces of a chunk that meet a part of it."""
        (z0, y0, x0), (z1, y1, x1) = (chunk := self._box_of(index)).start, chunk.stop
        dz, dy, dx = self._piece
        for piece in _places(inside.relative_to(chunk.start), self._piece):
            z, y, x = z0 + piece[0] * dz, y0 + piece[1] * dy, x0 + piece[2] * dx
            yield piece, Box((z, y, x), (min(z + dz, z1), min(y + dy, y1), min(x + dx, x1)))

    def _chunks_of(self, box: Box) -> Iterator[Triple]:
        """Yield the indices of the chunks that a box meets."""
        yield from _places(box, self._chunk)


def _places(box: Box, size: Triple) -> Iterator[Triple]:
    """Yield the places of the cells of a grid that a box meets."""
    yield from itertools.product(
        *(range(first // n, -(-last // n)) for first, last, n in zip(box.start, box.stop, size, strict=True))
    )


class HeldLevels:
    """The levels of a store, whose changes are written together."""

    def __init__(self, arrays: list[ts.TensorStore], path: Path) -> None:
        self._path = path
        self._levels = [HeldArray(array) for array in arrays]
        self._heap = HeapTrimmer()

    def __getitem__(self, index: int) -> HeldArray:
        """Return a level; 0 is the finest."""
        return self._levels[index]

    @property
    def bytes(self) -> int:
        """How much memory all pieces take that are held."""
        return sum(level.held_bytes for level in self._levels)

    def make_anew(self, arrays: list[ts.TensorStore]) -> None:
        """Take other arrays for the coarser levels."""
        first = self._levels[0]
        self._levels = [first, *(HeldArray(array, first.is_held) for array in arrays[1:])]

    def hold(self, is_held: bool) -> None:
        """Hold what is written from now on, or write it at once."""
        for level in self._levels:
            level.is_held = is_held

    def forget(self) -> None:
        """Forget all that is held."""
        for level in self._levels:
            level.forget()

    def set_apart(self) -> None:
        """Let what is held wait for `write_apart`; further writes are held beside it."""
        for level in self._levels:
            level.set_apart()

    def write_apart(self, tell: Callable[[float], None] = lambda part: None) -> None:
        """Write what was set apart, in any thread, telling which part is done.

        It can be read, and changed by `write`, meanwhile; the disk gets it as it was when it was set apart.
        If that fails it is held again.
        """
        freed, count = self.bytes, itertools.count(1)
        total = sum(level.leaving for level in self._levels)
        try:
            for level in self._levels:
                level.write_apart(lambda: tell(next(count) / total))
        except (ValueError, OSError) as error:
            for level in self._levels:
                level.take_back()
            raise UniemError(
                f"Cannot save {self._path}: {error}.", "Check the disk's free space and rights."
            ) from error
        for level in self._levels:
            level.let_go()
        self._heap.count(freed)


def _overlaid(voxels: NDArray[Any], box: Box, parts: list[tuple[Box, NDArray[Any]]]) -> NDArray[Any]:
    if parts and not voxels.flags.writeable:
        voxels = voxels.copy()
    for part, held in parts:
        voxels[part.relative_to(box.start).slices] = held
    return voxels


def _wait_for_all(futures: deque[Any]) -> None:
    """Wait until nothing is on its way any more, then raise the first error."""
    errors = [error for future in futures if (error := future.commit.exception()) is not None]
    if errors:
        raise errors[0]
