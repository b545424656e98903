"""Losses equal their formulas in numpy, and pixels of weight 0 do not count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from tests.networks.conftest import quick_settings
from uniem.networks.backend import prepare_backend
from uniem.networks.losses import LossChoice, loss_of
from uniem.networks.losses.choices import SINGLE_LOSSES, read_terms

Array = NDArray[np.float32]

CHOICES: list[dict[str, Any]] = [
    *({"kind": kind} for kind in SINGLE_LOSSES),
    {"kind": "cross-entropy-dice", "dice_share": 0.25},
    {"kind": "sum", "terms": "2 dice + 0.5*tversky(0.2, 0.9) + l1"},
    {"kind": "focal", "gamma": 0.5, "alpha": 0.9},
]
every_loss = pytest.mark.parametrize("values", CHOICES, ids=lambda values: values["kind"])
every_width = pytest.mark.parametrize("channels", [1, 3])


@pytest.fixture(scope="module", autouse=True)
def backend() -> None:
    prepare_backend("cpu")


def _choice(values: dict[str, Any]) -> Any:
    return TypeAdapter(LossChoice).validate_python(values)


def _data(channels: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    target = rng.integers(0, max(channels, 2), (2, 5, 7, 1)).astype(np.float32)
    weight = rng.choice(np.array([0, 0.5, 1, 2], np.float32), target.shape)
    logits = rng.normal(0, 3, (2, 5, 7, channels)).astype(np.float32)
    return np.concatenate([target, weight], -1), logits


def _value(values: dict[str, Any], truth: Array, logits: Array, weights: Any = None) -> float:
    return float(loss_of(_choice(values), weights)(truth, logits))


def _split(truth: Array, logits: Array) -> tuple[Any, Any, Any]:
    """Return target and probability of each channel, and weight, in double precision."""
    z, w = logits.astype(np.float64), truth[..., 1:].astype(np.float64)
    if z.shape[-1] == 1:
        return truth[..., :1].astype(np.float64), 1 / (1 + np.exp(-z)), w
    e = np.exp(z - z.max(-1, keepdims=True))
    return np.eye(z.shape[-1])[truth[..., 0].astype(int)], e / e.sum(-1, keepdims=True), w


def _entropy(t: Any, p: Any) -> Any:
    if p.shape[-1] == 1:
        return -(t * np.log(p) + (1 - t) * np.log(1 - p))
    return -(t * np.log(p)).sum(-1, keepdims=True)


def _tversky(t: Any, p: Any, w: Any, alarms: float, misses: float, s: float) -> float:
    def sums(x: Any) -> Any:
        return (w * x).sum((0, 1, 2))

    wrong = alarms * sums(p * (1 - t)) + misses * sums((1 - p) * t)
    return float((1 - (sums(p * t) + s) / (sums(p * t) + wrong + s)).mean())


def _hardest(entropy: Any, w: Any, share: float) -> float:
    """Count every half unit of weight as a pixel of its own."""
    copies = np.repeat(entropy.ravel(), np.rint(w.ravel() * 200).astype(int))
    count = share * len(copies)
    return float(np.sort(copies)[::-1][: round(count)].mean())


def _expected(values: dict[str, Any], truth: Array, logits: Array) -> float:
    t, p, w = _split(truth, logits)
    choice = _choice(values)

    def mean(x: Any) -> float:
        return float((w * x).sum() / w.sum())

    def focal() -> float:
        g = choice.gamma
        if p.shape[-1] > 1:
            return mean((1 - (t * p).sum(-1, keepdims=True)) ** g * _entropy(t, p))
        a = choice.alpha
        return mean(-a * t * (1 - p) ** g * np.log(p) - (1 - a) * (1 - t) * p**g * np.log(1 - p))

    formulas: dict[str, Callable[[], float]] = {
        "square": lambda: mean(((p - t) ** 2).mean(-1, keepdims=True)),
        "l1": lambda: mean(np.abs(p - t).mean(-1, keepdims=True)),
        "cross-entropy": lambda: mean(_entropy(t, p)),
        "focal": focal,
        "bootstrapped": lambda: _hardest(_entropy(t, p), w, 0.2),
        "dice": lambda: float(
            (1 - (2 * (w * p * t).sum((0, 1, 2)) + 1) / ((w * p + w * t).sum((0, 1, 2)) + 1)).mean()
        ),
        "jaccard": lambda: float(
            (1 - ((w * p * t).sum((0, 1, 2)) + 1) / ((w * (p + t - p * t)).sum((0, 1, 2)) + 1)).mean()
        ),
        "tversky": lambda: _tversky(t, p, w, 0.3, 0.7, 1),
        "focal-tversky": lambda: _tversky(t, p, w, 0.3, 0.7, 1) ** 0.75,
        "cross-entropy-dice": lambda: 0.75 * mean(_entropy(t, p)) + 0.25 * _tversky(t, p, w, 0.5, 0.5, 0.5),
        "sum": lambda: (
            2 * _tversky(t, p, w, 0.5, 0.5, 0.5)
            + 0.5 * _tversky(t, p, w, 0.2, 0.9, 1)
            + mean(np.abs(p - t).mean(-1, keepdims=True))
        ),
    }
    return formulas[values["kind"]]()


@every_loss
@every_width
def test_a_loss_equals_its_formula(values: dict[str, Any], channels: int) -> None:
    truth, logits = _data(channels)
    expected = _expected(values, truth, logits)
    assert _value(values, truth, logits) == pytest.approx(
        expected, rel=1e-2 if "boot" in values["kind"] else 1e-4
    )


@every_loss
@every_width
def test_pixels_of_weight_zero_do_not_count(values: dict[str, Any], channels: int) -> None:
    truth, logits = _data(channels)
    changed = np.where(truth[..., 1:] == 0, -logits + 5, logits).astype(np.float32)
    assert _value(values, truth, changed) == pytest.approx(_value(values, truth, logits), rel=1e-6)


@every_loss
@every_width
def test_a_perfect_answer_costs_nothing(values: dict[str, Any], channels: int) -> None:
    truth, logits = _data(channels)
    target, _, _ = _split(truth, logits)
    assert _value(values, truth, ((target * 2 - 1) * 30).astype(np.float32)) == pytest.approx(0, abs=5e-5)


@every_loss
@every_width
def test_extreme_logits_and_empty_weights_stay_finite(values: dict[str, Any], channels: int) -> None:
    truth, logits = _data(channels)
    assert np.isfinite(_value(values, truth, logits * np.float32(1e4)))
    unknown = np.concatenate([truth[..., :1], np.zeros_like(truth[..., 1:])], -1)
    assert _value(values, unknown, logits) == pytest.approx(0, abs=5e-5)


@every_loss
@every_width
def test_a_loss_falls_when_a_network_follows_its_slope(values: dict[str, Any], channels: int) -> None:
    truth, start = _data(channels)
    loss = loss_of(_choice(values))
    before, slope = _slope(lambda logits: loss(truth, logits), start)
    assert np.isfinite(slope).all()
    assert np.abs(slope[truth[..., 1] == 0]).max() == 0
    assert float(loss(truth, start - 0.1 * slope / np.linalg.norm(slope))) < before


def _slope(function: Callable[[Any], Any], start: Array) -> tuple[float, Array]:
    """Return the value of a function and its slope, as the framework in use finds it."""
    import keras

    if keras.backend.backend() == "torch":
        import torch

        place = torch.tensor(start, requires_grad=True)
        value = function(place)
        value.backward()
        return value.item(), place.grad.numpy()
    import tensorflow as tf

    variable = tf.Variable(start)
    with tf.GradientTape() as tape:
        value = function(variable)
    return float(value), tape.gradient(value, variable).numpy()


@every_width
def test_class_weights_multiply_the_weights_of_pixels(channels: int) -> None:
    truth, logits = _data(channels)
    weights = (0.1, 3.0) if channels == 1 else (0.1, 3.0, 1.0)
    factor = np.array(weights, np.float32)[truth[..., :1].astype(int)]
    weighted = np.concatenate([truth[..., :1], truth[..., 1:] * factor], -1)
    for values in ({"kind": "cross-entropy"}, {"kind": "dice"}):
        assert _value(values, truth, logits, weights) == pytest.approx(
            _value(values, weighted, logits), rel=1e-5
        )


def test_a_sum_is_read_or_refused_in_words() -> None:
    ((first, a), (second, b)) = read_terms("cross-entropy + .5 tversky(0.2)")
    assert (first, second) == (1, 0.5)
    assert (a.kind, b.kind, b.false_alarms, b.misses) == ("cross-entropy", "tversky", 0.2, 0.7)  # type: ignore[union-attr]
    for terms, message in [
        ("2 wolves", "no loss 'wolves'"),
        ("dice +", "not a weight"),
        ("square(1)", "takes no parameters"),
        ("tversky(-1)", "greater than or equal to 0"),
    ]:
        with pytest.raises(ValidationError, match=message):
            _choice({"kind": "sum", "terms": terms})


@pytest.mark.parametrize(
    ("old", "kind"),
    [("bce+dice", "cross-entropy-dice"), ("bce", "cross-entropy"), ("dice", "dice"), ("square", "square")],
)
def test_losses_that_older_models_name_are_understood(old: str, kind: str) -> None:
    assert quick_settings(loss=old).loss.kind == kind
