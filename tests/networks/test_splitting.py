"""What trains never judges, and what nobody annotated does neither."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uniem.data.geometry import Box
from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError
from uniem.networks.sections import Sections
from uniem.networks.splitting import Split, fold_splits, hold_out_boxes, hold_out_sections, split_sections
from uniem.networks.survey import Survey, bands, survey_labels
from uniem.networks.targets import Target
from uniem.progress import Context


def _survey(
    *labels: np.ndarray, ignore: int | None = None, use_empty: bool = False, background: int = 0
) -> Survey:
    sections = Sections([ArrayVolume(array, name="labels") for array in labels])
    target = Target(background_label=background, ignore_label=ignore)
    return survey_labels(sections, target, use_empty, Context())


def _halves(*shape: int) -> np.ndarray:
    labels = np.zeros(shape, np.uint8)
    labels[:, ::2] = 1
    return labels


def _coverage(split: Split, shape: tuple[int, ...]) -> np.ndarray:
    covered = np.zeros(shape, np.int32)
    for box in (*split.training, *split.validation):
        covered[box.slices] += 1
    return covered


@settings(deadline=None, max_examples=60)
@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 150), st.integers(1, 150)),
    fraction=st.floats(0, 0.5),
)
def test_no_voxel_both_trains_and_judges(shape: tuple[int, int, int], fraction: float) -> None:
    labels = np.ones(shape, np.uint8)
    labels[0, 0, 0] = 0
    if labels.size == 1:
        return
    split = split_sections(_survey(labels, use_empty=True), fraction)
    covered = _coverage(split, shape)
    assert covered.min() == covered.max() == 1
    assert split.training
    if max(shape[1:]) > 1:
        assert bool(split.validation) == (fraction > 0)


def test_few_sections_give_a_strip_each_at_the_same_side() -> None:
    split = split_sections(_survey(_halves(3, 100, 200)), 0.1)
    assert len(split.training) == len(split.validation) == 3
    assert len({(box.start[1:], box.stop[1:]) for box in split.validation}) == 1
    assert str(split) == "10% of each of 3 sections is held out to judge the network."


def test_many_sections_give_whole_neighbours() -> None:
    labels = np.zeros((20, 40, 40), np.uint8)
    labels[:, 5:20] = 1
    split = split_sections(_survey(labels), 0.1)
    sections = [box.start[0] for box in split.validation]
    assert len(sections) == 2 and sections[1] == sections[0] + 1
    assert str(split) == "18 sections train the network, 2 are held out to judge it."


def test_pictures_of_different_sizes_are_split_like_sections() -> None:
    pictures = [_halves(1, 40 + 10 * n, 60) for n in range(12)]
    whole = split_sections(_survey(*pictures), 0.25)
    assert len(whole.validation) == 3 and all(box.start[1:] == (0, 0) for box in whole.validation)
    strips = split_sections(_survey(*pictures[:2]), 0.1)
    assert [box.shape[1:] for box in strips.validation] in ([(4, 60), (5, 60)], [(40, 6), (50, 6)])


def test_named_sections_are_held_out() -> None:
    survey = _survey(_halves(6, 30, 30))
    split = hold_out_sections(survey, "1, 3-4")
    assert [box.start[0] for box in split.validation] == [1, 3, 4]
    assert [box.start[0] for box in split.training] == [0, 2, 5]
    for text, message in [("a", "names no section"), ("9", "holds out none"), ("0-5", "holds out all")]:
        with pytest.raises(UniemError, match=message):
            hold_out_sections(survey, text)


def test_boxes_are_held_out_and_the_rest_trains() -> None:
    survey = _survey(_halves(3, 50, 60))
    split = hold_out_boxes(survey, "0:2, 10:20, 30:99; 1:3, 0:5, 0:5")
    covered = _coverage(split, (3, 50, 60))
    assert covered.min() == covered.max() == 1
    assert sum(box.size for box in split.validation) == 2 * 10 * 30 + 2 * 25
    for text, message in [
        ("1:2, 3:4", "is not a box"),
        ("0:1, 5:5, 0:9", "is not a box"),
        ("7:9, 0:9, 0:9", "holds out none"),
        ("0:3, 0:50, 0:60", "holds out all"),
    ]:
        with pytest.raises(UniemError, match=message):
            hold_out_boxes(survey, text)


@pytest.mark.parametrize("shape", [(7, 40, 40), (1, 41, 30), (2, 30, 90)])
def test_folds_judge_everything_once(shape: tuple[int, int, int]) -> None:
    splits = fold_splits(_survey(_halves(*shape)), 3)
    assert len(splits) == 3
    judged = np.zeros(shape, np.int32)
    for split in splits:
        covered = _coverage(split, shape)
        assert covered.min() == covered.max() == 1 and split.training
        for box in split.validation:
            judged[box.slices] += 1
    assert judged.min() == judged.max() == 1


def test_more_folds_than_pixels_are_refused() -> None:
    with pytest.raises(UniemError, match="too small for 9 folds"):
        fold_splits(_survey(_halves(1, 4, 4)), 9)


def test_the_part_held_out_holds_its_share_of_objects() -> None:
    labels = np.zeros((1, 256, 256), np.uint8)
    labels[0, :, :100] = 1
    (held_out,) = split_sections(_survey(labels), 0.1).validation
    assert held_out.shape[2] == 256, "a strip across both halves"


def test_sections_without_objects_are_not_annotated_unless_said() -> None:
    labels = np.zeros((3, 70, 70), np.uint16)
    labels[1, 3:9, 65:] = 7
    assert list(_survey(labels).objects) == [1]
    assert list(_survey(labels, use_empty=True).objects) == [0, 1, 2]
    assert _survey(labels).objects[1].tolist() == [[0, 30], [0, 0]]
    assert _survey(labels).counts == {0: 70 * 70 - 30, 1: 30}


def test_voxels_to_ignore_are_not_objects() -> None:
    labels = np.full((1, 10, 10), 9, np.uint16)
    labels[0, 0] = 1
    labels[0, 1] = 0
    assert int(_survey(labels, ignore=9).objects[0].sum()) == 10


@pytest.mark.parametrize(("value", "message"), [(0, "holds no object"), (3, "holds no background")])
def test_labels_with_nothing_to_tell_apart_are_refused(value: int, message: str) -> None:
    with pytest.raises(UniemError, match=message):
        _survey(np.full((2, 20, 20), value, np.uint8))


def test_bands_cover_a_huge_section_without_reading_it_whole() -> None:
    cut = list(bands(Box((3, 10, 0), (4, 100_010, 100_000))))
    assert cut[0].start == (3, 10, 0) and cut[-1].stop == (4, 100_010, 100_000)
    assert all(a.stop[1] == b.start[1] for a, b in pairwise(cut))
    assert max(box.size for box in cut) <= 16_000_000
