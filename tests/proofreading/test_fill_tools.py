"""Fills, lassos, and changes of a whole object's shape, against slow and obvious models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from uniem.algorithms import flood
from uniem.algorithms.rasterise import FillRule, polygon_mask
from uniem.data.geometry import Box, VoxelSize
from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError
from uniem.proofreading.tools import reshape
from uniem.proofreading.tools.fill import RegionTooLarge, fill_gray, fill_holes, fill_labels
from uniem.proofreading.tools.lasso import paint_polygon
from uniem.proofreading.tools.plane import Plane
from uniem.proofreading.tools.protect import Over, Protect
from uniem.proofreading.tools.relabel import relabel, swap
from uniem.proofreading.tools.reshape import grow, shrink, smooth

from .edited import carry_out, volume_of

BIG = 2**31 + 77
PLANES = st.sampled_from([None, *Plane])


def blobs(seed: int, shape: tuple[int, int, int] = (9, 26, 24), count: int = 4) -> np.ndarray:
    """Return labels 0, 1, 2, ..., and one above 2^31, in smooth patches."""
    noise = np.random.default_rng(seed).random(shape)
    smoothed = ndimage.gaussian_filter(noise, 1.5)
    ranks = np.searchsorted(np.quantile(smoothed, np.linspace(0, 1, count + 1)[1:-1]), smoothed)
    return np.array([0, 1, BIG, 2, 3], np.uint32)[ranks]


@pytest.fixture
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flood, "block_shape", lambda bounds: (4, 8, 8))
    monkeypatch.setattr(reshape, "_BLOCK", (4, 8, 8))


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize("plane", [None, *Plane])
@pytest.mark.parametrize("seed", range(6))
def test_fill_replaces_the_region_clicked(plane: Plane | None, seed: int) -> None:
    array = blobs(seed)
    point = tuple(int(n) for n in np.random.default_rng(seed).integers(0, array.shape))
    within = plane.section(point[plane.fixed_axis], array.shape) if plane else Box.of_shape(array.shape)
    part = array[within.slices]
    inside = tuple(p - s for p, s in zip(point, within.start, strict=True))
    labels, _ = ndimage.label(part == part[inside])
    expected = array.copy()
    expected[within.slices][labels == labels[inside]] = 9
    edit = fill_labels(volume_of(array), point, 9, within=within)
    assert np.array_equal(carry_out(array, edit), expected)


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize("seed", range(6))
def test_fill_by_gray_stays_within_tolerance_and_off_what_is_protected(seed: int) -> None:
    array, rng = blobs(seed), np.random.default_rng(seed)
    gray = ndimage.gaussian_filter(rng.random(array.shape), 1) * 1000
    free = np.argwhere(array == 0)
    point = tuple(int(n) for n in free[len(free) // 2])
    near = np.abs(gray - gray[point]) <= 40
    for protect, allowed in (
        (Protect(), np.ones(array.shape, bool)),
        (Protect(Over.BACKGROUND), (array == 0) | (array == 1)),
        (Protect(Over.SELECTED, frozenset({0, BIG}), locked=frozenset({BIG})), (array == 0) | (array == 1)),
        (Protect(locked=frozenset({2, BIG})), (array == 0) | (array == 1)),
    ):
        labels, _ = ndimage.label(near & allowed)
        expected = np.where(labels == labels[point], 1, array)
        edit = fill_gray(volume_of(array), ArrayVolume(gray), point, 40, 1, protect)
        assert np.array_equal(carry_out(array, edit), expected)


def test_a_fill_that_is_too_large_or_protected_says_so() -> None:
    volume = volume_of(np.zeros((4, 300, 300), np.uint32))
    with pytest.raises(RegionTooLarge, match="more than 1,000 voxels"):
        fill_labels(volume, (0, 5, 5), 3, max_voxels=1000)
    assert fill_labels(volume, (0, 5, 5), 0) is None
    volume.array[:] = 7
    with pytest.raises(UniemError, match="7 is locked"):
        fill_labels(volume, (0, 5, 5), 3, Protect(locked=frozenset({7})))
    with pytest.raises(UniemError, match="Object 7 is protected"):
        fill_labels(volume, (0, 5, 5), 3, Protect(Over.BACKGROUND))
    with pytest.raises(UniemError, match="outside"):
        fill_labels(volume, (0, 5, 300), 3)


def test_a_small_fill_reads_little_of_a_large_volume() -> None:
    class Counting(ArrayVolume):
        voxels_read = 0

        def read(self, box: Box) -> np.ndarray:
            self.voxels_read += box.size
            return super().read(box)

    volume = Counting(np.zeros((4, 4000, 4000), np.uint8))
    volume.array[:, 1000:1100, 1000:1100] = 5
    edit = fill_labels(volume, (2, 1050, 1050), 6)
    assert edit is not None
    assert volume.voxels_read < 16 * 4 * 256 * 256


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize("plane", [None, *Plane])
@pytest.mark.parametrize("seed", range(4))
def test_holes_are_what_a_label_encloses(plane: Plane | None, seed: int) -> None:
    rng = np.random.default_rng(seed)
    array = np.where(rng.random((9, 20, 22)) < 0.6, 1, 0).astype(np.uint32)
    array[rng.random(array.shape) < 0.1] = BIG
    mask = array == 1
    if plane is None:
        filled = ndimage.binary_fill_holes(mask)
    else:
        sections = [ndimage.binary_fill_holes(s) for s in np.moveaxis(mask, plane.fixed_axis, 0)]
        filled = np.moveaxis(np.stack(sections), 0, plane.fixed_axis)
    box = Box.of_shape(array.shape)
    edit = fill_holes(volume_of(array), 1, box, plane=plane)
    assert np.array_equal(carry_out(array, edit), np.where(filled & (array == 0), 1, array))
    over = Protect(Over.SELECTED, frozenset({0, BIG}))
    edit = fill_holes(volume_of(array), 1, box, over, plane)
    assert np.array_equal(carry_out(array, edit), np.where(filled, 1, array))


@given(
    st.lists(st.tuples(*[st.integers(-40, 240).map(lambda i: i / 4)] * 2), min_size=3, max_size=7),
    st.sampled_from(list(Plane)),
    st.sampled_from(["non-zero", "even-odd"]),
)
@settings(max_examples=40, deadline=None)
def test_a_lasso_paints_what_it_encloses(
    drawn: list[tuple[float, float]], plane: Plane, rule: FillRule
) -> None:
    array = np.zeros((20, 30, 40), np.uint32)
    points = [tuple(np.insert(np.array(d), plane.fixed_axis, 7)) for d in drawn]
    edit = paint_polygon(volume_of(array), points, BIG, plane=plane, rule=rule)
    section = plane.flat(carry_out(array, edit)[plane.section(7, array.shape).slices])
    assert np.array_equal(section == BIG, polygon_mask(drawn, (0, 0), section.shape, rule))
    assert np.count_nonzero(carry_out(array, edit)) == np.count_nonzero(section)


def test_a_lasso_outside_is_no_edit() -> None:
    volume = volume_of(np.zeros((2, 10, 10), np.uint32))
    assert paint_polygon(volume, [(5, 0, 0), (5, 0, 9), (5, 9, 9)], 1) is None
    assert paint_polygon(volume, [(0, 20, 0), (0, 20, 9), (0, 29, 9)], 1) is None


@pytest.mark.usefixtures("_small_blocks")
@pytest.mark.parametrize("plane", [None, *Plane])
@pytest.mark.parametrize("size", [None, VoxelSize(50, 5, 10)])
def test_objects_grow_shrink_and_smooth_as_their_masks_do(
    plane: Plane | None, size: VoxelSize | None
) -> None:
    array = blobs(3)
    spacing = list(size or (1.0, 1.0, 1.0))
    if plane is not None:
        spacing[plane.fixed_axis] = np.inf
    radius = 1.5 if size is None else 11.0
    mask, box = array == BIG, Box.of_shape(array.shape)
    locked = Protect(Over.SELECTED, frozenset({0, 1, 2}), locked=frozenset({2}))
    for tool, change in (
        (grow, reshape.morphology.grown),
        (shrink, reshape.morphology.shrunk),
        (smooth, reshape.morphology.smoothed),
    ):
        new = change(mask, radius, spacing)
        for protect, free in ((None, array == 0), (locked, (array == 0) | (array == 1))):
            expected = np.where(new & free, BIG, np.where(mask & ~new, 0, array))
            edit = tool(volume_of(array, size), BIG, box, radius, protect, plane)
            assert np.array_equal(carry_out(array, edit), expected)


def test_a_box_around_the_object_is_enough_to_grow_it() -> None:
    array = np.zeros((9, 60, 60), np.uint32)
    array[4, 30, 30] = 3
    edit = grow(volume_of(array, VoxelSize(10, 5, 5)), 3, Box((4, 30, 30), (5, 31, 31)), 20)
    assert edit is not None
    assert edit.box == Box((2, 26, 26), (7, 35, 35))
    with pytest.raises(UniemError, match="3 is locked"):
        grow(volume_of(array), 3, edit.box, 20, Protect(locked=frozenset({3})))


def test_relabelling_and_swapping() -> None:
    array = blobs(5)
    box = Plane.XZ.section(11, array.shape)
    part = array[box.slices]
    expected = array.copy()
    expected[box.slices] = np.where(part == BIG, 40, part)
    assert np.array_equal(carry_out(array, relabel(volume_of(array), BIG, 40, [box])), expected)
    expected[box.slices] = np.where(part == BIG, 0, np.where(part == 0, BIG, part))
    assert np.array_equal(carry_out(array, swap(volume_of(array), BIG, 0, box)), expected)
    boxes = [Box((0, 0, 0), (9, 13, 24)), Box((0, 13, 0), (9, 26, 24))]
    deleted = carry_out(array, relabel(volume_of(array), 1, 0, boxes))
    assert np.array_equal(deleted, np.where(array == 1, 0, array))
    with pytest.raises(UniemError, match="1 is locked"):
        relabel(volume_of(array), 1, 5, boxes, Protect(locked=frozenset({1})))
    with pytest.raises(UniemError, match="1 is locked"):
        swap(volume_of(array), 5, 1, box, Protect(locked=frozenset({1})))
