"""The superpixel brush: regions that keep to the edges of the image, gathered by dragging over them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from qtpy.QtCore import QPointF, QTimer, Signal

from uniem.algorithms.superpixels import Relief
from uniem.data.geometry import Box
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.gui.background import Background, Task
from uniem.gui.canvas.hand.preview import Pixels, Preview, outline
from uniem.gui.canvas.hand.section_tool import SectionTool
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.slice_view import SliceView
from uniem.progress import Cancelled, Context
from uniem.proofreading.tools.brush import Stroke
from uniem.proofreading.tools.protect import Protect
from uniem.proofreading.tools.supervoxels import Supervoxels, make_supervoxels, paint_supervoxels

# A larger view is cut around the mouse only, this many voxels wide and high.
MOST_SIDE, SIDE_AT_MOUSE = 2048, 1024
# Sections that are only passed are not cut.
PATIENCE_MS = 120


class _Question(NamedTuple):
    """What superpixels are asked for; other answers are stale."""

    image: Volume
    position: int
    grain_px: int
    relief: Relief


class _Stop(Context):
    """End with a task."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def cancelled(self) -> bool:
        return self._task.is_cancelled


class SupervoxelTool(SectionTool):
    """Show the superpixel under the mouse; a drag gathers those it touches and paints them when it ends.

    A thread makes the superpixels of what is in view when the mouse is there, and again when section, place
    or size change. `working(bool)` tells whether it is at work.
    """

    working = Signal(bool)

    def __init__(self, view: SliceView, painting: PaintingController) -> None:
        super().__init__(view, painting)
        self._background = Background(self)
        self._task: Task | None = None
        self._asked: tuple[_Question, Box] | None = None
        self._question: _Question | None = None
        self._cut: Supervoxels | None = None
        self._points: list[tuple[int, int]] = []
        self._chosen: frozenset[int] = frozenset()
        self._under: tuple[int, int] | None = None
        self._label = 0
        self._protect = Protect()
        self._lines: tuple[frozenset[int], Preview | None] = (frozenset(), None)
        self._clock = QTimer(self)
        self._clock.setSingleShot(True)
        self._clock.setInterval(PATIENCE_MS)
        self._clock.timeout.connect(self._start)

    @property
    def is_ready(self) -> bool:
        """Tell whether the superpixels at the mouse are made."""
        return self._current(self._under) is not None

    @property
    def cut(self) -> Supervoxels | None:
        """The superpixels that were made last, of this place or another."""
        return self._cut

    def hover(self, place: QPointF) -> None:
        """Show the superpixel at a place; have them made if they are not."""
        self._under = self._voxel(place)
        self._want()

    def press(self, place: QPointF, is_erasing: bool) -> None:
        """Begin to gather."""
        label = 0 if is_erasing else self._view.model.hand.label
        if self._refusal(label):
            return
        self._under = self._voxel(place)
        self._want()
        if self._under is None:
            return
        if self._current(self._under) is None:
            self.refused.emit("The superpixels are still being made.")
        elif self._view.item.overlay.begin_draft() is None:
            self.refused.emit("This section is still being read.")
        else:
            self._label = label
            self._protect = self._painting.protect(self._label_at(*self._under), label == 0)
            self._points = [self._under]
            self._gather()

    def move(self, place: QPointF) -> None:
        """Gather on."""
        point = self._view.voxel_under(place)
        if self._points and point != self._points[-1]:
            self._points.append(point)
            self._gather()

    def release(self) -> None:
        """Paint what was gathered."""
        cut, points, session = self._cut, self._points, self._painting.session
        if not points or cut is None or session is None:
            return
        stroke, label = self._stroke(points), self._label
        protect = self._painting.with_locks(self._protect)
        self._clear()
        self._painting.carry_out(
            "Superpixels",
            lambda context: paint_supervoxels(session.volume, cut, stroke, label, protect, context),
        )

    def cancel(self) -> bool:
        """Forget what was gathered."""
        had_any = bool(self._points)
        self._clear()
        self._under = None
        return had_any

    def preview(self) -> Preview | None:
        """Return the outlines of what is gathered, else of the superpixel under the mouse."""
        self._want()
        cut = self._current(self._under)
        if cut is None or self._under is None:
            return None
        chosen = self._chosen or frozenset({self._number_at(cut, self._under)})
        if self._lines[0] != chosen:
            mask, row, column = self._mask(cut, chosen)
            self._lines = chosen, Preview(outline(mask, row, column))
        return self._lines[1]

    def leave(self) -> None:
        """Note that the mouse went to another view."""
        if not self._points:
            self._under = None

    def close(self) -> None:
        """Give up what is being made."""
        self._clock.stop()
        self._background.cancel()

    def _question_now(self) -> _Question | None:
        options = self._view.model.hand.options
        try:
            image = self._painting.image()
        except UniemError:
            return None
        return _Question(image, self._view.position, options.grain_px, options.relief)

    def _current(self, at: tuple[int, int] | None) -> Supervoxels | None:
        """Return the superpixels if they are those wanted and hold a place."""
        if self._cut is None or at is None or self._question != self._question_now():
            return None
        return self._cut if _holds(self._cut.box, self._view, at) else None

    def _want(self) -> None:
        """Have the superpixels made at the mouse, unless they are there or under way."""
        at, question = self._under, self._question_now()
        if at is None or self._points or self._current(at) is not None:
            return
        if question is None:
            return
        if self._asked is not None and self._asked[0] == question and _holds(self._asked[1], self._view, at):
            return
        self._asked = question, self._box_around(at)
        self._clock.start()

    def _start(self) -> None:
        """Make what was asked for last, once what is being made in vain has ended."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._asked is None:
            return
        if self._background.is_busy:
            self._clock.start()
            return
        question, box = self._asked

        def work(task: Task) -> Supervoxels | None:
            try:
                return make_supervoxels(question.image, box, question.grain_px, question.relief, _Stop(task))
            except Cancelled:
                return None

        self._task = self._background.run(work, lambda cut: self._take(question, box, cut), self._fail)
        self.working.emit(True)

    def _take(self, question: _Question, box: Box, cut: Supervoxels | None) -> None:
        self._task = None
        if self._asked == (question, box):
            self._asked = None
        self._question, self._cut = question, cut
        self._lines = frozenset(), None
        self.working.emit(False)

    def _fail(self, error: UniemError) -> None:
        self._task = None
        self.working.emit(False)
        self.refused.emit(str(error))

    def _box_around(self, at: tuple[int, int]) -> Box:
        """Return what is in view of the section, or a part of it around a place."""
        axes, shape = self._view.axes, self._view.axes.shape(self._view.model.shape)
        top, left, bottom, right = self._view.view_box()
        spans = []
        for low, high, place, length in zip((top, left), (bottom, right), at, shape, strict=True):
            first, last = max(0, int(low)), min(length, int(high) + 1)
            if last - first > MOST_SIDE or not first <= place < last:
                first = max(0, min(place - SIDE_AT_MOUSE // 2, length - SIDE_AT_MOUSE))
                last = min(length, first + SIDE_AT_MOUSE)
            spans.append((first, last))
        return axes.box(self._view.position, spans[0], spans[1])

    def _gather(self) -> None:
        cut, session = self._cut, self._painting.session
        if cut is None or session is None:
            return
        touched = cut.touched(session.volume, self._stroke(self._points[-2:]))
        self._under = self._points[-1]
        new = touched - self._chosen
        self._chosen |= new
        overlay = self._view.item.overlay
        if overlay.draft is None:
            new = self._chosen
            if overlay.begin_draft() is None:
                return
        assert overlay.draft is not None
        if new:
            mask, row, column = self._mask(cut, new)
            drawn = overlay.draft.draw_mask(mask, (row, column), self._label, self._protect)
            if drawn is not None:
                self._view.item.redraw_box(overlay, *drawn)

    def _stroke(self, points: list[tuple[int, int]]) -> Stroke:
        axes = self._view.axes
        position = self._cut.box.start[axes.across] if self._cut is not None else self._view.position
        return Stroke(tuple(axes.zyx(position, *point) for point in points), 0.5, axes.plane)

    def _mask(self, cut: Supervoxels, chosen: frozenset[int]) -> tuple[Pixels, int, int]:
        """Return where the chosen regions are: (row, column) bool with its first row and column."""
        axes = self._view.axes
        mask = np.isin(axes.section_of(cut.numbers, 0), list(chosen))
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            return mask[:0, :0], 0, 0
        top, left = int(rows[0]), int(columns[0])
        small = mask[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
        return small, top + cut.box.start[axes.rows], left + cut.box.start[axes.columns]

    def _number_at(self, cut: Supervoxels, at: tuple[int, int]) -> int:
        axes = self._view.axes
        row, column = at[0] - cut.box.start[axes.rows], at[1] - cut.box.start[axes.columns]
        return int(axes.section_of(cut.numbers, 0)[row, column])

    def _clear(self) -> None:
        drew_any = bool(self._chosen)
        self._points, self._chosen = [], frozenset()
        overlay = self._view.item.overlay
        overlay.end_draft()
        if drew_any and self._cut is not None:
            box, axes = self._cut.box, self._view.axes
            rows, columns = axes.rows, axes.columns
            self._view.item.redraw_box(
                overlay, box.start[rows], box.start[columns], box.stop[rows], box.stop[columns]
            )


def _holds(box: Box, view: SliceView, at: tuple[int, int]) -> bool:
    """Tell whether a box holds a place of the section in view."""
    axes = view.axes
    return all(
        box.start[axis] <= place < box.stop[axis]
        for axis, place in zip((axes.across, axes.rows, axes.columns), (view.position, *at), strict=True)
    )
