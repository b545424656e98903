"""Volumes that lie in a file as one array, read as far as they are asked for.

The file is read, not mapped into memory: if another program cuts a mapped file short, or a network drive goes
away, the operating system ends the whole process; here it is an error.
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
SLAB_BYTES = 64 << 20
# Rows wider than this are read in part where a narrow box is asked for.
WIDE_ROW_BYTES = 1 << 16


class FileArray:
    """A three-dimensional array in C order at an offset in a file; several threads may read at once."""

    def __init__(self, path: Path, dtype: np.dtype[Any], offset: int, shape: Triple) -> None:
        self.dtype, self.shape = dtype, shape
        self._path, self._offset = path, offset
        self._lock = threading.Lock()
        needed = offset + shape[0] * shape[1] * shape[2] * dtype.itemsize
        with reading(path):
            self._file = path.open("rb", buffering=0)
            weakref.finalize(self, self._file.close)
            found = self._file.seek(0, io.SEEK_END)
        if found < needed:
            raise UniemError(
                f"{path} is cut short: it should have {needed} bytes, not {found}.",
                "Copy or download it again.",
            )

    def read(self, box: Box) -> NDArray[Any]:
        """Return the elements of a box."""
        _, height, width = self.shape
        depth, rows, columns = box.shape
        array = np.empty(box.shape, self.dtype)
        if columns == width and (rows == height or depth == 1):
            self._fill(array, (box.start[0] * height + box.start[1]) * width)
            return array
        for i, z in enumerate(range(box.start[0], box.stop[0])):
            self._fill_rows(array[i], z, box)
        return array

    def _fill_rows(self, target: NDArray[Any], z: int, box: Box) -> None:
        """Fill (rows, columns) from a section: by whole rows, many at once, unless they are far too wide."""
        _, height, width = self.shape
        first, last = box.start[2], box.stop[2]
        begin = (z * height + box.start[1]) * width
        row_bytes = width * self.dtype.itemsize
        if row_bytes > WIDE_ROW_BYTES and (last - first) * 8 < width:
            for i in range(len(target)):
                self._fill(target[i], begin + i * width + first)
            return
        step = max(1, PIECE_BYTES // row_bytes)
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
                    raise UniemError(
                        f"{self._path} has become shorter while it was open.",
                        "Open it again when it is complete.",
                    )
                content = content[count:]


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
        self._slab: tuple[Box, NDArray[Any]] | None = None

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box, copied out of the file."""
        if self._order[0] == 2 and box.shape[0] < self.shape[0]:
            return self._read_across(box)
        return self._read_now(box)

    def _read_now(self, box: Box) -> NDArray[Any]:
        start, stop = [0, 0, 0], [0, 0, 0]
        for axis, place in enumerate(self._order):
            start[place], stop[place] = box.start[axis], box.stop[axis]
        lying = Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
        found = self._stored.read(lying).transpose(self._order)
        return np.ascontiguousarray(found, self.dtype)

    def _read_across(self, box: Box) -> NDArray[Any]:
        """Read sections that are spread over the whole file, and keep those that follow."""
        slab = self._slab
        if slab is None or not slab[0].contains(box):
            section_bytes = self.shape[1] * self.shape[2] * self.dtype.itemsize
            depth = SLAB_BYTES // section_bytes
            if depth < box.shape[0]:
                return self._read_now(box)
            stop = min(self.shape[0], box.start[0] + depth)
            around = Box((box.start[0], 0, 0), (stop, self.shape[1], self.shape[2]))
            slab = self._slab = (around, self._read_now(around))
        return slab[1][box.relative_to(slab[0].start).slices].copy()
