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
from uniem.proofreading.edits import Edit
from uniem.proofreading.tools.brush import Over, Plane, Protect, Stroke, paint


def volume_of(array: np.ndarray, voxel_size: VoxelSize | None = None) -> ArrayVolume:
    return ArrayVolume(array, voxel_size, Kind.LABELS, "labels")


def carry_out(array: np.ndarray, edit: Edit | None) -> np.ndarray:
    result = array.copy()
    for patch in edit.patches if edit else []:
        assert np.all(result[patch.box.slices][patch.selection()] == patch.before)
        result[patch.box.slices][patch.selection()] = patch.after
    return result


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
        (Protect(Over.ONE_LABEL, inside=2), [0, 1, 9, 3]),
        (Protect(locked=frozenset({1, 3})), [9, 1, 9, 3]),
        (Protect(Over.ONE_LABEL, inside=1, locked=frozenset({1})), [0, 1, 2, 3]),
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
