"""An array with changes that a transaction holds: read through it only where it was changed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.data.pyramid import chunk_shape_of
from uniem.data.tensor_reading import read_box, unreadable

if TYPE_CHECKING:
    import tensorstore as ts


class HeldArray:
    """Read and write one level of a store, through a transaction if there is one.

    TensorStore keeps every chunk that is read through a transaction in memory until that ends, as if it were
    to be written. So what nobody has written is read from the array itself, past the transaction.

    Attributes
    ----------
    plain : tensorstore.TensorStore
        The array as it is on the disk.
    """

    def __init__(self, array: ts.TensorStore, transaction: ts.Transaction | None = None) -> None:
        self.plain = array
        self.shape: Triple = (int(array.shape[0]), int(array.shape[1]), int(array.shape[2]))
        self._live = array if transaction is None else array.with_transaction(transaction)
        self._is_held = transaction is not None
        self._chunk = chunk_shape_of(array)
        self._written: set[Triple] = set()

    @property
    def held_bytes(self) -> int:
        """How much memory the chunks take that were written."""
        return len(self._written) * math.prod(self._chunk) * int(self.plain.dtype.numpy_dtype.itemsize)

    def read(self, box: Box, place: str | Path) -> NDArray[Any]:
        """Return the voxels of a box; `place` is the folder that a message names."""
        parts = list(self._written_parts(box))
        if sum(part.size for part in parts) == box.size:
            return read_box(self._live, box, place)
        voxels = read_box(self.plain, box, place)
        if parts and not voxels.flags.writeable:
            voxels = voxels.copy()
        self._overlay(voxels, box, parts, place)
        return voxels

    def read_into(self, target: NDArray[Any], box: Box, place: str | Path) -> None:
        """Read a box straight into an array of its shape: that takes half the time of reading and copying."""
        import tensorstore as ts

        try:
            ts.array(target, copy=False).write(self.plain[box.slices].translate_to[0]).result()
        except (ValueError, OSError) as error:
            raise unreadable(place, error) from error
        self._overlay(target, box, list(self._written_parts(box)), place)

    def begin_read(self, box: Box) -> Any:
        """Begin to read a small box and return TensorStore's future."""
        array = self._live if any(self._written_parts(box)) else self.plain
        return array[box.slices].read()

    def write(self, box: Box, voxels: NDArray[Any]) -> None:
        """Replace the voxels of a box; raise what TensorStore raises."""
        if self._is_held:
            self._written.update(self._chunks_of(box))
        self._live[box.slices].write(voxels).result()

    def _overlay(self, voxels: NDArray[Any], box: Box, parts: list[Box], place: str | Path) -> None:
        for part in parts:
            voxels[part.relative_to(box.start).slices] = read_box(self._live, part, place)

    def _written_parts(self, box: Box) -> Iterator[Box]:
        """Yield the parts of a box that lie in chunks that were written."""
        if not self._written or np.prod(box.shape) == 0:
            return
        for index in self._chunks_of(box):
            if index in self._written:
                start = (index[0] * self._chunk[0], index[1] * self._chunk[1], index[2] * self._chunk[2])
                yield Box.of_shape(self._chunk).translated(start).intersection(box)

    def _chunks_of(self, box: Box) -> Iterator[Triple]:
        """Yield the indices of the chunks that a box meets."""
        yield from itertools.product(
            *(
                range(first // size, -(-last // size))
                for first, last, size in zip(box.start, box.stop, self._chunk, strict=True)
            )
        )
