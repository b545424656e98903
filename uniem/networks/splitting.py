"""Which parts of the labels train a network, and which judge it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.progress import Context

CELL = 64
BAND_PIXELS = 16_000_000
# Below this number of held-out sections, a part of every section is held out instead.
FEWEST_SECTIONS = 0.75


@dataclass(frozen=True, slots=True)
class Survey:
    """Where in a volume the labelled objects are, counted in cells of 64 × 64 pixels.

    Attributes
    ----------
    shape : the volume's shape.
    objects : for each annotated section, the number of object pixels of each cell, (cells y, cells x) int64.
    """

    shape: Triple
    objects: Mapping[int, NDArray[np.int64]]

    @property
    def sections(self) -> list[int]:
        """The annotated sections, in order."""
        return sorted(self.objects)

    def share_of(self, boxes: Sequence[Box]) -> float:
        """Return about which share of the pixels of some boxes, one section thick, is object."""
        pixels = sum(box.size for box in boxes)
        return sum(float(self._weighted(box).sum()) for box in boxes) / max(pixels, 1)

    def cells_in(self, box: Box) -> NDArray[np.intp]:
        """List the cells with objects that a box, one section thick, contains a part of, as (n, 2) y, x."""
        return np.argwhere(self._weighted(box) > 0)

    def _weighted(self, box: Box) -> NDArray[np.float64]:
        counts = self.objects[box.start[0]]
        covered = [
            _covered(counts.shape[axis], box.start[axis + 1], box.stop[axis + 1], self.shape[axis + 1])
            for axis in (0, 1)
        ]
        return counts * covered[0][:, None] * covered[1][None, :]


def survey_labels(
    labels: Volume,
    ignore_label: int | None,
    use_empty_sections: bool,
    context: Context,
    background_label: int = 0,
) -> Survey:
    """Count where the objects are; raise if there are none, or nothing else.

    A section without any object counts as not annotated, unless `use_empty_sections` or background is
    painted, too.
    """
    objects = {}
    background = 0
    for z in context.track(range(labels.shape[0]), "Looking through the labels"):
        counts, known = _count(labels, z, ignore_label, background_label)
        if use_empty_sections or counts.any() or (background_label and known):
            objects[z] = counts
            background += known - int(counts.sum())
    name = labels.name or "The label volume"
    if not any(counts.any() for counts in objects.values()):
        raise UniemError(
            f"{name} holds no object: every voxel is background.",
            "Paint some objects, or choose other labels.",
        )
    if background == 0:
        raise UniemError(
            f"{name} holds no background: every voxel is part of an object.",
            f"Give what is not an object label {background_label}, or choose other labels.",
        )
    return Survey(labels.shape, objects)


@dataclass(frozen=True, slots=True)
class Split:
    """Boxes, each within one section, that train a network, and others that judge it; they share no voxel."""

    training: tuple[Box, ...]
    validation: tuple[Box, ...]

    def __str__(self) -> str:
        train = len({box.start[0] for box in self.training})
        judged = len({box.start[0] for box in self.validation})
        if not judged:
            return f"All of {train} sections train the network; none is held out."
        if {box.start[0] for box in self.training} & {box.start[0] for box in self.validation}:
            share = sum(box.size for box in self.validation) / sum(
                box.size for box in (*self.training, *self.validation)
            )
            return f"{share:.0%} of each of {judged} sections is held out to judge the network."
        return f"{train} sections train the network, {judged} are held out to judge it."


def split_sections(survey: Survey, fraction: float) -> Split:
    """Hold out a share of the annotated sections: whole neighbours, or a strip of each if they are few.

    A strip is at the same side in all sections, because sections next to each other look alike. Of the
    possible runs of sections, or sides, the one whose share of object pixels is nearest to that of all is
    held out.
    """
    boxes = [Box.section(z, survey.shape) for z in survey.sections]
    candidates: list[Split] = []
    if fraction * len(boxes) >= FEWEST_SECTIONS and len(boxes) > 1:
        candidates = list(_runs(boxes, fraction))
    elif fraction > 0:
        candidates = list(_strips(boxes, survey.shape, fraction))
    if not candidates:
        return Split(tuple(boxes), ())
    share = survey.share_of(boxes)
    return min(candidates, key=lambda split: abs(survey.share_of(split.validation) - share))


def bands(box: Box) -> Iterator[Box]:
    """Cut a box, one section thick, into bands of rows that fit in memory, each of whole cells."""
    (z, top, left), (_, bottom, right) = box.start, box.stop
    rows = max(CELL, BAND_PIXELS // max(right - left, 1) // CELL * CELL)
    for y in range(top, bottom, rows):
        yield Box((z, y, left), (z + 1, min(y + rows, bottom), right))


def _count(
    labels: Volume, z: int, ignore_label: int | None, background_label: int
) -> tuple[NDArray[np.int64], int]:
    """Return the object pixels of each cell of a section, and how many of its pixels are known."""
    counts, known = [], 0
    for band in bands(Box.section(z, labels.shape)):
        values = labels.read(band)[0]
        is_object = values != background_label
        known += values.size
        if ignore_label is not None:
            is_known = values != ignore_label
            known -= values.size - int(is_known.sum())
            is_object &= is_known
        rows = np.add.reduceat(is_object, np.arange(0, values.shape[0], CELL), axis=0, dtype=np.int64)
        counts.append(np.add.reduceat(rows, np.arange(0, values.shape[1], CELL), axis=1))
    return np.concatenate(counts), known


def _covered(cells: int, start: int, stop: int, length: int) -> NDArray[np.float64]:
    """Return which share of each cell along an axis lies between start and stop."""
    low = np.arange(cells) * CELL
    high = np.minimum(low + CELL, length)
    inside = np.maximum(np.minimum(high, stop) - np.maximum(low, start), 0)
    return np.asarray(inside / (high - low), np.float64)


def _runs(boxes: list[Box], fraction: float) -> Iterator[Split]:
    count = min(max(1, round(fraction * len(boxes))), len(boxes) - 1)
    for first in range(len(boxes) - count + 1):
        held_out = boxes[first : first + count]
        yield Split((*boxes[:first], *boxes[first + count :]), tuple(held_out))


def _strips(boxes: list[Box], shape: Triple, fraction: float) -> Iterator[Split]:
    for axis in (1, 2):
        width = max(1, round(fraction * shape[axis]))
        for cut, at_end in ((shape[axis] - width, True), (width, False)):
            if 0 < cut < shape[axis]:
                parts = [_cut(box, axis, cut) for box in boxes]
                first, second = tuple(a for a, _ in parts), tuple(b for _, b in parts)
                yield Split(first, second) if at_end else Split(second, first)


def _cut(box: Box, axis: int, position: int) -> tuple[Box, Box]:
    stop, start = list(box.stop), list(box.start)
    stop[axis] = start[axis] = position
    return Box(box.start, (stop[0], stop[1], stop[2])), Box((start[0], start[1], start[2]), box.stop)
