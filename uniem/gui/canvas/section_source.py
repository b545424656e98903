"""The best picture of a part of a section: read from memory, or put together from blocks as they arrive."""

from __future__ import annotations

import functools
import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.data.volume import Volume
from uniem.gui.canvas.block_cache import BlockKey
from uniem.gui.canvas.block_reader import LATER, BlockReader, Request, is_quick
from uniem.gui.canvas.levels import Factor, Level, memory_of
from uniem.gui.canvas.patch import Patch, cut, spans_of
from uniem.gui.canvas.planes import Span, ViewAxes
from uniem.gui.canvas.sections import Section, Window

MARGIN = 256
PREFETCH_SECTIONS = 8
PREFETCH_SHARE = 0.2
# How long blocks may be put into a picture before the window is given a turn.
FILL_S = 0.008
_COARSE, _SHARP = 0.0, 1e3


class SectionSource:
    """Answer with the best picture of a part of a section, and have the right one read.

    Parameters
    ----------
    scale : (z, y, x)
        How many voxels of the reference one voxel of the volume spans.
    """

    def __init__(
        self, reader: BlockReader, axes: ViewAxes, volume: Volume, scale: Factor = (1.0, 1.0, 1.0)
    ) -> None:
        self.volume, self.scale = volume, scale
        self._reader, self._axes = reader, axes
        self._patch: Patch | None = None
        self._shown: Section | None = None
        self._array = memory_of(volume)
        # Boxes of edits that blocks read before them would hide again.
        self._edited: list[Box] = []
        # Nothing of what was asked for is still to come.
        self.is_complete = False
        # The last edit is in the picture.
        self.is_exact = True
        # More has been read than there was time to put into the picture.
        self.has_more = False

    def show(self, window: Window) -> tuple[Section | None, bool]:
        """Return the best picture there is, and whether it is another than before or has changed."""
        if self._array is not None:
            return self._in_memory(self._array, window)
        levels = self._reader.levels(self.volume)
        number = self._level_for(levels, window.coarseness)
        level = levels[number]
        rows, columns = self._spans(level, window)
        index = self._index(level, window.position)
        patch = self._patch
        if patch is None or (patch.level, patch.index) != (number, index) or not patch.covers(rows, columns):
            if self._shown is not None and not self._reader.has_time():
                self.has_more = True
                return self._shown, False
            patch = self._patch = self._new_patch(levels, number, index, rows, columns, window.position)
        has_changed = self._fill(patch, levels)
        missing = self._ask(patch, levels, rows, columns, window)
        self.is_complete = not missing
        if self.is_complete:
            self._edited.clear()
        return self._choose(patch, rows, columns, missing, window.position, has_changed)

    def refresh(self, boxes: list[Box]) -> None:
        """Show what an edit made of boxes of the volume; coarser levels for now by their first voxels.

        An edit of very many voxels or boxes is shown when they have been read; `is_exact` is false then.
        """
        patch, self.is_exact = self._patch, True
        if patch is None:
            return
        level = self._reader.levels(self.volume)[patch.level]
        whole = self._axes.box(patch.index, patch.rows, patch.columns)
        touched: set[Triple] = set()
        for box in boxes:
            inside = level.scaled(box).intersection(whole)
            touched.update(level.blocks_of(inside) if not inside.is_empty else ())
        parts = _seen(boxes, patch, level)
        self.is_exact = is_quick(parts)
        if patch.level > 0 or not self.is_exact:
            patch.exact -= touched
        if self.is_exact:
            self._put(parts, patch, level)
            self._edited += boxes
        else:
            self._edited.clear()

    def _put(self, parts: list[Box], patch: Patch, level: Level) -> None:
        for part in parts:
            patch.put(part, self.volume.read(part), level.factor)

    def stop(self) -> None:
        """Ask for nothing more."""
        self._reader.want(self, [])

    # Volumes in memory are looked at where they are.

    def _in_memory(self, array: NDArray[Any], window: Window) -> tuple[Section | None, bool]:
        self.is_complete = True
        across = self._axes.across
        index = min(array.shape[across] - 1, int((window.position + 0.5) / self.scale[across]))
        shown = self._shown
        if shown is not None and shown.position == window.position:
            return shown, False
        factors = (self.scale[self._axes.rows], self.scale[self._axes.columns])
        self._shown = Section(self._axes.section_of(array, index), window.position, factors)
        return self._shown, True

    # Volumes on disk are put together from blocks.

    def _level_for(self, levels: list[Level], coarseness: tuple[float, float]) -> int:
        """Return the coarsest level that is still as fine as the screen."""
        best = 0
        for number, level in enumerate(levels):
            factors = self._factors(level)
            if all(
                f <= max(s, c) for f, s, c in zip(factors, self._factors(levels[0]), coarseness, strict=True)
            ):
                best = number
        return best

    def _factors(self, level: Level) -> tuple[float, float]:
        rows, columns = self._axes.rows, self._axes.columns
        return level.factor[rows] * self.scale[rows], level.factor[columns] * self.scale[columns]

    def _index(self, level: Level, position: int) -> int:
        across = self._axes.across
        index = int((position + 0.5) / (level.factor[across] * self.scale[across]))
        return min(max(0, index), level.volume.shape[across] - 1)

    def _spans(self, level: Level, window: Window) -> tuple[Span, Span]:
        height, width = self._axes.shape(level.volume.shape)
        by_row, by_column = self._factors(level)
        return _span(window.rows, by_row, height), _span(window.columns, by_column, width)

    def _new_patch(
        self, levels: list[Level], number: int, index: int, rows: Span, columns: Span, position: int
    ) -> Patch:
        height, width = self._axes.shape(levels[number].volume.shape)
        rows, columns = _padded(rows, height), _padded(columns, width)
        shape = (rows[1] - rows[0], columns[1] - columns[0])
        old, array = self._patch, np.zeros(shape, self.volume.dtype)
        section = Section(array, position, self._factors(levels[number]), (rows[0], columns[0]), True)
        patch = Patch(self._axes, number, index, rows, columns, array, section)
        if old is not None and (old.level, old.index) == (number, index):
            patch.inherit(old, levels[number])
        elif old is not None and old.section.position == position:
            patch.borrow_from(old, levels)
        return patch

    def _fill(self, patch: Patch, levels: list[Level]) -> bool:
        """Put into a patch what has been read, as far as there is time; return whether anything was."""
        level, has_changed, is_older = levels[patch.level], False, False
        self.has_more, until, bare = False, time.perf_counter() + FILL_S, []
        for block in level.blocks_of(self._axes.box(patch.index, patch.rows, patch.columns)):
            if block in patch.exact:
                continue
            key = BlockKey(id(self.volume), patch.level, block)
            array = self._reader.cache.get(key)
            is_fresh = array is not None and self._reader.cache.is_fresh(key)
            is_news = array is not None and (is_fresh or block not in patch.borrowed)
            if is_news and has_changed and time.perf_counter() > until:
                self.has_more = True
            elif is_news and array is not None:
                patch.copy(level.block_box(block), array)
                patch.borrowed[block] = patch.level
                has_changed, is_older = True, is_older or not is_fresh
                if is_fresh:
                    patch.exact.add(block)
            if block not in patch.borrowed:
                bare.append(block)
        if bare and self._borrow(patch, levels, bare):
            has_changed = is_older = True
        if is_older and is_quick(parts := _seen(self._edited, patch, level)):
            self._put(parts, patch, level)
        return has_changed

    def _borrow(self, patch: Patch, levels: list[Level], blocks: list[Triple]) -> bool:
        """Show blocks by the finest of the coarser levels that has all of them; return whether one has."""
        boxes = [levels[patch.level].block_box(block) for block in blocks]
        rows, columns = patch.part_of(functools.reduce(Box.union, boxes))
        for number in range(patch.level + 1, len(levels)):
            found = self._sampled(levels, number, patch, rows, columns)
            if found is None:
                continue
            coarse, by_row, by_column = found
            for block, box in zip(blocks, boxes, strict=True):
                own = patch.part_of(box)
                (top, bottom), (left, right) = (
                    (a - first, b - first) for (a, b), (first, _) in zip(own, (rows, columns), strict=True)
                )
                drawn = np.take(coarse[by_row[top:bottom]], by_column[left:right], axis=1)
                patch.array[patch.within(*own)] = drawn
                patch.borrowed[block] = number
            return True
        return False

    def _sampled(
        self, levels: list[Level], number: int, patch: Patch, rows: Span, columns: Span
    ) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[np.intp]] | None:
        """Return a part of a patch as another level has it, if all of it is in memory.

        With the row and the column of it for each one of the patch.
        """
        own, other, axes = levels[patch.level], levels[number], self._axes
        index = int((patch.index + 0.5) * own.factor[axes.across] / other.factor[axes.across])
        index = min(index, other.volume.shape[axes.across] - 1)
        ratios = [own.factor[axis] / other.factor[axis] for axis in (axes.rows, axes.columns)]
        lengths = axes.shape(other.volume.shape)
        row_span, column_span = (
            (min(int((a + 0.5) * ratio), n - 1), min(int((b - 0.5) * ratio), n - 1) + 1)
            for (a, b), ratio, n in zip((rows, columns), ratios, lengths, strict=True)
        )
        blocks = {}
        for block in other.blocks_of(axes.box(index, row_span, column_span)):
            blocks[block] = self._reader.cache.get(BlockKey(id(self.volume), number, block))
            if blocks[block] is None:
                return None
        places = [
            np.minimum(((np.arange(*span) + 0.5) * ratio).astype(np.intp), n - 1)
            for span, ratio, n in zip((rows, columns), ratios, lengths, strict=True)
        ]
        found = np.empty((row_span[1] - row_span[0], column_span[1] - column_span[0]), self.volume.dtype)
        for block, array in blocks.items():
            assert array is not None
            box = other.block_box(block)
            spans = spans_of(box, axes)
            r, c = cut(spans[0], row_span), cut(spans[1], column_span)
            section = axes.section_of(array, index - box.start[axes.across])
            found[r[0] - row_span[0] : r[1] - row_span[0], c[0] - column_span[0] : c[1] - column_span[0]] = (
                section[r[0] - spans[0][0] : r[1] - spans[0][0], c[0] - spans[1][0] : c[1] - spans[1][0]]
            )
        return found, places[0] - row_span[0], places[1] - column_span[0]

    def _ask(
        self, patch: Patch, levels: list[Level], rows: Span, columns: Span, window: Window
    ) -> list[Triple]:
        """Have the reader read what is missing; return those blocks in view."""
        level, number = levels[patch.level], id(self.volume)
        in_view = level.blocks_of(self._axes.box(patch.index, rows, columns))
        missing = [
            block
            for block in in_view
            if block not in patch.exact and not self._reader.is_broken(BlockKey(number, patch.level, block))
        ]
        requests = []
        is_bare = any(block not in patch.borrowed for block in missing)
        if is_bare and patch.level < len(levels) - 1:
            coarse = levels[-1]
            spans = self._spans(coarse, window)
            box = self._axes.box(self._index(coarse, window.position), *spans)
            requests += [
                Request(_COARSE, BlockKey(number, len(levels) - 1, block)) for block in coarse.blocks_of(box)
            ]
        centre = [(a + b) / 2 for a, b in (rows, columns)]
        for block in missing:
            spans = spans_of(level.block_box(block), self._axes)
            far = math.hypot(*((a + b) / 2 - middle for (a, b), middle in zip(spans, centre, strict=True)))
            requests.append(Request(_SHARP + far, BlockKey(number, patch.level, block)))
        self._reader.want(self, requests + self._later(patch, level, in_view, window.direction))
        return missing

    def _later(self, patch: Patch, level: Level, in_view: list[Triple], direction: int) -> list[Request]:
        """Return the blocks of the sections to come, if the sections go on as they went."""
        if not direction:
            return []
        across = self._axes.across
        last = level.volume.shape[across] - 1
        ahead = [patch.index + direction * step for step in range(1, PREFETCH_SECTIONS + 1)]
        depth = level.block_shape[across]
        here = patch.index // depth
        steps = list(dict.fromkeys(i // depth for i in ahead if 0 <= i <= last and i // depth != here))
        block_bytes = math.prod(level.block_shape) * self.volume.dtype.itemsize
        room = int(self._reader.cache.budget_bytes * PREFETCH_SHARE) // max(1, block_bytes)
        requests = []
        for rank, step in enumerate(steps):
            for block in in_view:
                moved = (*block[:across], step, *block[across + 1 :])
                key = BlockKey(id(self.volume), patch.level, (moved[0], moved[1], moved[2]))
                requests.append(Request(LATER + rank, key))
        return requests[:room]

    def _choose(
        self,
        patch: Patch,
        rows: Span,
        columns: Span,
        missing: list[Triple],
        position: int,
        has_changed: bool,
    ) -> tuple[Section | None, bool]:
        """Go on showing the section before until there is something to see of this one."""
        old = self._shown
        is_bare = any(block not in patch.borrowed for block in missing)
        if is_bare and old is not None and old.array is not patch.array:
            # Where the old one ends there would be nothing.
            is_far = not self._reaches(old, patch, rows, columns)
            if not is_far or not patch.borrowed:
                return old, False
        if is_bare and not patch.borrowed:
            return old, False
        if patch.section.position != position:
            patch.section = replace(patch.section, position=position)
        self._shown = patch.section
        return self._shown, has_changed or self._shown is not old

    def _reaches(self, old: Section, patch: Patch, rows: Span, columns: Span) -> bool:
        """Tell whether an older picture covers what is in view."""
        for axis, span in enumerate((rows, columns)):
            low, high = (edge * patch.section.factors[axis] for edge in span)
            first = old.origin[axis] * old.factors[axis]
            last = (old.origin[axis] + old.array.shape[axis]) * old.factors[axis]
            if low < first - old.factors[axis] or high > last + old.factors[axis]:
                return False
        return True


def _seen(boxes: list[Box], patch: Patch, level: Level) -> list[Box]:
    """Return the parts of boxes of the full resolution that a patch shows."""
    parts = [patch.finer_box(box, level) for box in boxes]
    return [part for part in parts if not part.is_empty]


def _span(edges: tuple[float, float], factor: float, length: int) -> Span:
    low = min(max(0, math.floor(edges[0] / factor)), length - 1)
    return low, max(low + 1, min(length, math.ceil(edges[1] / factor) + 1))


def _padded(span: Span, length: int) -> Span:
    return max(0, span[0] // MARGIN * MARGIN), min(length, -(-span[1] // MARGIN) * MARGIN)
