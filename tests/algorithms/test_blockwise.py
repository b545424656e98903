"""Block-wise running: every voxel once, in order, bounded, and ended by a cancel or an error."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uniem.algorithms import blockwise
from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError
from uniem.progress import Cancelled, Context

SIDES = st.integers(1, 400)


@given(st.tuples(SIDES, SIDES, SIDES), st.integers(1, 1 << 20))
def test_blocks_are_within_the_bound(shape: Any, bound: int) -> None:
    block = blockwise.block_shape(shape, bound)
    assert all(1 <= b <= n for b, n in zip(block, shape, strict=True))
    least = min(shape[0], 32) * min(shape[1], 128)
    assert np.prod(block) <= max(bound, least)


@given(st.tuples(SIDES, SIDES, SIDES), st.integers(0, 2), st.integers(1, 1 << 20))
def test_slabs_tile_the_volume(shape: Any, axis: int, bound: int) -> None:
    found = blockwise.slabs_across(shape, axis, bound)
    assert sum(slab.size for slab in found) == np.prod(shape)
    assert found[0].start == (0, 0, 0)
    assert found[-1].stop == shape
    assert max(slab.size for slab in found) <= max(bound, np.prod(shape) // shape[axis])


def test_results_come_in_order_and_few_at_a_time() -> None:
    running, most = set(), []
    lock = threading.Lock()

    def work(item: int) -> int:
        with lock:
            running.add(item)
            most.append(max(running) - min(running))
        with lock:
            running.discard(item)
        return item * item

    seen = []

    class Recording(Context):
        def progress(self, done: int, total: int | None, label: str) -> None:
            seen.append((done, total, label))

    found = list(blockwise.map_blocks(work, range(20), Recording(), "work", workers=3))
    assert found == [n * n for n in range(20)]
    assert max(most) <= 3
    assert seen[0] == (0, 20, "work")
    assert seen[-1] == (20, 20, "work")


def test_cancel_and_errors_stop_the_rest() -> None:
    class Cancelling(Context):
        def cancelled(self) -> bool:
            return len(done) >= 3

    done: list[int] = []

    def work(item: int) -> None:
        done.append(item)

    with pytest.raises(Cancelled):
        list(blockwise.map_blocks(work, range(1000), Cancelling(), "work", workers=2))
    assert len(done) < 10

    def fail(item: int) -> None:
        done.append(item)
        raise UniemError("The disk is full.", "Free some space.")

    done.clear()
    with pytest.raises(UniemError, match="disk is full"):
        list(blockwise.map_blocks(fail, range(1000), Context(), "work", workers=2))
    assert len(done) < 10


def test_filter_sections_and_volume() -> None:
    array = np.random.default_rng(0).integers(0, 255, (9, 40, 30), np.uint8)
    target = ArrayVolume(np.zeros_like(array))
    blockwise.filter_sections(lambda section: 255 - section, ArrayVolume(array), target, context=Context())
    assert np.array_equal(target.array, 255 - array)
    options: Any = {"halo": (1, 1, 1), "context": Context(), "max_voxels": 500}
    blockwise.filter_volume(lambda block: block // 2, ArrayVolume(array), target, **options)
    assert np.array_equal(target.array, array // 2)
    with pytest.raises(UniemError, match="shapes differ"):
        blockwise.filter_volume(np.copy, ArrayVolume(array[1:]), target, **options)
