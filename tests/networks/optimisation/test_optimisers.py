"""Optimisers take the steps that were published."""

from __future__ import annotations

import numpy as np
import pytest

from tests.networks.conftest import quick_settings
from uniem.networks.backend import prepare_backend
from uniem.networks.learner import Learner
from uniem.networks.optimisation.optimisers import Adam, AdamW, Optimiser, RAdam, Sgd, optimiser_of
from uniem.networks.patches import Batch

RATE = 0.01
SLOPES = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)


@pytest.fixture(scope="module", autouse=True)
def backend() -> None:
    prepare_backend("cpu")


def _steps(choice: Optimiser, slopes: np.ndarray, parts: int = 1) -> np.ndarray:
    """Return the values of a variable, at first 1, after each slope."""
    import keras

    variable = keras.Variable(np.ones(slopes.shape[1], np.float32))
    optimiser = optimiser_of(choice, RATE, parts)
    values = []
    for slope in slopes:
        optimiser.apply([keras.ops.convert_to_tensor(slope)], [variable])
        values.append(np.array(variable))
    return np.stack(values)


def _adam(slopes: np.ndarray, decay: float = 0.0, is_rectified: bool = False) -> np.ndarray:
    m = v = np.zeros(3)
    value = np.ones(3)
    values = []
    longest = 2 / (1 - 0.999) - 1
    for t, slope in enumerate(slopes.astype(np.float64), start=1):
        value = value - RATE * decay * value
        m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope**2
        mean, spread = m / (1 - 0.9**t), np.sqrt(v / (1 - 0.999**t)) + 1e-7
        length = longest - 2 * t * 0.999**t / (1 - 0.999**t)
        step = mean / spread
        if is_rectified:
            r = np.sqrt(
                max((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length), 0)
            )
            step = r * step if length >= 5 else mean
        value = value - RATE * step
        values.append(value)
    return np.stack(values)


def test_adam_and_its_kin_step_as_published() -> None:
    np.testing.assert_allclose(_steps(Adam(), SLOPES), _adam(SLOPES), rtol=1e-4)
    np.testing.assert_allclose(_steps(AdamW(weight_decay=0.1), SLOPES), _adam(SLOPES, 0.1), rtol=1e-4)
    rectified = _adam(SLOPES, is_rectified=True)
    np.testing.assert_allclose(_steps(RAdam(), SLOPES), rectified, rtol=1e-4)
    assert np.abs(rectified - _adam(SLOPES)).max() > 1e-3


def test_momentum_goes_on() -> None:
    slopes = np.array([[1.0], [0.0], [0.0]], np.float32)
    np.testing.assert_allclose(_steps(Sgd(momentum=0.5), slopes)[:, 0], [0.99, 0.985, 0.9825], rtol=1e-6)


@pytest.mark.parametrize("choice", [Adam(), RAdam(), AdamW(), Sgd()], ids=lambda choice: choice.kind)
def test_parts_make_the_step_of_the_whole(choice: Optimiser) -> None:
    parts = SLOPES.reshape(6, 2, 3)
    whole = _steps(choice, parts.mean(1))
    divided = _steps(choice, SLOPES, parts=2)
    np.testing.assert_allclose(divided[1::2], whole, rtol=1e-5)


@pytest.mark.parametrize("kind", ["adam", "radam", "adamw", "sgd"])
def test_every_optimiser_learns(kind: str) -> None:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(4, 32, 32, 1)).astype(np.float32)
    truths = np.concatenate([images > 0.3, np.ones_like(images)], -1).astype(np.float32)
    learner = Learner(quick_settings(optimiser={"kind": kind}), "float32")
    rate = 0.3 if kind == "sgd" else 0.03
    losses = [learner.learn(Batch(images, truths), rate) for _ in range(25)]
    assert losses[-1] < 0.95 * losses[0]
