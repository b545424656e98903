"""What a tool draws over a section before it changes anything."""

from __future__ import annotations

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from uniem.gui.canvas.hand.preview import Preview

_ROOM = 8


class PreviewItem(QGraphicsObject):
    """Draw a preview in voxels, with lines of the screen's width."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(9)
        self.preview: Preview | None = None

    def set_preview(self, preview: Preview | None) -> None:
        """Draw something else, or nothing."""
        if preview is None and self.preview is None:
            return
        self.prepareGeometryChange()
        self.preview = preview
        self.update()

    def boundingRect(self) -> QRectF:
        """Return what is drawn with room for its pen."""
        if self.preview is None:
            return QRectF()
        return self.preview.bounds.adjusted(-_ROOM, -_ROOM, _ROOM, _ROOM)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw the tint; then a dark line and a bright one within, so that it shows on any gray."""
        if self.preview is None:
            return
        if self.preview.tint is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            painter.drawImage(self.preview.place, self.preview.tint)
        ratio = painter.device().devicePixelRatioF()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for mark in self.preview.marks:
            for colour, width in ((QColor(0, 0, 0, 200), 8.0), (mark.colour, 5.0)):
                pen = QPen(colour, width * ratio)
                pen.setCapStyle(Qt.PenCapStyle.RoundCap)
                pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
                pen.setCosmetic(True)
                painter.setPen(pen)
                painter.drawPath(mark.path)
        if self.preview.path is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, self.preview.is_dashed)
        inner = Qt.PenStyle.DashLine if self.preview.is_dashed else Qt.PenStyle.SolidLine
        for colour, width, style in (
            (QColor(0, 0, 0, 180), 3.0, Qt.PenStyle.SolidLine),
            (QColor(255, 230, 90), 1.4, inner),
        ):
            pen = QPen(colour, width * ratio, style)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawPath(self.preview.path)
