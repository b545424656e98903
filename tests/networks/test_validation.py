"""Scores of held-out windows are those of scikit-learn's and the papers' definitions."""

from __future__ import annotations

import numpy as np
import pytest

from uniem.networks.backend import prepare_backend
from uniem.networks.losses import loss_of
from uniem.networks.losses.choices import CrossEntropy
from uniem.networks.patches import Batch
from uniem.networks.validation import Scores, judge, probabilities


@pytest.fixture(scope="module", autouse=True)
def backend() -> None:
    prepare_backend("cpu")


def _judge(logits: np.ndarray, target: np.ndarray, weight: np.ndarray, between: bool = False) -> Scores:
    truths = np.stack([target, weight], -1).astype(np.float32)
    batches = [Batch(logits[i : i + 2], truths[i : i + 2]) for i in range(0, len(logits), 2)]
    return judge(lambda images: images, loss_of(CrossEntropy()), batches, between)


def test_binary_scores_are_pooled_over_known_pixels() -> None:
    rng = np.random.default_rng(0)
    target = rng.random((4, 16, 16)) < 0.4
    logits = (rng.normal(size=(4, 16, 16, 1)) + target[..., None]).astype(np.float32)
    weight = rng.random((4, 16, 16)) < 0.7
    scores = _judge(logits, target, weight)
    found, real = (logits[..., 0] > 0)[weight], target[weight]
    tp, fp, fn = (found & real).sum(), (found & ~real).sum(), (~found & real).sum()
    assert scores.f1 == pytest.approx(2 * tp / (2 * tp + fp + fn))
    assert scores.jaccard == pytest.approx(tp / (tp + fp + fn))
    chance = logits[..., 0][weight]
    pairs = chance[real][:, None] - chance[~real][None, :]
    assert scores.auc == pytest.approx(float((pairs > 0).mean() + 0.5 * (pairs == 0).mean()), abs=1e-3)
    assert set(scores.metrics()) == {
        f"val_{name}" for name in ("loss", "f1", "jaccard", "auc", "v_rand", "v_info")
    }
    assert Scores.from_metrics(scores.metrics()) == scores


def test_regions_are_scored_by_rand_and_information() -> None:
    target = np.zeros((1, 6, 9))
    target[0, :, :4], target[0, :, 5:] = 1, 1
    merged = np.ones_like(target)
    weight = np.ones_like(target)

    def logits(mask: np.ndarray) -> np.ndarray:
        return np.where(mask, 5, -5).astype(np.float32)[..., None]

    perfect, wrong = _judge(logits(target), target, weight), _judge(logits(merged), target, weight)
    assert [perfect.v_rand, perfect.v_info] == pytest.approx([1, 1])
    assert [wrong.v_rand, wrong.v_info] == pytest.approx([2 / 3, 0])
    boundary = _judge(logits(1 - target), 1 - target, weight, between=True)
    assert boundary.v_rand == pytest.approx(1)
    nothing = _judge(logits(target), target, 0 * weight)
    assert nothing.v_rand is None and nothing.auc is None and nothing.f1 == 1
    assert nothing.rank("v_rand") < wrong.rank("v_rand") < perfect.rank("v_rand")


def test_classes_count_alike() -> None:
    target = np.repeat(np.array([0, 0, 0, 1, 1, 2]), 8).reshape(1, 6, 8)
    answer = np.where(target == 2, 1, target)
    logits = (np.eye(3)[answer] * 6 - 3).astype(np.float32)
    scores = _judge(logits, target, np.ones(target.shape))
    # Class 1: 16 hits, 8 false alarms; class 2: all missed.
    assert scores.f1 == pytest.approx((2 * 16 / (2 * 16 + 8) + 0) / 2)
    assert probabilities(logits).sum(-1) == pytest.approx(1)
