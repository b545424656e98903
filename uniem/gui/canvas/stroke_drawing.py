"""A stroke while it is drawn: the view shows it at once, the data learn of it when it ends."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from qtpy.QtCore import QObject, QPointF, Signal
from qtpy.QtGui import QColor

from uniem.algorithms.rasterise import disc_stroke
from uniem.data.volume import ArrayVolume, Volume
from uniem.errors import UniemError
from uniem.gui.canvas.draft import RowsColumns, ShownRange
from uniem.gui.canvas.hand.preview import Preview, tinted
from uniem.gui.canvas.hand.section_tool import label_under
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.slice_view import SliceView
from uniem.progress import Context
from uniem.proofreading.edits import Edit
from uniem.proofreading.tools.brush import GrayRange, Stroke, Tip, paint
from uniem.proofreading.tools.masks import paint_title
from uniem.proofreading.tools.plane import brush_aspect, voxels_per_x
from uniem.proofreading.tools.protect import Protect

# Above so many voxels a ball is painted by a thread, and above so many not at all: memory would run out.
LONG_VOXELS, MOST_VOXELS = 1 << 22, 1 << 28
_LIGHTEST = 0.05
_TINT_PX = 256


class StrokeDrawing(QObject):
    """Brush and eraser: draw strokes on a view as the mouse moves, and make an edit of each when it ends.

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
        self._radii: list[float] = []
        self._drawn: RowsColumns | None = None
        self._position = 0
        self._label = 0
        self._gray: GrayRange | None = None
        self._is_waiting = False
        self._under: tuple[int, int] | None = None
        view.section_shown.connect(self._draw_again)
        painting.maker.busy_changed.connect(self._end_waiting)

    def press(self, place: QPointF, is_erasing: bool) -> None:
        """Begin a stroke."""
        hand = self._view.model.hand
        label = 0 if is_erasing else hand.label
        if reason := self._painting.refusal(label):
            self.refused.emit(reason)
            return
        self._forget()
        try:
            self._gray = self._painting.gray_range()
        except UniemError as error:
            self.refused.emit(str(error))
            return
        point = self._view.voxel_under(place)
        self._position, self._label, self._under = self._view.position, label, None
        self._protect = self._painting.protect(self._label_at(point), label == 0)
        if not self._begin_draft():
            self.refused.emit("This section is still being read.")
            return
        self._points, self._radii = [point], [self._radius()]
        self._dab()

    def move(self, place: QPointF) -> None:
        """Draw on; a pen may also be pressed harder without moving."""
        if not self._points or self._is_waiting:
            return
        point, radius = self._view.voxel_under(place), self._radius()
        if (point, radius) != (self._points[-1], self._radii[-1]):
            self._points.append(point)
            self._radii.append(radius)
            self._dab(2)

    def hover(self, place: QPointF) -> None:
        """Note what the brush is over, to show which of it has the gray values wanted."""
        self._under = self._view.voxel_under(place)

    def release(self) -> None:
        """End the stroke and make an edit of it."""
        if not self._points or self._is_waiting:
            return
        stroke, label = self._stroke(), self._label
        voxels = _voxels_of(stroke, self._painting)
        if voxels > MOST_VOXELS:
            self.refused.emit(
                f"This stroke in 3D covers about {voxels:.1e} voxels, which is too much at once."
                " Take a smaller brush, or paint section by section."
            )
            self.cancel()
            return
        is_slow_image = self._gray is not None and not isinstance(self._gray.image, ArrayVolume)
        protect = self._painting.with_locks(self._protect)
        make = partial(self._make, stroke, label, protect, self._gray)
        self._painting.carry_out(paint_title(label), make, voxels > LONG_VOXELS or is_slow_image)
        self.finished.emit(stroke, label)
        if self._painting.maker.is_busy:
            self._is_waiting = True
        else:
            self.cancel()

    def click_right(self, place: QPointF) -> bool:
        """Leave the click to the menu."""
        return False

    def accept(self) -> bool:
        """Do nothing: a stroke ends with its button."""
        return False

    def step_back(self) -> bool:
        """Do nothing: a stroke is taken back as a whole."""
        return False

    def cancel(self) -> bool:
        """Show the data again, where they differ from the stroke drawn."""
        if self._is_waiting and self._painting.maker.is_busy:
            return False
        return self._forget()

    def preview(self) -> Preview | None:
        """Return which voxels under the brush have the gray values wanted; the stroke itself is shown."""
        options = self._view.model.hand.options
        shown = self._shown_range(options.gray_low, options.gray_high) if options.uses_gray else None
        if shown is None or self._under is None or self._points:
            return None
        return self._in_range(shown, self._under)

    def _make(
        self, stroke: Stroke, label: int, protect: Protect, gray: GrayRange | None, context: Context
    ) -> Edit | None:
        assert self._painting.session is not None
        return paint(self._painting.session.volume, stroke, label, protect, gray, context)

    def _stroke(self) -> Stroke:
        axes, options = self._view.axes, self._view.model.hand.options
        points = tuple(axes.zyx(self._position, row, column) for row, column in self._points)
        is_even = len(set(self._radii)) == 1
        return Stroke(points, self._radii[0] if is_even else tuple(self._radii), axes.plane, options.tip)

    def _radius(self) -> float:
        """Return the radius of the brush, as the pen is pressed."""
        hand = self._view.model.hand
        if not hand.options.uses_pressure:
            return hand.radius_px
        return max(0.5, hand.radius_px * max(_LIGHTEST, self._view.mouse.pressure))

    def _label_at(self, point: tuple[int, int]) -> int:
        height, width = self._view.axes.shape(self._view.model.shape)
        is_inside = 0 <= point[0] < height and 0 <= point[1] < width
        return label_under(self._view, self._painting, *point) if is_inside else 0

    def _shown_range(self, low: float, high: float) -> ShownRange | None:
        section = self._view.image_section
        is_here = section is not None and section.position == self._view.position
        return ShownRange(section, low, high) if section is not None and is_here else None

    def _begin_draft(self) -> bool:
        gray = None
        if self._gray is not None:
            gray = self._shown_range(self._gray.low, self._gray.high)
            if gray is None:
                return False
        draft = self._view.item.overlay.begin_draft()
        if draft is not None:
            draft.gray = gray
        return draft is not None

    def _forget(self) -> bool:
        had_any = bool(self._points)
        self._points, self._radii, self._is_waiting = [], [], False
        self._clear_draft()
        return had_any

    def _clear_draft(self) -> None:
        overlay = self._view.item.overlay
        overlay.end_draft()
        if self._drawn is not None:
            drawn, self._drawn = self._drawn, None
            self._view.item.redraw_box(overlay, *drawn)

    def _end_waiting(self) -> None:
        # The edit is applied after this, in the same turn of the event loop: what was drawn stays till then.
        if self._is_waiting and not self._painting.maker.is_busy:
            self._forget()

    def _draw_again(self) -> None:
        """Draw the stroke on another picture of its section, such as a sharper one."""
        if self._points and self._view.item.overlay.draft is None and self._view.position == self._position:
            self._dab()

    def _dab(self, count: int = 0) -> None:
        """Draw the last points of the stroke; 0: all of them."""
        view, overlay = self._view, self._view.item.overlay
        if overlay.draft is None:
            # Something else changed the labels meanwhile, such as an undo: draw the stroke again on them.
            count = 0
            if not self._begin_draft():
                return
        assert overlay.draft is not None
        aspect = view.axes.brush_aspect(view.model.voxel_size)
        drawn = overlay.draft.draw(
            self._points[-count:],
            self._radii[-count:],
            aspect,
            self._label,
            self._protect,
            view.axes.is_turned,
        )
        if drawn is not None:
            self._drawn = _around(self._drawn, drawn)
            view.item.redraw_box(overlay, *drawn)

    def _in_range(self, shown: ShownRange, under: tuple[int, int]) -> Preview | None:
        """Return a tint of the voxels under the brush that are within a range, thinned out for large ones."""
        view = self._view
        shape, radius = view.axes.shape(view.model.shape), view.model.hand.radius_px
        aspect = view.axes.brush_aspect(view.model.voxel_size)
        step = max(1, math.ceil(2 * radius * max(aspect) / _TINT_PX))
        small = [(n - 1) // step + 1 for n in shape]
        centre = (under[0] / step, under[1] / step)
        row, column, disc = disc_stroke([centre], radius / step, (small[0], small[1]), aspect)
        if not disc.any():
            return None
        rows = (row + np.arange(disc.shape[0])) * step
        columns = (column + np.arange(disc.shape[1])) * step
        colour = QColor(*self._painting.style().colour(view.model.hand.label_to_erase))
        colour.setAlpha(120)
        return tinted(disc & shown.inside(rows, columns), colour, row * step, column * step, step)


class LineDrawing(StrokeDrawing):
    """A straight line as wide as the brush, from where the button goes down to where it comes up."""

    def move(self, place: QPointF) -> None:
        """Draw the line to another place."""
        point = self._view.voxel_under(place)
        if self._points and not self._is_waiting and point != self._points[-1]:
            self._points, self._radii = [self._points[0], point], [self._radii[0], self._radius()]
            self._clear_draft()
            self._dab()


def _voxels_of(stroke: Stroke, painting: PaintingController) -> float:
    """Return about how many voxels a ball covers; 0 for discs, of which any are painted at once."""
    volume: Volume | None = painting.session.volume if painting.session is not None else None
    if stroke.tip is Tip.DISC or volume is None:
        return 0.0
    row, column = stroke.plane.axes
    size, radius = volume.voxel_size, max(stroke.radii_px)
    across = voxels_per_x(size, stroke.plane.fixed_axis)
    aspect = brush_aspect(size, stroke.plane)
    length = sum(
        math.dist((a[row], a[column]), (b[row], b[column]))
        for a, b in zip(stroke.points_zyx, stroke.points_zyx[1:], strict=False)
    )
    depth = min(2 * radius * across + 1, volume.shape[stroke.plane.fixed_axis])
    area = (math.pi * radius**2) * aspect[0] * aspect[1] + 2 * radius * length * max(aspect)
    return min(area, volume.shape[row] * volume.shape[column]) * depth


def _around(one: RowsColumns | None, other: RowsColumns) -> RowsColumns:
    if one is None:
        return other
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
