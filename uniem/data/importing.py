"""Copying a volume into a store of any size in little memory, and going on where a kill cut it off.

An import is made in a folder beside its final place, which keeps a record of the source and of the blocks
that are done. The folder is kept when the import was cut off from outside: by a kill, a crash, or a source
that could not be read on. It is discarded when the user cancels, when it cannot be written, when the source
is another one or has changed since, and when nobody has gone on with it for a week and something else is
imported beside it.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import json
import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from uniem.data.formats.files import write_bytes
from uniem.data.geometry import Box, Triple, blocks
from uniem.data.heap import HeapTrimmer
from uniem.data.location import is_web_address
from uniem.data.provenance import fingerprint
from uniem.data.pyramid import downsample, fill_level, level_factors
from uniem.data.store import CHUNK_SHAPE, StoredVolume, create_store, open_store, shared_context
from uniem.data.volume import Kind, Volume
from uniem.data.zarr_metadata import NEWEST
from uniem.errors import UniemError
from uniem.file_lock import FileLock, note_of_holder
from uniem.progress import Context

if TYPE_CHECKING:
    import tensorstore as ts

RECORD, LOCK, STORE = "import.json", "lock", "store.zarr"
ENDING = ".import"
RECORD_VERSION = 1
BLOCK_BYTES = 128 << 20
# Of small sections a block takes fewer than it could, so that progress is seen and a cancel soon heard.
DEEPEST = 32
# Forcing every chunk to the disk by itself takes twice as long as all of them now and then.
SAFE_EVERY_BYTES = 512 << 20
KEPT_S = 7 * 24 * 3600.0


class SourceUnreadable(Exception):
    """The source of a copy cannot be read on, for the reason given."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


def folder_of_import(path: Path) -> Path:
    """Return the folder in which an import to a place is made; it is the same for every try."""
    return path.with_name(f".{path.name}{ENDING}")


def import_volume(
    source: Volume, folder: Path, context: Context | None = None, version: str = NEWEST
) -> StoredVolume:
    """Copy a volume with its pyramid into a store inside a folder, and return that store.

    Where an earlier try with the same source was cut off, this one goes on after its last finished block.
    Raises `UniemError` where another process is at it. The caller moves the store to its place and removes
    the folder.
    """
    _remove_stale_imports(folder)
    with _owned(folder):
        plan = _plan(source, version)
        done = _done(folder, plan)

        def record(done: int) -> None:
            write_bytes(folder / RECORD, json.dumps({"plan": plan, "done": done}, indent=1).encode())

        try:
            store = open_store(folder / STORE, writable=True) if done else _begun(source, folder, version)
            _Copy(source, store, context or Context()).run(done, record)
        except SourceUnreadable as error:
            if not _done(folder, plan):
                _empty(folder)
            raise error.reason from error
        except BaseException:
            _empty(folder)
            raise
    return open_store(folder / STORE, writable=True)


def copy_volume(source: Volume, store: StoredVolume, context: Context | None = None) -> None:
    """Fill a new store and its pyramid from a volume of its shape and data type, reading every voxel once."""
    store.add_levels()
    try:
        _Copy(source, store, context or Context()).run(0, lambda done: None)
    except SourceUnreadable as error:
        raise error.reason from error


class _Copy:
    """A copy under way: a thread reads the next block while TensorStore writes the present one."""

    def __init__(self, source: Volume, store: StoredVolume, context: Context) -> None:
        self._source, self._store, self._context = source, store, context
        self._arrays = [_unhurried(store.level_array(index)) for index in range(len(store.levels))]
        self._factors = level_factors(store.shape, store.voxel_size)
        shape = block_shape(store.shape, store.dtype.itemsize)
        self._boxes = [block.core for block in blocks(store.shape, shape)]
        # A level can be made of single blocks if its cells do not lie across their borders.
        self._levels_at_once = sum(
            all(
                edge >= whole or edge % step == 0
                for edge, whole, step in zip(shape, store.shape, factor, strict=True)
            )
            for factor in self._factors
        )
        self._is_labels = store.kind is Kind.LABELS
        later = self._arrays[self._levels_at_once - 1 : -1]
        self._total = math.prod(store.shape) + sum(math.prod(array.shape) for array in later)
        self._voxels = 0

    def run(self, done: int, record: Callable[[int], None]) -> None:
        """Copy all blocks but the first `done`, then make the levels that no single block can make."""
        self._tell(sum(box.size for box in self._boxes[:done]))
        self._copy_blocks(done, record)
        for index in range(self._levels_at_once, len(self._arrays)):
            fine, coarse = self._arrays[index - 1 : index + 1]
            for size in fill_level(fine, coarse, self._step(index), is_labels=self._is_labels):
                self._tell(size)
        flush(self._store.path)

    def _copy_blocks(self, done: int, record: Callable[[int], None]) -> None:
        heap, unsafe_bytes = HeapTrimmer(), 0
        try:
            with ThreadPoolExecutor(1, "read ahead") as reader:
                ahead = reader.submit(self._read, done)
                for box in self._boxes[done:]:
                    voxels = ahead.result()
                    ahead = reader.submit(self._read, done + 1)
                    self._write(box, voxels)
                    done, unsafe_bytes = done + 1, unsafe_bytes + voxels.nbytes
                    if unsafe_bytes >= SAFE_EVERY_BYTES:
                        flush(self._store.path)
                        record(done)
                        unsafe_bytes = 0
                    self._tell(box.size)
                    heap.count(voxels.nbytes)
                    del voxels
        except SourceUnreadable:
            if done:
                flush(self._store.path)
                record(done)
            raise

    def _tell(self, voxels: int) -> None:
        self._voxels = min(self._total, self._voxels + voxels)
        self._context.progress(self._voxels, self._total, "copying")
        self._context.check_cancelled()

    def _read(self, number: int) -> NDArray[Any]:
        box = self._boxes[number] if number < len(self._boxes) else Box((0, 0, 0), (0, 0, 0))
        try:
            # Of truths and halves a store makes the next larger type that it knows.
            return self._source.read(box).astype(self._store.dtype, copy=False)
        except (UniemError, OSError) as error:
            raise SourceUnreadable(error) from error

    def _write(self, box: Box, voxels: NDArray[Any]) -> None:
        """Write a block to every level that it makes alone."""
        try:
            writes = [self._arrays[0][box.slices].write(voxels)]
            for index in range(1, self._levels_at_once):
                voxels = downsample(voxels, self._step(index), is_labels=self._is_labels)
                z, y, x = (a // f for a, f in zip(box.start, self._factors[index], strict=True))
                coarse = Box.of_shape((voxels.shape[0], voxels.shape[1], voxels.shape[2])).translated(
                    (z, y, x)
                )
                writes.append(self._arrays[index][coarse.slices].write(voxels))
            for write in writes:
                write.result()
        except (ValueError, OSError) as error:
            raise UniemError(
                f"Cannot write to {self._store.path}: {error}.", "Check the disk's free space and rights."
            ) from error

    def _step(self, index: int) -> Triple:
        fine, coarse = self._factors[index - 1], self._factors[index]
        return (coarse[0] // fine[0], coarse[1] // fine[1], coarse[2] // fine[2])


def flush(folder: Path) -> None:
    """Wait until all that was written to the file system of a folder is on the disk."""
    if (syncfs := _syncfs()) is not None:
        directory = os.open(folder, os.O_RDONLY)
        try:
            if syncfs(directory):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), str(folder))
        finally:
            os.close(directory)


def _unhurried(array: ts.TensorStore) -> ts.TensorStore:
    """Return an array whose chunks need not reach the disk one by one, where `flush` sees to it at once."""
    if _syncfs() is None:
        return array
    import tensorstore as ts

    spec = array.spec().to_json()
    spec["kvstore"]["file_io_sync"] = False
    return ts.open(spec, context=shared_context(), read=True, write=True).result()


@functools.cache
def _syncfs() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        syncfs: Callable[[int], int] = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):  # another C library
        return None
    return syncfs


def block_shape(shape: Triple, voxel_bytes: int) -> Triple:
    """Return the largest blocks of whole chunks within a budget: of whole sections where these fit."""
    edges = [min(edge, whole) for edge, whole in zip(CHUNK_SHAPE, shape, strict=True)]
    for axis, most in ((2, shape[2]), (1, shape[1]), (0, min(shape[0], DEEPEST))):
        others = math.prod(edges) // edges[axis] * voxel_bytes
        chunks = max(1, BLOCK_BYTES // others // CHUNK_SHAPE[axis])
        edges[axis] = min(most, chunks * CHUNK_SHAPE[axis])
    return (edges[0], edges[1], edges[2])


def _begun(source: Volume, folder: Path, version: str) -> StoredVolume:
    _empty(folder)
    shape, kind = source.shape, source.kind
    store = create_store(folder / STORE, shape, source.dtype, source.voxel_size, kind, version=version)
    store.add_levels()
    return store


def _plan(source: Volume, version: str) -> dict[str, Any]:
    """Return, as JSON values, all that must be the same for an import to be gone on with."""
    plan = {
        "record": RECORD_VERSION,
        "shape": source.shape,
        "dtype": source.dtype.name,
        "kind": source.kind.value,
        "voxel_size_nm": source.voxel_size,
        "block_shape": block_shape(source.shape, source.dtype.itemsize),
        "version": version,
        "fingerprint": fingerprint(source),
        "files": _files_of(source),
    }
    remembered: dict[str, Any] = json.loads(json.dumps(plan))
    return remembered


def _files_of(source: Volume) -> str:
    """Return a hash of names, sizes and times of the files a volume is read from; empty for a web address."""
    while not source.source and isinstance(below := getattr(source, "of", None), Volume):
        source = below
    if not source.source or is_web_address(source.source):
        return source.source
    path = Path(source.source.partition("::")[0])
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    states = [(file.name, (found := file.stat()).st_size, found.st_mtime_ns) for file in files]
    return hashlib.blake2b(f"{source.source} {states}".encode(), digest_size=16).hexdigest()


def _done(folder: Path, plan: dict[str, Any]) -> int:
    """Return how many blocks of this very import are done; 0 if it is another one, or was never begun."""
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
        return int(record["done"]) if record["plan"] == plan else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


@contextlib.contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """Hold an import's folder, which vanishes at the end if there is nothing in it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    if not lock.take(f"process {os.getpid()}"):
        name = folder.name.removeprefix(".").removesuffix(ENDING)
        raise UniemError(f"{name} is being imported already.", "Wait for that import, or cancel it.")
    try:
        yield
    finally:
        lock.release()
        if {entry.name for entry in folder.iterdir()} == {LOCK}:
            shutil.rmtree(folder, ignore_errors=True)


def _empty(folder: Path) -> None:
    """Remove what an import has made so far, but not its lock."""
    (folder / RECORD).unlink(missing_ok=True)
    shutil.rmtree(folder / STORE, ignore_errors=True)


def _remove_stale_imports(beside: Path) -> None:
    """Remove the imports next to one that were cut off long ago; what is in use stays."""
    for record in beside.parent.glob(f".*{ENDING}/{RECORD}"):
        folder = record.parent
        with contextlib.suppress(OSError):
            is_old = time.time() - record.stat().st_mtime > KEPT_S
            if is_old and folder != beside and note_of_holder(folder / LOCK) is None:
                shutil.rmtree(folder)
