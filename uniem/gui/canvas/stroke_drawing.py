"""A stroke while it is drawn: the view shows it at once, the data learn of it when it ends."""

from __future__ import annotations

from qtpy.QtCore import QObject, QPointF, Signal

from uniem.algorithms.rasterise import disc_stroke
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.slice_view import SliceView
from uniem.gui.canvas.view_model import Tool
from uniem.proofreading.tools.brush import Stroke
from uniem.proofreading.tools.plane import Plane, brush_aspect
from uniem.proofreading.tools.protect import Protect


class StrokeDrawing(QObject):
    """Draw strokes on a view as the mouse moves, and tell each one when it ends.

    Signals: `finished(Stroke, label)`, where label 0 erases; `refused(str)` says why nothing can be painted.
    """

    finished = Signal(object, object)
    refused = Signal(str)

    def __init__(self, view: SliceView, painting: PaintingController) -> None:
        super().__init__(view)
        self._view = view
        self._painting = painting
        self._protect = Protect()
        self._points: list[tuple[int, int]] = []
        self._z = 0
        self._label = 0
        self._radius_px = 0.5
        view.mouse.stroke_began.connect(self._begin)
        view.mouse.stroke_moved.connect(self._move)
        view.mouse.stroke_ended.connect(self._end)
        view.mouse.stroke_cancelled.connect(self._forget)

    def _begin(self, is_erasing: bool, place: QPointF) -> None:
        self._points = []
        hand = self._view.model.hand
        label = 0 if is_erasing or hand.tool is Tool.ERASER else hand.label
        if reason := self._painting.refusal(label):
            self.refused.emit(reason)
            return
        if self._view.item.overlay.begin_draft() is None:
            self.refused.emit("This section is still being read.")
            return
        self._z, self._radius_px, self._label = self._view.model.z, hand.radius_px, label
        self._protect = self._painting.protect()
        self._points = [self._view.voxel_under(place)]
        self._dab(self._points)

    def _move(self, place: QPointF) -> None:
        point = self._view.voxel_under(place)
        if self._points and point != self._points[-1]:
            self._points.append(point)
            self._dab(self._points[-2:])

    def _end(self) -> None:
        if self._points:
            stroke = Stroke(tuple((self._z, y, x) for y, x in self._points), self._radius_px)
            self.finished.emit(stroke, self._label)
            self._forget()

    def _dab(self, points: list[tuple[int, int]]) -> None:
        overlay = self._view.item.overlay
        if overlay.draft is None:
            # Something else changed the labels meanwhile, such as an undo: draw the stroke again on them.
            points = self._points
            if overlay.begin_draft() is None:
                return
        assert overlay.draft is not None
        aspect_yx = brush_aspect(self._view.model.voxel_size, Plane.XY)
        y0, x0, mask = disc_stroke(points, self._radius_px, self._view.model.shape[1:], aspect_yx)
        if mask.size:
            overlay.draft.paint(y0, x0, mask, self._label, self._protect)
            self._view.item.redraw_box(y0, x0, y0 + mask.shape[0], x0 + mask.shape[1])

    def _forget(self) -> None:
        """Show the data again, where they differ from the stroke drawn."""
        self._view.item.overlay.end_draft()
        if self._points:
            rim = int(self._radius_px) + 1
            rows, columns = zip(*self._points, strict=True)
            self._view.item.redraw_box(
                min(rows) - rim, min(columns) - rim, max(rows) + rim + 1, max(columns) + rim + 1
            )
        self._points = []
