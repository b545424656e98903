"""The types of voxels that a format holds, and volumes seen in the type that a file keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.data.volume import Volume
from uniem.errors import UniemError

UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
SIGNED = ("int8", "int16", "int32", "int64")
# Half precision is widened wherever it is met, since few programs know it.
EVERY_TYPE: Mapping[str, str] = {
    **{name: name for name in ("bool", *UNSIGNED, *SIGNED)},
    **{"float16": "float32", "float32": "float32", "float64": "float64"},
}


def as_held(volume: Volume, holds: Mapping[str, str] | None, title: str) -> Volume:
    """Return a volume in the type that a file keeps it as; raise if the format cannot hold its type.

    `title` is what a user calls the format. Without `holds`, any type that voxels can have stays as it is.
    Reading from what is returned raises for any number that does not fit into the file's type.
    """
    known = EVERY_TYPE if holds is None else holds
    kept = known.get(volume.dtype.name)
    if kept is None:
        own = ", ".join(name for name in known if known[name] == name)
        raise UniemError(f"{_capital(title)} cannot hold {volume.dtype.name} voxels.", f"Convert to {own}.")
    if holds is None or kept == volume.dtype.name:
        return volume
    return _HeldVolume(volume, np.dtype(kept), title)


class _HeldVolume(Volume):
    """Another volume in another type."""

    def __init__(self, volume: Volume, dtype: np.dtype[Any], title: str) -> None:
        super().__init__(volume.shape, dtype, volume.voxel_size, volume.kind)
        self.name, self.source = volume.name, volume.source
        self._volume, self._title = volume, title
        self._is_safe = np.can_cast(volume.dtype, dtype, "safe")

    def read(self, box: Box) -> NDArray[Any]:
        voxels = self._volume.read(box)
        if not self._is_safe:
            self._check(int(voxels.min()), int(voxels.max()))
        return voxels.astype(self.dtype)

    def _check(self, low: int, high: int) -> None:
        limits = np.iinfo(self.dtype)
        if low < limits.min or high > limits.max:
            raise UniemError(
                f"{self.name or 'The volume'} has whole numbers from {low} to {high}, "
                f"but {self._title} holds those from {limits.min} to {limits.max}.",
                "Relabel it to smaller ids, convert it with a range, or write .zarr, .h5 or .tif.",
            )


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]
