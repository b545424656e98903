"""A volume of voxels, wherever it is kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.errors import UniemError


class Kind(StrEnum):
    """What the numbers of a volume mean."""

    IMAGE = "image"
    LABELS = "labels"
    PROBABILITY = "probability"


class Volume(ABC):
    """Voxels in z, y, x order with a data type, a voxel size in nm (None: unknown) and a kind.

    Attributes
    ----------
    name : str
        What to call it in messages and lists: usually the file's name.
    source : str
        The path (and `::dataset`) it came from; empty if it is only in memory.
    pixel_size : tuple of float, or None
        What a file says of a pixel in nm, y and x, where it does not say how thick a section is.
    """

    name: str = ""
    source: str = ""
    pixel_size: tuple[float, float] | None = None

    def __init__(self, shape: Triple, dtype: DTypeLike, voxel_size: VoxelSize | None, kind: Kind) -> None:
        self.shape: Triple = (int(shape[0]), int(shape[1]), int(shape[2]))
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.voxel_size = voxel_size
        self.kind = kind

    @abstractmethod
    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box inside the volume, as an array the caller must not change."""

    def write(self, box: Box, array: NDArray[Any]) -> None:
        """Replace the voxels of a box; the array has the box's shape."""
        raise UniemError(f"{self.name or 'This volume'} is read-only.", "Import it into a store first.")

    @property
    def levels(self) -> list[Volume]:
        """The pyramid, full resolution first; just the volume itself where there is none."""
        return [self]

    @property
    def chunk_shape(self) -> Triple:
        """What is stored together, and so best read together: whole sections, where nothing else is known."""
        return (1, self.shape[1], self.shape[2])

    def has_data(self, box: Box) -> bool:
        """Tell whether a box may hold anything but 0; True where that is not known without reading."""
        return True

    @property
    def nbytes(self) -> int:
        """The size in memory if it were read whole."""
        return self.shape[0] * self.shape[1] * self.shape[2] * self.dtype.itemsize

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read `volume[z]` as (y, x), or slices as (z, y, x)."""
        box, is_section = self._box_of(key)
        array = self.read(box)
        return array[0] if is_section else array

    def __setitem__(self, key: Any, value: NDArray[Any]) -> None:
        """Write `volume[z] = (y, x)` or slices."""
        box, _ = self._box_of(key)
        self.write(box, np.broadcast_to(np.asarray(value, dtype=self.dtype), box.shape))

    def _box_of(self, key: Any) -> tuple[Box, bool]:
        if isinstance(key, int | np.integer):
            z = int(key)
            if not -self.shape[0] <= z < self.shape[0]:
                raise IndexError(f"section {z} of a volume of {self.shape[0]} sections")
            return Box.section(z % self.shape[0], self.shape), True
        keys = key if isinstance(key, tuple) else (key,)
        ranges = [k.indices(n)[:2] for k, n in zip(keys, self.shape, strict=False)]
        ranges += [(0, n) for n in self.shape[len(ranges) :]]
        (z0, z1), (y0, y1), (x0, x1) = ranges
        return Box((z0, y0, x0), (z1, y1, x1)), False

    def __str__(self) -> str:
        size = " × ".join(str(n) for n in self.shape)
        return f"{self.name or self.kind} ({size}, {self.dtype})"


class ArrayVolume(Volume):
    """A volume in memory, or any array-like that slices as (z, y, x)."""

    def __init__(
        self,
        array: NDArray[Any],
        voxel_size: VoxelSize | None = None,
        kind: Kind = Kind.IMAGE,
        name: str = "",
    ) -> None:
        if array.ndim == 2:
            array = array[None]
        if array.ndim != 3:
            raise UniemError(f"An array of shape {array.shape} is not a volume.", "Give it axes z, y, x.")
        super().__init__((array.shape[0], array.shape[1], array.shape[2]), array.dtype, voxel_size, kind)
        self.array = array
        self.name = name

    def read(self, box: Box) -> NDArray[Any]:
        """Return a view of the box."""
        return self.array[box.slices]

    def write(self, box: Box, array: NDArray[Any]) -> None:
        """Replace the voxels of a box in the array itself."""
        self.array[box.slices] = array


def check_same_shape(first: Volume, second: Volume) -> None:
    """Raise if two volumes that belong together differ in shape."""
    if first.shape != second.shape:
        raise UniemError(
            f"The shapes differ: {_described(first)}, but {_described(second)}.",
            "Crop or convert one of them so that both have the same number of sections, rows and columns.",
        )


def _described(volume: Volume) -> str:
    size = " × ".join(str(n) for n in volume.shape)
    return f"{volume.name or volume.kind} is {size} (z, y, x)"
