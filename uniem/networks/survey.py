"""Where the labelled objects are, and how many pixels each label has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.errors import UniemError
from uniem.networks.sections import Sections
from uniem.networks.targets import Target
from uniem.progress import Context

CELL = 64
BAND_PIXELS = 16_000_000


@dataclass(frozen=True, slots=True)
class Survey:
    """Where in sections the objects are, counted in cells of 64 × 64 pixels.

    Attributes
    ----------
    wholes : the box of each annotated section, in order.
    objects : for each annotated section, the number of object pixels of each cell, (cells y, cells x) int64.
    counts : the number of known pixels of each label; 0 and 1 for background and object where there are but
        these two, and the largest gray value where the target is gray.
    """

    wholes: Mapping[int, Box]
    objects: Mapping[int, NDArray[np.int64]]
    counts: Mapping[int, int]

    @property
    def boxes(self) -> list[Box]:
        """The boxes of the annotated sections, in order."""
        return [self.wholes[z] for z in sorted(self.objects)]

    def share_of(self, boxes: Sequence[Box]) -> float:
        """Return about which share of the pixels of some boxes, one section thick, is object."""
        pixels = sum(box.size for box in boxes)
        return sum(float(self._weighted(box).sum()) for box in boxes) / max(pixels, 1)

    def cells_in(self, box: Box) -> NDArray[np.intp]:
        """List the cells with objects that a box, one section thick, contains a part of, as (n, 2) y, x."""
        return np.argwhere(self._weighted(box) > 0)

    def _weighted(self, box: Box) -> NDArray[np.float64]:
        z = box.start[0]
        counts, whole = self.objects[z], self.wholes[z]
        covered = [
            _covered(counts.shape[axis], box.start[axis + 1], box.stop[axis + 1], whole.shape[axis + 1])
            for axis in (0, 1)
        ]
        return counts * covered[0][:, None] * covered[1][None, :]


def survey_labels(labels: Sections, target: Target, use_empty_sections: bool, context: Context) -> Survey:
    """Count where the objects are; raise if there are none, or nothing else.

    A section without any object counts as not annotated, unless `use_empty_sections` or background is
    painted, too, or the target is gray.
    """
    objects: dict[int, NDArray[np.int64]] = {}
    counts: Counter[int] = Counter()
    uses_all = use_empty_sections or target.is_gray
    for z in context.track(range(len(labels)), "Looking through the labels"):
        cells, found = _count(labels, z, target)
        if uses_all or cells.any() or (target.background_label and found.total()):
            objects[z] = cells
            counts += found
    if not target.is_gray:
        _check(labels, target, objects, counts)
    return Survey({z: labels.whole(z) for z in objects}, objects, dict(counts))


def bands(box: Box) -> Iterator[Box]:
    """Cut a box, one section thick, into bands of rows that fit in memory, each of whole cells."""
    (z, top, left), (_, bottom, right) = box.start, box.stop
    rows = max(CELL, BAND_PIXELS // max(right - left, 1) // CELL * CELL)
    for y in range(top, bottom, rows):
        yield Box((z, y, left), (z + 1, min(y + rows, bottom), right))


def _check(
    labels: Sections, target: Target, objects: Mapping[int, NDArray[np.int64]], counts: Counter[int]
) -> None:
    inside = sum(int(cells.sum()) for cells in objects.values())
    if not inside:
        what = "boundary: it has one label only" if target.task == "boundary" else "object"
        raise UniemError(
            f"{labels} holds no {what}{'' if ':' in what else ': every voxel is background'}.",
            "Paint some objects, or choose other labels.",
        )
    if target.task != "multi-class" and counts.total() == inside:
        raise UniemError(
            f"{labels} holds no background: every voxel is part of an object.",
            f"Give what is not an object label {target.background_label}, or choose other labels.",
        )


def _count(labels: Sections, z: int, target: Target) -> tuple[NDArray[np.int64], Counter[int]]:
    """Return the object pixels of each cell of a section, and the known pixels of each label."""
    cells, counts = [], Counter[int]()
    for band in bands(labels.whole(z)):
        values = labels.read(band)
        is_object = target.is_object(values)
        if target.is_gray:
            counts[int(values.max(initial=0))] += values.size
        elif target.task == "multi-class":
            found = np.unique(values[target.is_known(values)], return_counts=True)
            counts.update(dict(zip(*(part.tolist() for part in found), strict=True)))
        else:
            inside = int(is_object.sum())
            counts.update({0: int(target.is_known(values).sum()) - inside, 1: inside})
        rows = np.add.reduceat(is_object, np.arange(0, values.shape[0], CELL), axis=0, dtype=np.int64)
        cells.append(np.add.reduceat(rows, np.arange(0, values.shape[1], CELL), axis=1))
    return np.concatenate(cells), counts


def _covered(cells: int, start: int, stop: int, length: int) -> NDArray[np.float64]:
    """Return which share of each cell along an axis lies between start and stop."""
    low = np.arange(cells) * CELL
    high = np.minimum(low + CELL, length)
    inside = np.maximum(np.minimum(high, stop) - np.maximum(low, start), 0)
    return np.asarray(inside / (high - low), np.float64)
