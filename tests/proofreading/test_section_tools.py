"""Interpolation, copies of shapes and supervoxels, against models that look at whole arrays."""

from __future__ import annotations

import numpy as np
import pytest

from uniem.algorithms.rasterise import disc_stroke
from uniem.algorithms.shape_interpolation import shapes_between
from uniem.algorithms.superpixels import Relief
from uniem.data.geometry import Box, VoxelSize
from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError
from uniem.proofreading.tools.between import copy_shape, interpolate
from uniem.proofreading.tools.brush import Stroke
from uniem.proofreading.tools.plane import Plane
from uniem.proofreading.tools.protect import Over, Protect
from uniem.proofreading.tools.supervoxels import make_supervoxels, paint_supervoxels

from .edited import carry_out, volume_of

BIG = 2**31 + 77
SIZE = VoxelSize(40, 4, 8)


def painted(plane: Plane) -> np.ndarray:
    """Return a volume with a label in sections 3, 4, 7 and 12 of a plane, and others in its way."""
    sections = np.zeros((16, 560, 40), np.uint32)
    for position, y, x, ry, rx in [
        (3, 20, 9, 8, 6),
        (4, 22, 10, 8, 6),
        (7, 30, 12, 12, 5),
        (12, 530, 30, 15, 4),
    ]:
        rows, columns = np.ogrid[:560, :40]
        sections[position][((rows - y) / ry) ** 2 + ((columns - x) / rx) ** 2 <= 1] = BIG
    sections[5, 15:25] = 5
    sections[9, :, 15:18] = 6
    return np.ascontiguousarray(np.moveaxis(sections, 0, plane.fixed_axis))


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize("follows", [True, False])
def test_every_gap_is_filled_and_others_are_spared(plane: Plane, follows: bool) -> None:
    array = painted(plane)
    sections = np.moveaxis(array.copy(), plane.fixed_axis, 0)
    spacing = tuple(SIZE[axis] for axis in plane.axes)
    for start, stop in ((4, 7), (7, 12)):
        masks = sections[start] == BIG, sections[stop] == BIG
        shapes = shapes_between(*masks, stop - start - 1, spacing, follows)  # type: ignore[arg-type]
        for position, shape in zip(range(start + 1, stop), shapes, strict=True):
            sections[position][shape & (sections[position] == 0)] = BIG
    expected = np.moveaxis(sections, 0, plane.fixed_axis)
    volume = volume_of(array, SIZE)
    edit = interpolate(volume, BIG, Box.of_shape(array.shape), None, plane, follows)
    assert edit is not None
    assert edit.title == f"Interpolate {BIG}"
    assert np.array_equal(carry_out(array, edit), expected)
    filled = carry_out(array, edit)
    if follows:
        assert interpolate(volume_of(filled), BIG, Box.of_shape(array.shape), None, plane) is None


def test_interpolation_needs_two_sections_and_an_unlocked_label() -> None:
    array = painted(Plane.XY)
    with pytest.raises(UniemError, match="painted in 1 of these xy sections"):
        interpolate(volume_of(array), BIG, Box((5, 0, 0), (8, 560, 40)))
    with pytest.raises(UniemError, match="is locked"):
        interpolate(volume_of(array), BIG, Box.of_shape(array.shape), Protect(locked=frozenset({BIG})))
    selected = Protect(Over.SELECTED, frozenset({0, 6}), frozenset({5}))
    edit = interpolate(volume_of(array), BIG, Box.of_shape(array.shape), selected)
    assert np.count_nonzero(carry_out(array, edit) == 6) < np.count_nonzero(array == 6)


@pytest.mark.parametrize("plane", list(Plane))
def test_a_shape_is_copied_to_other_sections(plane: Plane) -> None:
    array = painted(plane)
    sections = np.moveaxis(array.copy(), plane.fixed_axis, 0)
    mask = sections[4] == BIG
    for position in (5, 6, 7):
        sections[position][mask & (sections[position] == 0)] = BIG
    box = Box.of_shape(array.shape)
    edit = copy_shape(volume_of(array), BIG, 4, [5, 6, 7, 4, 99, -1], box, plane=plane)
    assert np.array_equal(carry_out(array, edit), np.moveaxis(sections, 0, plane.fixed_axis))
    with pytest.raises(UniemError, match="not in"):
        copy_shape(volume_of(array), BIG, 5, [6], box, plane=plane)


@pytest.mark.parametrize("depth", [1, 5])
def test_the_supervoxels_that_a_stroke_touches_are_painted(depth: int) -> None:
    rng = np.random.default_rng(0)
    gray = rng.integers(0, 255, (8, 560, 600)).astype(np.uint8)
    array = np.zeros(gray.shape, np.uint32)
    array[:, 300:310] = 4
    box = Box((2, 250, 260), (2 + depth, 540, 590))
    supervoxels = make_supervoxels(ArrayVolume(gray), box, 14)
    stroke = Stroke(((2, 240, 270), (2, 400, 500), (2, 520, 700)), 3)
    y0, x0, mask = disc_stroke([(240, 270), (400, 500), (520, 700)], 3, (560, 600))
    touched = np.zeros((560, 600), bool)
    touched[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]] = mask
    chosen = np.unique(supervoxels.numbers[0][touched[250:540, 260:590]])
    expected = array.copy()
    expected[box.slices][np.isin(supervoxels.numbers, chosen) & (array[box.slices] == 0)] = BIG
    edit = paint_supervoxels(volume_of(array), supervoxels, stroke, BIG, Protect(Over.BACKGROUND))
    assert np.array_equal(carry_out(array, edit), expected)
    chosen_mask = supervoxels.mask(supervoxels.touched(volume_of(array), stroke))
    assert np.array_equal(chosen_mask, np.isin(supervoxels.numbers, chosen))
    elsewhere = Stroke(((2, 10, 10),), 3)
    assert paint_supervoxels(volume_of(array), supervoxels, elsewhere, 3) is None


def test_too_many_supervoxels_are_refused() -> None:
    image = ArrayVolume(np.broadcast_to(np.uint8(0), (2, 4096, 4096)))
    with pytest.raises(UniemError, match="too many"):
        make_supervoxels(image, Box.of_shape(image.shape), 20, Relief.EDGES)
