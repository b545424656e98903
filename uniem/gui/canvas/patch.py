"""A part of one section of one level, put together from blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.gui.canvas.levels import Factor, Level
from uniem.gui.canvas.planes import Span, ViewAxes
from uniem.gui.canvas.sections import Section

# Rows handled at a time: what is in between stays in the processor's cache.
BAND = 64


@dataclass(slots=True, eq=False)
class Patch:
    """An array of a part of a section, and which blocks of it are as they should be.

    Attributes
    ----------
    rows, columns : (first, last)
        Half-open, in voxels of the level.
    exact : set of blocks
        Those that show the level's own voxels, up to date.
    borrowed : dict of block to level
        What the other blocks are shown by for now, where there is anything.
    """

    axes: ViewAxes
    level: int
    index: int
    rows: Span
    columns: Span
    array: NDArray[Any]
    section: Section
    exact: set[Triple] = field(default_factory=set)
    borrowed: dict[Triple, int] = field(default_factory=dict)

    def covers(self, rows: Span, columns: Span) -> bool:
        """Tell whether rows and columns lie inside."""
        return (
            self.rows[0] <= rows[0]
            and rows[1] <= self.rows[1]
            and self.columns[0] <= columns[0]
            and columns[1] <= self.columns[1]
        )

    def part_of(self, box: Box) -> tuple[Span, Span]:
        """Return the rows and columns of a box that lie inside."""
        rows, columns = spans_of(box, self.axes)
        return cut(rows, self.rows), cut(columns, self.columns)

    def within(self, rows: Span, columns: Span) -> tuple[slice, slice]:
        """Return rows and columns as an index into the array."""
        return (
            slice(rows[0] - self.rows[0], rows[1] - self.rows[0]),
            slice(columns[0] - self.columns[0], columns[1] - self.columns[0]),
        )

    def inherit(self, old: Patch, level: Level) -> None:
        """Take over what an older patch of the same section shows."""
        rows, columns = cut(self.rows, old.rows), cut(self.columns, old.columns)
        if is_empty(rows) or is_empty(columns):
            return
        self.array[self.within(rows, columns)] = old.array[old.within(rows, columns)]
        for block in old.exact:
            part = self.part_of(level.block_box(block))
            if not is_empty(part[0]) and not is_empty(part[1]) and old.covers(*part):
                self.exact.add(block)

    def borrow_from(self, old: Patch, levels: list[Level]) -> None:
        """Show for now what an older patch of the same section shows at another level."""
        places, spans = [], []
        for axis, (span, limits) in enumerate(((self.rows, old.rows), (self.columns, old.columns))):
            ratio = self.section.factors[axis] / old.section.factors[axis]
            own = np.arange(*span)
            there = np.floor((own + 0.5) * ratio).astype(np.intp)
            is_inside = (there >= limits[0]) & (there < limits[1])
            if not is_inside.any():
                return
            places.append((there[is_inside] - limits[0], own[is_inside] - span[0]))
            spans.append((int(own[is_inside][0]), int(own[is_inside][-1]) + 1))
        (row_in, row_out), (column_in, column_out) = places
        target = self.array[row_out[0] : row_out[-1] + 1, column_out[0] : column_out[-1] + 1]
        for first in range(0, len(row_in), BAND):
            band = slice(first, first + BAND)
            target[band] = np.take(old.array[row_in[band]], column_in, axis=1)
        level = levels[self.level]
        seen = set(old.exact) | set(old.borrowed)
        if len(seen) == len(levels[old.level].blocks_of(self.axes.box(old.index, old.rows, old.columns))):
            for block in level.blocks_of(self.axes.box(self.index, *spans)):
                rows, columns = self.part_of(level.block_box(block))
                if rows == cut(rows, spans[0]) and columns == cut(columns, spans[1]):
                    self.borrowed[block] = old.level

    def copy(self, box: Box, block: NDArray[Any]) -> None:
        """Show the voxels of a (z, y, x) block at its box."""
        spans = spans_of(box, self.axes)
        rows, columns = self.part_of(box)
        section = self.axes.section_of(block, self.index - box.start[self.axes.across])
        self.array[self.within(rows, columns)] = section[
            rows[0] - spans[0][0] : rows[1] - spans[0][0], columns[0] - spans[1][0] : columns[1] - spans[1][0]
        ]

    def finer_box(self, box: Box, level: Level) -> Box:
        """Return the part of a box of the full resolution that is inside: one section of it; maybe empty."""
        across, factor = self.axes.across, level.factor
        low, high = box.start[across], box.stop[across]
        first, last = self.index * factor[across], (self.index + 1) * factor[across]
        position = min(max(low, int(first)), high - 1)
        rows, columns = self.part_of(level.scaled(box))
        if not first <= position < last or is_empty(rows) or is_empty(columns):
            return Box((0, 0, 0), (0, 0, 0))
        return self.axes.box(
            position,
            _finer(rows, self.axes.rows, factor, box),
            _finer(columns, self.axes.columns, factor, box),
        )

    def put(self, box: Box, data: NDArray[Any], factor: Factor) -> None:
        """Show voxels of a box of the full resolution: all, or the first of each coarser voxel."""
        section = self.axes.section_of(data, 0)
        row_out, row_in = _picked(box, self.axes.rows, factor, self.rows)
        column_out, column_in = _picked(box, self.axes.columns, factor, self.columns)
        if not len(row_out) or not len(column_out):
            return
        if factor[self.axes.rows] == factor[self.axes.columns] == 1:
            self.array[row_out[0] : row_out[-1] + 1, column_out[0] : column_out[-1] + 1] = section
        else:
            self.array[np.ix_(row_out, column_out)] = section[np.ix_(row_in, column_in)]


def cut(span: Span, limits: Span) -> Span:
    """Return the common part of two spans."""
    return max(span[0], limits[0]), min(span[1], limits[1])


def is_empty(span: Span) -> bool:
    """Tell whether a span holds nothing."""
    return span[1] <= span[0]


def spans_of(box: Box, axes: ViewAxes) -> tuple[Span, Span]:
    """Return the rows and columns of a box."""
    return (box.start[axes.rows], box.stop[axes.rows]), (box.start[axes.columns], box.stop[axes.columns])


def _finer(span: Span, axis: int, factor: Factor, box: Box) -> Span:
    return cut((int(span[0] * factor[axis]), int(span[1] * factor[axis])), (box.start[axis], box.stop[axis]))


def _picked(box: Box, axis: int, factor: Factor, span: Span) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which voxels of a span are shown by a box along an axis, and by which of its voxels."""
    own = np.arange(math.ceil(box.start[axis] / factor[axis]), math.ceil(box.stop[axis] / factor[axis]))
    return own - span[0], (own * factor[axis]).astype(np.intp) - box.start[axis]
