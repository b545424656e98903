"""How many voxels carry each pair of labels of two segmentations, streamed over volumes of any size."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.blockwise import boxes, map_blocks
from uniem.data.geometry import Box
from uniem.data.volume import Volume, check_same_shape
from uniem.errors import UniemError
from uniem.progress import Context

BLOCK_VOXELS = 1 << 22
DENSE_TABLE = 1 << 20


class Background(StrEnum):
    """Which voxels with label 0 count."""

    KEEP = "keep"
    IGNORE_IN_TRUTH = "ignore-in-truth"
    IGNORE_IN_EITHER = "ignore-in-either"


@dataclass(frozen=True, slots=True)
class Contingency:
    """How many voxels carry each pair of labels that occurs, (n,) each, sorted by truth, then prediction."""

    truth: NDArray[np.uint64]
    prediction: NDArray[np.uint64]
    counts: NDArray[np.int64]

    def without_background(self, background: Background) -> Contingency:
        """Return the table without the voxels of label 0 that do not count."""
        keep = np.ones(len(self.counts), np.bool_)
        if background is not Background.KEEP:
            keep &= self.truth != 0
        if background is Background.IGNORE_IN_EITHER:
            keep &= self.prediction != 0
        return Contingency(self.truth[keep], self.prediction[keep], self.counts[keep])

    def truth_sizes(self) -> NDArray[np.float64]:
        """Return the voxels of each label of the truth."""
        return _sums(self.truth, self.counts)

    def prediction_sizes(self) -> NDArray[np.float64]:
        """Return the voxels of each label of the prediction."""
        return _sums(self.prediction, self.counts)


def contingency(prediction: Volume, truth: Volume, context: Context | None = None) -> Contingency:
    """Count the voxels of every pair of labels of two label volumes."""
    check_same_shape(prediction, truth)
    for volume in (prediction, truth):
        if volume.dtype.kind not in "uib":
            raise UniemError(f"{volume} does not hold labels.", "Give a volume of whole numbers.")

    def count(box: Box) -> Contingency:
        return contingency_table(prediction.read(box), truth.read(box))

    parts: list[Contingency] = []
    cut = boxes(prediction.shape, BLOCK_VOXELS)
    for part in map_blocks(count, cut, context or Context(), "comparing labels"):
        parts.append(part)
        # Adding up at every doubling keeps both the memory and the work proportional to the pairs there are.
        if sum(len(p.counts) for p in parts[1:]) > max(1 << 20, len(parts[0].counts)):
            parts = [_merged(parts)]
    return _merged(parts)


def contingency_table(prediction: NDArray[Any], truth: NDArray[Any]) -> Contingency:
    """Count the voxels of every pair of labels of two arrays, through the runs of equal pairs."""
    one, two = (np.ascontiguousarray(a).ravel() for a in (prediction, truth))
    if not one.size:
        return _merged([])
    starts = np.flatnonzero((one[1:] != one[:-1]) | (two[1:] != two[:-1]))
    starts = np.concatenate([[0], starts + 1])
    lengths = np.diff(starts, append=one.size)
    return _grouped(two[starts].astype(np.uint64), one[starts].astype(np.uint64), lengths)


def _sums(labels: NDArray[np.uint64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    _, row = np.unique(labels, return_inverse=True)
    return np.bincount(row, weights=counts).astype(np.float64)


def _merged(parts: list[Contingency]) -> Contingency:
    if not parts:
        none = np.zeros(0, np.uint64)
        return Contingency(none, none, np.zeros(0, np.int64))
    if len(parts) == 1:
        return parts[0]
    return _grouped(
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.prediction for part in parts]),
        np.concatenate([part.counts for part in parts]),
    )


def _grouped(truth: NDArray[np.uint64], prediction: NDArray[np.uint64], counts: NDArray[Any]) -> Contingency:
    """Add up the counts of equal pairs."""
    heights, widths = int(truth.max(initial=0)) + 1, int(prediction.max(initial=0)) + 1
    if heights * widths <= DENSE_TABLE:
        keys = truth * np.uint64(widths) + prediction
        sums = np.bincount(keys.astype(np.int64), weights=counts)
        pairs = np.flatnonzero(sums)
        rows, columns = np.divmod(pairs.astype(np.uint64), np.uint64(widths))
        return Contingency(rows, columns, sums[pairs].astype(np.int64))
    names: tuple[NDArray[np.uint64], ...] = ()
    if heights > 1 << 32 or widths > 1 << 32:
        (truth_names, truth), (prediction_names, prediction) = _renumbered(truth), _renumbered(prediction)
        names = (truth_names, prediction_names)
    keys, row = np.unique((truth << np.uint64(32)) | prediction, return_inverse=True)
    sums = np.bincount(row, weights=counts)
    rows, columns = keys >> np.uint64(32), keys & np.uint64(0xFFFFFFFF)
    if names:
        rows, columns = names[0][rows], names[1][columns]
    return Contingency(rows, columns, sums.astype(np.int64))


def _renumbered(labels: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    names, row = np.unique(labels, return_inverse=True)
    return names, row.astype(np.uint64)
