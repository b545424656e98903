"""Views compute the same as NumPy does on the whole volume, box by box, and let no number wrap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from uniem.data import views
from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.palette import colours_of, painted
from uniem.data.views import (
    CastLabels,
    ChosenLabels,
    CroppedVolume,
    DownsampledVolume,
    RenumberedLabels,
    StretchedVolume,
    View,
)
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError

NM = VoxelSize(50, 4, 4)


def labels_of(voxels: Any, dtype: str = "uint32") -> ArrayVolume:
    return ArrayVolume(np.array(voxels, dtype).reshape(1, 1, -1), NM, Kind.LABELS, "cells")


def read_in_boxes(view: View, edge: int) -> NDArray[Any]:
    whole = np.empty(view.shape, view.dtype)
    for z in range(0, view.shape[0], edge):
        for y in range(0, view.shape[1], edge):
            start, stop = (
                (z, y, 0),
                (min(z + edge, view.shape[0]), min(y + edge, view.shape[1]), view.shape[2]),
            )
            box = Box(start, stop)
            whole[box.slices] = view.read(box)
    return whole


factors = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
shapes = st.tuples(st.integers(1, 9), st.integers(1, 11), st.integers(1, 13))


@settings(max_examples=60, deadline=None)
@given(shape=shapes, factor=factors, edge=st.integers(1, 5), budget=st.sampled_from([1, 300, 1 << 20]))
def test_a_coarser_image_is_the_mean(shape: Triple, factor: Triple, edge: int, budget: int) -> None:
    voxels = np.random.default_rng(0).integers(0, 65_536, shape).astype(np.uint16)
    pieces, views.PIECE_BYTES = views.PIECE_BYTES, budget
    try:
        view = DownsampledVolume(ArrayVolume(voxels, NM), factor)
        made = read_in_boxes(view, edge)
    finally:
        views.PIECE_BYTES = pieces
    padded = np.pad(voxels, [(0, -n % f) for n, f in zip(shape, factor, strict=True)], mode="edge")
    z, y, x = view.shape
    cells = padded.reshape(z, factor[0], y, factor[1], x, factor[2])
    assert np.abs(made - cells.mean(axis=(1, 3, 5))).max() <= 0.5
    assert view.voxel_size == VoxelSize(50 * factor[0], 4 * factor[1], 4 * factor[2])


@settings(max_examples=60, deadline=None)
@given(shape=shapes, factor=factors, edge=st.integers(1, 5))
def test_coarser_labels_are_the_commonest(shape: Triple, factor: Triple, edge: int) -> None:
    voxels = np.random.default_rng(0).integers(0, 4, shape).astype(np.uint32)
    view = DownsampledVolume(ArrayVolume(voxels, NM, Kind.LABELS), factor)
    made = read_in_boxes(view, edge)
    padded = np.pad(voxels, [(0, -n % f) for n, f in zip(shape, factor, strict=True)], mode="edge")
    z, y, x = view.shape
    cells = (
        padded.reshape(z, factor[0], y, factor[1], x, factor[2])
        .transpose(0, 2, 4, 1, 3, 5)
        .reshape(z, y, x, -1)
    )
    counts = np.stack([(cells == label).sum(axis=-1) for label in range(4)], axis=-1)
    np.testing.assert_array_equal(
        np.take_along_axis(counts, made[..., None], -1)[..., 0], counts.max(axis=-1)
    )


def test_cells_of_many_voxels_are_counted_right() -> None:
    voxels = np.full((8, 8, 8), 7, np.uint32)
    voxels.ravel()[:200] = 9  # 312 of 512 are 7: more than eight bits can count
    view = DownsampledVolume(ArrayVolume(voxels, NM, Kind.LABELS), (8, 8, 8))
    assert view[0].tolist() == [[7]]


def test_a_crop_is_a_part() -> None:
    voxels = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    view = CroppedVolume(ArrayVolume(voxels), Box((1, 2, 3), (3, 5, 6)))
    np.testing.assert_array_equal(view[:], voxels[1:3, 2:5, 3:6])
    for box in (Box((0, 0, 0), (5, 5, 6)), Box((1, 1, 1), (1, 5, 6)), Box((-1, 0, 0), (3, 3, 3))):
        with pytest.raises(UniemError, match="does not lie in"):
            CroppedVolume(ArrayVolume(voxels), box)


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "uint64", "float32"]
)
@pytest.mark.parametrize("target", ["uint8", "uint16", "uint32", "int64", "uint64", "float32"])
def test_grey_values_are_stretched_and_never_wrap(dtype: str, target: str) -> None:
    extremes: dict[str, tuple[float, float]] = {"bool": (0, 1), "float32": (-1e30, 1e30)}
    low, high = extremes.get(dtype) or (np.iinfo(dtype).min, np.iinfo(dtype).max)
    voxels = np.array([low, low, high, high], dtype).reshape(1, 2, 2)
    view = StretchedVolume(ArrayVolume(voxels), target, float(low), float(high))
    top = 1.0 if target == "float32" else float(np.iinfo(target).max)
    made = view[:].astype(np.float64).ravel()
    assert made[0] == made[1] == 0
    assert abs(made[2] - top) <= top * 1e-9 and made[2] == made[3]
    below = StretchedVolume(ArrayVolume(voxels), target, float(high), float(high))
    assert below[:].min() == 0


def test_what_is_no_number_is_darkest() -> None:
    voxels = np.array([np.nan, -np.inf, np.inf, 0.5], np.float32).reshape(1, 2, 2)
    assert StretchedVolume(ArrayVolume(voxels), "uint8", 0, 1)[:].ravel().tolist() == [0, 0, 255, 128]


def test_ids_that_do_not_fit_are_named() -> None:
    view = CastLabels(labels_of([0, 3, 256, 300, 70_000]), "uint8")
    with pytest.raises(
        UniemError, match=r"Labels 256, 300, 70000 of cells \(sections 0 to 0\) do not fit into uint8"
    ):
        view[:]
    with pytest.raises(UniemError, match="Label -1 of"):
        CastLabels(labels_of([-1, 3], "int64"), "uint32")[:]
    with pytest.raises(UniemError, match="and 95 more of"):
        CastLabels(labels_of(range(256, 356)), "uint8")[:]
    with pytest.raises(UniemError, match=r"Label 16777217 of .* into float32"):
        CastLabels(labels_of([1 << 24, (1 << 24) + 1]), "float32")[:]
    with pytest.raises(UniemError, match="values with fractions"):
        CastLabels(labels_of([0.5, 2], "float32"), "uint8")[:]
    with pytest.raises(UniemError, match=r"18446744073709551615 of .* into int64"):
        CastLabels(labels_of([0, 2**64 - 1], "uint64"), "int64")[:]
    assert CastLabels(labels_of([0, 255]), "uint8")[:].dtype == np.uint8


def test_labels_are_renumbered_and_chosen() -> None:
    cells = labels_of([0, 9, 2**32 - 1, 70_000, 9])
    renumbered = RenumberedLabels(cells, np.array([9, 70_000, 2**32 - 1], np.uint32))
    assert renumbered[:].ravel().tolist() == [0, 1, 3, 2, 1]
    ids = np.array([70_000, 9], np.uint64)
    assert ChosenLabels(cells, ids, keeps=True)[:].ravel().tolist() == [0, 9, 0, 70_000, 9]
    assert ChosenLabels(cells, ids, keeps=False)[:].ravel().tolist() == [0, 0, 2**32 - 1, 0, 0]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int64", "uint64"])
def test_labels_are_painted_in_their_colours(dtype: str) -> None:
    largest = min(np.iinfo(dtype).max, 2**33)
    labels = np.array([[0, 1, 200], [largest, 7, 7]], dtype)
    expected = colours_of(labels.ravel()).reshape(2, 3, 3)
    np.testing.assert_array_equal(painted(labels), expected)
    expected[labels == 7] = (1, 2, 3)
    np.testing.assert_array_equal(painted(labels, {7: (1, 2, 3), 2**40: (9, 9, 9)}), expected)
