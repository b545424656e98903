"""Which parts of the labels train a network, and which judge it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from uniem.data.geometry import Box
from uniem.errors import UniemError
from uniem.networks.survey import Survey

# Below this number of held-out sections, a part of every section is held out instead.
FEWEST_SECTIONS = 0.75
SECTIONS_HINT = "Write numbers of sections, from 0 on, as in 0, 3, 8-11; some must remain to train."


class Fold(NamedTuple):
    """One of several parts of what is annotated, held out in its turn; numbered from 1."""

    number: int
    folds: int


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
    boxes = survey.boxes
    candidates: list[Split] = []
    if fraction * len(boxes) >= FEWEST_SECTIONS and len(boxes) > 1:
        candidates = list(_runs(boxes, fraction))
    elif fraction > 0:
        candidates = list(_strips(boxes, fraction))
    if not candidates:
        return Split(tuple(boxes), ())
    share = survey.share_of(boxes)
    return min(candidates, key=lambda split: abs(survey.share_of(split.validation) - share))


def hold_out_sections(survey: Survey, text: str) -> Split:
    """Hold out the sections that a text such as `0, 3, 8-11` names; raise where it makes no sense."""
    named: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        if match is None:
            raise UniemError(f"'{part.strip()}' in '{text}' names no section.", SECTIONS_HINT)
        named.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    boxes = survey.boxes
    held_out = [box for box in boxes if box.start[0] in named]
    rest = [box for box in boxes if box.start[0] not in named]
    if not held_out or not rest:
        numbers = ", ".join(str(box.start[0]) for box in boxes[:20])
        raise UniemError(
            f"Of the annotated sections, {numbers}{', …' if len(boxes) > 20 else ''}, '{text}' holds out "
            f"{'none' if not held_out else 'all'}.",
            SECTIONS_HINT,
        )
    return Split(tuple(rest), tuple(held_out))


def hold_out_boxes(survey: Survey, text: str) -> Split:
    """Hold out boxes, `z0:z1, y0:y1, x0:x1`, several joined by semicolons; raise where they are empty."""
    training, validation = survey.boxes, list[Box]()
    for part in text.split(";"):
        box = _read_box(part)
        kept: list[Box] = []
        for region in training:
            inside = region.intersection(box)
            if inside.is_empty:
                kept.append(region)
            else:
                validation.append(inside)
                kept += _around(region, inside)
        training = kept
    if not validation or not training:
        raise UniemError(
            f"'{text}' holds out {'all' if validation else 'none'} of what is annotated.",
            "Write z0:z1, y0:y1, x0:x1 in pixels, the ends not included.",
        )
    return Split(tuple(training), tuple(validation))


def fold_splits(survey: Survey, folds: int) -> list[Split]:
    """Cut what is annotated in so many parts, each held out once: runs of sections, or strips of each."""
    boxes = survey.boxes
    if len(boxes) >= folds:
        edges = [round(i * len(boxes) / folds) for i in range(folds + 1)]
        parts = [boxes[a:b] for a, b in pairwise(edges)]
        return [
            Split(tuple(box for other in parts if other is not part for box in other), tuple(part))
            for part in parts
        ]
    axis = 1 if min(b.shape[1] for b in boxes) >= min(b.shape[2] for b in boxes) else 2
    if min(box.shape[axis] for box in boxes) < folds:
        raise UniemError(f"The sections are too small for {folds} folds.", "Choose fewer folds.")
    return [_strip_fold(boxes, axis, number, folds) for number in range(folds)]


def _strip_fold(boxes: Sequence[Box], axis: int, number: int, folds: int) -> Split:
    training, validation = list[Box](), list[Box]()
    for box in boxes:
        first, last = (round(n * box.shape[axis] / folds) for n in (number, number + 1))
        before, rest = _cut(box, axis, box.start[axis] + first)
        held_out, after = _cut(rest, axis, box.start[axis] + last)
        validation.append(held_out)
        training += [part for part in (before, after) if part.size]
    return Split(tuple(training), tuple(validation))


def _read_box(text: str) -> Box:
    edges = [re.fullmatch(r"\s*(\d+)\s*:\s*(\d+)\s*", part) for part in text.split(",")]
    numbers = [(int(m[1]), int(m[2])) for m in edges if m is not None]
    if len(edges) != 3 or len(numbers) != 3 or any(low >= high for low, high in numbers):
        raise UniemError(
            f"'{text.strip()}' is not a box.", "Write z0:z1, y0:y1, x0:x1 in pixels, as in 0:2, 0:256, 0:512."
        )
    (z, z_stop), (y, y_stop), (x, x_stop) = numbers
    return Box((z, y, x), (z_stop, y_stop, x_stop))


def _around(region: Box, hole: Box) -> list[Box]:
    """Return what is left of a section's region around a hole: above, below, left and right."""
    above, rest = _cut(region, 1, hole.start[1])
    middle, below = _cut(rest, 1, hole.stop[1])
    left, rest = _cut(middle, 2, hole.start[2])
    _, right = _cut(rest, 2, hole.stop[2])
    return [part for part in (above, below, left, right) if part.size]


def _runs(boxes: list[Box], fraction: float) -> Iterator[Split]:
    count = min(max(1, round(fraction * len(boxes))), len(boxes) - 1)
    for first in range(len(boxes) - count + 1):
        held_out = boxes[first : first + count]
        yield Split((*boxes[:first], *boxes[first + count :]), tuple(held_out))


def _strips(boxes: list[Box], fraction: float) -> Iterator[Split]:
    for axis in (1, 2):
        if min(box.shape[axis] for box in boxes) < 2:
            continue
        for at_end in (True, False):
            training, validation = list[Box](), list[Box]()
            for box in boxes:
                length = box.shape[axis]
                width = min(max(1, round(fraction * length)), length - 1)
                parts = _cut(box, axis, length - width if at_end else width)
                training.append(parts[0 if at_end else 1])
                validation.append(parts[1 if at_end else 0])
            yield Split(tuple(training), tuple(validation))


def _cut(box: Box, axis: int, position: int) -> tuple[Box, Box]:
    stop, start = list(box.stop), list(box.start)
    stop[axis] = start[axis] = position
    return Box(box.start, (stop[0], stop[1], stop[2])), Box((start[0], start[1], start[2]), box.stop)
