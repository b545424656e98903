"""Scores of a segmentation against a ground truth, streamed over volumes of any size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.blockwise import boxes, map_blocks
from uniem.algorithms.border_thinning import components, thinned_components
from uniem.algorithms.contingency import Background, Contingency, contingency_table
from uniem.algorithms.filters import threshold
from uniem.data.geometry import Box
from uniem.data.volume import Volume, check_same_shape
from uniem.errors import UniemError
from uniem.progress import Context


@dataclass(frozen=True, slots=True)
class PixelScores:
    """How many pixels of a mask are right, pooled over all sections, and the scores that follow.

    Where a score would be 0/0 it is 1 if the masks agree entirely and 0 if not.
    """

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def accuracy(self) -> float:
        """(TP + TN) / all."""
        right = self.true_positives + self.true_negatives
        return self._ratio(right, right + self.false_positives + self.false_negatives)

    @property
    def precision(self) -> float:
        """TP / (TP + FP)."""
        return self._ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """TP / (TP + FN), also called sensitivity."""
        return self._ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def specificity(self) -> float:
        """TN / (TN + FP)."""
        return self._ratio(self.true_negatives, self.true_negatives + self.false_positives)

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN), also called Dice."""
        twice = 2 * self.true_positives
        return self._ratio(twice, twice + self.false_positives + self.false_negatives)

    @property
    def jaccard(self) -> float:
        """TP / (TP + FP + FN), also called intersection over union."""
        union = self.true_positives + self.false_positives + self.false_negatives
        return self._ratio(self.true_positives, union)

    @property
    def mcc(self) -> float:
        """Matthews' correlation coefficient, -1 to 1."""
        tp, fp, fn, tn = self.true_positives, self.false_positives, self.false_negatives, self.true_negatives
        square = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        return (tp * tn - fp * fn) / math.sqrt(square) if square else self._ratio(0, 0)

    def _ratio(self, part: int, whole: int) -> float:
        if whole:
            return part / whole
        return 0.0 if self.false_positives or self.false_negatives else 1.0


@dataclass(frozen=True, slots=True)
class SplitMergeScore:
    """A score of 0 to 1 with its two halves.

    Attributes
    ----------
    precision : float
        Falls where objects are merged.
    recall : float
        Falls where objects are split or missed.
    f_score : float
        Their harmonic mean.
    """

    precision: float
    recall: float
    f_score: float


@dataclass(frozen=True, slots=True)
class ForegroundScores:
    """Foreground-restricted Rand and information scores, per section and their means.

    Attributes
    ----------
    rand, info : SplitMergeScore
        Means over the sections with any foreground in the truth: V_Rand and V_Info with their halves.
    sections : tuple of (z, rand, info)
        Each of these sections.
    """

    rand: SplitMergeScore
    info: SplitMergeScore
    sections: tuple[tuple[int, SplitMergeScore, SplitMergeScore], ...]

    @property
    def v_rand(self) -> float:
        """The mean F-score of the Rand index."""
        return self.rand.f_score

    @property
    def v_info(self) -> float:
        """The mean F-score of the information."""
        return self.info.f_score


@dataclass(frozen=True, slots=True)
class VariationOfInformation:
    """The variation of information in bits.

    Attributes
    ----------
    split : float
        H(prediction | truth): grows where objects of the truth are split.
    merge : float
        H(truth | prediction): grows where objects of the truth are merged.
    """

    split: float
    merge: float

    @property
    def total(self) -> float:
        """Split and merge together."""
        return self.split + self.merge


def pixel_scores(
    prediction: Volume,
    truth: Volume,
    level: float = 0.0,
    truth_level: float = 0.0,
    context: Context | None = None,
) -> PixelScores:
    """Compare two masks pixel by pixel: what lies above each volume's level is foreground."""
    check_same_shape(prediction, truth)

    def count(box: Box) -> tuple[int, int, int, int]:
        found = threshold(prediction.read(box), level)
        wanted = threshold(truth.read(box), truth_level)
        both = int(np.count_nonzero(found & wanted))
        return both, int(np.count_nonzero(found)), int(np.count_nonzero(wanted)), found.size

    total = np.zeros(4, np.int64)
    cut = boxes(prediction.shape, 1 << 22)
    for counts in map_blocks(count, cut, context or Context(), "comparing pixels"):
        total += counts
    both, found, wanted, size = total.tolist()
    return PixelScores(both, found - both, wanted - both, size - found - wanted + both)


def foreground_scores(
    prediction: Volume,
    truth: Volume,
    level: float = 0.0,
    truth_level: float = 0.0,
    context: Context | None = None,
    segments: Callable[[NDArray[Any]], NDArray[Any]] = components,
) -> ForegroundScores:
    """Compute V_Rand and V_Info of two masks as means over the sections.

    Objects are the 4-connected components of what lies above each volume's level, in each section for itself;
    those of the prediction are what `segments` makes of its mask, which may thin the borders between them.
    Only foreground of the truth counts; each of its pixels that the prediction leaves out is a segment of its
    own; false foreground on the truth's background is not seen. Arganda-Carreras et al. 2015, with alpha 1/2,
    as Fiji computes it, but for sections with a single object in both, which score 1 and not 0. Sections
    without foreground in the truth are left out.
    """
    check_same_shape(prediction, truth)

    def score(z: int) -> tuple[int, SplitMergeScore, SplitMergeScore] | None:
        wanted = components(threshold(truth[z], truth_level))
        if not wanted.any():
            return None
        table = contingency_table(segments(threshold(prediction[z], level)), wanted)
        table = table.without_background(Background.IGNORE_IN_TRUTH)
        return z, rand_score(table), information_score(table)

    found = map_blocks(score, range(truth.shape[0]), context or Context(), "scoring sections")
    sections = tuple(section for section in found if section is not None)
    if not sections:
        raise UniemError(
            f"{truth} has no foreground above {truth_level:g}.", "Check the ground truth and its level."
        )
    return ForegroundScores(_mean(s[1] for s in sections), _mean(s[2] for s in sections), sections)


def thinned_scores(
    prediction: Volume,
    truth: Volume,
    levels: Iterable[float],
    truth_level: float = 0.0,
    context: Context | None = None,
) -> dict[float, ForegroundScores]:
    """Compute `foreground_scores` after border thinning at each of several levels of the prediction.

    Arganda-Carreras et al. 2015 take the best of eleven levels, for V_Rand and for V_Info on their own.
    """
    return {
        level: foreground_scores(prediction, truth, level, truth_level, context, thinned_components)
        for level in levels
    }


def rand_score(table: Contingency) -> SplitMergeScore:
    """Return the Rand F-score of a table without truth background; prediction 0 is many single pixels."""
    total = float(table.counts.sum())
    joint, inside, loose = _foreground_parts(table)
    pairs = float((joint**2).sum()) + loose / total
    precision = pairs / (float((inside**2).sum()) + loose / total)
    recall = pairs / float(((table.truth_sizes() / total) ** 2).sum())
    return _score(precision, recall)


def information_score(table: Contingency) -> SplitMergeScore:
    """Return the information F-score of a table without truth background, as `rand_score`."""
    total = float(table.counts.sum())
    joint, inside, loose = _foreground_parts(table)
    loose_entropy = loose * math.log(total)
    truth_entropy = _entropy(table.truth_sizes() / total)
    found_entropy = _entropy(inside) + loose_entropy
    joint_entropy = _entropy(joint) + loose_entropy
    # A single object has no entropy: all that is known of it is that it was not split, or not merged.
    if truth_entropy <= 0 and found_entropy <= 0:
        return SplitMergeScore(1.0, 1.0, 1.0)
    if truth_entropy <= 0:
        return SplitMergeScore(0.0, 1.0, 0.0)
    if found_entropy <= 0:
        return SplitMergeScore(1.0, 0.0, 0.0)
    mutual = max(0.0, truth_entropy + found_entropy - joint_entropy)
    return _score(mutual / truth_entropy, mutual / found_entropy)


def adapted_rand_error(table: Contingency) -> tuple[float, SplitMergeScore]:
    """Return 1 - F of the pairs of voxels that share a label, and F with its halves.

    Label 0 is a segment like any other; restrict the table first (`Background.IGNORE_IN_TRUTH` is the custom,
    in scikit-image and SNEMI3D). Precision is the share of the prediction's pairs that are so in the truth.
    """
    counts = table.counts.astype(np.float64)
    voxels = float(counts.sum())
    together = float(counts @ counts) - voxels
    truth_sizes, prediction_sizes = table.truth_sizes(), table.prediction_sizes()
    truth_pairs = float(truth_sizes @ truth_sizes) - voxels
    prediction_pairs = float(prediction_sizes @ prediction_sizes) - voxels
    precision = together / prediction_pairs if prediction_pairs else float(not truth_pairs)
    recall = together / truth_pairs if truth_pairs else float(not prediction_pairs)
    both = truth_pairs + prediction_pairs
    f_score = 2 * together / both if both else 1.0
    return 1 - f_score, SplitMergeScore(precision, recall, f_score)


def variation_of_information(table: Contingency) -> VariationOfInformation:
    """Return the variation of information (Meila 2003) in bits; label 0 is a segment like any other."""
    total = float(table.counts.sum())
    if not total:
        return VariationOfInformation(0.0, 0.0)
    joint = _entropy(table.counts / total)
    split = joint - _entropy(table.truth_sizes() / total)
    merge = joint - _entropy(table.prediction_sizes() / total)
    return VariationOfInformation(max(0.0, split) / math.log(2), max(0.0, merge) / math.log(2))


def _foreground_parts(table: Contingency) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return the shares of pairs with a prediction, of predictions, and of what no prediction covers."""
    total = float(table.counts.sum())
    covered = table.without_background(Background.IGNORE_IN_EITHER)
    loose = total - float(covered.counts.sum())
    return covered.counts / total, covered.prediction_sizes() / total, loose / total


def _score(precision: float, recall: float) -> SplitMergeScore:
    both = precision + recall
    return SplitMergeScore(precision, recall, 2 * precision * recall / both if both > 0 else 0.0)


def _mean(scores: Iterable[SplitMergeScore]) -> SplitMergeScore:
    values = np.mean([(s.precision, s.recall, s.f_score) for s in scores], axis=0)
    return SplitMergeScore(*values.tolist())


def _entropy(shares: NDArray[np.float64]) -> float:
    """Return the entropy in nats of shares above 0."""
    return float(-(shares * np.log(shares)).sum())
