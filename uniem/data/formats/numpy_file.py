"""NumPy's .npy files; what they cannot say is in `<name>.json` beside them."""

from __future__ import annotations

import json
import math
import tokenize
from pathlib import Path
from typing import IO, Any

import numpy as np

from uniem.data.formats.file_volume import FileVolume
from uniem.data.formats.files import PARSER_ERRORS, read_record, replacing, write_bytes
from uniem.data.formats.format import (
    Format,
    describe,
    described_kind,
    described_voxel_size,
    settle,
    slabs,
)
from uniem.data.formats.held import EVERY_TYPE
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

MAGIC = b"\x93NUMPY"


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
    with path.open("rb") as file:
        try:
            shape, is_fortran, dtype = header_of(file)
            if dtype.hasobject:
                raise ValueError("it holds Python objects")
        except ValueError as error:
            raise UniemError(
                f"{path} cannot be read as an .npy file: {error}.",
                "It may be cut short or hold no plain numbers.",
            ) from error
        start = file.tell()
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise UniemError(f"The array in {path} has the shape {shape}.", "Save one with axes z, y, x.")
    volume = FileVolume(path, dtype, start, shape, is_fortran)
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


def header_of(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return (shape, is in Fortran's order, dtype) of the .npy file that begins here; raise ValueError."""
    try:
        version = np.lib.format.read_magic(file)
        read_header: Any = np.lib.format.read_array_header_2_0
        if version == (1, 0):
            read_header = np.lib.format.read_array_header_1_0
        shape, is_fortran, dtype = read_header(file)
        whole = tuple(int(n) for n in shape)
    except (tokenize.TokenError, SyntaxError, *PARSER_ERRORS) as error:
        raise ValueError("its header makes no sense") from error
    if any(type(n) is not int for n in shape) or min(whole, default=0) < 0:
        raise ValueError(f"its shape is {shape}")
    return whole, bool(is_fortran), dtype


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _record_beside(path: Path, volume: Volume) -> Any:
    """Return the record of this very array; one of an array of another shape or type is ignored."""
    try:
        record = read_record(_beside(path))
    except (OSError, *PARSER_ERRORS):
        return None
    if not isinstance(record, dict) or record.get("dtype") != volume.dtype.str:
        return None
    return record if math.prod(volume.shape) and record.get("shape") == list(volume.shape) else None


FORMAT = Format("an .npy file", (".npy",), probe, read, write, EVERY_TYPE)
