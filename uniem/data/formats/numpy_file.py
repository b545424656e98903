"""NumPy's .npy files; what they cannot say is in `<name>.json` beside them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats.files import replacing, write_bytes
from uniem.data.formats.format import (
    Format,
    describe,
    described_kind,
    described_voxel_size,
    native_dtype,
    settle,
    slabs,
)
from uniem.data.formats.held import EVERY_TYPE
from uniem.data.geometry import Box
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

MAGIC = b"\x93NUMPY"


class MappedVolume(Volume):
    """An array in a file that is mapped into memory; only what is read is loaded."""

    def __init__(self, array: NDArray[Any], path: Path) -> None:
        planes = array[None] if array.ndim == 2 else array
        super().__init__(
            (planes.shape[0], planes.shape[1], planes.shape[2]),
            native_dtype(array.dtype, path),
            None,
            Kind.IMAGE,
        )
        self._array = planes

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box, copied out of the file."""
        return np.array(self._array[box.slices], self.dtype)


def probe(path: Path) -> bool:
    """Tell whether a file begins with the signature of .npy."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(6) == MAGIC


def read(path: Path, dataset: str | None, kind: Kind | None) -> Volume:
    """Map an array with 2 or 3 axes; pickled objects are refused."""
    if dataset:
        raise UniemError(
            f"{path} is an .npy file and holds no dataset '{dataset}'.", f"Leave off ::{dataset}."
        )
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise UniemError(
            f"{path} cannot be read as an .npy file: {error}.",
            "It may be cut short or hold no plain numbers.",
        ) from error
    if array.ndim not in (2, 3) or array.size == 0:
        raise UniemError(f"The array in {path} has the shape {array.shape}.", "Save one with axes z, y, x.")
    volume = MappedVolume(array, path)
    record = _record_beside(path, volume)
    volume.voxel_size = described_voxel_size(record)
    return settle(volume, path, None, kind or described_kind(record))


def write(volume: Volume, path: Path, dataset: str | None, context: Context) -> None:
    """Write an .npy file slab by slab, and its voxel size and kind beside it."""
    if dataset:
        raise UniemError(
            f"An .npy file holds one volume, not a dataset '{dataset}'.", f"Leave off ::{dataset}."
        )
    header = {
        "descr": np.lib.format.dtype_to_descr(volume.dtype),
        "fortran_order": False,
        "shape": volume.shape,
    }
    with replacing(path) as part:
        with part.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for _, slab in slabs(volume, context, "writing"):
                file.write(np.ascontiguousarray(slab).data)
        record = {**describe(volume), "shape": volume.shape, "dtype": volume.dtype.str}
        write_bytes(_beside(path), json.dumps(record, indent=1).encode())


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _record_beside(path: Path, volume: Volume) -> Any:
    """Return the record of this very array; one of an array of another shape or type is ignored."""
    try:
        record = json.loads(_beside(path).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or record.get("dtype") != volume.dtype.str:
        return None
    return record if math.prod(volume.shape) and record.get("shape") == list(volume.shape) else None


FORMAT = Format("an .npy file", (".npy",), probe, read, write, EVERY_TYPE)
