"""The brush under the mouse: the exact outline of the voxels it would paint."""

from __future__ import annotations

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPen
from qtpy.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from uniem.algorithms.rasterise import disc_outline

EXACT_FROM_SCALE = 3.0


class BrushCursor(QGraphicsObject):
    """Draw the outline of a dab around the voxel at the item's place."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(10)
        self.setVisible(False)
        self._brush = (0.0, (1.0, 1.0), False)
        self._scales = 1.0, 1.0
        self._colour = QColor("white")
        self._path = QPainterPath()

    @property
    def is_exact(self) -> bool:
        """Tell whether the outline runs along the edges of voxels."""
        return max(self._scales) >= EXACT_FROM_SCALE

    @property
    def path(self) -> QPainterPath:
        """The outline, in voxels (column, row) around the voxel under the mouse."""
        return self._path

    def set_brush(
        self,
        radius_px: float,
        aspect_yx: tuple[float, float],
        scales_yx: tuple[float, float],
        is_turned: bool = False,
    ) -> None:
        """Set radius and shape in voxels, and the screen pixels per voxel: small ones get a plain circle.

        Voxels that are large in one direction only are drawn one by one too. `is_turned` tells that rows and
        columns are swapped against z, y, x: rims are rounded alike then.
        """
        was_exact, is_exact = self.is_exact, max(scales_yx) >= EXACT_FROM_SCALE
        brush = (radius_px, aspect_yx, is_turned)
        if brush != self._brush or is_exact != was_exact:
            self._path = _outline(*brush) if is_exact else _circle(radius_px, aspect_yx)
        self.prepareGeometryChange()
        self._brush, self._scales = brush, scales_yx
        self.update()

    def set_colour(self, colour: QColor) -> None:
        """Set the colour of the outline: that of the label in hand."""
        # Dark and deep colours would not be seen on the dark line around them.
        self._colour = QColor.fromHsv(colour.hue(), min(colour.saturation(), 120), 255)
        self.update()

    def boundingRect(self) -> QRectF:
        """Return the outline with room for its pen."""
        rows, columns = (3 / scale for scale in self._scales)
        return self._path.boundingRect().adjusted(-columns, -rows, columns, rows)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw a dark line and a coloured one within, so that it shows on any gray."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, not self.is_exact)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        ratio = painter.device().devicePixelRatioF()
        for colour, width in ((QColor(0, 0, 0, 170), 3.2), (self._colour, 1.4)):
            pen = QPen(colour, width * ratio)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawPath(self._path)


def _outline(radius_px: float, aspect_yx: tuple[float, float], is_turned: bool) -> QPainterPath:
    order = -1 if is_turned else 1
    stretch = aspect_yx[::order]
    corners = disc_outline(radius_px, (stretch[0], stretch[1]))[:, ::order] + 0.5
    path = QPainterPath(QPointF(corners[0, 1], corners[0, 0]))
    for y, x in corners[1:].tolist():
        path.lineTo(x, y)
    return path


def _circle(radius_px: float, aspect_yx: tuple[float, float]) -> QPainterPath:
    path = QPainterPath()
    height, width = (max(radius_px * aspect, 0.5) for aspect in aspect_yx)
    path.addEllipse(QPointF(0.5, 0.5), width, height)
    return path
