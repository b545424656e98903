"""What trains never judges, and what nobody annotated does neither."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError
from uniem.networks.splitting import Survey, bands, split_sections, survey_labels
from uniem.progress import Context


def _survey(labels: np.ndarray, ignore: int | None = None, use_empty: bool = False) -> Survey:
    return survey_labels(ArrayVolume(labels, name="labels"), ignore, use_empty, Context())


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
    covered = np.zeros(shape, np.int32)
    for box in (*split.training, *split.validation):
        covered[box.slices] += 1
    assert covered.min() == covered.max() == 1
    assert split.training
    if max(shape[1:]) > 1:
        assert bool(split.validation) == (fraction > 0)


def test_few_sections_give_a_strip_each_at_the_same_side() -> None:
    labels = np.zeros((3, 100, 200), np.uint8)
    labels[:, ::2] = 1
    split = split_sections(_survey(labels), 0.1)
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


def test_the_part_held_out_holds_its_share_of_objects() -> None:
    labels = np.zeros((1, 256, 256), np.uint8)
    labels[0, :, :100] = 1
    (held_out,) = split_sections(_survey(labels), 0.1).validation
    assert held_out.shape[2] == 256, "a strip across both halves"


def test_sections_without_objects_are_not_annotated_unless_said() -> None:
    labels = np.zeros((3, 70, 70), np.uint16)
    labels[1, 3:9, 65:] = 7
    assert _survey(labels).sections == [1]
    assert _survey(labels, use_empty=True).sections == [0, 1, 2]
    assert _survey(labels).objects[1].tolist() == [[0, 30], [0, 0]]


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
    from uniem.data.geometry import Box

    cut = list(bands(Box((3, 10, 0), (4, 100_010, 100_000))))
    assert cut[0].start == (3, 10, 0) and cut[-1].stop == (4, 100_010, 100_000)
    assert all(a.stop[1] == b.start[1] for a, b in pairwise(cut))
    assert max(box.size for box in cut) <= 16_000_000
