"""Lasso and polygon: an outline drawn by a drag or by clicks, and what is inside painted."""

from __future__ import annotations

import math
from functools import partial
from time import monotonic

from qtpy.QtCore import QPointF
from qtpy.QtGui import QPainterPath
from qtpy.QtWidgets import QApplication

from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError
from uniem.gui.canvas.hand.preview import Preview
from uniem.gui.canvas.hand.section_tool import Place, SectionTool
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.slice_view import SliceView
from uniem.progress import Context
from uniem.proofreading.edits import Edit
from uniem.proofreading.tools.brush import GrayRange
from uniem.proofreading.tools.lasso import paint_polygon
from uniem.proofreading.tools.masks import paint_title
from uniem.proofreading.tools.plane import Point
from uniem.proofreading.tools.protect import Protect

DRAG_PX, CLOSE_PX = 4.0, 9.0
LONG_VOXELS = 1 << 23


class LassoTool(SectionTool):
    """Draw an outline: a drag alone is closed when it ends, clicks go on until the outline is closed.

    It is closed by Enter, by a double click, or by a click on its first point.
    """

    def __init__(self, view: SliceView, painting: PaintingController) -> None:
        super().__init__(view, painting)
        self._points: list[Place] = []
        # How many points each press added, to take them back together.
        self._counts: list[int] = []
        self._mouse: Place | None = None
        self._position, self._label = 0, 0
        self._protect = Protect()
        self._gray: GrayRange | None = None
        self._is_dragged = self._is_closing = False
        self._closed: tuple[float, QPointF] | None = None
        painting.restyled.connect(self._check_session)
        self._session = painting.session

    def press(self, place: QPointF, is_erasing: bool) -> None:
        """Begin an outline, add a corner to it, or close it."""
        if self._points and self._view.position != self._position:
            self.cancel()
        if self._is_second_of_double_click(place):
            return
        if not self._points and not self._begin(place, is_erasing):
            return
        corner = self._place(place)
        self._is_dragged = False
        self._is_closing = self._closes(corner)
        if self._is_closing:
            self._closed = monotonic(), QPointF(place)
        else:
            self._points.append(corner)
            self._counts.append(1)
        self._mouse = None

    def move(self, place: QPointF) -> None:
        """Draw the outline on by hand."""
        point = self._place(place)
        if not self._points or self._is_closing or self._on_screen(point, self._points[-1]) < DRAG_PX:
            return
        self._is_dragged = True
        self._points.append(point)
        self._counts[-1] += 1

    def hover(self, place: QPointF) -> None:
        """Stretch a line to the mouse."""
        self._mouse = self._place(place) if self._points else None

    def release(self) -> None:
        """Close what was drawn in one drag, or what a click closed."""
        if self._is_closing or (self._is_dragged and len(self._counts) == 1):
            self.accept()

    def accept(self) -> bool:
        """Close the outline and paint what is inside; return whether there was one."""
        self._is_closing = False
        if len(self._points) < 3:
            return bool(self._points) and self.cancel()
        axes = self._view.axes
        points = [_zyx(axes.across, axes.rows, axes.columns, self._position, place) for place in self._points]
        make = partial(self._make, points, self._label, self._painting.with_locks(self._protect), self._gray)
        rows, columns = zip(*self._points, strict=True)
        is_large = (max(rows) - min(rows)) * (max(columns) - min(columns)) > LONG_VOXELS
        is_slow_image = self._gray is not None and not isinstance(self._gray.image, ArrayVolume)
        self.cancel()
        self._painting.carry_out(paint_title(self._label), make, is_large or is_slow_image)
        return True

    def step_back(self) -> bool:
        """Take back the last corner, or what was last drawn by hand."""
        if not self._counts:
            return False
        del self._points[-self._counts.pop() :]
        if not self._points:
            self._mouse = None
        return True

    def cancel(self) -> bool:
        """Forget the outline."""
        had_any = bool(self._points)
        self._points, self._counts, self._mouse = [], [], None
        self._is_dragged = self._is_closing = False
        return had_any

    def preview(self) -> Preview | None:
        """Return the outline as far as it is drawn, closed through the mouse."""
        if not self._points or self._view.position != self._position:
            return None
        path = QPainterPath(QPointF(self._points[0][1], self._points[0][0]))
        for row, column in [*self._points[1:], *([self._mouse] if self._mouse is not None else [])]:
            path.lineTo(column, row)
        if len(self._points) > 2:
            path.closeSubpath()
        return Preview(path, is_dashed=True)

    def _check_session(self) -> None:
        """Forget an outline that was begun on other labels."""
        if self._painting.session is not self._session:
            self._session = self._painting.session
            self.cancel()

    def _begin(self, place: QPointF, is_erasing: bool) -> bool:
        label = 0 if is_erasing else self._view.model.hand.label
        if self._refusal(label):
            return False
        try:
            self._gray = self._painting.gray_range()
        except UniemError as error:
            self.refused.emit(str(error))
            return False
        voxel = self._voxel(place)
        begun_on = self._label_at(*voxel) if voxel is not None else 0
        self._position, self._label = self._view.position, label
        self._protect = self._painting.protect(begun_on, label == 0)
        return True

    def _make(
        self, points: list[Point], label: int, protect: Protect, gray: GrayRange | None, context: Context
    ) -> Edit | None:
        assert self._painting.session is not None
        volume = self._painting.session.volume
        return paint_polygon(
            volume, points, label, protect, self._view.axes.plane, gray=gray, context=context
        )

    def _is_second_of_double_click(self, place: QPointF) -> bool:
        """Tell whether the click before, at this place, closed an outline already."""
        closed, self._closed = self._closed, None
        if closed is None or self._points:
            return False
        is_soon = (monotonic() - closed[0]) * 1000 <= QApplication.doubleClickInterval()
        return is_soon and (place - closed[1]).manhattanLength() <= CLOSE_PX

    def _closes(self, corner: Place) -> bool:
        """Tell whether a press is on the first point, or once more on the last one, as a double click is."""
        if not self._points:
            return False
        is_first = len(self._points) > 2 and self._on_screen(corner, self._points[0]) <= CLOSE_PX
        return is_first or self._on_screen(corner, self._points[-1]) <= DRAG_PX

    def _on_screen(self, one: Place, other: Place) -> float:
        """Return how far apart two places are on the screen, in pixels."""
        camera = self._view.camera
        return math.hypot(
            (one[0] - other[0]) * camera.scale * camera.aspect, (one[1] - other[1]) * camera.scale
        )


def _zyx(across: int, rows: int, columns: int, position: int, place: Place) -> Point:
    """Return a place of a section as z, y, x, in which the centre of voxel i is at i."""
    point = [0.0, 0.0, 0.0]
    point[across], point[rows], point[columns] = float(position), place[0] - 0.5, place[1] - 0.5
    return (point[0], point[1], point[2])
