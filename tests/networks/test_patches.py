"""Patches follow their seed, keep image and truth together, and judge every held-out pixel once."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.networks.conftest import discs
from uniem.data.geometry import Box
from uniem.data.model_folder import Normalisation
from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError
from uniem.networks.augmentation import Augmentation, augmented
from uniem.networks.patches import (
    Pairs,
    PatchSampler,
    Sections,
    measure_normalisation,
    prepared_ahead,
    validation_batches,
)
from uniem.networks.reflection import reflected
from uniem.networks.splitting import split_sections, survey_labels
from uniem.progress import Context

STILL = Augmentation(flips=False, transpose=False, brightness=0, contrast=0, gamma=0)


def _pairs(image: NDArray[Any], labels: NDArray[Any], ignore: int | None = None) -> Pairs:
    sections = Sections(ArrayVolume(image)), Sections(ArrayVolume(labels))
    return Pairs(*sections, Normalisation(mean=0, std=1), ignore)


def _sampler(
    image: NDArray[Any],
    labels: NDArray[Any],
    side: int,
    *,
    seed: int = 0,
    foreground: float = 0.5,
    augmentation: Augmentation | None = None,
    ignore: int | None = None,
) -> PatchSampler:
    survey = survey_labels(ArrayVolume(labels), ignore, False, Context())
    boxes = [Box.section(z, survey.shape) for z in survey.sections]
    chosen = augmentation or Augmentation()
    return PatchSampler(_pairs(image, labels, ignore), boxes, survey, side, foreground, chosen, seed)


def test_a_seed_gives_the_same_patches_in_any_order_and_thread() -> None:
    image, labels = discs((3, 90, 70))
    first, again = (_sampler(image.array, labels.array, 32, seed=5) for _ in range(2))
    expected = [first.batch(i, 3) for i in range(6)]
    with closing(prepared_ahead(lambda i: again.batch(i, 3), threads=3)) as batches:
        for batch in expected:
            found = next(batches)
            np.testing.assert_array_equal(found.images, batch.images)
            np.testing.assert_array_equal(found.truths, batch.truths)
    other = _sampler(image.array, labels.array, 32, seed=6).batch(0, 3)
    assert not np.array_equal(other.images, expected[0].images)


def test_image_and_truth_move_together() -> None:
    labels = discs((2, 80, 80))[1].array
    unlike_gray = Augmentation(brightness=0, contrast=0, gamma=0)
    sampler = _sampler((labels != 0).astype(np.float32), labels, 48, augmentation=unlike_gray)
    for index in range(12):
        image, truth = sampler.patch(index)
        np.testing.assert_array_equal(image, truth[..., 0])
        assert truth[..., 1].min() == 1


def test_flips_and_transposes_all_occur() -> None:
    corner = np.zeros((8, 8), np.float32)
    corner[0, 1] = 1
    geometry = Augmentation(brightness=0, contrast=0, gamma=0)
    seen = {augmented(corner, corner, geometry, np.random.default_rng(i))[0].tobytes() for i in range(100)}
    assert len(seen) == 8


def test_gray_changes_are_mild_and_spare_the_truth() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(size=(64, 64)).astype(np.float32)
    for index in range(20):
        changed, truth = augmented(
            image, image, Augmentation(flips=False, transpose=False), np.random.default_rng(index)
        )
        np.testing.assert_array_equal(truth, image)
        assert changed.dtype == np.float32
        assert 0.5 < changed.std() < 2 and abs(changed.mean()) < 1
        assert np.corrcoef(changed.ravel(), image.ravel())[0, 1] > 0.98


def test_rare_objects_are_seen_in_their_share_of_patches() -> None:
    labels = np.zeros((4, 512, 512), np.uint8)
    labels[2, 300:310, 40:50] = 1
    labels[0, 0, 0] = 1
    image = np.zeros_like(labels)

    def share(foreground: float) -> float:
        sampler = _sampler(image, labels, 64, foreground=foreground)
        return float(np.mean([sampler.patch(i)[1][..., 0].any() for i in range(200)]))

    assert share(0) < 0.1
    assert share(1) > 0.5


@pytest.mark.parametrize("shape", [(20, 200), (200, 20), (5, 3), (1, 1)])
def test_regions_smaller_than_a_patch_are_mirrored(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image = rng.random((2, *shape)).astype(np.float32)
    labels = np.zeros(image.shape, np.uint8)
    labels[0] = 1
    labels[1, 0, 0] = 1
    labels[0, -1, -1] = 0 if labels[0].size > 1 else 1
    if shape == (1, 1):
        labels = np.array([[[1]], [[0]]], np.uint8)
        survey = survey_labels(ArrayVolume(labels), None, True, Context())
        pairs = _pairs(image, labels)
        sampler = PatchSampler(pairs, [Box.section(0, survey.shape)], survey, 64, 0.5, STILL, 0)
    else:
        sampler = _sampler(image, labels, 64, augmentation=STILL)
    patch, truth = sampler.patch(3)
    assert patch.shape == (64, 64) and truth.shape == (64, 64, 2)
    assert np.isin(patch, image).all()


def test_reflection_is_numpys() -> None:
    for length in (1, 2, 3, 7):
        padded = np.pad(np.arange(length), 20, mode="reflect")
        np.testing.assert_array_equal(reflected(length, -20, length + 20), padded)


def test_voxels_to_ignore_have_no_weight() -> None:
    labels = discs((1, 64, 64))[1].array
    labels[0, :30] = 99
    sampler = _sampler(np.where(labels == 99, 7, 0), labels, 32, ignore=99, augmentation=STILL)
    for index in range(10):
        image, truth = sampler.patch(index)
        np.testing.assert_array_equal(truth[..., 1] == 0, image == 7)


def test_scribbles_of_objects_and_background_are_all_that_counts() -> None:
    labels = np.zeros((3, 64, 64), np.uint32)
    labels[0, 20:30, 5:60], labels[0, 40:44], labels[1, 10:12] = 7, 1, 1
    volume = ArrayVolume(labels)
    survey = survey_labels(volume, 0, False, Context(), background_label=1)
    assert list(survey.sections) == [0, 1]
    assert sum(int(counts.sum()) for counts in survey.objects.values()) == 550
    pairs = Pairs(Sections(volume), Sections(volume), Normalisation(mean=0, std=1), 0, 1)
    _, truth = pairs.window(Box.section(0, volume.shape), (0, 0), 64)
    np.testing.assert_array_equal(truth[..., 1] == 1, labels[0] != 0)
    np.testing.assert_array_equal((truth[..., 0] == 1) & (truth[..., 1] == 1), labels[0] == 7)


def test_every_held_out_pixel_is_judged_once() -> None:
    image, labels = discs((3, 150, 100))
    unique = np.arange(image.array.size, dtype=np.float32).reshape(image.shape)
    survey = survey_labels(labels, None, False, Context())
    split = split_sections(survey, 0.2)
    batches = validation_batches(_pairs(unique, labels.array), split.validation, survey, 64, 1000, 4)
    values = np.concatenate([b.images[..., 0][b.truths[..., 1] > 0] for b in batches])
    expected = np.concatenate([unique[box.slices].ravel() for box in split.validation])
    np.testing.assert_array_equal(np.sort(values), np.sort(expected))
    few = validation_batches(_pairs(unique, labels.array), split.validation, survey, 64, 3, 4)
    assert sum(len(batch.images) for batch in few) == 3


def test_normalisation_is_that_of_the_training_part() -> None:
    rng = np.random.default_rng(0)
    volume = ArrayVolume(rng.integers(0, 60_000, (40, 30, 30)).astype(np.uint16))
    found = measure_normalisation(volume, [Box.section(3, volume.shape)], Context())
    assert found.mean == pytest.approx(float(volume.array[3].mean()))
    assert found.std == pytest.approx(float(volume.array[3].std()))


@pytest.mark.parametrize(("value", "message"), [(5.0, "same gray value"), (np.nan, "no numbers")])
def test_an_image_without_information_is_refused(value: float, message: str) -> None:
    volume = ArrayVolume(np.full((1, 9, 9), value, np.float32), name="raw")
    with pytest.raises(UniemError, match=message):
        measure_normalisation(volume, [Box.section(0, volume.shape)], Context())


class _Counted(ArrayVolume):
    reads = 0

    def read(self, box: Box) -> NDArray[Any]:
        self.reads += 1
        return super().read(box)


def test_the_memory_for_sections_is_bounded() -> None:
    volume = _Counted(np.arange(10 * 64 * 64, dtype=np.uint8).reshape(10, 64, 64))
    sections = Sections(volume, cache_bytes=3 * 64 * 64)
    for z in (0, 1, 2, 0, 1, 2):
        np.testing.assert_array_equal(sections.read(Box((z, 5, 6), (z + 1, 9, 9))), volume.array[z, 5:9, 6:9])
    assert volume.reads == 3
    sections.read(Box((3, 0, 0), (4, 1, 1)))
    sections.read(Box((1, 0, 0), (2, 1, 1)))
    assert volume.reads == 4, "the oldest section, 0, made place"
    sections.read(Box((0, 0, 0), (1, 1, 1)))
    assert volume.reads == 5


def test_an_error_in_preparing_reaches_the_caller_and_threads_end() -> None:
    def make(index: int) -> int:
        if index == 2:
            raise UniemError("The disk is gone.")
        return index

    batches = prepared_ahead(make)
    assert (next(batches), next(batches)) == (0, 1)
    with pytest.raises(UniemError, match="disk is gone"):
        next(batches)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("patches")]
