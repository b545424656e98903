"""Connected components: by slabs as in memory, ids in scan order."""

from __future__ import annotations

from typing import Any

import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from uniem.algorithms.labelling import foreground, label_array, label_components, label_segments, voxel_counts
from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError
from uniem.progress import Cancelled, Context

SHAPES = st.sampled_from([(9, 5, 4), (4, 11, 5), (3, 4, 13), (1, 7, 9), (6, 6, 6), (2, 1, 1)])


def run(function: Any, array: NDArray[Any], **options: Any) -> tuple[NDArray[np.uint32], int]:
    out = np.full(array.shape, 77, np.uint32)
    return out, function(ArrayVolume(array), ArrayVolume(out), **options)


def reference(array: NDArray[Any], connectivity: int) -> NDArray[Any]:
    if connectivity in (4, 8):
        total, sections = 0, []
        for section in array:
            found = cc3d.connected_components(section, connectivity=connectivity).astype(np.int64)
            sections.append(np.where(found > 0, found + total, 0))
            total += int(found.max())
        return np.stack(sections)
    return cc3d.connected_components(array, connectivity=connectivity)


def assert_scan_order(labels: NDArray[Any]) -> None:
    ids, first = np.unique(labels, return_index=True)
    first = first[ids > 0]
    assert np.array_equal(ids[ids > 0], np.arange(1, len(first) + 1))
    assert np.all(np.diff(first) > 0)


@settings(max_examples=120, deadline=None)
@given(
    SHAPES, st.sampled_from([4, 6, 8, 18, 26]), st.floats(0.1, 0.7), st.integers(0, 4), st.integers(0, 9999)
)
def test_slabs_equal_memory(shape: Any, connectivity: Any, density: float, min_size: int, seed: int) -> None:
    mask = (np.random.default_rng(seed).random(shape) < density).astype(np.uint8) * 255
    options = {"connectivity": connectivity, "min_size_voxels": min_size}
    whole, count = run(label_components, mask, **options)
    parts, parts_count = run(label_components, mask, memory_bytes=0, slab_voxels=1, **options)
    assert count == parts_count == whole.max(initial=0)
    assert np.array_equal(whole, parts)
    assert_scan_order(whole)
    if min_size < 2:
        expected = reference(mask, connectivity)
        assert np.array_equal(whole > 0, mask > 0)
        assert len(np.unique(np.stack([whole.ravel(), expected.ravel()]), axis=1).T) == len(
            np.unique(expected)
        )


@settings(max_examples=80, deadline=None)
@given(SHAPES, st.sampled_from([4, 6, 8, 18, 26]), st.integers(0, 9999))
def test_segments_by_slabs_equal_memory(shape: Any, connectivity: Any, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 3, shape, np.uint32) * 2_000_000_000
    whole, count = run(label_segments, labels, connectivity=connectivity)
    parts, _ = run(label_segments, labels, connectivity=connectivity, memory_bytes=0, slab_voxels=20)
    assert np.array_equal(whole, parts)
    assert_scan_order(whole)
    assert count == np.unique(reference(labels, connectivity)[labels > 0]).size


def test_foreground_rules() -> None:
    image = np.array([[[0, 10, 0, 20, 0, 30]]], np.uint8)
    assert run(label_components, image, level=10)[1] == 2
    assert run(label_components, image, level=9.5)[1] == 3
    assert run(label_components, image, level=-1)[1] == 1
    assert run(label_components, image, value=20)[1] == 1
    assert run(label_components, image.astype(np.float32) / 10, level=1.5)[1] == 2
    assert run(label_components, -image.astype(np.float32))[1] == 0
    assert foreground(image > 0).dtype == np.uint8
    mask = (image > 0).astype(np.uint8)
    assert foreground(mask) is mask
    assert foreground(mask[:, :, ::2] * np.uint8(255)).max(initial=0) == 0
    two_values = np.array([[[5, 9]]], np.uint8)
    assert foreground(two_values).tolist() == [[[1, 1]]]
    assert run(label_components, two_values)[1] == 1


def test_size_filter_and_counts() -> None:
    array = np.zeros((1, 1, 9), np.uint8)
    array[0, 0] = [1, 0, 1, 1, 0, 1, 1, 1, 0]
    labels, count = label_array(array, 6, 2)
    assert count == 2
    assert labels[0, 0].tolist() == [0, 0, 1, 1, 0, 2, 2, 2, 0]
    assert voxel_counts(labels, count).tolist() == [4, 2, 3]


def test_input_is_left_alone() -> None:
    array = np.ones((2, 3, 4), np.uint8)
    array.flags.writeable = False
    assert run(label_components, array)[1] == 1
    assert run(label_segments, array, memory_bytes=0, slab_voxels=1)[1] == 1


def test_too_many_components_for_the_output() -> None:
    mask = np.zeros((1, 40, 40), np.uint8)
    mask[:, ::2, ::2] = 1
    for memory in (0, 1 << 20):
        with pytest.raises(UniemError, match="400 components do not fit into uint8"):
            out = ArrayVolume(np.zeros(mask.shape, np.uint8))
            label_components(ArrayVolume(mask), out, memory_bytes=memory)


def test_float_segmentation_is_refused() -> None:
    with pytest.raises(UniemError, match="does not hold labels"):
        run(label_segments, np.ones((2, 2, 2), np.float32))


class Cancelling(Context):
    def cancelled(self) -> bool:
        return True


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_cancel(memory: int) -> None:
    with pytest.raises(Cancelled):
        run(label_components, np.ones((4, 4, 4), np.uint8), context=Cancelling(), memory_bytes=memory)


def test_nothing_and_everything() -> None:
    assert run(label_components, np.zeros((3, 3, 3), np.uint8), memory_bytes=0, slab_voxels=1)[1] == 0
    assert run(label_components, np.zeros((0, 3, 3), np.uint8))[1] == 0
