"""Merging, deleting, absorbing and splitting objects, against arrays relabelled at one go."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from scipy import ndimage

from uniem.data.geometry import Box, VoxelSize, blocks
from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError
from uniem.proofreading.tools import sharing
from uniem.proofreading.tools.contacts import neighbours
from uniem.proofreading.tools.plane import Plane
from uniem.proofreading.tools.protect import Protect
from uniem.proofreading.tools.split import (
    cut_from_neighbours,
    split_by_line,
    split_by_seeds,
    split_pieces,
)

from .edited import carry_out, volume_of

BIG = 2**31 + 77


def places_in(array: np.ndarray) -> Callable[[int], Iterable[Box]]:
    """Return what an object table tells: boxes around a label in blocks."""

    def places(label: int) -> Iterable[Box]:
        for block in blocks(array.shape, (8, 256, 256)):  # type: ignore[arg-type]
            found = ndimage.find_objects((array[block.core.slices] == label).astype(np.int8))
            for z, y, x in found:
                box = Box((z.start, y.start, x.start), (z.stop, y.stop, x.stop))
                yield box.translated(block.core.start)

    return places


def test_neighbours_touch_with_faces_of_voxels() -> None:
    array = np.zeros((12, 40, 40), np.uint32)
    array[2:10, 10:30, 10:30] = 1
    array[2:10, 30:32, 10:12] = 2
    array[10, 10, 10] = 3
    array[1, 9, 9] = 4
    array[2:10, :10, 10:30] = BIG
    places = places_in(array)
    assert neighbours(volume_of(array), 1, places(1)) == {2, 3, BIG}


def two_balls(membrane: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return the label of two touching balls with an island, and an image with a dark line between them."""
    z, y, x = np.ogrid[:30, :60, :100]
    first = (z - 15) ** 2 + (y - 30) ** 2 + (x - 30) ** 2 <= 14**2 * 1.6
    second = (z - 15) ** 2 + (y - 30) ** 2 + (x - 62) ** 2 <= 14**2 * 1.6
    array = np.where(first | second, BIG, 0).astype(np.uint32)
    array[2:5, 2:6, 90:96] = BIG
    gray = np.full(array.shape, 180, np.uint8)
    if membrane:
        gray[:, :, 46] = 40
    return array, gray


@pytest.mark.parametrize("most", [1 << 19, 1 << 11])
@pytest.mark.parametrize("with_image", [True, False])
def test_seeds_on_both_sides_split_an_object_at_its_neck(
    most: int, with_image: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "MOST_FILLED", most)
    array, gray = two_balls()
    fresh = itertools.count(BIG + 1)
    edit = split_by_seeds(
        volume_of(array, VoxelSize(8, 8, 8)),
        BIG,
        [[(15, 30, 62), (99, 0, 0)], [(15.4, 30, 30), (0, 0, 0)]],
        Box.of_shape(array.shape),
        lambda: next(fresh),
        image=ArrayVolume(gray) if with_image else None,
    )
    result = carry_out(array, edit)
    assert set(np.unique(result)) == {0, BIG, BIG + 1}
    assert np.array_equal(result > 0, array > 0)
    assert np.all(result[:, :, 48:][array[:, :, 48:] > 0] == BIG)
    assert np.all(result[:, :, :45][array[:, :, :45] > 0] == BIG + 1)
    assert next(fresh) == BIG + 2


def long_and_thin() -> np.ndarray:
    """Return a tube that winds through four tiles, with a thin place at its middle, and an island."""
    array = np.zeros((40, 700, 700), np.uint32)
    array[4:14, 20:30, 20:600] = 7
    array[4:36, 20:30, 590:600] = 7
    array[26:36, 20:650, 590:600] = 7
    array[26:36, 640:650, 300:600] = 7
    array[26:36, 324:340, 590:600] = 0
    array[30:32, 324:340, 594:596] = 7
    array[20:22, 600:610, 20:30] = 7
    return array


@pytest.mark.parametrize("with_places", [True, False])
def test_a_long_thin_object_is_split_from_what_of_it_there_is(
    with_places: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "MOST_CELLS", 1 << 18)
    array = long_and_thin()
    fresh = itertools.count(8)
    edit = split_by_seeds(
        volume_of(array),
        7,
        [[(9, 25, 40)], [(31, 645, 320)]],
        Box.of_shape(array.shape),
        lambda: next(fresh),
        places=places_in(array)(7) if with_places else None,
    )
    result = carry_out(array, edit)
    second = np.zeros(array.shape, np.bool_)
    second[26:36, 332:650, 300:600] = True
    wrong = (array > 0) & (result != np.where(second, 8, 7))
    wrong[:, 320:344] = False
    wrong[20:22, 600:610, 20:30] = result[20:22, 600:610, 20:30] != 7
    assert not wrong.any() and next(fresh) == 9


def three_blobs() -> tuple[np.ndarray, np.ndarray]:
    """Return three blocks in a row with bridges between them and an island, and an image of even gray."""
    array = np.zeros((24, 40, 130), np.uint32)
    for x in (5, 50, 95):
        array[2:22, 5:35, x : x + 30] = 7
    array[10:14, 18:22, 35:95] = 7
    array[0, 0, 0] = 7
    return array, np.full(array.shape, 200, np.uint8)


@pytest.mark.parametrize("most", [1 << 19, 1 << 11])
def test_a_part_is_cut_from_all_its_neighbours_at_narrow_places(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "MOST_FILLED", most)
    array, gray = three_blobs()
    volume, box = volume_of(array), Box.of_shape(array.shape)
    fresh = itertools.count(8)
    edit = cut_from_neighbours(
        volume, 7, (12, 20, 65), box, lambda: next(fresh), image=ArrayVolume(gray), places=places_in(array)(7)
    )
    result = carry_out(array, edit)
    assert np.all(result[2:22, 5:35, 50:80] == 8) and result[0, 0, 0] == 7 and next(fresh) == 9
    for x in (5, 95):
        assert np.all(result[2:22, 5:35, x : x + 30] == 7)
    with pytest.raises(UniemError, match="not of object 7"):
        cut_from_neighbours(volume, 7, (0, 39, 0), box, lambda: 9)
    with pytest.raises(UniemError, match="Nothing sets a part of object 7 off"):
        cut_from_neighbours(volume, 7, (0, 0, 0), box, lambda: 9)
    with pytest.raises(UniemError, match="7 is locked"):
        cut_from_neighbours(volume, 7, (12, 20, 65), box, lambda: 9, protect=Protect(locked=frozenset({7})))


def test_a_part_is_cut_from_its_neighbours_along_dark_lines() -> None:
    array = np.zeros((24, 40, 90), np.uint32)
    array[2:22, 5:35, 5:85] = 7
    gray = np.full(array.shape, 200, np.uint8)
    gray[:, :, 29:31] = gray[:, :, 59:61] = 40
    fresh = itertools.count(8)
    box = Box.of_shape(array.shape)
    image = ArrayVolume(gray)
    edit = cut_from_neighbours(volume_of(array), 7, (12, 20, 45), box, lambda: next(fresh), image=image)
    result = carry_out(array, edit)[2:22, 5:35]
    assert np.all(result[:, :, 31:59] == 8)
    assert np.all(result[:, :, 5:29] == 7) and np.all(result[:, :, 61:85] == 7)


def test_an_object_too_large_at_any_scale_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "MOST_CELLS", 8)
    array = long_and_thin()
    with pytest.raises(UniemError, match="19,600,000 voxels is too large"):
        split_by_seeds(
            volume_of(array), 7, [[(9, 25, 40)], [(31, 645, 320)]], Box.of_shape(array.shape), lambda: 8
        )


def test_three_groups_and_seeds_that_miss() -> None:
    array = np.zeros((3, 20, 90), np.uint32)
    array[:, 5:15, 5:85] = 7
    fresh = itertools.count(8)
    volume, box = volume_of(array), Box.of_shape(array.shape)
    seeds = [[(1, 10, 10)], [(1, 10, 45)], [(1, 10, 80)]]
    result = carry_out(array, split_by_seeds(volume, 7, seeds, box, lambda: next(fresh)))
    assert [int(result[1, 10, x]) for x in (10, 45, 80)] == [7, 8, 9]
    with pytest.raises(UniemError, match="Group 2 of the seeds"):
        split_by_seeds(volume, 7, [seeds[0], [(0, 0, 0)]], box, lambda: 9)
    with pytest.raises(UniemError, match="not two groups"):
        split_by_seeds(volume, 7, seeds[:1], box, lambda: 9)
    with pytest.raises(UniemError, match="7 is locked"):
        split_by_seeds(volume, 7, seeds, box, lambda: 9, protect=Protect(locked=frozenset({7})))


@pytest.mark.parametrize("plane", list(Plane))
def test_a_line_cuts_an_object_along_the_dark_line_near_it(plane: Plane) -> None:
    section = np.zeros((50, 120), np.uint32)
    section[10:40, 10:110] = BIG
    section[2:5, 60:70] = BIG
    gray = np.full(section.shape, 200, np.uint8)
    gray[:, 57:59] = 60
    array, image = (
        np.ascontiguousarray(np.moveaxis(np.stack([a] * 3), 0, plane.fixed_axis)) for a in (section, gray)
    )
    line = [tuple(np.insert(np.array(p, float), plane.fixed_axis, 1)) for p in [(6, 60), (25, 63), (44, 61)]]
    volume, box = volume_of(array), Box.of_shape(array.shape)
    edit = split_by_line(volume, BIG, line, box, lambda: 5, image=ArrayVolume(image), plane=plane)
    result = np.moveaxis(carry_out(array, edit), plane.fixed_axis, 0)
    assert np.all(result[0] == section)
    left, right = result[1, 25, 20], result[1, 25, 100]
    assert {int(left), int(right)} == {BIG, 5}
    assert np.all(result[1, 10:40, 10:57] == left)
    assert np.all(result[1, 10:40, 59:110] == right)
    assert np.all(result[1, 2:5, 60:70] == BIG)


def test_a_line_cuts_what_is_one_row_of_voxels() -> None:
    array = np.zeros((1, 1, 60), np.uint32)
    array[0, 0, 10:50] = 3
    line = [(0, -1, 24.5), (0, 1, 24.5)]
    edit = split_by_line(volume_of(array), 3, line, Box.of_shape(array.shape), lambda: 9)
    result = carry_out(array, edit)[0, 0]
    assert {int(result[10]), int(result[49])} == {3, 9} and np.count_nonzero(result) == 40


def test_what_is_no_number_in_the_image_does_not_blind_a_cut() -> None:
    array = np.zeros((1, 50, 120), np.uint32)
    array[:, 10:40, 10:110] = 3
    gray = np.full(array.shape, 200, np.float32)
    gray[:, :, 57:59] = 60
    gray[0, 20, 30] = np.nan
    box, line = Box.of_shape(array.shape), [(0, 6, 60), (0, 25, 63), (0, 44, 61)]
    result = carry_out(
        array, split_by_line(volume_of(array), 3, line, box, lambda: 5, image=ArrayVolume(gray))
    )
    assert len(np.unique(result[0, 10:40, 10:57])) == len(np.unique(result[0, 10:40, 59:110])) == 1
    assert result[0, 25, 20] != result[0, 25, 100]


def test_a_line_that_does_not_cut_is_refused() -> None:
    array = np.zeros((1, 50, 120), np.uint32)
    array[:, 10:40, 10:110] = 3
    volume, box = volume_of(array), Box.of_shape(array.shape)
    for line in ([(0, 5, 60), (0, 30, 60)], [(0, 2, 2), (0, 5, 80)], [(0, 20, 20)]):
        with pytest.raises(UniemError, match="does not cut object 3 in two"):
            split_by_line(volume, 3, line, box, lambda: 9)
    narrow = split_by_line(volume, 3, [(0, 5, 12), (0, 45, 12)], box, lambda: 9)
    assert np.all(carry_out(array, narrow)[0, 10:40, 10] == 9)


def test_pieces_that_do_not_touch_get_their_own_labels() -> None:
    array = np.where(np.random.default_rng(0).random((20, 60, 50)) < 0.06, BIG, 0).astype(np.uint32)
    array[5:15, 20:40, 20:40] = BIG
    fresh = itertools.count(1)
    edit = split_pieces(volume_of(array), BIG, Box.of_shape(array.shape), lambda: next(fresh))
    result = carry_out(array, edit)
    pieces, count = ndimage.label(array, np.ones((3, 3, 3)))
    assert len(np.unique(result)) == count + 1
    for number, part in enumerate(ndimage.find_objects(pieces), 1):
        assert len(np.unique(result[part][pieces[part] == number])) == 1
    assert result[10, 30, 30] == BIG
    whole = volume_of(np.where(array == 0, 0, array).astype(np.uint32)[5:15, 20:40, 20:40])
    assert split_pieces(whole, BIG, Box.of_shape(whole.shape), lambda: 1) is None
