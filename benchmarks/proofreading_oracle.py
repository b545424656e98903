"""Someone who knows the ground truth: finds the errors of a segmentation, and where to click to mend them.

Gains are in bits of the variation of information (Meila 2003) over the voxels that have a label in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.contingency import Background, contingency_table
from uniem.algorithms.metrics import VariationOfInformation, variation_of_information
from uniem.data.geometry import Box
from uniem.proofreading.tools.plane import Point

# A part that a person would cut off has so many voxels that deep inside: what is thinner are films of a voxel
# or two, where segmentation and truth draw a common border differently.
_CORE_DEPTH, _LEAST_CORE = 2.5, 150
MOST_PARTS = 8
_MARKS_PER_PART, _MARKS_PER_ROUND = 5, 3
_LEAST_MISTAKE = 30


@dataclass(frozen=True, slots=True)
class MergeError:
    """Two segments of one neuron, the larger first, and what merging them gains."""

    gain: float
    into: int
    other: int


@dataclass(frozen=True, slots=True)
class SplitError:
    """A segment that holds parts of several neurons, the largest first, and what a perfect cut gains."""

    gain: float
    label: int
    neurons: tuple[int, ...]


class Oracle:
    """Compare labels with a ground truth, both (z, y, x) of whole numbers, 0 where nobody knows."""

    def __init__(self, truth: NDArray[Any]) -> None:
        self.truth = truth
        self._voxels = 1
        self._cores: dict[tuple[int, int], dict[int, int]] = {}

    def score(self, labels: NDArray[Any]) -> VariationOfInformation:
        """Return the variation of information, without the voxels that are 0 in either."""
        table = contingency_table(labels, self.truth).without_background(Background.IGNORE_IN_EITHER)
        return variation_of_information(table)

    def errors(self, labels: NDArray[Any], least_gain: float) -> list[MergeError | SplitError]:
        """List what is worth mending, the largest gain first."""
        table = contingency_table(labels, self.truth).without_background(Background.IGNORE_IN_EITHER)
        self._voxels = int(table.counts.sum())
        segments, row = np.unique(table.prediction, return_inverse=True)
        neurons, column = np.unique(table.truth, return_inverse=True)
        counts = np.zeros((len(segments), len(neurons)))
        counts[row, column] = table.counts
        found: list[MergeError | SplitError] = [*self._merges(counts, segments)]
        found += self._splits(counts, (segments, neurons), labels, least_gain)
        return sorted((one for one in found if one.gain > least_gain), key=lambda one: -one.gain)

    def gain_of(self, before: NDArray[Any], after: NDArray[Any], truth: NDArray[Any]) -> float:
        """Return what some voxels' going from one label to others gains; it must be all that have the label.

        The others must be new.
        """
        known = (truth > 0) & (before > 0)
        had = contingency_table(before[known], truth[known])
        has = contingency_table(after[known], truth[known])
        joint = _weight(has.counts).sum() - _weight(had.counts).sum()
        sizes = _weight(has.prediction_sizes()).sum() - _weight(had.prediction_sizes()).sum()
        return float(2 * joint - sizes) / self._voxels

    def _merges(self, counts: NDArray[Any], segments: NDArray[Any]) -> Iterator[MergeError]:
        main, sizes = counts.argmax(axis=1), counts.sum(axis=1)
        for neuron in np.unique(main).tolist():
            for one, two in combinations(np.flatnonzero(main == neuron).tolist(), 2):
                joint = _weight(counts[one] + counts[two]) - _weight(counts[one]) - _weight(counts[two])
                whole = _weight(sizes[one] + sizes[two]) - _weight(sizes[one]) - _weight(sizes[two])
                into, other = (one, two) if sizes[one] >= sizes[two] else (two, one)
                gain = float(2 * joint.sum() - whole) / self._voxels
                yield MergeError(gain, int(segments[into]), int(segments[other]))

    def _splits(
        self,
        counts: NDArray[Any],
        names: tuple[NDArray[Any], NDArray[Any]],
        labels: NDArray[Any],
        least: float,
    ) -> Iterator[SplitError]:
        segments, neurons = names
        for row, label in enumerate(segments.tolist()):
            order = np.argsort(-counts[row])
            parts = order[counts[row][order] >= _LEAST_CORE]
            if self._gain(counts[row][parts]) <= least:
                continue
            cores = self._cores_of(label, int(counts[row].sum()), labels)
            deep = [p for p in parts.tolist() if cores.get(int(neurons[p]), 0) >= _LEAST_CORE][:MOST_PARTS]
            if len(deep) > 1:
                yield SplitError(self._gain(counts[row][deep]), label, tuple(int(neurons[p]) for p in deep))

    def _gain(self, sizes: NDArray[Any]) -> float:
        """Return what a perfect cut of a segment of such parts gains."""
        return float(_weight(sizes.sum()) - _weight(sizes).sum()) / self._voxels

    def _cores_of(self, label: int, voxels: int, labels: NDArray[Any]) -> dict[int, int]:
        """Return how many voxels of each neuron lie deep inside their part of a segment."""
        import edt

        key = label, voxels
        if key not in self._cores:
            mask = labels == label
            box = _around(mask)
            parts = np.where(mask[box], self.truth[box], 0).astype(np.uint32)
            depth = edt.edt(np.ascontiguousarray(parts))
            neurons, counts = np.unique(parts[(depth >= _CORE_DEPTH) & (parts > 0)], return_counts=True)
            self._cores[key] = dict(zip(neurons.tolist(), counts.tolist(), strict=True))
        return self._cores[key]


def marks_inside(part: NDArray[np.bool_], box: Box, count: int = _MARKS_PER_PART) -> list[Point]:
    """Return voxels deep inside the largest piece of a part within a box, far from one another."""
    import cc3d
    import edt

    pieces = cc3d.connected_components(part, connectivity=6)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    depth = edt.edt(np.ascontiguousarray(pieces == sizes.argmax()), black_border=True)
    deep = np.argwhere(depth >= min(_CORE_DEPTH, depth.max()))
    chosen = [np.array(np.unravel_index(int(depth.argmax()), depth.shape))]
    nearest = np.linalg.norm(deep - chosen[0], axis=1)
    while len(chosen) < count and nearest.max() > 2 * _CORE_DEPTH:
        chosen.append(deep[nearest.argmax()])
        nearest = np.minimum(nearest, np.linalg.norm(deep - chosen[-1], axis=1))
    return [tuple((place + box.start).tolist()) for place in chosen]


def corrections(
    after: NDArray[Any],
    mask: NDArray[np.bool_],
    truth: NDArray[Any],
    parts: Sequence[tuple[int, int]],
    box: Box,
) -> list[list[Point]]:
    """Return more marks for each part where a proposed split is wrong, at the largest mistakes first.

    A part is its neuron and the label that the proposal gives it.
    """
    groups: list[list[Point]] = [[] for _ in parts]
    wrong = [mask & (truth == neuron) & (after != label) for neuron, label in parts]
    worst = sorted(range(len(parts)), key=lambda n: -int(wrong[n].sum()))
    for number in worst[:_MARKS_PER_ROUND]:
        if wrong[number].sum() >= _LEAST_MISTAKE:
            groups[number] = marks_inside(wrong[number], box, 2)
    return groups


def line_between(one: NDArray[np.bool_], two: NDArray[np.bool_], box: Box) -> list[Point]:
    """Return a line, in a section along x and y, between two parts of an object; none if they never touch.

    It is straight, lies where they touch most, and goes on to both sides until it has left the object.
    """
    touching = _touching(one, two)
    areas = touching.sum(axis=(1, 2))
    z = int(areas.argmax())
    places = np.argwhere(touching[z]).astype(float)
    if len(places) < 2:
        return []
    middle = places.mean(axis=0)
    way = np.linalg.svd(places - middle, full_matrices=False)[2][0]
    whole = (one | two)[z]
    ends = [_leave(whole, middle, way * sign) for sign in (1, -1)]
    return [(z + box.start[0], y + box.start[1], x + box.start[2]) for y, x in ends]


def _leave(mask: NDArray[np.bool_], start: NDArray[Any], way: NDArray[Any]) -> tuple[float, float]:
    """Return where a ray first is outside of a mask for a while."""
    y, x = (float(n) for n in start)
    outside = 0
    while outside < 3:
        y, x = y + float(way[0]), x + float(way[1])
        is_inside = 0 <= round(y) < mask.shape[0] and 0 <= round(x) < mask.shape[1]
        outside = 0 if is_inside and mask[round(y), round(x)] else outside + 1
    return y, x


def _touching(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the voxels of one mask that share a face, within their section, with the other."""
    found = np.zeros(one.shape, np.bool_)
    for axis in (1, 2):
        for here, there in ((slice(None, -1), slice(1, None)), (slice(1, None), slice(None, -1))):
            near = tuple(here if a == axis else slice(None) for a in range(3))
            far = tuple(there if a == axis else slice(None) for a in range(3))
            found[near] |= one[near] & two[far]
    return found


def _around(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    """Return the box around a mask that is not empty."""
    spans = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    return tuple(slice(int(span[0]), int(span[-1]) + 1) for span in spans)


def _weight(counts: Any) -> Any:
    """Return n log2 n."""
    counts = np.asarray(counts, np.float64)
    return counts * np.log2(np.maximum(counts, 1))
