"""Datasets in HDF5 files."""

from __future__ import annotations

import math
import shutil
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats.files import PARSER_ERRORS, replacing, reserve
from uniem.data.formats.format import Format, described_kind, native_dtype, settle, slabs, voxel_size_of
from uniem.data.formats.held import EVERY_TYPE
from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.limits import check_chunk
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

if TYPE_CHECKING:
    import h5py

MAGIC = b"\x89HDF\r\n\x1a\n"
DEFAULT_DATASET = "stack"
DEEPEST = 100
CHUNK_ENTRY_BYTES = 256
DESCRIPTION_BYTES = 1 << 16
CHUNK_SHAPE: Triple = (16, 256, 256)


class DatasetVolume(Volume):
    """A dataset of an open HDF5 file; axes of length 1 are left out."""

    def __init__(self, dataset: h5py.Dataset, path: Path) -> None:
        shape = [n for n in dataset.shape if n != 1]
        self._kept = [n != 1 for n in dataset.shape]
        padded = [1] * (3 - len(shape)) + shape
        super().__init__(
            (padded[0], padded[1], padded[2]),
            native_dtype(dataset.dtype, path),
            _voxel_size_of(dataset),
            Kind.IMAGE,
        )
        if len(dataset.shape) == 3:
            self.shape, self._kept = dataset.shape, [True] * 3
        self._dataset = dataset
        self._path = path

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box."""
        slices = list(box.slices)[3 - sum(self._kept) :]
        index = tuple(slices.pop(0) if kept else 0 for kept in self._kept)
        try:
            array: NDArray[Any] = self._dataset[index]
        except (OSError, *PARSER_ERRORS) as error:
            raise _damaged(self._path, error) from error
        return array.astype(self.dtype, copy=False).reshape(box.shape)


def probe(path: Path) -> bool:
    """Tell whether a file begins with the signature of HDF5."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(8) == MAGIC


def list_datasets(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return shape and data type of the datasets in a file that could be a volume, by name."""
    with _opened(path) as file:
        try:
            return {name: (shape, str(file[name].dtype)) for name, shape in _volumes_in(file).items()}
        except PARSER_ERRORS as error:
            raise _damaged(path, error) from error


def read(path: Path, dataset: str | None, kind: Kind | None) -> Volume:
    """Open a dataset; without a name, the only one that could be a volume."""
    with ExitStack() as closing:
        file = closing.enter_context(_opened(path))
        try:
            volume = _read_from(file, path, dataset, kind)
        except PARSER_ERRORS as error:
            raise _damaged(path, error) from error
        closing.pop_all()
        weakref.finalize(volume, file.close)
        return volume


def _read_from(file: h5py.File, path: Path, dataset: str | None, kind: Kind | None) -> Volume:
    found = _volumes_in(file)
    name = dataset or _only_one(path, found)
    if name not in found:
        listed = ", ".join(found) or "none"
        raise UniemError(f"{path} has no volume '{name}'.", f"The datasets with 2 or 3 axes in it: {listed}.")
    node = file[name]
    if node.chunks:
        check_chunk(node.chunks, node.dtype.itemsize, f"{path}::{name}")
    stored = described_kind({"kind": node.attrs.get("kind")})
    return settle(DatasetVolume(node, path), path, name, kind or stored)


def write(volume: Volume, path: Path, dataset: str | None, context: Context) -> None:
    """Write a dataset slab by slab, uncompressed, in chunks; others in the file are kept.

    Its attributes `resolution` (nm) and `element_size_um` say the voxel size, z, y, x, and `kind` the kind.
    """
    import h5py

    name = dataset or DEFAULT_DATASET
    with replacing(path) as part:
        if path.exists():
            if not probe(path):
                raise UniemError(f"{path} exists and is not an HDF5 file.", "Choose another name.")
            shutil.copyfile(path, part)
        else:
            part.write_bytes(content_of_file(lambda file: None))
        reserve(part, part.stat().st_size + _written_bytes(volume))
        with h5py.File(part, "r+") as file:
            _write_dataset(file, name, volume, path, context)


def content_of_file(fill: Callable[[h5py.File], Any]) -> bytes:
    """Return the bytes of a small file, as HDF5 writes it to a disk; a full disk is then met by others.

    HDF5 ends the whole process if it cannot write out what it holds.
    """
    import h5py

    with h5py.File("in memory", "w", driver="core", backing_store=False) as file:
        fill(file)
        file.flush()
        content: bytes = file.id.get_file_image()
    return content


def _written_bytes(volume: Volume) -> int:
    """Return the most that a dataset takes: whole chunks, an entry for each, and what describes it."""
    grid = [-(-n // min(c, n)) for c, n in zip(CHUNK_SHAPE, volume.shape, strict=True)]
    chunk_bytes = math.prod(min(c, n) for c, n in zip(CHUNK_SHAPE, volume.shape, strict=True))
    return math.prod(grid) * (chunk_bytes * volume.dtype.itemsize + CHUNK_ENTRY_BYTES) + DESCRIPTION_BYTES


def _write_dataset(file: h5py.File, name: str, volume: Volume, path: Path, context: Context) -> None:
    chunks = tuple(min(c, n) for c, n in zip(CHUNK_SHAPE, volume.shape, strict=True))
    try:
        if name in file:
            del file[name]
        node = file.create_dataset(name, volume.shape, volume.dtype, chunks=chunks)
    except (ValueError, TypeError, KeyError) as error:
        raise UniemError(
            f"{path} cannot hold a dataset '{name}': {error}.", "Choose another name."
        ) from error
    node.attrs["kind"] = str(volume.kind)
    node.attrs["axes"] = "zyx"
    if volume.voxel_size:
        node.attrs["resolution"] = np.array(volume.voxel_size)  # nm, as in the CREMI files
        node.attrs["element_size_um"] = np.array(volume.voxel_size) / 1000  # as in ilastik and Fiji
    for z, slab in slabs(volume, context, "writing"):
        node[z : z + slab.shape[0]] = slab


def _damaged(path: Path, error: Exception) -> UniemError:
    return UniemError(
        f"{path} cannot be read: {error}.", "It may be cut short or compressed in an unknown way."
    )


def _opened(path: Path) -> h5py.File:
    import h5py

    try:
        return h5py.File(path, "r")
    except PermissionError as error:
        raise UniemError(f"You may not read {path}.", "Change the rights of the file.") from error
    except OSError as error:
        raise UniemError(
            f"{path} cannot be opened as HDF5: {error}.",
            "It may be cut short or being written to.",
        ) from error


def _volumes_in(file: h5py.File) -> dict[str, tuple[int, ...]]:
    import h5py

    found: dict[str, tuple[int, ...]] = {}

    def look(name: str, node: Any) -> None:
        if name.count("/") > DEEPEST:  # every step takes as long as all before it
            raise UniemError(f"The groups in {file.filename} are nested too deeply.", "Move the dataset up.")
        if isinstance(node, h5py.Dataset) and node.dtype.kind in "buif" and _could_be_volume(node.shape):
            found[name] = node.shape

    file.visititems(look)
    return found


def _could_be_volume(shape: tuple[int, ...] | None) -> bool:
    if not shape or len(shape) < 2 or min(shape) < 1:
        return False
    return len(shape) <= 3 or sum(n != 1 for n in shape) in (2, 3)


def _only_one(path: Path, found: dict[str, tuple[int, ...]]) -> str:
    if len(found) == 1:
        return next(iter(found))
    if not found:
        raise UniemError(f"There is no volume in {path}.", "Looked for datasets of numbers with 2 or 3 axes.")
    listed = ", ".join(f"{name} ({' × '.join(map(str, shape))})" for name, shape in found.items())
    raise UniemError(f"{path} holds {len(found)} datasets.", f"Add ::NAME to the path, of one of: {listed}.")


def _voxel_size_of(dataset: h5py.Dataset) -> VoxelSize | None:
    if size := voxel_size_of(dataset.attrs.get("resolution")):
        return size
    microns = voxel_size_of(dataset.attrs.get("element_size_um"))
    return VoxelSize(*(float(f"{edge * 1000:.9g}") for edge in microns)) if microns else None


FORMAT = Format("HDF5", (".h5", ".hdf5", ".hdf"), probe, read, write, EVERY_TYPE)
