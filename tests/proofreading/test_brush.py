"""Strokes become exact edits, sparing what is protected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uniem.algorithms.rasterise import disc_stroke
from uniem.data.geometry import Box, VoxelSize
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError
from uniem.proofreading.tools.brush import GrayRange, Stroke, Tip, paint
from uniem.proofreading.tools.plane import Plane
from uniem.proofreading.tools.protect import Over, Protect

from .edited import carry_out, volume_of


@given(
    st.sampled_from(list(Plane)),
    st.lists(st.tuples(st.integers(-10, 610), st.integers(-10, 610)), min_size=1, max_size=5),
    st.sampled_from([0.5, 1.0, 3.0, 20.0]),
)
@settings(max_examples=30, deadline=None)
def test_a_stroke_covers_what_the_rasteriser_says(
    plane: Plane, points: list[tuple[int, int]], radius: float
) -> None:
    shape = {Plane.XY: (2, 600, 580), Plane.XZ: (600, 2, 580), Plane.YZ: (600, 580, 2)}[plane]
    stroke = Stroke(tuple(np.insert(np.array(p, float), plane.fixed_axis, 1) for p in points), radius, plane)
    painted = carry_out(np.zeros(shape, np.uint32), paint(volume_of(np.zeros(shape, np.uint32)), stroke, 9))
    expected = np.zeros((600, 580), bool)
    y0, x0, mask = disc_stroke(points, radius, (600, 580))
    expected[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]] = mask
    assert np.array_equal(np.take(painted, 1, plane.fixed_axis) == 9, expected)
    assert not np.take(painted, 0, plane.fixed_axis).any()


def test_the_brush_is_round_in_nm() -> None:
    volume = volume_of(np.zeros((21, 5, 101), np.uint32), VoxelSize(50, 5, 5))
    edit = paint(volume, Stroke(((10, 2, 50),), 30, Plane.XZ), 1)
    assert edit is not None
    assert edit.box == Box((7, 2, 20), (14, 3, 81))


@pytest.mark.parametrize(
    ("protect", "expected"),
    [
        (Protect(), [9, 9, 9, 9]),
        (Protect(Over.BACKGROUND), [9, 1, 2, 3]),
        (Protect(Over.SELECTED, inside=frozenset({2})), [0, 1, 9, 3]),
        (Protect(locked=frozenset({1, 3})), [9, 1, 9, 3]),
        (Protect(Over.SELECTED, inside=frozenset({1}), locked=frozenset({1})), [0, 1, 2, 3]),
    ],
)
def test_protected_voxels_stay(protect: Protect, expected: list[int]) -> None:
    array = np.array([[[0, 1, 2, 3]]], np.uint32)
    edit = paint(volume_of(array), Stroke(((0, 0, 0), (0, 0, 3)), 0.5), 9, protect)
    assert carry_out(array, edit)[0, 0].tolist() == expected


def test_the_eraser_paints_background_and_nothing_is_no_edit() -> None:
    array = np.full((1, 5, 5), 4, np.uint32)
    stroke = Stroke(((0, 2, 2),), 0.5)
    edit = paint(volume_of(array), stroke, 0)
    assert edit is not None
    assert edit.title == "Erase"
    assert carry_out(array, edit)[0, 2, 2] == 0
    assert paint(volume_of(array), stroke, 4) is None
    assert paint(volume_of(array), Stroke(((7, 2, 2),), 3), 1) is None
    assert paint(volume_of(array), Stroke(((0, -20, 2),), 3), 1) is None


def test_locked_and_impossible_labels_are_refused() -> None:
    volume = volume_of(np.zeros((1, 5, 5), np.uint8))
    with pytest.raises(UniemError, match="7 is locked"):
        paint(volume, Stroke(((0, 2, 2),), 1), 7, Protect(locked=frozenset({7})))
    with pytest.raises(UniemError, match="300 does not fit"):
        paint(volume, Stroke(((0, 2, 2),), 1), 300)


def test_what_a_stroke_reads_follows_the_brush() -> None:
    class Counting(ArrayVolume):
        voxels_read = 0

        def read(self, box: Box) -> np.ndarray:
            self.voxels_read += box.size
            return super().read(box)

    def cost(side: int) -> int:
        volume = Counting(np.zeros((1, side, side), np.uint8), kind=Kind.LABELS)
        paint(volume, Stroke(((0, 300, 300),), 24), 1)
        return volume.voxels_read

    assert cost(1024) == cost(8192) < 4 * 49 * 49
    volume = Counting(np.zeros((1, 4096, 4096), np.uint8), kind=Kind.LABELS)
    edit = paint(volume, Stroke(((0, 10, 10), (0, 4000, 4000)), 5), 1)
    assert edit is not None
    assert volume.voxels_read < 4096 * 4096 / 10


@given(
    st.sampled_from(list(Plane)),
    st.lists(st.tuples(*[st.integers(-5, 45)] * 2, st.sampled_from([0.5, 4, 10.5])), min_size=1, max_size=4),
    st.sampled_from([None, VoxelSize(50, 5, 5), VoxelSize(4, 8, 16)]),
)
@settings(max_examples=40, deadline=None)
def test_a_ball_is_round_in_nm_and_drawn_along_the_stroke(
    plane: Plane, drawn: list[tuple[int, int, float]], voxel_size: VoxelSize | None
) -> None:
    shape, across = (24, 30, 40), plane.fixed_axis
    points = [tuple(np.insert(np.array(d[:2], float), across, 11)) for d in drawn]
    stroke = Stroke(tuple(points), tuple(d[2] for d in drawn), plane, Tip.BALL)
    volume = volume_of(np.zeros(shape, np.uint32), voxel_size)
    painted = carry_out(volume.array, paint(volume, stroke, 2**31 + 5))
    size = np.array(voxel_size or (1, 1, 1), float) / (voxel_size or VoxelSize(1, 1, 1)).x
    grid = np.moveaxis(np.indices(shape), 0, -1) * size
    expected = np.zeros(shape, bool)
    for point, (_, _, radius) in zip(points, drawn, strict=True):
        expected |= np.linalg.norm(grid - np.array(point) * size, axis=-1) <= radius + 1e-6
    if len(points) == 1:
        assert np.array_equal(painted == 2**31 + 5, expected)
    assert np.all(painted[expected] == 2**31 + 5)
    nearest = np.min([np.linalg.norm(grid - np.array(p) * size, axis=-1) for p in points], axis=0)
    assert not np.any(painted[nearest > 10.5 + 60 * size.max()])


def test_a_stroke_may_go_through_sections_and_is_one_edit() -> None:
    array = np.zeros((4, 9, 9), np.uint32)
    edit = paint(volume_of(array), Stroke(((0, 1, 1), (0, 1, 4), (2, 5, 5), (3, 7, 7)), 0.5), 6)
    painted = carry_out(array, edit)
    assert [np.count_nonzero(section) for section in painted] == [4, 0, 1, 1]


def test_only_a_range_of_gray_is_painted() -> None:
    gray = np.arange(100, dtype=np.uint8).reshape(1, 10, 10)
    array = np.zeros((1, 10, 10), np.uint32)
    edit = paint(volume_of(array), Stroke(((0, 5, 5),), 30), 3, gray=GrayRange(ArrayVolume(gray), 17, 42.5))
    assert np.array_equal(carry_out(array, edit) == 3, (gray >= 17) & (gray <= 42))
    with pytest.raises(UniemError, match="shapes differ"):
        other = GrayRange(ArrayVolume(gray[:, :5]), 0, 9)
        paint(volume_of(array), Stroke(((0, 5, 5),), 30), 3, gray=other)


def test_many_locked_or_selected_labels() -> None:
    array = np.random.default_rng(0).integers(0, 300, (1, 40, 40)).astype(np.uint32)
    chosen = frozenset(range(3, 300, 7)) | {2**40}
    stroke = Stroke(((0, 20, 20),), 100)
    spared = carry_out(array, paint(volume_of(array), stroke, 999, Protect(locked=chosen)))
    assert np.array_equal(spared == 999, ~np.isin(array, list(chosen)))
    inside = Protect(Over.SELECTED, chosen, locked=frozenset({10}))
    painted = carry_out(array, paint(volume_of(array), stroke, 999, inside))
    assert np.array_equal(painted == 999, np.isin(array, list(chosen - {10})))
