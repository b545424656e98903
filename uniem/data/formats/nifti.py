"""NIfTI files (.nii and .nii.gz) by nibabel; the first axis of the file is x.

The voxel size is kept in micrometres as float32, and exactly in a comment (an extension of the header).

Of a plain file only what is asked for is read. A compressed one is decompressed as far as the sections that
are asked for: reading on costs nothing extra, going back begins at the start of the file; memory stays
bounded by the cache of sections. Import a large one into a store to work on it.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

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
    refined,
    settle,
    slabs,
    voxel_size_of,
)
from uniem.data.formats.held import EVERY_TYPE
from uniem.data.geometry import VoxelSize
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

GZIP_MAGIC = b"\x1f\x8b"
SIGNATURES = ((344, b"n+1\0"), (344, b"ni1\0"), (4, b"n+2\0\r\n\x1a\n"))
NM_PER = {"meter": 1e9, "mm": 1e6, "micron": 1e3}
LARGEST_EDGE = 32767
KIND_PREFIX = "uniem kind: "
SIZE_PREFIX = b"uniem voxel size in nm, z y x: "
COMMENT_CODE = 6
LABEL_INTENT = "label"


def probe(path: Path) -> bool:
    """Tell whether a file, decompressed if need be, begins with the header of NIfTI-1 or 2."""
    if not path.is_file():
        return False
    start = _start_of(path)
    return any(start[offset : offset + len(magic)] == magic for offset, magic in SIGNATURES)


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(352)
    if start[:2] != GZIP_MAGIC:
        return start
    try:
        with gzip.open(path, "rb") as unpacked:
            return unpacked.read(352)
    except (EOFError, *PARSER_ERRORS, gzip.BadGzipFile):
        return b""


def read(path: Path, dataset: str | None, kind: Kind | None) -> Volume:
    """Open the volume in a NIfTI file; scaled values are applied and become floats."""
    import nibabel

    if dataset:
        raise UniemError(
            f"{path} is a NIfTI file and holds no dataset '{dataset}'.", f"Leave off ::{dataset}."
        )
    with _parsing(path):
        image: Any = nibabel.load(path, keep_file_open=True)
        volume = _volume_of(image.dataobj, image.header, path)
        volume.voxel_size = refined(_voxel_size_of(image), _noted_size(image.header))
        stated = _kind_in(image.header)
    reachable = None if _start_is_plain(path) else REACHABLE_BYTES
    return settle(volume, path, None, kind or stated, reachable)


def _volume_of(proxy: Any, header: Any, path: Path) -> Volume:
    shape = [*proxy.shape, 1, 1][: max(3, len(proxy.shape))]
    if any(n != 1 for n in shape[3:]) or min(shape) < 1:
        raise UniemError(f"{path} has the shape {proxy.shape}.", "Save one volume with the axes x, y, z.")
    is_scaled = (proxy.slope, proxy.inter) != (1, 0)
    stored = native_dtype(header.get_data_dtype(), path)
    if not is_scaled and _start_is_plain(path):
        return FileVolume(path, header.get_data_dtype(), proxy.offset, shape[:3], True, (2, 1, 0))
    precise = np.dtype(
        np.float64 if stored.itemsize > 4 or stored.name in ("int32", "uint32") else np.float32
    )

    dtype = precise if is_scaled else stored

    def decode(z: int) -> NDArray[Any]:
        index = (slice(None), slice(None), z)[: len(proxy.shape)] + (0,) * (len(proxy.shape) - 3)
        with _parsing(path), np.errstate(all="ignore"):
            section: NDArray[Any] = np.asarray(proxy[index]).astype(dtype, copy=False)
        return section.reshape(shape[0], shape[1], order="F").T

    return SectionVolume((shape[2], shape[1], shape[0]), dtype, decode)


def _start_is_plain(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) != GZIP_MAGIC


@contextmanager
def _parsing(path: Path) -> Iterator[None]:
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    try:
        yield
    except (ImageFileError, HeaderDataError, gzip.BadGzipFile, *PARSER_ERRORS) as error:
        raise UniemError(
            f"{path} cannot be read as NIfTI: {error}.",
            "It may be cut short or lack the ending .nii or .nii.gz; copy or save it again.",
        ) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise UniemError(
            f"{path} cannot be read as NIfTI: {error}.", "It may be cut short; copy or save it again."
        ) from error


def _voxel_size_of(image: Any) -> VoxelSize | None:
    """Return the voxel size that the file's affine or its zooms say, None without a unit."""
    from nibabel import affines

    unit = NM_PER.get(image.header.get_xyzt_units()[0])
    if unit is None:
        return None
    is_placed = int(image.header["sform_code"]) > 0 or int(image.header["qform_code"]) > 0
    measure: Any = affines.voxel_sizes
    edges = measure(image.affine) if is_placed else image.header.get_zooms()
    padded = [float(f"{float(edge):.7g}") * unit for edge in [*edges, 1.0, 1.0][:3]]
    return voxel_size_of(float(f"{edge:.10g}") for edge in padded[::-1])


def _size_note(size: VoxelSize) -> bytes:
    return SIZE_PREFIX + " ".join(repr(float(edge)) for edge in size).encode("ascii")


def _noted_size(header: Any) -> VoxelSize | None:
    contents = (each.get_content() for each in header.extensions if each.get_code() == COMMENT_CODE)
    notes = [bytes(content).strip(b"\0") for content in contents if isinstance(content, bytes)]
    noted = [note.removeprefix(SIZE_PREFIX).split() for note in notes if note.startswith(SIZE_PREFIX)]
    return voxel_size_of(noted[0]) if noted else None


def _kind_in(header: Any) -> Kind | None:
    text = bytes(header["descrip"]).split(b"\0")[0].decode("ascii", "replace")
    if text.startswith(KIND_PREFIX):
        return described_kind({"kind": text.removeprefix(KIND_PREFIX)})
    return Kind.LABELS if header.get_intent()[0] == LABEL_INTENT else None


def write(volume: Volume, path: Path, dataset: str | None, context: Context) -> None:
    """Write a NIfTI file slab by slab, in micrometres; compressed if its name ends with .gz."""
    if dataset:
        raise UniemError(
            f"A NIfTI file holds one volume, not a dataset '{dataset}'.", f"Leave off ::{dataset}."
        )
    header = _header_of(volume)
    with replacing(path) as part, _opened(part, path) as file:
        header.write_to(file)
        file.write(bytes(int(header["vox_offset"]) - file.tell()))
        for _, slab in slabs(volume, context, "writing"):
            file.write(np.ascontiguousarray(slab, volume.dtype.newbyteorder("<")).data)


@contextmanager
def _opened(part: Path, path: Path) -> Iterator[IO[bytes]]:
    with part.open("wb") as plain:
        if path.suffix.lower() != ".gz":
            yield plain
            return
        packed = gzip.GzipFile("", "wb", compresslevel=1, fileobj=plain, mtime=0)
        with packed, io.BufferedWriter(packed, 1 << 20) as buffered:
            yield buffered


def _header_of(volume: Volume) -> Any:
    import nibabel

    is_large = max(volume.shape) > LARGEST_EDGE
    header_class: Any = nibabel.Nifti2Header if is_large else nibabel.Nifti1Header
    header = header_class(endianness="<")
    header.set_data_shape(volume.shape[::-1])
    header.set_data_dtype(volume.dtype)
    header.set_slope_inter(1, 0)
    header["descrip"] = f"{KIND_PREFIX}{volume.kind}".encode("ascii")
    if volume.kind is Kind.LABELS:
        header.set_intent(LABEL_INTENT)
    if volume.voxel_size:
        microns = [edge / NM_PER["micron"] for edge in volume.voxel_size[::-1]]
        header.set_zooms(microns)
        header.set_xyzt_units("micron")
        header.set_sform(np.diag([*microns, 1.0]), code="scanner")
        header.extensions.append(nibabel.nifti1.Nifti1Extension(COMMENT_CODE, _size_note(volume.voxel_size)))
    header["vox_offset"] = header.single_vox_offset + header.extensions.get_sizeondisk()
    return header


FORMAT = Format("NIfTI", (".nii", ".nii.gz"), probe, read, write, {**EVERY_TYPE, "bool": "uint8"})
