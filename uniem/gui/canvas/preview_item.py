"""Lines that a tool draws over a section before it changes anything."""

from __future__ import annotations

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPen
from qtpy.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget


class PreviewItem(QGraphicsObject):
    """Draw a path in voxels with lines of the screen's width."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(9)
        self._path: QPainterPath | None = None

    def set_path(self, path: QPainterPath | None) -> None:
        """Draw another path, or none."""
        if path is None and self._path is None:
            return
        self.prepareGeometryChange()
        self._path = path
        self.update()

    def boundingRect(self) -> QRectF:
        """Return the path with room for its pen."""
        if self._path is None:
            return QRectF()
        return self._path.boundingRect().adjusted(-8, -8, 8, 8)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw a dark line and a bright, dashed one within, so that it shows on any gray."""
        if self._path is None:
            return
        ratio = painter.device().devicePixelRatioF()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width, style in (
            (QColor(0, 0, 0, 180), 3.0, Qt.PenStyle.SolidLine),
            (QColor(255, 230, 90), 1.4, Qt.PenStyle.DashLine),
        ):
            pen = QPen(colour, width * ratio, style)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawPath(self._path)
