"""The formulas of the losses, in Keras' own operations, which every engine has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from uniem.networks.losses.choices import (
    BootstrappedCrossEntropy,
    CrossEntropy,
    CrossEntropyDice,
    Dice,
    Focal,
    FocalTversky,
    Jaccard,
    LossChoice,
    Square,
    Tversky,
    WeightedSum,
    read_terms,
)

Loss = Callable[[Any, Any], Any]

TINY = 1e-7


@dataclass(frozen=True, slots=True)
class Judged:
    """What a loss looks at: target and probability of each channel, and each pixel's weight.

    All are (batch, y, x, channels) but the weight, which is (batch, y, x, 1).
    """

    target: Any
    logits: Any
    probability: Any
    weight: Any

    @property
    def is_single(self) -> bool:
        """Whether there is one channel, a probability of its own, rather than several that add up to 1."""
        return int(self.logits.shape[-1]) == 1


def loss_of(choice: LossChoice, class_weights: Sequence[float] | None = None) -> Loss:
    """Return the loss as a function of truth and logits that gives the weighted mean over the batch.

    It takes `truth`, (batch, y, x, 2) float32: the target and its weight, 0 where the target is unknown; and
    `logits`, (batch, y, x, channels) float32. With one channel, the target is in [0, 1] and the probability
    is the logit's sigmoid; with several it is the number of the class, and the probability their softmax.
    Class weights multiply the weights of pixels: background and object, or one weight per class.
    """

    def loss(truth: Any, logits: Any) -> Any:
        return _value(choice, _judged(truth, logits, class_weights))

    return loss


def _judged(truth: Any, logits: Any, class_weights: Sequence[float] | None) -> Judged:
    from keras import ops

    # Where arrays come in, they must not meet tensors half-way.
    truth, logits = ops.convert_to_tensor(truth), ops.convert_to_tensor(logits)
    target, weight = truth[..., :1], truth[..., 1:2]
    channels = int(logits.shape[-1])
    if channels == 1:
        probability = ops.sigmoid(logits)
        pair = ops.concatenate([1 - target, target], -1)
    else:
        probability = ops.softmax(logits, axis=-1)
        target = pair = ops.one_hot(ops.cast(target[..., 0], "int32"), channels, dtype="float32")
    if class_weights is not None:
        weights = ops.convert_to_tensor(list(class_weights), "float32")
        weight = weight * ops.sum(pair * weights, axis=-1, keepdims=True)
    return Judged(target, logits, probability, weight)


def _value(choice: LossChoice, judged: Judged) -> Any:
    if isinstance(choice, CrossEntropyDice):
        dice = _overlap(judged, 0.5, 0.5, 0.5)
        return (1 - choice.dice_share) * _mean(_cross_entropy(judged), judged) + choice.dice_share * dice
    if isinstance(choice, WeightedSum):
        return sum(weight * _value(term, judged) for weight, term in read_terms(choice.terms))
    if isinstance(choice, FocalTversky | Tversky | Dice | Jaccard):
        return _overlap_loss(choice, judged)
    return _pixel_loss(choice, judged)


def _overlap_loss(choice: FocalTversky | Tversky | Dice | Jaccard, judged: Judged) -> Any:
    from keras import ops

    if isinstance(choice, Dice):
        # Smoothing is added to twice the overlap: Milletari et al. 2016, without squares below.
        return _overlap(judged, 0.5, 0.5, choice.smoothing / 2)
    if isinstance(choice, Jaccard):
        return _overlap(judged, 1, 1, choice.smoothing)
    value = _overlap(judged, choice.false_alarms, choice.misses, 1)
    if isinstance(choice, FocalTversky):
        # Abraham and Khan 2019; the slope at 0 would be infinite.
        return ops.power(ops.maximum(value, 1e-6), choice.gamma)
    return value


def _pixel_loss(choice: LossChoice, judged: Judged) -> Any:
    from keras import ops

    if isinstance(choice, CrossEntropy):
        return _mean(_cross_entropy(judged), judged)
    if isinstance(choice, BootstrappedCrossEntropy):
        return _mean_of_hardest(_cross_entropy(judged), judged, choice.share)
    if isinstance(choice, Focal):
        return _mean(_focal(judged, choice), judged)
    difference = judged.probability - judged.target
    values = ops.square(difference) if isinstance(choice, Square) else ops.abs(difference)
    return _mean(ops.mean(values, axis=-1, keepdims=True), judged)


def _cross_entropy(judged: Judged) -> Any:
    """Return the cross-entropy of each pixel in nats, in the forms that no large logit makes infinite."""
    from keras import ops

    z, t = judged.logits, judged.target
    if judged.is_single:
        # max(z, 0) - z t + log(1 + exp(-|z|)) is -t log p - (1 - t) log(1 - p).
        return ops.relu(z) - z * t + ops.log1p(ops.exp(-ops.abs(z)))
    highest = ops.max(z, axis=-1, keepdims=True)
    total = ops.log(ops.sum(ops.exp(z - highest), axis=-1, keepdims=True)) + highest
    return total - ops.sum(z * t, axis=-1, keepdims=True)


def _focal(judged: Judged, choice: Focal) -> Any:
    """Return the focal loss of each pixel (Lin et al. 2017)."""
    from keras import ops

    if not judged.is_single:
        sure = ops.sum(judged.probability * judged.target, axis=-1, keepdims=True)
        return ops.power(ops.clip(1 - sure, TINY, 1), choice.gamma) * _cross_entropy(judged)
    p, t, z = ops.clip(judged.probability, TINY, 1 - TINY), judged.target, judged.logits
    there = choice.alpha * ops.power(1 - p, choice.gamma) * ops.softplus(-z)
    absent = (1 - choice.alpha) * ops.power(p, choice.gamma) * ops.softplus(z)
    return t * there + (1 - t) * absent


def _overlap(judged: Judged, false_alarms: float, misses: float, smoothing: float) -> Any:
    """Return 1 - the Tversky index (2017), pooled over the batch; the mean over channels.

    Weights of 1/2 make it Dice, of 1 Jaccard.
    """
    from keras import ops

    p, t, w = judged.probability, judged.target, judged.weight
    axes = (0, 1, 2)
    hits = ops.sum(w * p * t, axis=axes)
    wrong = false_alarms * ops.sum(w * p * (1 - t), axis=axes) + misses * ops.sum(w * (1 - p) * t, axis=axes)
    return ops.mean(1 - (hits + smoothing) / (hits + wrong + smoothing))


def _mean(values: Any, judged: Judged) -> Any:
    from keras import ops

    return ops.sum(values * judged.weight) / ops.maximum(ops.sum(judged.weight), TINY)


def _mean_of_hardest(values: Any, judged: Judged, share: float) -> Any:
    """Return the mean of the largest values, of as many as make up a share of all weight."""
    from keras import ops

    flat, weight = ops.reshape(values, (-1,)), ops.reshape(judged.weight, (-1,))
    order = ops.argsort(-ops.where(weight > 0, ops.stop_gradient(flat), -1.0))
    sorted_weight = ops.take(weight, order)
    wanted = share * ops.sum(weight)
    before = ops.cumsum(sorted_weight) - sorted_weight
    counted = ops.minimum(ops.maximum(wanted - before, 0), sorted_weight)
    return ops.sum(counted * ops.take(flat, order)) / ops.maximum(wanted, TINY)
