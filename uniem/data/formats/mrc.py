"""MRC files (also .rec, .st and .map) by mrcfile; only what is asked for is read.

The voxel size is kept in angstrom as float32; its exact value in nm, and the kind, are among the file's
labels (its lines of text). Unsigned bytes are written as 16 bits, since readers take the bytes of an MRC for
signed; IMOD's files that say otherwise are read as IMOD does.
"""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats.file_volume import FileVolume
from uniem.data.formats.files import PARSER_ERRORS, replacing
from uniem.data.formats.format import Format, described_kind, refined, settle, slabs, voxel_size_of
from uniem.data.geometry import VoxelSize
from uniem.data.limits import check_shape
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

HEADER_BYTES = 1024
MAGIC_OFFSET = 208
EXTENSION_OFFSET = 92
ANGSTROM_PER_NM = 10.0
IMOD_STAMP = 1146047817
SIGNED_BYTES_FLAG = 1
KIND_LABEL = "uniem kind: "
SIZE_LABEL = "size nm: "  # a label has 80 characters, and each of three numbers up to 23
# The type each type is written as; whole numbers that do not fit are refused, never wrapped.
STORED_AS = {
    "bool": "int8",
    "int8": "int8",
    "uint8": "uint16",
    "int16": "int16",
    "uint16": "uint16",
    "int32": "int16",
    "int64": "int16",
    "uint32": "uint16",
    "uint64": "uint16",
    "float16": "float32",
    "float32": "float32",
}
MODES = {"int8": 0, "int16": 1, "float32": 2, "uint16": 6}


def probe(path: Path) -> bool:
    """Tell whether a file has the signature of MRC in its header."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    return header[MAGIC_OFFSET : MAGIC_OFFSET + 3] == b"MAP"


def read(path: Path, dataset: str | None, kind: Kind | None) -> Volume:
    """Open the volume in an MRC file, with its axes in the order z, y, x."""
    import mrcfile

    if dataset:
        raise UniemError(
            f"{path} is an MRC file and holds no dataset '{dataset}'.", f"Leave off ::{dataset}."
        )
    try:
        _check_extension(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            file = mrcfile.open(path, permissive=True, header_only=True)
        with file:
            volume = _volume_of(file.header, path)
            volume.voxel_size = refined(_voxel_size_of(file), _noted_size(file.get_labels()))
            stated = _kind_in(file.get_labels())
    except PARSER_ERRORS as error:
        raise UniemError(
            f"{path} cannot be read as MRC: {error}.", "It may be cut short; copy or save it again."
        ) from error
    return settle(volume, path, None, kind or stated)


def _check_extension(path: Path) -> None:
    """Raise if the extended header, for which mrcfile asks for memory at once, is longer than the file."""
    with path.open("rb") as file:
        size = file.read(HEADER_BYTES)[EXTENSION_OFFSET : EXTENSION_OFFSET + 4]
    least = min(int.from_bytes(size, "little"), int.from_bytes(size, "big"))
    if least > path.stat().st_size:
        raise ValueError(f"its extended header of {least} bytes is longer than the file")


def _volume_of(header: Any, path: Path) -> Volume:
    from mrcfile import utils

    shape = [int(n) for n in utils.data_shape_from_header(header)]
    dtype = utils.data_dtype_from_header(header)
    if len(shape) == 4:
        if shape[0] != 1:
            raise UniemError(f"{path} holds {shape[0]} volumes, not one.", "Save each to its own file.")
        shape = shape[1:]
    # The bytes of IMOD's files are unsigned unless a flag says signed.
    stamp, flags = np.frombuffer(header.tobytes(), header.nx.dtype)[[38, 39]].tolist()
    if dtype == np.int8 and stamp == IMOD_STAMP and not flags & SIGNED_BYTES_FLAG:
        dtype = np.dtype(np.uint8)
    stored = [int(header.maps), int(header.mapr), int(header.mapc)]
    is_ordered = set(stored) == {1, 2, 3} and len(shape) == 3
    order = (stored.index(3), stored.index(2), stored.index(1)) if is_ordered else (0, 1, 2)
    check_shape(shape, path)
    return FileVolume(path, dtype, HEADER_BYTES + int(header.nsymbt), shape, order=order)


def _voxel_size_of(file: Any) -> VoxelSize | None:
    edges = file.voxel_size  # angstrom, float32
    return voxel_size_of(float(f"{float(e):.7g}") / ANGSTROM_PER_NM for e in (edges.z, edges.y, edges.x))


def _noted_size(labels: list[str]) -> VoxelSize | None:
    stated = [line.removeprefix(SIZE_LABEL).split() for line in labels if line.startswith(SIZE_LABEL)]
    return voxel_size_of(stated[0]) if stated else None


def _kind_in(labels: list[str]) -> Kind | None:
    stated = [line.removeprefix(KIND_LABEL).split()[0] for line in labels if line.startswith(KIND_LABEL)]
    return described_kind({"kind": stated[0]}) if stated else None


def write(volume: Volume, path: Path, dataset: str | None, context: Context) -> None:
    """Write an MRC file slab by slab, with the statistics of its voxels in the header."""
    if dataset:
        raise UniemError(
            f"An MRC file holds one volume, not a dataset '{dataset}'.", f"Leave off ::{dataset}."
        )
    with replacing(path) as part:
        _write_header(volume, part, MODES[volume.dtype.name])
        statistics = _Statistics()
        # Written, not mapped: a full disk is an error then, and not the end of the process.
        with part.open("r+b") as file:
            file.seek(HEADER_BYTES)
            for _, slab in slabs(volume, context, "writing"):
                voxels = np.ascontiguousarray(slab)
                statistics.add(voxels)
                file.write(voxels.astype(voxels.dtype.newbyteorder("<"), copy=False).data)
        _write_statistics(part, statistics)


def _write_header(volume: Volume, part: Path, mode: int) -> None:
    import mrcfile

    with mrcfile.new_mmap(part, volume.shape, mrc_mode=mode) as file:
        file.set_volume()
        if volume.voxel_size:
            z, y, x = (edge * ANGSTROM_PER_NM for edge in volume.voxel_size)
            file.voxel_size = (x, y, z)
        file.add_label(f"{KIND_LABEL}{volume.kind}")
        if volume.voxel_size:
            file.add_label(SIZE_LABEL + " ".join(repr(float(edge)) for edge in volume.voxel_size))


class _Statistics:
    """The least, greatest and mean voxel, and the spread about it, of slabs that come one by one."""

    def __init__(self) -> None:
        self.low, self.high = math.inf, -math.inf
        self.count, self.sum, self.squares = 0, 0.0, 0.0

    def add(self, voxels: NDArray[Any]) -> None:
        with np.errstate(invalid="ignore"):  # what a file may hold instead of numbers
            self.low, self.high = min(self.low, float(voxels.min())), max(self.high, float(voxels.max()))
            self.count += voxels.size
            for section in voxels:
                values = section.astype(np.float64).ravel()
                self.sum += float(values.sum())
                self.squares += float(values @ values)


def _write_statistics(part: Path, statistics: _Statistics) -> None:
    import mrcfile

    mean = statistics.sum / statistics.count
    with mrcfile.mmap(part, "r+") as file:
        file.header.dmin, file.header.dmax, file.header.dmean = statistics.low, statistics.high, mean
        file.header.rms = math.sqrt(max(0.0, statistics.squares / statistics.count - mean * mean))


FORMAT = Format("MRC", (".mrc", ".rec", ".st", ".map"), probe, read, write, STORED_AS)
