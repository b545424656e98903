"""What painting should do, as slowly and plainly as possible: every voxel of an array is looked at.

Nothing here is shared with the tools. Places are z, y, x of voxels, lengths are in voxels along x, and a voxel
is covered by what its centre is covered by.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from uniem.data.geometry import Triple, VoxelSize
from uniem.proofreading.tools.protect import Over

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
# Centres on a rim are inside; where one is nearly on it, rounding decides, and no answer is the right one.
ON_RIM, NEAR_RIM = 1e-9, 1e-4


class Undecided(Exception):
    """A voxel lies so near to a rim that it may fall on either side."""


@dataclass
class Step:
    """What an edit changed: voxels by their flat index, with the first and the last place, or a lock."""

    where: NDArray[np.intp]
    before: NDArray[np.uint32]
    after: NDArray[np.uint32]
    box: tuple[Triple, Triple] | None = None
    lock: tuple[int, bool] | None = None


@dataclass
class PlainModel:
    """The labels, the edits that led to them, and what is in the hand."""

    labels: NDArray[np.uint32]
    image: NDArray[np.uint8]
    voxel_size: VoxelSize
    position: Triple
    tool: str = "navigate"
    label: int = 1
    label_before_swap: int = 1
    brush_px: int = 24
    is_ball: bool = False
    uses_pressure: bool = False
    gray: tuple[float, float] | None = None
    over: Over = Over.ALL
    selected: frozenset[int] = frozenset()
    locked: set[int] = field(default_factory=set)
    slots: dict[int, int] = field(default_factory=dict)
    done: list[Step] = field(default_factory=list)
    undone: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._next = int(self.labels.max()) + 1
        longer = [self.voxel_size[axis] / self.voxel_size.x for axis in range(3)]
        self._centres = np.stack(np.indices(self.labels.shape), axis=-1) * np.array(longer)
        self._longer = longer

    # What is in the hand.

    def grow_brush(self, notches: int) -> None:
        """Grow the brush by a tenth a notch, by one voxel at least."""
        for _ in range(abs(notches)):
            tenth = max(1, round(self.brush_px / 10))
            self.brush_px += tenth if notches > 0 else -tenth
        self.brush_px = min(2000, max(1, self.brush_px))

    def swap(self) -> None:
        """Change between background and the label."""
        if self.label:
            self.label_before_swap, self.label = self.label, 0
        else:
            self.label = self.label_before_swap

    def take_new_label(self) -> None:
        """Take a label that was never there."""
        self.label, self._next = self._next, self._next + 1

    def move(self, axis: int, by: int) -> None:
        """Go to another section, or as far as there are any."""
        place = list(self.position)
        place[axis] = min(self.labels.shape[axis] - 1, max(0, place[axis] + by))
        self.position = (place[0], place[1], place[2])

    def radius(self, pressure: float) -> float:
        """Return the radius of the brush, pressed so hard."""
        if not self.uses_pressure:
            return self.brush_px / 2
        return max(0.5, self.brush_px / 2 * max(0.05, pressure))

    # What tools cover.

    def stroke(self, points: Sequence[Triple], radii: Sequence[float], across: int) -> Mask:
        """Return what a disc (or ball) covers on its way from point to point."""
        covered = np.zeros(self.labels.shape, np.bool_)
        here = points[0][across]
        reach = max(radii) / self._longer[across] if self.is_ball else 0.0
        for section in range(self.labels.shape[across]):
            if abs(section - here) > reach + 1:
                continue
            away = abs(section - here) * self._longer[across]
            if not self.is_ball and away > 0:
                continue
            where: list[slice | int] = [slice(None)] * 3
            where[across] = section
            centres = np.delete(self._centres[tuple(where)], across, axis=-1)
            covered[tuple(where)] = self._discs(centres, points, radii, across, away)
        if self.gray is not None:
            covered &= (self.image >= self.gray[0]) & (self.image <= self.gray[1])
        return covered

    def _discs(
        self, centres: Floats, points: Sequence[Triple], radii: Sequence[float], across: int, away: float
    ) -> Mask:
        """Return what the cross-sections of balls cover in a section that is so far away from their middles."""
        ends: list[tuple[Floats, float] | None] = []
        for point, radius in zip(points, radii, strict=True):
            place = np.delete(np.array(point) * np.array(self._longer), across)
            if 0 < abs(radius - away) < NEAR_RIM:
                raise Undecided
            ends.append((place, math.sqrt(radius**2 - away**2)) if radius >= away else None)
        slack = np.full(centres.shape[:-1], np.inf)
        for one, two in _neighbours(ends):
            slack = np.minimum(slack, _slack(centres, one, two))
        if np.any((np.abs(slack) > ON_RIM) & (np.abs(slack) < NEAR_RIM)):
            raise Undecided
        return slack <= ON_RIM

    def polygon(self, corners: Sequence[tuple[float, float]], rows: int, columns: int, across: int) -> Mask:
        """Return the voxels of a section around whose centres an outline goes; centres are at integers."""
        covered = np.zeros(self.labels.shape, np.bool_)
        height, width = self.labels.shape[rows], self.labels.shape[columns]
        row, column = np.indices((height, width)).astype(np.float64)
        turned = np.zeros((height, width))
        for one, two in zip(corners, [*corners[1:], corners[0]], strict=True):
            y0, x0, y1, x1 = one[0] - row, one[1] - column, two[0] - row, two[1] - column
            cross, dot = y0 * x1 - x0 * y1, y0 * y1 + x0 * x1
            length = math.hypot(two[0] - one[0], two[1] - one[1])
            if np.any((np.abs(cross) < NEAR_RIM * max(length, NEAR_RIM)) & (dot <= NEAR_RIM)):
                raise Undecided
            turned += np.arctan2(cross, dot)
        inside = np.abs(turned) > math.pi
        where: list[slice | int] = [slice(None)] * 3
        where[across] = self.position[across]
        covered[tuple(where)] = inside if rows < columns else inside.T
        if self.gray is not None:
            covered &= (self.image >= self.gray[0]) & (self.image <= self.gray[1])
        return covered

    def region(self, point: Triple, is_erasing: bool, tolerance: float | None, across: int | None) -> Mask:
        """Return the region of a point: of its label, or of similar gray; `across` keeps to the section."""
        label, begun_on = 0 if is_erasing else self.label, int(self.labels[point])
        paintable = self.paintable(begun_on, is_erasing)
        if tolerance is None:
            similar = self.labels == begun_on
            may_begin = bool(paintable[point])
        else:
            near = np.abs(self.image.astype(float) - float(self.image[point])) <= tolerance
            similar = near & (paintable | (self.labels == label))
            may_begin = bool(similar[point])
        if across is not None:
            section = np.zeros(self.labels.shape, np.bool_)
            where: list[slice | int] = [slice(None)] * 3
            where[across] = point[across]
            section[tuple(where)] = True
            similar &= section
        numbered = scipy.ndimage.label(similar)[0]
        return (numbered == numbered[point]) & similar if may_begin else np.zeros_like(similar)

    def paintable(self, begun_on: int, is_erasing: bool, spares_others: bool = False) -> Mask:
        """Return which voxels may be changed by a gesture that begins on a label.

        Painting with background in hand is erasing.
        """
        is_erasing = is_erasing or not self.label
        free = ~np.isin(self.labels, list(self.locked))
        if self.over is Over.SELECTED:
            return free & np.isin(self.labels, list(self.selected or {begun_on}))
        if self.over is Over.BACKGROUND and is_erasing:
            return free & (self.labels == (self.label or self.label_before_swap))
        if self.over is Over.BACKGROUND or spares_others:
            return free & (self.labels == 0)
        return free

    # Edits.

    def paint(
        self, covered: Mask, begun_on: int, is_erasing: bool = False, spares_others: bool = False
    ) -> None:
        """Give what is covered the label in hand, or background."""
        label = 0 if is_erasing else self.label
        if label in self.locked:
            return
        changing = covered & self.paintable(begun_on, is_erasing, spares_others) & (self.labels != label)
        where = np.flatnonzero(changing)
        if len(where):
            before = self.labels.ravel()[where].copy()
            self._do(Step(where, before, np.full(len(where), label, np.uint32), _box(changing)))

    def reshape(self, shape: Mask) -> None:
        """Give the label in hand another shape, not over other labels unless they are selected."""
        old = self.labels == self.label
        gained = shape & ~old & self.paintable(0, False, spares_others=True)
        changing = gained | (old & ~shape)
        where = np.flatnonzero(changing)
        if len(where) and self.label not in self.locked:
            before = self.labels.ravel()[where].copy()
            after = np.where(shape.ravel()[where], self.label, 0).astype(np.uint32)
            self._do(Step(where, before, after, _box(changing)))

    def merge(self, others: set[int]) -> None:
        """Give whole objects the label in hand, whatever may be painted over; locked ones stay."""
        changing = np.isin(self.labels, sorted(others - self.locked - {0, self.label}))
        where = np.flatnonzero(changing)
        if len(where) and self.label not in self.locked:
            before = self.labels.ravel()[where].copy()
            self._do(Step(where, before, np.full(len(where), self.label, np.uint32), _box(changing)))

    def copy(self, across: int, by: int) -> None:
        """Copy the shape of the label in hand to another section, and go there."""
        target = self.position[across] + by
        source: list[slice | int] = [slice(None)] * 3
        source[across] = self.position[across]
        shape = self.labels[tuple(source)] == self.label
        can_go = 0 <= target < self.labels.shape[across] and self.label and self.label not in self.locked
        if not can_go or not shape.any():
            return
        covered = np.zeros(self.labels.shape, np.bool_)
        source[across] = target
        covered[tuple(source)] = shape
        self.paint(covered, begun_on=0, spares_others=True)
        self.move(across, by)

    def lock(self, label: int, is_locked: bool) -> None:
        """Lock an object or unlock it."""
        nothing = np.zeros(0, np.uint32)
        self._next = max(self._next, label + 1)
        self._do(Step(np.zeros(0, np.intp), nothing, nothing, lock=(label, is_locked)))

    def undo(self) -> None:
        """Take the last edit back and go there."""
        if self.done:
            step = self.done.pop()
            self.undone.append(step)
            self.labels.ravel()[step.where] = step.before
            if step.lock is not None:
                self._set_lock(step.lock[0], not step.lock[1])
            self._go_to(step)

    def redo(self) -> None:
        """Do again what was taken back last and go there."""
        if self.undone:
            step = self.undone.pop()
            self.done.append(step)
            self._apply(step)
            self._go_to(step)

    def _go_to(self, step: Step) -> None:
        """Go to the middle of what changed along each axis, unless the place is within it already."""
        if step.box is not None:
            z, y, x = (
                place if first <= place <= last else (first + last + 1) // 2
                for place, first, last in zip(self.position, *step.box, strict=True)
            )
            self.position = (z, y, x)

    def _do(self, step: Step) -> None:
        self.undone.clear()
        self.done.append(step)
        self._next = max(self._next, *(int(part.max(initial=0)) + 1 for part in (step.before, step.after)))
        self._apply(step)

    def _apply(self, step: Step) -> None:
        self.labels.ravel()[step.where] = step.after
        if step.lock is not None:
            self._set_lock(*step.lock)

    def _set_lock(self, label: int, is_locked: bool) -> None:
        (self.locked.add if is_locked else self.locked.discard)(label)


def _neighbours(
    ends: Sequence[tuple[Floats, float] | None],
) -> Iterator[tuple[tuple[Floats, float], tuple[Floats, float]]]:
    """Yield each disc with itself and with the next one; None is a place where there is no disc."""
    for number, one in enumerate(ends):
        two = ends[number + 1] if number + 1 < len(ends) else None
        if one is not None:
            yield one, two if two is not None else one


def _slack(centres: Floats, one: tuple[Floats, float], two: tuple[Floats, float]) -> Floats:
    """Return how far places are outside of a disc that is moved from one place to another.

    On its way it grows evenly, so that its distance from a place falls and then rises: it is least where
    thirds of the way, taken again and again, lead.
    """
    (start, radius), (stop, last_radius) = one, two
    along = stop - start

    def at(share: Floats) -> Floats:
        place = start + share[..., None] * along
        return np.linalg.norm(centres - place, axis=-1) - (radius + share * (last_radius - radius))

    if radius == last_radius:
        square = float(along @ along)
        return at(
            np.clip((centres - start) @ along / square, 0, 1) if square else np.zeros(centres.shape[:-1])
        )
    low, high = np.zeros(centres.shape[:-1]), np.ones(centres.shape[:-1])
    for _ in range(60):
        third, other = low + (high - low) / 3, high - (high - low) / 3
        is_later = at(third) > at(other)
        low, high = np.where(is_later, third, low), np.where(is_later, high, other)
    return np.minimum.reduce([at((low + high) / 2), at(np.zeros_like(low)), at(np.ones_like(low))])


def _box(covered: Mask) -> tuple[Triple, Triple]:
    """Return the first and the last place along each axis that is covered."""
    places = np.argwhere(covered)
    (z0, y0, x0), (z1, y1, x1) = places.min(axis=0).tolist(), places.max(axis=0).tolist()
    return (z0, y0, x0), (z1, y1, x1)
