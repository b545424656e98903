"""Losses of a network's logits against a target, with a weight for every pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

LossName = Literal["bce+dice", "bce", "dice", "square"]
Loss = Callable[[Any, Any], Any]

SMOOTHING = 1.0


def loss_of(name: LossName) -> Loss:
    """Return the loss of this name.

    It takes `truth`, (batch, y, x, 2) float32: the target in [0, 1] and its weight, 0 where the target is
    unknown; and `logits`, (batch, y, x, 1) float32. It returns the weighted mean over the batch's pixels.
    """
    losses: dict[LossName, Loss] = {
        "square": square,
        "dice": dice,
        "bce": binary_cross_entropy,
        "bce+dice": binary_cross_entropy_and_dice,
    }
    return losses[name]


def square(truth: Any, logits: Any) -> Any:
    """Return the mean squared difference between probability and target."""
    from keras import ops

    target, weight = _split(truth)
    return _mean(ops.square(ops.sigmoid(logits) - target), weight)


def binary_cross_entropy(truth: Any, logits: Any) -> Any:
    """Return the mean binary cross-entropy in nats."""
    from keras import ops

    target, weight = _split(truth)
    # max(x, 0) - x t + log(1 + exp(-|x|)) is the stable form of -t log p - (1 - t) log(1 - p).
    entropy = ops.relu(logits) - logits * target + ops.log1p(ops.exp(-ops.abs(logits)))
    return _mean(entropy, weight)


def dice(truth: Any, logits: Any) -> Any:
    """Return 1 - the soft Dice coefficient, pooled over the batch.

    Milletari et al. 2016, without their squares in the denominator.
    """
    from keras import ops

    target, weight = _split(truth)
    probability = ops.sigmoid(logits)
    common = ops.sum(weight * probability * target)
    total = ops.sum(weight * probability) + ops.sum(weight * target)
    return 1 - (2 * common + SMOOTHING) / (total + SMOOTHING)


def binary_cross_entropy_and_dice(truth: Any, logits: Any) -> Any:
    """Return the sum of the two losses: one judges pixels, the other the overlap."""
    return binary_cross_entropy(truth, logits) + dice(truth, logits)


def _split(truth: Any) -> tuple[Any, Any]:
    return truth[..., :1], truth[..., 1:]


def _mean(values: Any, weight: Any) -> Any:
    from keras import ops

    total = ops.sum(weight)
    return ops.sum(values * weight) / ops.maximum(total, 1e-7)
