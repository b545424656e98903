"""A stroke while it is drawn: the view shows it at once, the data learn of it when it ends."""

from __future__ import annotations

from qtpy.QtCore import QObject, QPointF, Signal
from qtpy.QtGui import QPainterPath

from uniem.gui.canvas.draft import RowsColumns
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.slice_view import SliceView
from uniem.proofreading.tools.brush import Stroke
from uniem.proofreading.tools.protect import Protect


class StrokeDrawing(QObject):
    """Brush and eraser: draw strokes on a view as the mouse moves, and tell each one when it ends.

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
        self._drawn: RowsColumns | None = None
        self._position = 0
        self._label = 0
        self._radius_px = 0.5
        view.section_shown.connect(self._draw_again)

    def press(self, place: QPointF, is_erasing: bool) -> None:
        """Begin a stroke."""
        self._points, self._drawn = [], None
        hand = self._view.model.hand
        label = 0 if is_erasing else hand.label
        if reason := self._painting.refusal(label):
            self.refused.emit(reason)
            return
        if self._view.item.overlay.begin_draft() is None:
            self.refused.emit("This section is still being read.")
            return
        self._position, self._radius_px, self._label = self._view.position, hand.radius_px, label
        self._protect = self._painting.protect()
        self._points = [self._view.voxel_under(place)]
        self._dab(self._points)

    def move(self, place: QPointF) -> None:
        """Draw on."""
        point = self._view.voxel_under(place)
        if self._points and point != self._points[-1]:
            self._points.append(point)
            self._dab(self._points[-2:])

    def hover(self, place: QPointF) -> None:
        """Do nothing: the cursor shows the brush."""

    def release(self) -> None:
        """End the stroke and tell it."""
        if self._points:
            axes = self._view.axes
            points = tuple(axes.zyx(self._position, row, column) for row, column in self._points)
            self.finished.emit(Stroke(points, self._radius_px, axes.plane), self._label)
            self.cancel()

    def accept(self) -> bool:
        """Do nothing: a stroke ends with its button."""
        return False

    def cancel(self) -> bool:
        """Show the data again, where they differ from the stroke drawn."""
        had_any = bool(self._points)
        self._points = []
        overlay = self._view.item.overlay
        overlay.end_draft()
        if self._drawn is not None:
            drawn, self._drawn = self._drawn, None
            self._view.item.redraw_box(overlay, *drawn)
        return had_any

    def preview(self) -> QPainterPath | None:
        """Return nothing: the stroke itself is shown."""
        return None

    def _draw_again(self) -> None:
        """Draw the stroke on another picture of its section, such as a sharper one."""
        if self._points and self._view.item.overlay.draft is None and self._view.position == self._position:
            self._dab(self._points)

    def _dab(self, points: list[tuple[int, int]]) -> None:
        view, overlay = self._view, self._view.item.overlay
        if overlay.draft is None:
            # Something else changed the labels meanwhile, such as an undo: draw the stroke again on them.
            points = self._points
            if overlay.begin_draft() is None:
                return
        assert overlay.draft is not None
        aspect = view.axes.brush_aspect(view.model.voxel_size)
        drawn = overlay.draft.draw(
            points,
            [self._radius_px] * len(points),
            aspect,
            self._label,
            self._protect,
            view.axes.is_turned,
        )
        if drawn is not None:
            self._drawn = _around(self._drawn, drawn)
            view.item.redraw_box(overlay, *drawn)


def _around(one: RowsColumns | None, other: RowsColumns) -> RowsColumns:
    if one is None:
        return other
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
