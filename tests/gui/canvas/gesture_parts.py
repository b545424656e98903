"""What gestures are put together from: places in view, strokes and outlines, tools taken into the hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from tests.gui.canvas.hand_events import LEFT, MIDDLE, NONE, RIGHT, SHIFT, HandEvents
from tests.gui.canvas.plain_model import PlainModel, Undecided
from uniem.data.geometry import Triple
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.slice_view import SliceView
from uniem.proofreading.session import ProofreadingSession

KEY = Qt.Key
TOOL_KEYS = {
    "navigate": KEY.Key_V,
    "brush": KEY.Key_B,
    "eraser": KEY.Key_E,
    "line": KEY.Key_W,
    "lasso": KEY.Key_T,
    "fill": KEY.Key_G,
    "superpixels": KEY.Key_S,
    "reshape": KEY.Key_Z,
    "merge": KEY.Key_M,
}
LABELS = (3, 7, 12, 4_711, 2**31 + 11, 3_000_000_019)
# Larger brushes and deeper zooms than these leave nothing to be seen of each other.
MOST_PX, MOST_SCALE, LEAST_SCALE = 60, 40.0, 1.5


class GestureParts:
    """A hand on a canvas and a model that is told what the hand does; places are chosen at random."""

    def __init__(self, canvas: Canvas, session: ProofreadingSession, model: PlainModel, seed: int) -> None:
        self.canvas, self.session, self.model = canvas, session, model
        self.random = np.random.default_rng(seed)
        self.hand = HandEvents(canvas)
        self.told = ""

    @property
    def _view(self) -> SliceView:
        return self.hand.view

    @property
    def _across(self) -> int:
        return self._view.axes.across

    def _take(self, tool: str) -> None:
        if self.model.tool != tool:
            self.hand.key(TOOL_KEYS[tool])
            self.model.tool = tool

    def _draw(
        self,
        path: list[QPoint],
        button: Qt.MouseButton = LEFT,
        modifiers: Qt.KeyboardModifier = NONE,
        is_erasing: bool = False,
        is_line: bool = False,
    ) -> None:
        far = [at for at in path[1:] if (at - path[0]).manhattanLength() > 4]
        if button == RIGHT and not far:
            return
        # The right button erases from the fifth pixel on: before, it may still be a click.
        seen = path[:1] + path[path.index(far[0]) :] if button == RIGHT else path
        points = self._voxels(seen)
        begun_on = self._label_at(points[0])
        self.hand.press(path[0], button, modifiers)
        for at in path[1:]:
            self.hand.drag(at, button, modifiers)
        if self.random.random() < 0.1:
            self.hand.press(path[-1], MIDDLE)
            self.hand.release(path[-1], MIDDLE)
        drawn = [points[0], points[-1]] if is_line else points
        self._finish(drawn, begun_on, is_erasing, lambda: self.hand.release(path[-1], button, modifiers))

    def _finish(
        self, points: list[Triple], begun_on: int, is_erasing: bool, release: Callable[[], None]
    ) -> None:
        """End a stroke of which the model knows what it covers, and give up any other."""
        try:
            covered = self.model.stroke(points, [self.model.radius(1.0)] * len(points), self._across)
        except Undecided:
            self.hand.key(KEY.Key_Escape)
            release()
            return
        release()
        self.model.paint(covered, begun_on, is_erasing)
        self.told = f"{points} erasing: {is_erasing} {self.model.brush_px} px"

    def _close(self, path: Sequence[QPoint], accept: Callable[[], None]) -> None:
        """Close an outline, or give it up where a voxel may fall on either side."""
        axes = self._view.axes
        corners = [(row - 0.5, column - 0.5) for row, column in map(self.hand.voxel, path)]
        try:
            covered = self.model.polygon(corners, axes.rows, axes.columns, axes.across)
        except Undecided:
            self.hand.key(KEY.Key_Escape)
            accept()
            return
        accept()
        if len(corners) < 3:
            self.hand.key(KEY.Key_Escape)
            return
        self.model.paint(covered, self._label_at(self._voxels(path[:1])[0]))
        self.told = f"{corners}"

    def _click(
        self, at: QPoint, modifiers: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT
    ) -> None:
        self.hand.go_over(self._view, at)
        self.hand.press(at, button, modifiers)
        self.hand.release(at, button, modifiers)

    def _pick(self) -> None:
        at = self._place()
        label = self._label_at(self._voxels([at])[0])
        if self.random.random() < 0.5:
            self._click(at, SHIFT)
        else:
            self.hand.go_over(self._view, at)
            self.hand.key(KEY.Key_L)
        self.model.label = label or self.model.label

    def _type_label(self, label: int) -> None:
        box = self.canvas.toolbar.label
        box.setFocus()
        box.selectAll()
        QTest.keyClicks(box, str(label))
        QTest.keyClick(box, KEY.Key_Return)
        self.model.label = label

    def _choose_view(self) -> None:
        shown = [view for view in self.canvas.grid.views if view.isVisible()]
        is_there = self._view in shown
        if not is_there or self.random.random() < 0.25:
            self.hand.go_over(shown[int(self.random.integers(len(shown)))], QPoint(9, 9))
        self.hand.go_over(self._view, self._anywhere())

    def _rein_in(self) -> None:
        """Keep brush and zoom within what makes gestures meet, and labels shown."""
        while self.model.brush_px > MOST_PX:
            self.hand.key(KEY.Key_BracketLeft)
            self.model.grow_brush(-1)
        for view in self.canvas.grid.views:
            top, left, bottom, right = view.view_box()
            height, width = view.axes.shape(self.model.labels.shape)
            is_off = bottom < 3 or right < 3 or top > height - 3 or left > width - 3
            if view.isVisible() and (is_off or not LEAST_SCALE < view.camera.scale < MOST_SCALE):
                self.hand.go_over(view, QPoint(9, 9))
                self.hand.key(KEY.Key_Home)

    def _path(self, least: int = 3) -> list[QPoint]:
        """Return places of a stroke; the steps between them are longer than `least` pixels."""
        path, heading = [self._place()], self.random.uniform(0, 2 * math.pi)
        for _ in range(int(self.random.integers(0, 9))):
            heading += self.random.normal(0, 1)
            length = self.random.uniform(least + 2, 90)
            at = path[-1] + QPoint(round(length * math.cos(heading)), round(length * math.sin(heading)))
            if self.hand.is_sharp(at):
                path.append(at)
        return path

    def _place(self) -> QPoint:
        """Return a place in view, most often over the section."""
        is_within = self.random.random() < 0.93
        for _ in range(200):
            at = self._anywhere()
            if self.hand.is_sharp(at) and (not is_within or self._is_inside(self._voxels([at])[0])):
                return at
        return at

    def _anywhere(self) -> QPoint:
        size = self._view.viewport().size()
        x, y = self.random.integers(0, (size.width(), size.height())).tolist()
        return QPoint(x, y)

    def _voxels(self, path: Sequence[QPoint]) -> list[Triple]:
        axes, points = self._view.axes, list[Triple]()
        for at in path:
            row, column = self.hand.voxel(at)
            place = [0, 0, 0]
            place[axes.across] = self.model.position[axes.across]
            place[axes.rows], place[axes.columns] = math.floor(row), math.floor(column)
            points.append((place[0], place[1], place[2]))
        return points

    def _is_inside(self, point: Triple) -> bool:
        return all(0 <= place < n for place, n in zip(point, self.model.labels.shape, strict=True))

    def _label_at(self, point: Triple) -> int:
        return int(self.model.labels[point]) if self._is_inside(point) else 0
