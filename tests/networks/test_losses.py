"""Losses equal their formulas in numpy, and pixels of weight 0 do not count."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from uniem.networks.backend import prepare_backend
from uniem.networks.losses import SMOOTHING, LossName, loss_of

Array = NDArray[np.float32]


@pytest.fixture(scope="module", autouse=True)
def backend() -> None:
    prepare_backend("cpu")


def _data(seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    target = (rng.random((2, 5, 7, 1)) < 0.3).astype(np.float32)
    weight = rng.choice(np.array([0, 0.5, 1, 2], np.float32), target.shape)
    return np.concatenate([target, weight], -1), rng.normal(0, 3, target.shape).astype(np.float32)


def _expected(name: str, truth: Array, logits: Array) -> float:
    t, w = truth[..., :1].astype(np.float64), truth[..., 1:].astype(np.float64)
    p = 1 / (1 + np.exp(-logits.astype(np.float64)))
    values = {
        "square": (w * (p - t) ** 2).sum() / w.sum(),
        "bce": -(w * (t * np.log(p) + (1 - t) * np.log(1 - p))).sum() / w.sum(),
        "dice": 1 - (2 * (w * p * t).sum() + SMOOTHING) / ((w * p).sum() + (w * t).sum() + SMOOTHING),
    }
    return float(sum(values[part] for part in name.split("+")))


@pytest.mark.parametrize("name", get_args(LossName))
def test_a_loss_equals_its_formula(name: LossName) -> None:
    truth, logits = _data()
    assert float(loss_of(name)(truth, logits)) == pytest.approx(_expected(name, truth, logits), rel=1e-5)


@pytest.mark.parametrize("name", get_args(LossName))
def test_pixels_of_weight_zero_do_not_count(name: LossName) -> None:
    truth, logits = _data()
    changed = np.where(truth[..., 1:] == 0, -logits + 5, logits).astype(np.float32)
    assert float(loss_of(name)(truth, changed)) == pytest.approx(
        float(loss_of(name)(truth, logits)), rel=1e-6
    )


@pytest.mark.parametrize("name", get_args(LossName))
def test_a_perfect_answer_costs_nothing(name: LossName) -> None:
    truth, _ = _data()
    assert float(loss_of(name)(truth, (truth[..., :1] * 2 - 1) * 30)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", get_args(LossName))
def test_extreme_logits_and_empty_weights_stay_finite(name: LossName) -> None:
    truth, logits = _data()
    assert np.isfinite(float(loss_of(name)(truth, logits * np.float32(1e4))))
    unknown = np.concatenate([truth[..., :1], np.zeros_like(logits)], -1)
    assert float(loss_of(name)(unknown, logits)) == pytest.approx(0, abs=1e-6)
