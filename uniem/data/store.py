"""The working store: OME-Zarr on TensorStore, with a pyramid, attributes and changes held in memory.

New stores are OME-Zarr 0.5 (Zarr 3), or 0.4 (Zarr 2) on demand; both are read. Images are kept uncompressed
because EM hardly compresses; labels and probabilities with zstd level 1.
"""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from uniem.data.geometry import Box, Triple, VoxelSize, chunked_pieces
from uniem.data.heap import HeapTrimmer
from uniem.data.held_array import HeldLevels
from uniem.data.pyramid import (
    chunk_shape_of,
    coarser_shape,
    downsample,
    fill_level,
    finer_box,
    level_factors,
)
from uniem.data.tensor_reading import check_levels, read_box, unreadable, waited
from uniem.data.volume import Kind, Volume
from uniem.data.zarr_metadata import (
    NEWEST,
    VERSIONS,
    first_attributes,
    group_attributes,
    kind_of,
    levels_of,
    multiscale,
    multiscale_of,
    nm_per_unit,
    scale_of,
    version_of,
    voxel_size_of_level,
    with_multiscale,
    write_group,
    zarr_2_array,
    zarr_3_array,
)
from uniem.errors import UniemError
from uniem.progress import Context

if TYPE_CHECKING:
    # Imported where it is used: it costs the window a fifth of its start.
    import tensorstore as ts

CHUNK_SHAPE: Triple = (8, 256, 256)
# Chunks that a box covers in part are all decoded at once, so large boxes are read and written in pieces.
PIECE_BYTES = 64 << 20
DTYPES = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64")
# The type each type is kept as: Zarr has others too, but few programs read them.
STORED_AS = {**{name: name for name in DTYPES}, "bool": "uint8", "float16": "float32"}
# TensorStore's own limits retry an unreachable server for many minutes.
_RETRIES = {"max_retries": 4, "initial_delay": "200ms", "max_delay": "2s"}
CACHE_BYTES = 128 << 20


@functools.cache
def shared_context() -> ts.Context:
    """Return what all stores of a process share: a cache of decoded chunks, and how often to ask a server."""
    import tensorstore as ts

    return ts.Context(
        {
            "cache_pool": {"total_bytes_limit": CACHE_BYTES},
            "http_request_retries": _RETRIES,
            "s3_request_retries": _RETRIES,
        }
    )


def is_store(path: Path) -> bool:
    """Tell whether a folder is an OME-Zarr image, of version 0.4 or 0.5."""
    return multiscale_of(group_attributes(path)) is not None


def create_store(
    path: Path,
    shape: Triple,
    dtype: DTypeLike,
    voxel_size: VoxelSize | None,
    kind: Kind,
    chunk_shape: Triple = CHUNK_SHAPE,
    version: str = NEWEST,
) -> StoredVolume:
    """Make an empty OME-Zarr of zeros at a path where nothing is, and open it for writing."""
    if version not in VERSIONS:
        raise UniemError(f"There is no OME-Zarr {version} here.", f"Use {' or '.join(VERSIONS)}.")
    if path.exists():
        raise UniemError(f"{path} already exists.", "Choose another name or remove it first.")
    name = STORED_AS.get(np.dtype(dtype).name)
    if name is None:
        raise UniemError(f"A store cannot hold {np.dtype(dtype)} voxels.", f"Convert to {', '.join(DTYPES)}.")
    if min(shape) < 1:
        raise UniemError(
            f"A volume of shape {shape} holds no voxel.", "Give it at least one voxel along z, y and x."
        )
    try:
        path.mkdir(parents=True)
        _create_array(path / "0", shape, name, kind, chunk_shape, version)
        own = first_attributes(kind, name, voxel_size is not None, version)
        described = multiscale(path.name, voxel_size, [(1, 1, 1)])
        write_group(path, with_multiscale(own, described, version))
    except (OSError, ValueError) as error:
        shutil.rmtree(path, ignore_errors=True)
        raise UniemError(
            f"Cannot write {path}: {error}.", "Check that the disk has room and lets you write."
        ) from error
    return open_store(path, writable=True)


def open_store(path: Path, writable: bool = False) -> StoredVolume:
    """Open an OME-Zarr image; nothing is read but its metadata."""
    attributes = group_attributes(path)
    described = multiscale_of(attributes)
    if described is None:
        raise UniemError(
            f"{path} is not an OME-Zarr image.", "Open the folder that holds zarr.json or .zattrs."
        )
    try:
        arrays = [_open_array(path / level["path"], writable) for level in levels_of(described)]
    except (ValueError, OSError, RuntimeError) as error:
        raise unreadable(path, error) from error
    check_levels(arrays, path)
    return StoredVolume(path, arrays, attributes, described, writable)


class StoredVolume(Volume):
    """A volume in an OME-Zarr folder; unsaved changes can be held in memory.

    Attributes
    ----------
    held : HeldLevels
        The changes, which a thread may write while others come.
    """

    def __init__(
        self,
        path: Path,
        arrays: list[ts.TensorStore],
        attributes: dict[str, Any],
        described: dict[str, Any],
        writable: bool,
    ) -> None:
        self.path = path
        self.writable = writable
        self._arrays = arrays
        self._attributes = attributes
        self._scales = [scale_of(level) or (1.0, 1.0, 1.0) for level in levels_of(described)]
        self._unit = nm_per_unit(described)
        self._heap = HeapTrimmer()
        voxel_size = voxel_size_of_level(attributes, described, levels_of(described)[0])
        super().__init__(
            _triple(arrays[0].shape), arrays[0].dtype.numpy_dtype, voxel_size, kind_of(attributes)
        )
        self.name = path.name
        self.source = str(path)
        self.held = HeldLevels(arrays, path)

    @property
    def chunk_shape(self) -> Triple:
        """The shape of a chunk; writing whole chunks is fastest."""
        return chunk_shape_of(self._arrays[0])

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box, unsaved changes included."""
        pieces = list(chunked_pieces(box, self.chunk_shape, PIECE_BYTES // self.dtype.itemsize))
        if len(pieces) < 2:
            return self.held[0].read(box, self.path)
        array = np.empty(box.shape, self.dtype)
        for piece in pieces:
            place = array[piece.relative_to(box.start).slices]
            self.held[0].read_into(place, piece, self.path)
            self._heap.count(place.nbytes)
        return array

    def read_many(self, boxes: Sequence[Box], at_once: int = 256) -> Iterator[NDArray[Any]]:
        """Yield the voxels of many small boxes, unsaved changes included; some are read ahead."""
        for first in range(0, len(boxes), at_once):
            begun = [self.held[0].begin_read(box) for box in boxes[first : first + at_once]]
            for future, completed in begun:
                try:
                    yield completed(waited(future, self.path))
                except (ValueError, OSError, RuntimeError) as error:
                    raise unreadable(self.path, error) from error

    def write(self, box: Box, array: NDArray[Any], where: NDArray[np.bool_] | None = None) -> None:
        """Replace the voxels of a box, or only those `where` is true; what is held is saved at `commit`."""
        if not self.writable:
            raise UniemError(f"{self.name} is open for reading only.", "Open it for editing first.")
        try:
            if self.held[0].is_held:
                self.held[0].write(box, array, where)
                return
            for piece in chunked_pieces(box, self.chunk_shape, PIECE_BYTES // self.dtype.itemsize):
                inside = piece.relative_to(box.start).slices
                self.held[0].write(piece, array[inside], None if where is None else where[inside])
                self._heap.count(array[inside].nbytes)
        except (ValueError, OSError) as error:
            raise UniemError(
                f"Cannot write to {self.path}: {error}.", "Check the disk's free space and rights."
            ) from error

    @property
    def levels(self) -> list[Volume]:
        """The pyramid, full resolution first."""
        return [self, *(_Level(self, i) for i in range(1, len(self._arrays)))]

    def level_array(self, index: int) -> ts.TensorStore:
        """Return the array of a level as it is on the disk."""
        return self._arrays[index]

    def read_level(self, index: int, box: Box) -> NDArray[Any]:
        """Return the voxels of a box of a level, unsaved changes included."""
        return self.held[index].read(box, self.path)

    @property
    def held_bytes(self) -> int:
        """How much memory the changes take that are not on the disk, at every level."""
        return self.held.bytes

    def has_data(self, box: Box) -> bool:
        """Tell whether disk or memory holds any chunk that meets a box; elsewhere all voxels are 0."""
        if self.held[0].holds(box):
            return True
        statistics = self._arrays[0][box.slices].storage_statistics(query_not_stored=True).result()
        return not statistics.not_stored

    def level_factor(self, index: int) -> tuple[float, float, float]:
        """Return how many full-resolution voxels one voxel of a level spans, in z, y, x."""
        full, coarse = self._scales[0], self._scales[index]
        return (coarse[0] / full[0], coarse[1] / full[1], coarse[2] / full[2])

    @property
    def attributes(self) -> dict[str, Any]:
        """The suite's own attributes: kind, provenance, checkpoint number."""
        return dict(self._attributes.get("uniem", {}))

    def update_attributes(self, **values: Any) -> None:
        """Add or replace own attributes, atomically."""
        self._attributes = {**self._attributes, "uniem": {**self._attributes.get("uniem", {}), **values}}
        write_group(self.path, self._attributes)

    def _describe(self, described: dict[str, Any]) -> None:
        """Describe the pyramid anew, in the version the store is of."""
        self._attributes = with_multiscale(self._attributes, described, version_of(self._attributes))
        write_group(self.path, self._attributes)

    def set_voxel_size(self, voxel_size: VoxelSize) -> None:
        """Record the voxel size in the metadata of every level."""
        factors = [self.level_factor(i) for i in range(len(self._arrays))]
        self.voxel_size = voxel_size
        self._unit = 1.0
        self._scales = [tuple(v * f for v, f in zip(voxel_size, factor, strict=True)) for factor in factors]
        self._describe(multiscale(self.name, voxel_size, factors))
        self.update_attributes(voxel_size_known=True)

    def rename(self, name: str) -> None:
        """Record the name under which this store is about to appear."""
        self.name = name
        self._describe({**(multiscale_of(self._attributes) or {}), "name": name})

    def begin(self) -> None:
        """Hold further writes in memory, visible to reads from here only, until `commit` or `abort`."""
        self.held.hold(True)

    def commit(self) -> None:
        """Write the held changes to disk and hold none any more; if that fails they stay held."""
        self.held.set_apart()
        self.held.write_apart()
        self.held.hold(False)

    def abort(self) -> None:
        """Forget the held changes and hold none any more."""
        self.held.forget()
        self.held.hold(False)

    def read_saved(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box as they are on the disk."""
        return read_box(self.held[0].plain, box, self.path)

    def add_levels(self) -> list[Triple]:
        """Make the coarser levels, all zeros, until a section fits 512 a side; return their factors."""
        factors = level_factors(self.shape, self.voxel_size)
        self._arrays = self._arrays[:1]
        version = version_of(self._attributes)
        for index, factor in enumerate(factors[1:], 1):
            path, shape = self.path / str(index), coarser_shape(self.shape, factor)
            shutil.rmtree(path, ignore_errors=True)
            self._arrays.append(_create_array(path, shape, self.dtype.name, self.kind, CHUNK_SHAPE, version))
        first = self._scales[0]
        self._scales = [tuple(s * f for s, f in zip(first, factor, strict=True)) for factor in factors]
        self._describe(multiscale(self.name, self.voxel_size, factors))
        self.held.make_anew(self._arrays)
        return factors

    def build_pyramid(self, context: Context | None = None) -> None:
        """Make coarser levels until a section fits 512 voxels a side: means of images, modes of labels."""
        context = context or Context()
        self.add_levels()
        is_labels = self.kind is Kind.LABELS
        for index in range(1, len(self._arrays)):
            source, target = self._arrays[index - 1 : index + 1]
            steps = fill_level(source, target, self._step(index), is_labels=is_labels)
            total = -(-target.shape[0] // chunk_shape_of(target)[0])
            for _ in context.track(steps, f"pyramid level {index}", total):
                pass

    def update_pyramid(self, box: Box) -> None:
        """Recompute the coarser levels where a box changed."""
        for index in range(1, len(self._arrays)):
            source, target, factor = self.held[index - 1], self.held[index], self._step(index)
            start = tuple(a // f for a, f in zip(box.start, factor, strict=True))
            stop = tuple(min(n, -(-b // f)) for b, f, n in zip(box.stop, factor, target.shape, strict=True))
            box = Box(_triple(start), _triple(stop))
            fine = source.read(finer_box(box, factor, source.shape), self.path)
            target.write(box, downsample(fine, factor, is_labels=self.kind is Kind.LABELS))

    def _step(self, index: int) -> Triple:
        """Return how many voxels of the level before one voxel of a level spans."""
        fine, coarse = self.level_factor(index - 1), self.level_factor(index)
        return _triple([max(1, round(b / a)) for a, b in zip(fine, coarse, strict=True)])


class _Level(Volume):
    """A coarser level of a stored volume."""

    def __init__(self, full: StoredVolume, index: int) -> None:
        self._full, self._index = full, index
        voxel_size = full.voxel_size
        if voxel_size is not None:
            factor = full.level_factor(index)
            voxel_size = VoxelSize(*(v * f for v, f in zip(voxel_size, factor, strict=True)))
        super().__init__(_triple(full.level_array(index).shape), full.dtype, voxel_size, full.kind)
        self.name = full.name

    @property
    def chunk_shape(self) -> Triple:
        return _triple(self._full.level_array(self._index).chunk_layout.write_chunk.shape)

    def read(self, box: Box) -> NDArray[Any]:
        return self._full.read_level(self._index, box)


def _create_array(
    path: Path, shape: Triple, dtype: str, kind: Kind, chunk_shape: Triple, version: str
) -> ts.TensorStore:
    import tensorstore as ts

    chunk = [min(c, n) for c, n in zip(chunk_shape, shape, strict=True)]
    driver, metadata = ("zarr", zarr_2_array) if version == "0.4" else ("zarr3", zarr_3_array)
    spec = {
        "driver": driver,
        "kvstore": {"driver": "file", "path": str(path)},
        "metadata": metadata(list(shape), chunk, dtype, kind is not Kind.IMAGE),
    }
    return ts.open(spec, create=True, context=shared_context(), recheck_cached_data="open").result()


def _open_array(path: Path, writable: bool) -> ts.TensorStore:
    import tensorstore as ts

    driver = "zarr3" if (path / "zarr.json").exists() else "zarr"
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": str(path)}, "recheck_cached_data": "open"}
    array = waited(ts.open(spec, read=True, write=writable, context=shared_context()), path)
    return with_three_axes(array)


def with_three_axes(array: ts.TensorStore) -> ts.TensorStore:
    """Return the z, y, x of an array with leading axes of length 1; raise ValueError for any other."""
    while array.ndim > 3:
        if array.shape[0] != 1:
            raise ValueError(f"it has {array.shape[0]} channels or time points, not one")
        array = array[0]
    if array.ndim != 3:
        raise ValueError(f"its arrays have {array.ndim} axes, not z, y, x")
    return array


def _triple(values: Any) -> Triple:
    return (int(values[0]), int(values[1]), int(values[2]))
