"""A section in a graphics scene: its layers, composed for the part in view only."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qtpy.QtCore import QPointF, QRectF
from qtpy.QtGui import QImage, QPainter, QTransform
from qtpy.QtWidgets import QGraphicsItem, QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from uniem.gui.canvas.compose import Axis, Grid
from uniem.gui.canvas.drawing import LayerDrawing
from uniem.gui.canvas.label_overlay import LabelOverlay

ViewBoxYX = tuple[float, float, float, float]


class SliceItem(QGraphicsObject):
    """Draw the layers of a section, lowest first; places are voxels of the reference.

    Each layer is a buffer of at most the size of the screen. They are composed in `paint`, so at most once a
    frame; a dab recolours its own pixels only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        # The labels that are painted and picked, whether there are any or not.
        self.overlay = LabelOverlay()
        self._drawings: list[LayerDrawing] = []
        self._shape = (0, 0)
        self._view: ViewBoxYX = (0, 0, 0, 0)
        self._scales = (1.0, 1.0)
        self._grid: Grid | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """The size of the section in voxels, (rows, columns)."""
        return self._shape

    def set_shape(self, shape: tuple[int, int]) -> None:
        """Set the size of the section in voxels, (rows, columns)."""
        self.prepareGeometryChange()
        self._shape = shape
        self._grid = None

    def set_drawings(self, drawings: Sequence[LayerDrawing], overlay: LabelOverlay | None) -> None:
        """Draw other layers; `overlay` is the one that is painted."""
        self._drawings = list(drawings)
        self.overlay = overlay or LabelOverlay()
        self.redraw()

    def set_view(self, view: ViewBoxYX, scale_y: float, scale_x: float) -> None:
        """Tell which voxels are in view, and how many device pixels a voxel takes."""
        self._view, self._scales = view, (scale_y, scale_x)
        self._grid = None
        self.update()

    def redraw(self) -> None:
        """Compose everything again."""
        for drawing in self._drawings:
            drawing.is_stale = True
        self.update()

    def redraw_box(self, overlay: LabelOverlay, y0: int, x0: int, y1: int, x1: int) -> None:
        """Colour a layer's labels in a box of voxels again."""
        if overlay.is_stale or self._grid is None:
            self.update()
            return
        self.update_pixels(overlay, overlay.render_box(y0, x0, y1, x1))

    def update_pixels(self, overlay: LabelOverlay, pixels: tuple[int, int, int, int] | None) -> None:
        """Paint pixels of the buffers again, after a layer changed there."""
        if pixels is not None and overlay.is_drawn and self._grid is not None:
            self.update(self._voxels_of(*pixels))

    def boundingRect(self) -> QRectF:
        """Return the section's rectangle."""
        return QRectF(0, 0, self._shape[1], self._shape[0])

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw the exposed part of all layers."""
        grid = self._compose()
        if grid.is_empty:
            return
        top, left, bottom, right = self._pixels_of(option.exposedRect)
        if bottom <= top or right <= left:
            return
        source = QRectF(left, top, right - left, bottom - top)
        for drawing in self._drawings:
            picture = drawing.picture() if drawing.is_drawn else None
            if picture is not None:
                painter.setOpacity(drawing.opacity)
                self._draw(painter, picture, source)
        painter.setOpacity(1.0)

    def _compose(self) -> Grid:
        if self._grid is None:
            top, left, bottom, right = self._view
            rows = Axis.of_view(top, bottom, self._scales[0], self._shape[0])
            columns = Axis.of_view(left, right, self._scales[1], self._shape[1])
            self._grid = Grid(rows, columns)
            for drawing in self._drawings:
                drawing.is_stale = True
        if not self._grid.is_empty:
            for drawing in self._drawings:
                if drawing.is_stale and drawing.is_drawn:
                    drawing.render(self._grid)
                    drawing.is_stale = False
        return self._grid

    def _draw(self, painter: QPainter, image: QImage, source: QRectF) -> None:
        assert self._grid is not None
        transform = painter.worldTransform()
        ratio = painter.device().devicePixelRatioF()
        exact = (
            abs(self._grid.rows.step * transform.m22() * ratio - 1) < 1e-3
            and abs(self._grid.columns.step * transform.m11() * ratio - 1) < 1e-3
        )
        if not exact:
            top, left = int(source.top()), int(source.left())
            target = self._voxels_of(top, left, top + int(source.height()), left + int(source.width()))
            painter.drawImage(target, image, source)
            return
        # Buffer and screen have the same pixels: place them one on the other, without resampling.
        corner = transform.map(QPointF(self._grid.columns.origin, self._grid.rows.origin))
        x, y = round(corner.x() * ratio) + source.left(), round(corner.y() * ratio) + source.top()
        image.setDevicePixelRatio(ratio)
        painter.save()
        painter.setWorldTransform(QTransform())
        painter.drawImage(QPointF(x / ratio, y / ratio), image, source)
        painter.restore()

    def _voxels_of(self, top: int, left: int, bottom: int, right: int) -> QRectF:
        assert self._grid is not None
        rows, columns = self._grid.rows, self._grid.columns
        x, y = columns.origin + left * columns.step, rows.origin + top * rows.step
        return QRectF(x, y, (right - left) * columns.step, (bottom - top) * rows.step)

    def _pixels_of(self, exposed: QRectF) -> tuple[int, int, int, int]:
        assert self._grid is not None
        rows, columns = self._grid.rows, self._grid.columns
        height, width = self._grid.shape
        top = math.floor((exposed.top() - rows.origin) / rows.step) - 1
        left = math.floor((exposed.left() - columns.origin) / columns.step) - 1
        bottom = math.ceil((exposed.bottom() - rows.origin) / rows.step) + 1
        right = math.ceil((exposed.right() - columns.origin) / columns.step) + 1
        return max(0, top), max(0, left), min(height, bottom), min(width, right)
