"""Scores against hand-computed cases, scikit-image, and known numbers of real segmentations."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from skimage import metrics as reference

from uniem.algorithms import metrics
from uniem.algorithms.contingency import Background, Contingency, contingency, contingency_table
from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError

RNG = np.random.default_rng(3)


def table_of(truth: list[int], prediction: list[int]) -> Contingency:
    table = contingency_table(np.array(prediction), np.array(truth))
    return table.without_background(Background.IGNORE_IN_TRUTH)


# Objects of the truth, of the prediction, then precision, recall, F of Rand and of information.
TOYS = {
    "equal": ("11022", "11022", (1, 1, 1), (1, 1, 1)),
    "two merged": ("11022", "11111", (0.5, 1, 0.666667), (1, 0, 0)),
    "two of three merged": ("1102203333", "1111102222", (0.75, 1, 0.857143), (0.666667, 1, 0.8)),
    "split": ("111102222", "112203333", (1, 0.75, 0.857143), (1, 0.666667, 0.8)),
    "half missed": ("111102222", "110002222", (1, 0.6875, 0.814815), (1, 0.571429, 0.727273)),
    "one missed": ("111102222", "000002222", (1, 0.625, 0.769231), (1, 0.5, 0.666667)),
    "extra on background": ("110022000", "110022033", (1, 1, 1), (1, 1, 1)),
    "single object": ("0110", "0110", (1, 1, 1), (1, 1, 1)),
}


@pytest.mark.parametrize("name", TOYS)
def test_golden_toys(name: str) -> None:
    truth, prediction, rand, info = TOYS[name]
    table = table_of([int(c) for c in truth], [int(c) for c in prediction])
    for found, expected in ((metrics.rand_score(table), rand), (metrics.information_score(table), info)):
        assert (found.precision, found.recall, found.f_score) == pytest.approx(expected, abs=1e-6)


def test_foreground_scores_are_means_over_sections_with_foreground() -> None:
    truth = np.zeros((3, 1, 9), np.uint8)
    truth[0, 0] = [1, 1, 1, 1, 0, 1, 1, 1, 1]
    truth[1] = truth[0]
    prediction = np.zeros_like(truth)
    prediction[0] = truth[0]
    prediction[1, 0, 5:] = 1
    scores = metrics.foreground_scores(ArrayVolume(prediction * 200), ArrayVolume(truth), 128)
    assert scores.v_rand == pytest.approx((1 + 0.769231) / 2, abs=1e-6)
    assert scores.v_info == pytest.approx((1 + 0.666667) / 2, abs=1e-6)
    assert [section[0] for section in scores.sections] == [0, 1]


def test_components_are_4_connected() -> None:
    truth = np.array([[[1, 1, 0, 0], [0, 0, 1, 1]]], np.uint8)
    scores = metrics.foreground_scores(ArrayVolume(np.ones_like(truth)), ArrayVolume(truth))
    assert scores.rand.precision == pytest.approx(0.5)


def test_no_foreground_is_an_error() -> None:
    with pytest.raises(UniemError, match="no foreground"):
        metrics.foreground_scores(ArrayVolume(np.ones((1, 2, 2))), ArrayVolume(np.zeros((1, 2, 2))))


def test_pixel_scores() -> None:
    prediction = np.array([[[200, 200, 200, 10, 10, 10]], [[200, 10, 10, 10, 10, 200]]], np.uint8)
    truth = np.array([[[1, 1, 0, 0, 0, 0]], [[1, 1, 1, 0, 0, 0]]], np.uint8)
    found = metrics.pixel_scores(ArrayVolume(prediction), ArrayVolume(truth), 128)
    counts = (found.true_positives, found.false_positives, found.false_negatives, found.true_negatives)
    assert counts == (3, 2, 2, 5)
    assert found.accuracy == pytest.approx(8 / 12)
    assert (found.precision, found.recall, found.f1) == pytest.approx((0.6, 0.6, 0.6))
    assert found.specificity == pytest.approx(5 / 7)
    assert found.jaccard == pytest.approx(3 / 7)
    assert found.mcc == pytest.approx(np.corrcoef((prediction > 128).ravel(), truth.ravel())[0, 1])


def test_pixel_scores_without_foreground() -> None:
    nothing = ArrayVolume(np.zeros((1, 2, 2), np.uint8))
    something = ArrayVolume(np.ones((1, 2, 2), np.uint8))
    agree = metrics.pixel_scores(nothing, nothing)
    assert (agree.f1, agree.precision, agree.recall, agree.jaccard, agree.mcc) == (1, 1, 1, 1, 1)
    wrong = metrics.pixel_scores(nothing, something)
    assert (wrong.f1, wrong.precision, wrong.recall, wrong.jaccard, wrong.mcc) == (0, 0, 0, 0, 0)


def labels(shape: Any, count: int, scale: int = 1) -> Any:
    return np.kron(RNG.integers(0, count, shape, np.uint64) * scale, np.ones((2, 3, 4), np.uint64))


@pytest.mark.parametrize("background", [Background.KEEP, Background.IGNORE_IN_TRUTH])
def test_equals_scikit_image(background: Background) -> None:
    truth, prediction = labels((6, 5, 4), 5).astype(int), labels((6, 5, 4), 6).astype(int)
    prediction[:4] = truth[:4]
    ignored = () if background is Background.KEEP else (0,)
    table = contingency(ArrayVolume(prediction), ArrayVolume(truth)).without_background(background)
    error, score = metrics.adapted_rand_error(table)
    # scikit-image's own table puts the truth in rows, which exchanges what it calls precision and recall.
    expected = reference.adapted_rand_error(truth, prediction, ignore_labels=ignored)
    assert (error, score.recall, score.precision) == pytest.approx(expected, abs=1e-12)
    split, merge = reference.variation_of_information(truth, prediction, ignore_labels=ignored)
    found = metrics.variation_of_information(table)
    assert (found.split, found.merge, found.total) == pytest.approx((split, merge, split + merge), abs=1e-9)


def test_split_and_merge_are_told_apart() -> None:
    one, two = np.ones((1, 1, 8), np.uint8), np.array([[[1, 1, 1, 1, 2, 2, 2, 2]]], np.uint8)
    split = contingency(ArrayVolume(two), ArrayVolume(one))
    assert metrics.variation_of_information(split).split == pytest.approx(1)
    assert metrics.variation_of_information(split).merge == 0
    assert metrics.adapted_rand_error(split)[1].precision == 1
    merge = contingency(ArrayVolume(one), ArrayVolume(two))
    assert metrics.variation_of_information(merge).merge == pytest.approx(1)
    assert metrics.adapted_rand_error(merge)[1].recall == 1


@pytest.mark.parametrize(("name", "split", "merge"), [("supervoxels", 2.41, 0.32), ("ffn", 0.55, 0.24)])
def test_known_numbers_of_fib25(shared_data: Path, name: str, split: float, merge: float) -> None:
    prediction = ArrayVolume(tifffile.imread(shared_data / f"fib25_train_{name}.tif"))
    truth = ArrayVolume(tifffile.imread(shared_data / "fib25_train_neurons.tif"))
    table = contingency(prediction, truth).without_background(Background.IGNORE_IN_EITHER)
    found = metrics.variation_of_information(table)
    assert (found.split, found.merge) == pytest.approx((split, merge), abs=0.005)


# Published by EM-stellar: F1, Jaccard, MCC at 0.5; plain V_Rand and V_Info at the best of 11 thresholds.
CARDIAC = {
    "unet": (0.96651, 0.93519, 0.94772, 0.93217, 0.88120),
    "cdeep3m": (0.96607, 0.93437, 0.94657, 0.95994, 0.94414),
}


@pytest.mark.parametrize("name", CARDIAC)
def test_known_numbers_of_cardiac_mitochondria(shared_data: Path, name: str) -> None:
    f1, jaccard, mcc, v_rand, v_info = CARDIAC[name]
    prediction = ArrayVolume(tifffile.imread(shared_data / f"cardiac_test_{name}.tif"))
    truth = ArrayVolume(tifffile.imread(shared_data / "cardiac_test_mito.tif"))
    pixels = metrics.pixel_scores(prediction, truth, 127.5)
    assert (pixels.f1, pixels.jaccard, pixels.mcc) == pytest.approx((f1, jaccard, mcc), abs=1e-5)
    levels = [math.floor(255 * step / 10) for step in range(11)]
    scores = [metrics.foreground_scores(prediction, truth, level) for level in levels]
    # The truth published there has one section with grey edges, which is a plain mask here.
    assert max(score.v_rand for score in scores) == pytest.approx(v_rand, abs=2e-3)
    assert max(score.v_info for score in scores) == pytest.approx(v_info, abs=2e-3)
