"""Patches follow their seed, keep image and truth together, and judge every held-out pixel once."""

from __future__ import annotations

import threading
from contextlib import closing
from itertools import islice
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.networks.conftest import discs, quick_settings
from uniem.data.geometry import Box
from uniem.data.model_folder import Normalisation
from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError
from uniem.networks.augmentation import Augmentation, changed_looks, flipped, warp_of
from uniem.networks.normalisation import measure_normalisation
from uniem.networks.patches import Pairs, PatchSampler, validation_batches
from uniem.networks.prefetching import prepared_ahead
from uniem.networks.reflection import reflected
from uniem.networks.sections import Sections
from uniem.networks.splitting import split_sections
from uniem.networks.survey import survey_labels
from uniem.networks.targets import Target
from uniem.networks.training_data import example_patches
from uniem.progress import Context

NO_LOOKS = {"brightness": 0, "contrast": 0, "gamma": 0, "noise": 0}
NO_WARP = {"rotation": 0, "scale": 0}
FLIPS_ONLY = Augmentation(**NO_LOOKS, **NO_WARP)
STILL = FLIPS_ONLY.model_copy(update={"flips": False, "transpose": False})


def _pairs(image: NDArray[Any], labels: NDArray[Any], ignore: int | None = None, depth: int = 1) -> Pairs:
    sections = Sections(ArrayVolume(image)), Sections(ArrayVolume(labels))
    return Pairs(*sections, Normalisation(mean=0, std=1), Target(ignore_label=ignore), depth)


def _sampler(
    image: NDArray[Any],
    labels: NDArray[Any],
    side: int,
    *,
    seed: int = 0,
    foreground: float = 0.5,
    augmentation: Augmentation | None = None,
    ignore: int | None = None,
    depth: int = 1,
) -> PatchSampler:
    pairs = _pairs(image, labels, ignore, depth)
    survey = survey_labels(pairs.labels, pairs.target, False, Context())
    chosen = augmentation or Augmentation()
    return PatchSampler(pairs, survey.boxes, survey, side, foreground, chosen, seed)


def test_a_seed_gives_the_same_patches_in_any_order_and_thread() -> None:
    image, labels = discs((3, 90, 70))
    everything = Augmentation(elastic=3, blur=2, missing=0.5, misaligned=0.5, shift=9, aspect=0.3)
    first, again = (_sampler(image.array, labels.array, 32, seed=5, augmentation=everything) for _ in "ab")
    expected = [first.batch(i, 3) for i in range(6)]
    with closing(prepared_ahead(lambda i: again.batch(i, 3), first=2, threads=3)) as batches:
        for batch in expected[2:]:
            found = next(batches)
            np.testing.assert_array_equal(found.images, batch.images)
            np.testing.assert_array_equal(found.truths, batch.truths)
    other = _sampler(image.array, labels.array, 32, seed=6).batch(0, 3)
    assert not np.array_equal(other.images, expected[0].images)


def test_image_and_truth_move_together() -> None:
    labels = discs((2, 80, 80))[1].array
    image = (labels != 0).astype(np.float32)
    sampler = _sampler(image, labels, 48, augmentation=FLIPS_ONLY)
    bent = Augmentation(
        **NO_LOOKS, warped=1, elastic=4, elastic_spacing=20, scale=0.3, aspect=0.2, shift=20, misaligned=1
    )
    warped = _sampler(image, labels, 48, augmentation=bent)
    for index in range(12):
        patch, truth = sampler.patch(index)
        np.testing.assert_array_equal(patch[..., 0], truth[..., 0])
        assert truth[..., 1].min() == 1
        patch, truth = warped.patch(index)
        assert ((patch[..., 0] > 0.5) == truth[..., 0]).mean() > 0.97, "but for a pixel at the borders"
        assert set(np.unique(truth[..., 0])) <= {0, 1} and truth[..., 1].min() == 1


def test_a_rotation_is_a_rotation_and_a_scale_a_scale() -> None:
    rows, columns = np.mgrid[:200, :200].astype(np.float32)
    settings = Augmentation(rotation=90, scale=0.5, warped=1)
    for index in range(5):
        warp = warp_of(settings, 32, np.random.default_rng(index))
        assert warp is not None
        top, left = 80 + warp.offset_yx[0], 80 + warp.offset_yx[1]
        window = np.stack([rows, columns], -1)[top : top + warp.size_yx[0], left : left + warp.size_yx[1]]
        places = warp.image(window)
        down, right = places[1:] - places[:-1], places[:, 1:] - places[:, :-1]
        length = np.linalg.norm(down[0, 0])
        assert 1 / 1.5 <= length <= 1.5
        np.testing.assert_allclose(np.linalg.norm(down, axis=-1), length, atol=0.08)
        np.testing.assert_allclose(np.linalg.norm(right, axis=-1), length, atol=0.08)
        assert abs(float(down[5, 5] @ right[5, 5])) < 0.2
        np.testing.assert_allclose(places.mean((0, 1)), 95.5, atol=0.1)


def test_flips_and_transposes_all_occur() -> None:
    corner = np.zeros((8, 8, 1), np.float32)
    corner[0, 1] = 1
    seen = {flipped(corner, corner, FLIPS_ONLY, np.random.default_rng(i))[0].tobytes() for i in range(100)}
    assert len(seen) == 8


def test_gray_changes_are_mild_and_spare_the_truth() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(size=(64, 64, 1)).astype(np.float32)
    for index in range(20):
        changed, truth = changed_looks(image, image, Augmentation(), np.random.default_rng(index))
        np.testing.assert_array_equal(truth, image)
        assert changed.dtype == np.float32
        assert 0.5 < changed.std() < 2 and abs(changed.mean()) < 1
        assert np.corrcoef(changed.ravel(), image.ravel())[0, 1] > 0.98


def test_each_change_of_looks_does_what_it_says() -> None:
    image = np.random.default_rng(0).normal(size=(64, 64, 3)).astype(np.float32)
    truth = np.ones((64, 64, 2), np.float32)

    def changed(patch: NDArray[np.float32], **settings: Any) -> NDArray[np.float32]:
        chosen = STILL.model_copy(update=settings)
        return changed_looks(patch, truth, chosen, np.random.default_rng(3))[0]

    np.testing.assert_array_equal(changed(image), image)
    assert changed(image, blur=9.0).std() < 0.9 * image.std()
    assert 0 < (changed(image, noise=1.0) - image).std() <= 1
    gone = [bool((changed(image, missing=1.0)[..., i] == 0).all()) for i in range(3)]
    assert sum(gone) == 1 and not gone[1], "a neighbour, never the section that is segmented"
    moved = changed(image, misaligned=1.0, misalignment=9.0)
    same = [bool((moved[..., i] == image[..., i]).all()) for i in range(3)]
    assert sum(same) == 2 and same[1]
    strip = changed(image[..., :1], missing=1.0) != image[..., :1]
    assert 0 < strip.mean() <= 1 / 8


def test_a_network_may_see_neighbouring_sections() -> None:
    image = np.arange(4, dtype=np.float32)[:, None, None] * np.ones((1, 40, 40), np.float32)
    labels = np.ones(image.shape, np.uint8)
    labels[:, 0] = 0
    pairs = _pairs(image, labels, depth=3)
    for z, expected in [(0, [1, 0, 1]), (2, [1, 2, 3]), (3, [2, 3, 2])]:
        window, truth = pairs.window(pairs.labels.whole(z), (0, 0), (8, 8))
        np.testing.assert_array_equal(window[3, 3], expected)
        assert truth.shape == (8, 8, 2)
    patch, _ = _sampler(image, labels, 32, augmentation=FLIPS_ONLY, depth=3).patch(0)
    assert patch.shape == (32, 32, 3)


def test_sections_of_several_volumes_are_one_list() -> None:
    volumes = [ArrayVolume(np.full((n, 8 + n, 9), n, np.uint8)) for n in (2, 1, 3)]
    sections = Sections(volumes)
    assert len(sections) == 6
    assert [sections.whole(z).shape[1] for z in range(6)] == [10, 10, 9, 11, 11, 11]
    assert [int(sections.read(sections.whole(z))[0, 0]) for z in range(6)] == [2, 2, 1, 3, 3, 3]
    assert [sections.around(z, 3) for z in (0, 2, 4)] == [[1, 0, 1], [2, 2, 2], [3, 4, 5]]


def test_example_patches_need_no_network() -> None:
    pairs = [discs((1, 64, 64)), discs((2, 48, 80), seed=1)]
    settings = quick_settings(batch_size=3)
    batches = list(islice(example_patches(pairs, settings), 2))
    assert [batch.images.shape for batch in batches] == [(3, 32, 32, 1)] * 2
    again = list(islice(example_patches(pairs, settings), 2))
    np.testing.assert_array_equal(batches[1].images, again[1].images)


def test_rare_objects_are_seen_in_their_share_of_patches() -> None:
    labels = np.zeros((4, 512, 512), np.uint8)
    labels[2, 300:310, 40:50] = 1
    labels[0, 0, 0] = 1
    image = np.zeros_like(labels)

    def share(foreground: float) -> float:
        sampler = _sampler(image, labels, 64, foreground=foreground)
        return float(np.mean([sampler.patch(i)[1][..., 0].any() for i in range(200)]))

    assert share(0) < 0.1
    assert share(1) > 0.4


@pytest.mark.parametrize("shape", [(20, 200), (200, 20), (5, 3), (1, 1)])
def test_regions_smaller_than_a_patch_are_mirrored(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image = rng.random((2, *shape)).astype(np.float32)
    labels = np.zeros(image.shape, np.uint8)
    labels[0] = 1
    pairs = _pairs(image, labels)
    survey = survey_labels(pairs.labels, pairs.target, True, Context())
    sampler = PatchSampler(pairs, survey.boxes, survey, 64, 0.5, STILL, 0)
    patch, truth = sampler.patch(3)
    assert patch.shape == (64, 64, 1) and truth.shape == (64, 64, 2)
    assert np.isin(patch, image).all()


def test_reflection_is_numpys() -> None:
    for length in (1, 2, 3, 7):
        padded = np.pad(np.arange(length), 20, mode="reflect")
        np.testing.assert_array_equal(reflected(length, -20, length + 20), padded)


def test_voxels_to_ignore_have_no_weight() -> None:
    labels = discs((1, 64, 64))[1].array
    labels[0, :, :30] = 99
    sampler = _sampler(np.zeros(labels.shape, np.uint8), labels, 32, ignore=99)
    for index in range(10):
        _, truth = sampler.patch(index)
        assert set(np.unique(truth[..., 1])) <= {0, 1}
    whole = _pairs(labels, labels, 99).window(Box.section(0, labels.shape), (0, 0), (64, 64))[1]
    np.testing.assert_array_equal(whole[..., 1], labels[0] != 99)


def test_scribbles_of_objects_and_background_are_all_that_counts() -> None:
    labels = np.zeros((3, 64, 64), np.uint32)
    labels[0, 20:30, 5:60], labels[0, 40:44], labels[1, 10:12] = 7, 1, 1
    sections, target = Sections(ArrayVolume(labels)), Target(background_label=1, ignore_label=0)
    survey = survey_labels(sections, target, False, Context())
    assert list(survey.objects) == [0, 1]
    assert sum(int(counts.sum()) for counts in survey.objects.values()) == 550
    pairs = Pairs(sections, sections, Normalisation(mean=0, std=1), target)
    _, truth = pairs.window(Box.section(0, labels.shape), (0, 0), (64, 64))
    np.testing.assert_array_equal(truth[..., 1] == 1, labels[0] != 0)
    np.testing.assert_array_equal((truth[..., 0] == 1) & (truth[..., 1] == 1), labels[0] == 7)


def test_held_out_pixels_are_judged_once_and_others_never() -> None:
    image, labels = discs((2, 100, 150))
    unique = np.arange(image.array.size, dtype=np.float64).reshape(image.shape)
    pairs = _pairs(unique, labels.array)
    survey = survey_labels(pairs.labels, pairs.target, False, Context())
    split = split_sections(survey, 0.3)
    batches = validation_batches(pairs, split.validation, 64, 100, 4)
    values = np.concatenate([b.images[..., 0][b.truths[..., 1] > 0] for b in batches])
    expected = np.concatenate([unique[box.slices].ravel() for box in split.validation])
    np.testing.assert_array_equal(np.sort(values), np.sort(expected.astype(np.float32)))
    few = validation_batches(pairs, split.validation, 64, 3, 4)
    assert sum(len(batch.images) for batch in few) == 3


def test_normalisation_is_that_of_the_training_part() -> None:
    rng = np.random.default_rng(0)
    volume = ArrayVolume(rng.integers(0, 60_000, (40, 30, 30)).astype(np.uint16))
    found = measure_normalisation(Sections(volume), [Box.section(3, volume.shape)], Context())
    assert found.mean == pytest.approx(float(volume.array[3].mean()))
    assert found.std == pytest.approx(float(volume.array[3].std()))


@pytest.mark.parametrize(("value", "message"), [(5.0, "same gray value"), (np.nan, "no numbers")])
def test_an_image_without_information_is_refused(value: float, message: str) -> None:
    volume = ArrayVolume(np.full((1, 9, 9), value, np.float32), name="raw")
    with pytest.raises(UniemError, match=message):
        measure_normalisation(Sections(volume), [Box.section(0, volume.shape)], Context())


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
