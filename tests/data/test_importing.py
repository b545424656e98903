from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from uniem.data import importing
from uniem.data.formats import open_volume
from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.importing import block_shape, folder_of_import, import_volume
from uniem.data.store import CHUNK_SHAPE, StoredVolume, create_store
from uniem.data.views import CroppedVolume
from uniem.data.volume import ArrayVolume, Kind, Volume
from uniem.errors import UniemError
from uniem.file_lock import FileLock
from uniem.progress import Cancelled, Context

# Runs an import in a process of its own, says how far it is, and stands still once two blocks are done.
CHILD = """
import sys, time
from pathlib import Path
from uniem.data import importing
from uniem.data.formats import open_volume
from uniem.data.importing import import_volume
from uniem.data.volume import Kind
from uniem.progress import Context

importing.SAFE_EVERY_BYTES = 1

class Standing(Context):
    def progress(self, done, total, label):
        print(done, total, flush=True)
        if done * 2 > total:
            time.sleep(600)

import_volume(open_volume(sys.argv[1], Kind(sys.argv[3])), Path(sys.argv[2]), Standing())
"""


class Counted(ArrayVolume):
    """An array that notes which boxes were read from it, and fails from a section on."""

    def __init__(self, array: NDArray[Any], fails_from: int | None = None, **named: Any) -> None:
        super().__init__(array, **named)
        self.boxes: list[Box] = []
        self.fails_from = fails_from

    def read(self, box: Box) -> NDArray[Any]:
        if self.fails_from is not None and box.stop[0] > self.fails_from and box.shape[1] > 64:
            raise UniemError("The network is gone.", "Come again.")
        self.boxes.append(box)
        return super().read(box)

    def first_section_copied(self) -> int:
        # The fingerprint reads windows, a copy whole sections.
        return min(box.start[0] for box in self.boxes if box.shape[1] > 64)


class Steps(Context):
    """Takes note of progress and asks to end after some steps."""

    def __init__(self, last: int = 10**9) -> None:
        self.told: list[tuple[int, int]] = []
        self._last = last

    def progress(self, done: int, total: int | None, label: str) -> None:
        assert total is not None
        self.told.append((done, total))

    def cancelled(self) -> bool:
        return len(self.told) >= self._last


def random_array(shape: Triple, dtype: str, kind: Kind) -> NDArray[Any]:
    top = 5 if kind is Kind.LABELS else 250
    return np.random.default_rng(sum(shape)).integers(0, top, shape).astype(dtype)


def as_made_at_once(source: Volume, path: Path) -> StoredVolume:
    store = create_store(path, source.shape, source.dtype, source.voxel_size, source.kind)
    store[:] = source[:]
    store.build_pyramid()
    return store


def assert_same(imported: StoredVolume, expected: StoredVolume) -> None:
    assert imported.kind is expected.kind and imported.voxel_size == expected.voxel_size
    assert len(imported.levels) == len(expected.levels)
    for mine, other in zip(imported.levels, expected.levels, strict=True):
        assert mine.dtype == other.dtype and mine.voxel_size == other.voxel_size
        np.testing.assert_array_equal(mine[:], other[:])


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 600, 700), (67, 33, 1027), (33, 1, 2050)])
@pytest.mark.parametrize("voxel_size", [None, VoxelSize(40, 4, 4), VoxelSize(4, 4, 4)])
@pytest.mark.parametrize(
    ("dtype", "kind"), [("uint8", Kind.IMAGE), ("float32", Kind.PROBABILITY), ("uint32", Kind.LABELS)]
)
def test_an_import_equals_a_copy_made_at_once(
    tmp_path: Path, shape: Triple, voxel_size: VoxelSize | None, dtype: str, kind: Kind
) -> None:
    source = ArrayVolume(random_array(shape, dtype, kind), voxel_size, kind)
    context = Steps()
    imported = import_volume(source, tmp_path / "i", context)
    assert_same(imported, as_made_at_once(source, tmp_path / "whole.zarr"))
    done = [part for part, _ in context.told]
    assert done == sorted(done) and context.told[-1][0] == context.told[-1][1]


@pytest.mark.parametrize(("dtype", "stored"), [("bool", "uint8"), ("float16", "float32")])
def test_types_that_no_store_holds_become_larger(tmp_path: Path, dtype: str, stored: str) -> None:
    array = (np.arange(2 * 3 * 600).reshape(2, 3, 600) % 3).astype(dtype)
    imported = import_volume(ArrayVolume(array), tmp_path / "i")
    assert imported.dtype == stored
    np.testing.assert_array_equal(imported[:], array)


@pytest.mark.parametrize("budget", [1 << 19, 1 << 21])
@pytest.mark.parametrize("voxel_size", [VoxelSize(40, 4, 4), VoxelSize(4, 4, 4)])
def test_sections_larger_than_the_budget_are_copied_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int, voxel_size: VoxelSize
) -> None:
    monkeypatch.setattr(importing, "BLOCK_BYTES", budget)
    source = ArrayVolume(random_array((19, 1300, 2300), "uint8", Kind.IMAGE), voxel_size)
    assert block_shape(source.shape, 1)[1:] != source.shape[1:]
    imported = import_volume(source, tmp_path / "i")
    assert_same(imported, as_made_at_once(source, tmp_path / "whole.zarr"))


@settings(max_examples=50)
@given(
    st.tuples(st.integers(1, 500), st.integers(1, 90_000), st.integers(1, 90_000)),
    st.sampled_from([1, 2, 4, 8]),
)
def test_a_block_is_small_and_begins_at_chunks(shape: Triple, voxel_bytes: int) -> None:
    block = block_shape(shape, voxel_bytes)
    assert block[0] * block[1] * block[2] * voxel_bytes <= importing.BLOCK_BYTES
    for edge, whole, chunk in zip(block, shape, CHUNK_SHAPE, strict=True):
        assert edge == whole or (0 < edge < whole and edge % chunk == 0)


@pytest.mark.parametrize(("dtype", "kind"), [("uint8", Kind.IMAGE), ("uint32", Kind.LABELS)])
def test_a_killed_import_goes_on_where_it_was(tmp_path: Path, dtype: str, kind: Kind) -> None:
    array = random_array((150, 90, 601), dtype, kind)
    tifffile.imwrite(tmp_path / "stack.tif", array)
    folder = folder_of_import(tmp_path / "out.zarr")
    command = [sys.executable, "-c", CHILD, str(tmp_path / "stack.tif"), str(folder), kind.value]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            done, total = map(int, line.split())
            if done * 2 > total:
                break
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    blocks_done = json.loads((folder / importing.RECORD).read_text())["done"]
    assert 2 <= blocks_done < 5

    source = open_volume(tmp_path / "stack.tif", kind)
    watched = Counted(array, kind=kind)
    watched.source = source.source
    context = Steps()
    imported = import_volume(watched, folder, context)
    assert watched.first_section_copied() == blocks_done * block_shape(array.shape, array.itemsize)[0]
    assert context.told[0][0] > 0
    assert_same(imported, as_made_at_once(source, tmp_path / "whole.zarr"))


def begun(folder: Path, array: NDArray[Any], **named: Any) -> Counted:
    """Import until the source fails in section 70, and return it repaired."""
    source = Counted(array, fails_from=70, **named)
    with pytest.raises(UniemError, match="network is gone"):
        import_volume(source, folder)
    source.fails_from, source.boxes = None, []
    return source


def test_a_source_that_fails_is_read_on_later(tmp_path: Path) -> None:
    source = begun(tmp_path / "i", random_array((100, 80, 90), "uint8", Kind.IMAGE))
    imported = import_volume(source, tmp_path / "i")
    assert source.first_section_copied() == 64
    np.testing.assert_array_equal(imported[:], source.array)


def test_another_source_begins_anew(tmp_path: Path) -> None:
    array = random_array((100, 80, 90), "uint8", Kind.IMAGE)
    changed = array.copy()
    changed[0, 0, 0] ^= 1
    others: list[Counted] = [
        Counted(changed),
        Counted(array, kind=Kind.LABELS),
        Counted(array, voxel_size=VoxelSize(30, 5, 5)),
        Counted(array[:99]),
        Counted(array.astype(np.uint16)),
    ]
    for number, other in enumerate(others):
        folder = tmp_path / str(number)
        begun(folder, array)
        imported = import_volume(other, folder)
        assert other.first_section_copied() == 0
        np.testing.assert_array_equal(imported[:], other.array)


def test_a_file_that_was_touched_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "stack.tif"
    file.write_bytes(b"as it was")
    source = Counted(random_array((100, 80, 90), "uint8", Kind.IMAGE))
    source.source = str(file)
    view = CroppedVolume(source, Box.of_shape(source.shape))
    for is_touched in (False, True):
        folder = tmp_path / str(is_touched)
        source.fails_from = 70
        with pytest.raises(UniemError):
            import_volume(view, folder)
        source.fails_from, source.boxes = None, []
        if is_touched:
            os.utime(file, ns=(1, time.time_ns()))
        import_volume(view, folder)
        assert source.first_section_copied() == (0 if is_touched else 64)


def test_cancel_discards_what_was_made(tmp_path: Path) -> None:
    source = ArrayVolume(random_array((100, 80, 90), "uint8", Kind.IMAGE))
    with pytest.raises(Cancelled):
        import_volume(source, tmp_path / "i", Steps(last=3))
    assert not list(tmp_path.iterdir())


def test_a_source_that_fails_at_once_leaves_nothing(tmp_path: Path) -> None:
    source = Counted(random_array((100, 80, 90), "uint8", Kind.IMAGE), fails_from=0)
    with pytest.raises(UniemError, match="network is gone"):
        import_volume(source, tmp_path / "i")
    assert not list(tmp_path.iterdir())


def test_two_imports_to_one_place_are_refused(tmp_path: Path) -> None:
    source = ArrayVolume(random_array((10, 80, 90), "uint8", Kind.IMAGE))
    folder = folder_of_import(tmp_path / "out.zarr")
    folder.mkdir()
    lock = FileLock(folder / importing.LOCK)
    assert lock.take("another process")
    with pytest.raises(UniemError, match=r"out\.zarr is being imported already"):
        import_volume(source, folder)
    lock.release()
    np.testing.assert_array_equal(import_volume(source, folder)[:], source.array)


def test_parts_that_nobody_went_on_with_do_not_pile_up(tmp_path: Path) -> None:
    array = random_array((100, 80, 90), "uint8", Kind.IMAGE)
    places = {name: folder_of_import(tmp_path / f"{name}.zarr") for name in ("old", "new", "busy", "mine")}
    for folder in places.values():
        begun(folder, array)
    long_ago = time.time() - importing.KEPT_S - 60
    for name in ("old", "busy", "mine"):
        os.utime(places[name] / importing.RECORD, (long_ago, long_ago))
    lock = FileLock(places["busy"] / importing.LOCK)
    assert lock.take("another process")
    source = Counted(array)
    import_volume(source, places["mine"])
    lock.release()
    assert source.first_section_copied() == 64
    assert not places["old"].exists()
    assert places["new"].is_dir() and places["busy"].is_dir()
