"""What a file format is, and volumes whose files yield whole sections."""

from __future__ import annotations

import itertools
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from uniem.data.formats.kind import guess_kind
from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.limits import check_shape
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

CACHE_BYTES = 128 << 20
SLAB_BYTES = 64 << 20
SLAB_SECTIONS = 16
REACHABLE_BYTES = 256 << 20


class Reader(Protocol):
    """Opens a file without loading it."""

    def __call__(self, path: Path, dataset: str | None, kind: Kind | None) -> Volume:
        """Return the volume in a file; a `kind` that is given is not guessed."""


class Writer(Protocol):
    """Writes a volume slab by slab; the file appears when it is complete."""

    def __call__(
        self, volume: Volume, path: Path, dataset: str | None, context: Context, **options: Any
    ) -> None:
        """Write the volume; options are the format's own."""


@dataclass(frozen=True, slots=True)
class Format:
    """One way of keeping a volume in files.

    Attributes
    ----------
    title : str
        What a user calls it.
    suffixes : tuple of str
        The endings of its files, the usual one first; empty for a folder of sections.
    probe : callable
        Tells by content whether a path holds this format.
    read : callable
        Opens a file without loading it.
    write : callable
        Takes (volume, path, dataset, context, and the format's own options by name) and writes slab by slab;
        the file appears when it is complete.
    holds : mapping of str to str, optional
        The types that its files hold, and what each is kept as; numbers that do not fit are refused before
        `write` sees them. None where that depends on more than the type, which `write` then checks.
    holds_several : bool
        Whether a second volume is written beside the first, which must then be kept.
    """

    title: str
    suffixes: tuple[str, ...]
    probe: Callable[[Path], bool]
    read: Reader
    write: Callable[..., None]
    holds: Mapping[str, str] | None = None
    holds_several: bool = False


class SectionVolume(Volume):
    """A volume whose file yields whole sections; those decoded last are kept.

    Several threads may read at once.
    """

    def __init__(
        self,
        shape: Triple,
        dtype: DTypeLike,
        decode: Callable[[int], NDArray[Any]],
        voxel_size: VoxelSize | None = None,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        super().__init__(shape, dtype, voxel_size, Kind.IMAGE)
        self._decode = decode
        self._cached: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._capacity = max(1, cache_bytes // max(1, shape[1] * shape[2] * self.dtype.itemsize))
        self._lock = threading.Lock()

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box, decoding only the sections that it crosses."""
        rows, columns = box.slices[1:]
        if box.shape[0] == 1:
            return self._section(box.start[0])[None, rows, columns]
        array = np.empty(box.shape, self.dtype)
        for i, z in enumerate(range(box.start[0], box.stop[0])):
            array[i] = self._section(z)[rows, columns]
        return array

    def _section(self, z: int) -> NDArray[Any]:
        with self._lock:
            if z in self._cached:
                self._cached.move_to_end(z)
                return self._cached[z]
        section = self._decode(z).astype(self.dtype, copy=False)
        section.flags.writeable = False
        with self._lock:
            self._cached[z] = section
            while len(self._cached) > self._capacity:
                self._cached.popitem(last=False)
        return section


def settle(
    volume: Volume, path: Path, dataset: str | None, kind: Kind | None, reachable_bytes: int | None = None
) -> Volume:
    """Give a volume its name, its source and its kind, guessing the kind if it is None.

    `reachable_bytes` is how far to go into a stream that has to be unpacked from its start.
    """
    check_shape(volume.shape, path)
    ending = f"::{dataset}" if dataset else ""
    volume.name = path.name + ending
    volume.source = str(path) + ending
    section_bytes = volume.nbytes // volume.shape[0]
    reachable = None if reachable_bytes is None else 1 + reachable_bytes // section_bytes
    volume.kind = kind or guess_kind(volume, reachable)
    return volume


def slabs(volume: Volume, context: Context, label: str) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield (first section, (z, y, x) array) in order, a few sections at a time, reporting progress.

    A thread reads ahead.
    """
    sections, height, width = volume.shape
    depth = SLAB_BYTES // max(1, height * width * volume.dtype.itemsize)
    depth = max(1, min(SLAB_SECTIONS, depth))
    boxes = [Box((z, 0, 0), (min(z + depth, sections), height, width)) for z in range(0, sections, depth)]
    # While one slab is being written, the next is read: decoding and the disk do not wait for one another.
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(volume.read, boxes[0])
        for box, following in itertools.zip_longest(boxes, boxes[1:]):
            context.check_cancelled()
            context.progress(box.start[0], sections, label)
            slab = coming.result()
            if following is not None:
                coming = ahead.submit(volume.read, following)
            yield box.start[0], slab
    context.progress(sections, sections, label)


def sections(volume: Volume, context: Context, label: str) -> Iterator[NDArray[Any]]:
    """Yield every section as (y, x), in order, reporting progress."""
    for _, slab in slabs(volume, context, label):
        for section in slab:
            context.check_cancelled()
            yield np.ascontiguousarray(section)


def native_dtype(dtype: np.dtype[Any], path: Path) -> np.dtype[Any]:
    """Return the data type a volume has in memory; raise if voxels cannot be of the file's type."""
    if dtype.kind not in "buif":
        raise UniemError(f"{path} holds values of type {dtype}.", "Save numbers or booleans instead.")
    native = dtype.newbyteorder("=")
    return np.dtype(np.float32) if native == np.float16 else native


def grey_of(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the luminance (ITU-R BT.601) of (y, x, 1 to 4) pixels in their own data type, without alpha."""
    if pixels.shape[2] < 3:
        return pixels[:, :, 0]
    if pixels.dtype.kind in "bu":  # in whole numbers, so that a grey picture saved in colour keeps its values
        weighted: NDArray[Any] = pixels[:, :, :3].astype(np.uint64) @ np.array([299, 587, 114], np.uint64)
        mixed: NDArray[Any] = ((weighted + np.uint64(500)) // np.uint64(1000)).astype(pixels.dtype)
        return mixed
    fractions: NDArray[Any] = pixels[:, :, :3].astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    return fractions.astype(pixels.dtype)


def ids_of_colours(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return an id per colour, red * 65536 + green * 256 + blue, of (y, x, 3 or 4) uint8; black is 0."""
    codes: NDArray[np.uint32] = pixels[:, :, :3].astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    return codes


def flatten_colours(pixels: NDArray[Any], kind: Kind | None) -> NDArray[Any]:
    """Return (y, x) of decoded (y, x) or (y, x, samples): ids of a label map's colours, else luminance."""
    if pixels.ndim == 2:
        return pixels
    if kind == Kind.LABELS and pixels.shape[2] >= 3 and pixels.dtype == np.uint8:
        return ids_of_colours(pixels)
    return grey_of(pixels)


def describe(volume: Volume) -> dict[str, Any]:
    """Return what a file should say about its volume, for JSON: kind and voxel size in nm, z, y, x."""
    return {"kind": str(volume.kind), "voxel_size_nm": list(volume.voxel_size) if volume.voxel_size else None}


def described_kind(record: Any) -> Kind | None:
    """Return the kind that `describe` recorded; None if it says nothing that is known."""
    value = record.get("kind") if isinstance(record, dict) else None
    return Kind(value) if isinstance(value, str) and value in list(Kind) else None


def described_voxel_size(record: Any) -> VoxelSize | None:
    """Return the voxel size that `describe` recorded; None if it says nothing usable."""
    return voxel_size_of(record.get("voxel_size_nm")) if isinstance(record, dict) else None


def refined(rough: VoxelSize | None, noted: VoxelSize | None) -> VoxelSize | None:
    """Return the exact voxel size noted beside one that a file keeps roughly, unless they contradict.

    They do where another program changed the voxel size and left the note as it was.
    """
    if rough is None or noted is None:
        return rough
    is_same = all(math.isclose(a, b, rel_tol=1e-5) for a, b in zip(rough, noted, strict=True))
    return noted if is_same else rough


def voxel_size_of(values: Any) -> VoxelSize | None:
    """Return three positive numbers in nm as a voxel size; None for anything else."""
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError, OverflowError):
        return None
    is_size = len(numbers) == 3 and all(0 < number < float("inf") for number in numbers)
    return VoxelSize(*numbers) if is_size else None
