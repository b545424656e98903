"""Volumes that lie in a file as one array, read as far as they are asked for.

The file is read, not kept mapped into memory: if another program cuts a mapped file short, or a network drive
goes away, the operating system ends the whole process; here it is an error.
"""

from __future__ import annotations

import io
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats.files import reading
from uniem.data.formats.format import native_dtype
from uniem.data.geometry import Box, Triple
from uniem.data.limits import check_shape
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError

PIECE_BYTES = 16 << 20
# A box of so small a part of each row, or of more short runs than that, is not read by rows.
NARROW = 8
MANY_RUNS, SHORT_RUN = 16, 1 << 15


class FileArray:
    """A three-dimensional array in C order at an offset in a file; several threads may read at once."""

    def __init__(self, path: Path, dtype: np.dtype[Any], offset: int, shape: Triple) -> None:
        self.dtype, self.shape = dtype, shape
        self._path, self._offset = path, offset
        self._lock = threading.Lock()
        self._end = offset + shape[0] * shape[1] * shape[2] * dtype.itemsize
        with reading(path):
            self._file = path.open("rb", buffering=0)
            weakref.finalize(self, self._file.close)
            found = self._file.seek(0, io.SEEK_END)
        if found < self._end:
            raise UniemError(
                f"{path} is cut short: it should have {self._end} bytes, not {found}.",
                "Copy or download it again.",
            )

    def read(self, box: Box) -> NDArray[Any]:
        """Return the elements of a box."""
        _, height, width = self.shape
        depth, rows, columns = box.shape
        is_narrow = columns * NARROW < width
        is_scattered = rows < height and depth > MANY_RUNS and rows * width * self.dtype.itemsize < SHORT_RUN
        if is_narrow or is_scattered:
            return self._read_mapped(box)
        array = np.empty(box.shape, self.dtype)
        if columns == width and (rows == height or depth == 1):
            self._fill(array, (box.start[0] * height + box.start[1]) * width)
            return array
        for i, z in enumerate(range(box.start[0], box.stop[0])):
            self._fill_rows(array[i], z, box)
        return array

    def _read_mapped(self, box: Box) -> NDArray[Any]:
        """Return a box of many short runs, as cuts across sections are; mapped for this moment only."""
        with self._lock, reading(self._path):
            if self._file.seek(0, io.SEEK_END) < self._end:
                raise self._shorter()
            mapped = np.memmap(self._file, self.dtype, "r", self._offset, self.shape)
        return np.array(mapped[box.slices])

    def _fill_rows(self, target: NDArray[Any], z: int, box: Box) -> None:
        """Fill (rows, columns) from a section by whole rows, many at once."""
        _, height, width = self.shape
        first, last = box.start[2], box.stop[2]
        begin = (z * height + box.start[1]) * width
        step = max(1, PIECE_BYTES // (width * self.dtype.itemsize))
        for i in range(0, len(target), step):
            part = target[i : i + step]
            if last - first == width:
                self._fill(part, begin + i * width)
            else:
                whole = np.empty((len(part), width), self.dtype)
                self._fill(whole, begin + i * width)
                part[...] = whole[:, first:last]

    def _fill(self, target: NDArray[Any], first: int) -> None:
        """Fill a contiguous array from the element `first` on."""
        flat: Any = target.reshape(-1).view(np.uint8)
        content = memoryview(flat)
        with self._lock, reading(self._path):
            self._file.seek(self._offset + first * self.dtype.itemsize)
            while content:
                count = self._file.readinto(content)
                if not count:
                    raise self._shorter()
                content = content[count:]

    def _shorter(self) -> UniemError:
        return UniemError(
            f"{self._path} has become shorter while it was open.", "Open it again when it is complete."
        )


class FileVolume(Volume):
    """An array with the axes z, y, x, or y, x, as it lies in a file.

    Parameters
    ----------
    shape : tuple of int
        Its 2 or 3 axes in the order of the file, the last one without gaps.
    is_fortran : bool
        Whether it is the first one that has no gaps.
    order : (int, int, int)
        Where in `shape` the axes z, y and x are, if there are 3.
    """

    def __init__(
        self,
        path: Path,
        dtype: np.dtype[Any],
        offset: int,
        shape: Sequence[int],
        is_fortran: bool = False,
        order: Triple = (0, 1, 2),
    ) -> None:
        lying = (1, *shape)[-3:] if not is_fortran else ((*shape[::-1], 1)[:3])
        self._order: Triple = (2 - order[0], 2 - order[1], 2 - order[2]) if is_fortran else order
        a, b, c = (lying[i] for i in self._order)
        super().__init__((a, b, c), native_dtype(dtype, path), None, Kind.IMAGE)
        check_shape(self.shape, path)
        self._stored = FileArray(path, dtype, offset, (lying[0], lying[1], lying[2]))

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box, copied out of the file."""
        start, stop = [0, 0, 0], [0, 0, 0]
        for axis, place in enumerate(self._order):
            start[place], stop[place] = box.start[axis], box.stop[axis]
        lying = Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
        found = self._stored.read(lying).transpose(self._order)
        return np.ascontiguousarray(found, self.dtype)
