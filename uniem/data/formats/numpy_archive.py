"""NumPy's .npz files: zip archives of arrays, of which `::name` chooses one.

A member that is stored as it is, is read as far as it is asked for. A compressed one is unpacked as far as
the sections that are asked for; going back begins at its start. Pickled objects are refused.
"""

from __future__ import annotations

import math
import struct
import threading
import weakref
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats.file_volume import FileVolume
from uniem.data.formats.files import PARSER_ERRORS, replacing
from uniem.data.formats.format import (
    REACHABLE_BYTES,
    Format,
    SectionVolume,
    described_kind,
    native_dtype,
    settle,
    slabs,
    voxel_size_of,
)
from uniem.data.formats.held import EVERY_TYPE
from uniem.data.formats.numpy_file import header_of
from uniem.data.geometry import VoxelSize
from uniem.data.limits import check_piece
from uniem.data.volume import ArrayVolume, Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

MAGIC = b"PK\x03\x04"
ENDING = ".npy"
DEFAULT_MEMBER = "volume"
VOXEL_SIZE_MEMBER = "voxel_size_nm"
KIND_MEMBER = "kind"
LOCAL_HEADER_BYTES = 30
MOST_SMALL_BYTES = 1 << 12


def probe(path: Path) -> bool:
    """Tell whether a file is a zip archive of .npy files."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        if file.read(4) != MAGIC:
            return False
    return path.suffix.lower() == ".npz" or _has_arrays(path)


def _has_arrays(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(ENDING) for name in archive.namelist())
    except (zipfile.BadZipFile, *PARSER_ERRORS):
        return False


def read(path: Path, dataset: str | None, kind: Kind | None) -> Volume:
    """Open an array with 2 or 3 axes; without a name, the only one."""
    with ExitStack() as closing, _parsing(path):
        archive = closing.enter_context(zipfile.ZipFile(path))
        name = dataset or _only_one(archive, path)
        if name + ENDING not in archive.namelist():
            listed = ", ".join(_volumes_in(archive)) or "none"
            raise UniemError(
                f"{path} has no array '{name}'.", f"The arrays with 2 or 3 axes in it: {listed}."
            )
        volume = _volume_of(archive, name, path)
        volume.voxel_size = _voxel_size_in(archive)
        stated = described_kind({"kind": _small(archive, KIND_MEMBER)})
        closing.pop_all()
    weakref.finalize(volume, archive.close)
    is_packed = not isinstance(volume, FileVolume | ArrayVolume)
    reachable = REACHABLE_BYTES if is_packed else None
    return settle(volume, path, name if dataset else None, kind or stated, reachable)


def list_arrays(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return shape and data type of the arrays in a file that could be a volume, by name."""
    with _parsing(path), zipfile.ZipFile(path) as archive:
        return _volumes_in(archive)


@contextmanager
def _parsing(path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, *PARSER_ERRORS) as error:
        raise UniemError(
            f"{path} cannot be read as an .npz file: {error}.",
            "It may be cut short or hold no plain numbers.",
        ) from error


def _volumes_in(archive: zipfile.ZipFile) -> dict[str, tuple[tuple[int, ...], str]]:
    found: dict[str, tuple[tuple[int, ...], str]] = {}
    for entry in archive.namelist():
        if not entry.endswith(ENDING):
            continue
        with archive.open(entry) as file:
            shape, _, dtype = header_of(file)
        if len(shape) in (2, 3) and min(shape) > 0 and dtype.kind in "buif":
            found[entry.removesuffix(ENDING)] = (shape, str(dtype))
    return found


def _only_one(archive: zipfile.ZipFile, path: Path) -> str:
    found = _volumes_in(archive)
    if len(found) == 1:
        return next(iter(found))
    if not found:
        raise UniemError(f"There is no volume in {path}.", "Looked for arrays of numbers with 2 or 3 axes.")
    listed = ", ".join(f"{name} ({' × '.join(map(str, shape))})" for name, (shape, _) in found.items())
    raise UniemError(f"{path} holds {len(found)} arrays.", f"Add ::NAME to the path, of one of: {listed}.")


def _volume_of(archive: zipfile.ZipFile, name: str, path: Path) -> Volume:
    entry = archive.getinfo(name + ENDING)
    with archive.open(entry) as file:
        shape, is_fortran, dtype = header_of(file)
        header_bytes = file.tell()
    native = native_dtype(dtype, path)
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise UniemError(f"The array {name} in {path} has the shape {shape}.", "Save one with axes z, y, x.")
    if entry.compress_type == zipfile.ZIP_STORED:
        start = _start_of(path, entry) + header_bytes
        return FileVolume(path, dtype, start, shape, is_fortran)
    needed = math.prod(shape) * dtype.itemsize
    check_piece(needed if is_fortran else needed // (1, *shape)[-3], entry.compress_size, path)
    if is_fortran:  # its sections are spread over the whole stream
        with archive.open(entry) as file:
            return ArrayVolume(np.lib.format.read_array(file, allow_pickle=False).astype(native, copy=False))
    return _Packed(archive, entry, (1, *shape)[-3:], dtype, header_bytes, path).volume


def _start_of(path: Path, entry: zipfile.ZipInfo) -> int:
    """Return where the bytes of a member begin, which only its local header tells."""
    with path.open("rb") as file:
        file.seek(entry.header_offset)
        header = file.read(LOCAL_HEADER_BYTES)
    name_bytes, extra_bytes = struct.unpack_from("<HH", header, 26)
    return int(entry.header_offset + LOCAL_HEADER_BYTES + name_bytes + extra_bytes)


class _Packed:
    """A compressed member that is read section by section."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        entry: zipfile.ZipInfo,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        start: int,
        path: Path,
    ) -> None:
        self._file, self._lock = archive.open(entry), threading.Lock()
        self._section, self._dtype, self._start, self._path = shape[1:], dtype, start, path
        self.volume = SectionVolume((shape[0], shape[1], shape[2]), native_dtype(dtype, path), self._decode)
        weakref.finalize(self.volume, self._file.close)

    def _decode(self, z: int) -> NDArray[Any]:
        height, width = self._section
        count = height * width * self._dtype.itemsize
        with self._lock, _parsing(self._path):
            self._file.seek(self._start + z * count)
            content = self._file.read(count)
            return np.frombuffer(content, self._dtype, height * width).reshape(height, width)


def _small(archive: zipfile.ZipFile, name: str) -> Any:
    """Return the few numbers or the word that a member holds, None if there is none."""
    if name + ENDING not in archive.namelist():
        return None
    with archive.open(name + ENDING) as file:
        shape, _, dtype = header_of(file)
        is_small = math.prod(shape) * dtype.itemsize <= MOST_SMALL_BYTES and dtype.kind in "buifU"
        content = file.read(MOST_SMALL_BYTES) if is_small else b""
    return np.frombuffer(content, dtype, math.prod(shape)).reshape(shape).tolist() if is_small else None


def _voxel_size_in(archive: zipfile.ZipFile) -> VoxelSize | None:
    return voxel_size_of(_small(archive, VOXEL_SIZE_MEMBER))


def write(volume: Volume, path: Path, dataset: str | None, context: Context) -> None:
    """Write an .npz file slab by slab, not compressed, so that it can be mapped; `::name` names the array."""
    name = dataset or DEFAULT_MEMBER
    if name in (VOXEL_SIZE_MEMBER, KIND_MEMBER):
        raise UniemError(f"The name '{name}' is taken in an .npz file.", "Choose another name.")
    _check_alone(path, name)
    header = {
        "descr": np.lib.format.dtype_to_descr(volume.dtype),
        "fortran_order": False,
        "shape": volume.shape,
    }
    with replacing(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        with archive.open(name + ENDING, "w", force_zip64=True) as file:
            np.lib.format.write_array_header_1_0(file, header)
            for _, slab in slabs(volume, context, "writing"):
                file.write(np.ascontiguousarray(slab).data)
        _write_small(archive, KIND_MEMBER, np.array(str(volume.kind)))
        if volume.voxel_size:
            _write_small(archive, VOXEL_SIZE_MEMBER, np.array(volume.voxel_size, np.float64))


def _check_alone(path: Path, name: str) -> None:
    """Raise where writing would lose arrays of other names: nothing can be replaced within a zip archive."""
    if not path.is_file():
        return
    with _parsing(path), zipfile.ZipFile(path) as archive:
        own = {each + ENDING for each in (name, VOXEL_SIZE_MEMBER, KIND_MEMBER)}
        others = [entry.removesuffix(ENDING) for entry in archive.namelist() if entry not in own]
    if others:
        raise UniemError(
            f"{path} holds {', '.join(others[:5])} already, and cannot be added to.",
            "Choose another name, or write HDF5, which holds several volumes.",
        )


def _write_small(archive: zipfile.ZipFile, name: str, array: NDArray[Any]) -> None:
    with archive.open(name + ENDING, "w") as file:
        np.lib.format.write_array(file, array, allow_pickle=False)


FORMAT = Format("an .npz file", (".npz",), probe, read, write, EVERY_TYPE)
