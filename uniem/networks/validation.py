"""Judging a network by held-out windows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.contingency import Background, contingency_table
from uniem.algorithms.metrics import information_score, rand_score
from uniem.networks.losses import Loss
from uniem.networks.patches import Batch, Floats
from uniem.networks.settings import Criterion

Predict = Callable[[Floats], Floats]

BINS = 4096


@dataclass(frozen=True, slots=True)
class Scores:
    """How well a network does; what cannot be said of the held-out part is None.

    Attributes
    ----------
    f1, jaccard : of the pixels at probability 0.5, the mean over classes; the background is none.
    auc : the area under the curve of hits against false alarms, the mean over classes.
    v_rand, v_info : foreground-restricted Rand and information scores of connected regions, window by window,
        without thinning of borders; where boundaries are looked for, of the regions between them.
    """

    loss: float
    f1: float
    jaccard: float
    auc: float | None = None
    v_rand: float | None = None
    v_info: float | None = None

    @staticmethod
    def from_metrics(entry: dict[str, float]) -> Scores | None:
        """Return the scores that an entry of a model's history holds; None where it holds none."""
        if "val_loss" not in entry:
            return None
        return Scores(
            **{name.removeprefix("val_"): value for name, value in entry.items() if name.startswith("val_")}
        )

    def rank(self, criterion: Criterion) -> tuple[float, float]:
        """Return a key that is larger for better scores; the loss decides between equals."""
        value = -self.loss if criterion == "loss" else getattr(self, criterion)
        return -1.0 if value is None else value, -self.loss

    def metrics(self) -> dict[str, float]:
        """Return the numbers under the names they have in curves and records."""
        values = {name: getattr(self, name) for name in ("loss", "f1", "jaccard", "auc", "v_rand", "v_info")}
        return {f"val_{name}": value for name, value in values.items() if value is not None}


def judge(predict: Predict, loss: Loss, batches: Sequence[Batch], regions_between: bool = False) -> Scores:
    """Return the scores of logits over all windows, pooled; `predict` gives (batch, y, x, channels) logits.

    `regions_between`: the channel is a boundary, and regions lie between.
    """
    counts: _Counts | None = None
    weights = losses = 0.0
    segmented: list[tuple[float, float]] = []
    for images, truths in batches:
        logits = predict(images)
        known = truths[..., 1] > 0
        weight = float(truths[..., 1].sum())
        losses += float(loss(truths, logits)) * weight
        weights += weight
        counts = counts or _Counts(max(1, logits.shape[-1] - 1))
        probability = probabilities(logits)
        for place, (found, real, chance) in enumerate(_by_class(logits, truths, probability)):
            counts.add(place, found[known], real[known], chance[known])
        segmented += _segmentation_scores(logits, truths, regions_between)
    if counts is None:
        raise ValueError("there are no windows to judge by")
    rand, info = (
        (float(np.mean(part)) for part in zip(*segmented, strict=True)) if segmented else (None, None)
    )
    return Scores(losses / max(weights, 1e-9), counts.f1(), counts.jaccard(), counts.auc(), rand, info)


def probabilities(logits: Floats) -> Floats:
    """Return the probabilities of logits, (..., channels): a sigmoid, or a softmax of several."""
    if logits.shape[-1] == 1:
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(raised / raised.sum(-1, keepdims=True), np.float32)


def strip(image: Floats, truth: Floats, logits: Floats) -> NDArray[np.uint8]:
    """Return input, truth and prediction side by side, (y, 3x) uint8.

    They are (y, x), (y, x) and (y, x, channels); the probability of several classes is that of being an
    object, and the classes of the truth are shades.
    """
    probability = probabilities(logits)
    classes = logits.shape[-1]
    answer = (
        probability[..., 0] if classes == 1 else probability @ np.linspace(0, 1, classes, dtype=np.float32)
    )
    parts = [np.clip(image / 5 + 0.5, 0, 1), truth / max(classes - 1, 1), answer]
    return np.concatenate([np.rint(np.clip(p, 0, 1) * 255) for p in parts], axis=1).astype(np.uint8)


class _Counts:
    """Hits, false alarms, misses and histograms of the probability, of each class that is no background."""

    def __init__(self, classes: int) -> None:
        self._table = np.zeros((classes, 3), np.float64)
        self._histograms = np.zeros((classes, 2, BINS), np.float64)

    def add(self, place: int, found: NDArray[Any], real: NDArray[Any], chance: Floats) -> None:
        self._table[place] += [(found & real).sum(), (found & ~real).sum(), (~found & real).sum()]
        bins = np.minimum((chance * BINS).astype(np.intp), BINS - 1)
        for is_real in (0, 1):
            chosen = bins[real if is_real else ~real]
            self._histograms[place, is_real] += np.bincount(chosen, minlength=BINS)

    def f1(self) -> float:
        return self._mean(2 * self._table[:, 0], 2 * self._table[:, 0] + self._table[:, 1:].sum(1))

    def jaccard(self) -> float:
        return self._mean(self._table[:, 0], self._table.sum(1))

    def auc(self) -> float | None:
        """Return the mean over the classes that are there, and not everywhere; ties count half."""
        areas = []
        for absent, there in self._histograms:
            if absent.sum() and there.sum():
                below = np.cumsum(absent) - absent / 2
                areas.append(float((there * below).sum() / (absent.sum() * there.sum())))
        return float(np.mean(areas)) if areas else None

    @staticmethod
    def _mean(part: NDArray[np.float64], whole: NDArray[np.float64]) -> float:
        """Return the mean over the classes that are there or were found; nothing of both is right."""
        seen = whole > 0
        return float((part[seen] / whole[seen]).mean()) if seen.any() else 1.0


def _by_class(
    logits: Floats, truths: Floats, probability: Floats
) -> Iterable[tuple[NDArray[np.bool_], NDArray[np.bool_], Floats]]:
    """Yield, for each class that is no background, where it was found, where it is, and how likely."""
    target = truths[..., 0]
    if logits.shape[-1] == 1:
        yield logits[..., 0] > 0, target > 0.5, probability[..., 0]
        return
    answer = logits.argmax(-1)
    for number in range(1, logits.shape[-1]):
        yield answer == number, target == number, probability[..., number]


def _segmentation_scores(
    logits: Floats, truths: Floats, regions_between: bool
) -> Iterable[tuple[float, float]]:
    """Yield V_Rand and V_Info of each window that has any region in the truth."""
    import cc3d

    found: NDArray[Any] = logits[..., 0] > 0 if logits.shape[-1] == 1 else logits.argmax(-1)
    real: NDArray[Any] = truths[..., 0] > 0.5 if logits.shape[-1] == 1 else truths[..., 0]
    if regions_between:
        found, real = found == 0, real == 0
    for answer, truth, weight in zip(found, real, truths[..., 1], strict=True):
        wanted = cc3d.connected_components(truth.astype(np.uint8), connectivity=4)
        wanted[weight == 0] = 0
        if not wanted.any():
            continue
        parts = cc3d.connected_components(answer.astype(np.uint8), connectivity=4)
        table = contingency_table(parts, wanted).without_background(Background.IGNORE_IN_TRUTH)
        yield rand_score(table).f_score, information_score(table).f_score
