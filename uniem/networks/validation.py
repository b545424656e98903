"""Judging a network by held-out windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.networks.losses import Loss
from uniem.networks.patches import Batch
from uniem.networks.settings import Criterion

Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Scores:
    """How well a network does: the loss, and F1 and Jaccard index of the pixels at probability 0.5."""

    loss: float
    f1: float
    jaccard: float

    def rank(self, criterion: Criterion) -> tuple[float, float]:
        """Return a key that is larger for better scores; the loss decides between equals."""
        value = {"f1": self.f1, "jaccard": self.jaccard, "loss": -self.loss}[criterion]
        return value, -self.loss

    def metrics(self) -> dict[str, float]:
        """Return the numbers under the names they have in curves and records."""
        return {"val_loss": self.loss, "val_f1": self.f1, "val_jaccard": self.jaccard}


def judge(predict: Predict, loss: Loss, batches: Sequence[Batch]) -> Scores:
    """Return the scores of logits over all windows, pooled; `predict` gives (batch, y, x, 1) logits."""
    weights = losses = hits = false_alarms = misses = 0.0
    for images, truths in batches:
        logits = predict(images)
        weight = truths[..., 1]
        found, real = logits[..., 0] > 0, truths[..., 0] > 0.5
        hits += float(weight[found & real].sum())
        false_alarms += float(weight[found & ~real].sum())
        misses += float(weight[~found & real].sum())
        losses += float(loss(truths, logits)) * float(weight.sum())
        weights += float(weight.sum())
    wrong = false_alarms + misses
    total = hits + wrong
    # Nothing there and nothing found is right.
    return Scores(
        loss=losses / max(weights, 1e-9),
        f1=2 * hits / (2 * hits + wrong) if total else 1.0,
        jaccard=hits / total if total else 1.0,
    )


def strip(image: NDArray[Any], truth: NDArray[Any], logits: NDArray[Any]) -> NDArray[np.uint8]:
    """Return input, truth and prediction side by side, (y, 3x) uint8, from one window of each, (y, x)."""
    probability = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    parts = [np.clip(image / 5 + 0.5, 0, 1), truth, probability]
    return np.concatenate([np.rint(part * 255) for part in parts], axis=1).astype(np.uint8)
