"""Reading a store while a transaction holds changes: the right voxels, and no memory for what is only read."""

from __future__ import annotations

import math
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.held_array import PIECE
from uniem.data.store import CACHE_BYTES, StoredVolume, create_store, open_store
from uniem.data.volume import Kind
from uniem.errors import UniemError

SHAPE: Triple = (20, 70, 90)
CHUNK: Triple = (8, 32, 32)


def filled(path: Path, shape: Triple, chunk: Triple) -> StoredVolume:
    store = create_store(path, shape, np.uint32, VoxelSize(40, 5, 5), Kind.LABELS, chunk)
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    store.write(Box.of_shape(shape), ((z // 4) * 100 + (y // 9) * 10 + x // 11 + 1).astype(np.uint32))
    return store


def any_box(random: np.random.Generator, shape: Triple) -> Box:
    one, two = random.integers(0, shape), random.integers(0, shape)
    start, stop = np.minimum(one, two).tolist(), (np.maximum(one, two) + 1).tolist()
    return Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))


@pytest.mark.parametrize("ends_with", ["commit", "abort"])
def test_every_box_shows_what_was_written_on_what_was_there(tmp_path: Path, ends_with: str) -> None:
    store = filled(tmp_path / "a.zarr", SHAPE, CHUNK)
    expected = store.read(Box.of_shape(SHAPE))
    before, random = expected.copy(), np.random.default_rng(3)
    store.begin()
    for label in range(1_000, 1_040):
        box = any_box(random, SHAPE) if label % 9 == 0 else any_box(random, (12, 20, 20))
        where = random.random(box.shape) < 0.5 if label % 3 else None
        store.write(box, np.full(box.shape, label, np.uint32), where)
        expected[box.slices][... if where is None else where] = label
        seen = [any_box(random, SHAPE) for _ in range(4)]
        for box, found in zip(seen, store.read_many(seen), strict=True):
            np.testing.assert_array_equal(found, expected[box.slices])
            np.testing.assert_array_equal(store.read(box), expected[box.slices])
    assert store.held_bytes > 0
    getattr(store, ends_with)()
    assert store.held_bytes == 0
    left = expected if ends_with == "commit" else before
    np.testing.assert_array_equal(store.read(Box.of_shape(SHAPE)), left)
    np.testing.assert_array_equal(open_store(store.path).read(Box.of_shape(SHAPE)), left)


def test_some_voxels_of_a_box_are_written_at_once(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.zarr", SHAPE, CHUNK)
    expected, box = store.read(Box.of_shape(SHAPE)), Box((3, 10, 20), (12, 60, 70))
    where = np.random.default_rng(5).random(box.shape) < 0.3
    store.write(box, np.full(box.shape, 77, np.uint32), where)
    expected[box.slices][where] = 77
    np.testing.assert_array_equal(open_store(store.path).read(Box.of_shape(SHAPE)), expected)


def test_coarser_levels_are_made_from_what_was_written(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.zarr", (8, 1100, 600), (8, 256, 256))
    store.build_pyramid()
    box = Box((2, 250, 250), (6, 270, 400))
    store.begin()
    store.write(box, np.full(box.shape, 7, np.uint32))
    store.update_pyramid(box)
    held = [level.read(Box.of_shape(level.shape)) for level in store.levels]
    store.commit()
    again = open_store(store.path, writable=True)
    for level, found in zip(again.levels, held, strict=True):
        np.testing.assert_array_equal(level.read(Box.of_shape(level.shape)), found)
    again.build_pyramid()
    for level, found in zip(again.levels, held, strict=True):
        np.testing.assert_array_equal(level.read(Box.of_shape(level.shape)), found)


def test_what_is_only_read_in_a_transaction_is_let_go(tmp_path: Path) -> None:
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("the system does not tell how much memory a process takes")

    def taken() -> int:
        return int(statm.read_text().split()[1]) * 4096

    shape: Triple = (32, 2048, 2560)
    store = create_store(tmp_path / "a.zarr", shape, np.uint32, VoxelSize(40, 5, 5), Kind.LABELS)
    for z in range(0, shape[0], 8):
        box = Box((z, 0, 0), (z + 8, *shape[1:]))
        store.write(box, np.full(box.shape, z + 1, np.uint32))
    store.begin()
    store.write(Box((0, 0, 0), (1, 9, 9)), np.full((1, 9, 9), 99, np.uint32))
    before = taken()
    for z in range(0, shape[0], 8):
        for y in range(0, shape[1], 256):
            store.read(Box((z, y, 0), (z + 8, y + 256, shape[2])))
    # All of it is 640 MB.
    assert taken() - before < CACHE_BYTES + (200 << 20)
    assert store.held_bytes == math.prod(PIECE) * 4
    store.abort()


def test_what_is_set_apart_is_read_and_changed_while_a_thread_writes_it(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.zarr", SHAPE, CHUNK)
    expected, random = store.read(Box.of_shape(SHAPE)), np.random.default_rng(4)
    store.begin()

    def change(label: int) -> None:
        box = any_box(random, SHAPE) if label % 9 == 0 else any_box(random, (12, 20, 20))
        store.write(box, np.full(box.shape, label, np.uint32))
        expected[box.slices] = label

    for label in range(1_000, 1_020):
        change(label)
    apart = expected.copy()
    store.held.set_apart()
    change(1_020)
    told: list[float] = []
    writer = threading.Thread(target=store.held.write_apart, args=(told.append,))
    writer.start()
    for label in range(1_021, 1_040):
        change(label)
        np.testing.assert_array_equal(store.read(Box.of_shape(SHAPE)), expected)
    writer.join()
    np.testing.assert_array_equal(open_store(store.path).read(Box.of_shape(SHAPE)), apart)
    np.testing.assert_array_equal(store.read_saved(Box.of_shape(SHAPE)), apart)
    np.testing.assert_array_equal(store.read(Box.of_shape(SHAPE)), expected)
    store.commit()
    np.testing.assert_array_equal(open_store(store.path).read(Box.of_shape(SHAPE)), expected)
    assert store.held_bytes == 0


def test_what_cannot_be_written_is_held_again(tmp_path: Path) -> None:
    store = filled(tmp_path / "a.zarr", SHAPE, CHUNK)
    expected = store.read(Box.of_shape(SHAPE))
    store.begin()
    for label, box in ((5, Box((0, 0, 0), (2, 70, 90))), (6, Box((1, 3, 3), (12, 40, 40)))):
        store.write(box, np.full(box.shape, label, np.uint32))
        expected[box.slices] = label
    # A file in place of a folder of chunks.
    folder = store.path / "0" / "c" / "0"
    shutil.rmtree(folder)
    folder.write_bytes(b"")
    store.held.set_apart()
    store.write(Box((0, 0, 0), (1, 1, 1)), np.full((1, 1, 1), 7, np.uint32))
    expected[0, 0, 0] = 7
    with pytest.raises(UniemError, match="Cannot save"):
        store.held.write_apart()
    folder.unlink()
    store.commit()
    seen, whole = open_store(store.path), Box((0, 0, 0), (2, 70, 90))
    np.testing.assert_array_equal(seen.read(whole), expected[whole.slices])
