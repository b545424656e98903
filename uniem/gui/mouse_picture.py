"""A small picture of a mouse with one button or the wheel lit, drawn in the colours of the theme."""

from __future__ import annotations

from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPen

WIDTH, HEIGHT = 13, 18


def draw_mouse(painter: QPainter, left: float, top: float, button: str, ink: QColor, lit: QColor) -> None:
    """Draw a mouse, 13 x 18 pixels, with Left, Middle, Right or Wheel lit."""
    body = QRectF(left + 0.5, top + 0.5, WIDTH - 1, HEIGHT - 1)
    shape = QPainterPath()
    shape.addRoundedRect(body, 6, 6)
    buttons_end = body.top() + 7
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if button in ("Left", "Right"):
        half = QRectF(body.left(), body.top(), body.width() / 2, buttons_end - body.top())
        if button == "Right":
            half.moveLeft(body.center().x())
        area = QPainterPath()
        area.addRect(half)
        painter.fillPath(shape.intersected(area), lit)
    painter.setPen(QPen(ink, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(shape)
    painter.drawLine(
        QRectF(body.left(), buttons_end, body.width(), 0).topLeft(),
        QRectF(body.right(), buttons_end, 0, 0).topLeft(),
    )
    wheel = QRectF(body.center().x() - 1.5, body.top() + 2.5, 3, 6)
    is_lit = button in ("Middle", "Wheel")
    painter.setBrush(lit if is_lit else ink)
    painter.setPen(QPen(lit if is_lit else ink, 1))
    painter.drawRoundedRect(wheel, 1.5, 1.5)
    if button == "Wheel":
        _draw_arrows(painter, body, lit)
    painter.restore()


def _draw_arrows(painter: QPainter, body: QRectF, lit: QColor) -> None:
    """Draw an arrow up and one down below the wheel: it turns, while the middle button is pressed."""
    middle, top = body.center().x(), body.top() + 10.5
    for direction, y in ((-1, top), (1, top + 3)):
        arrow = QPainterPath()
        arrow.moveTo(middle - 2.5, y)
        arrow.lineTo(middle + 2.5, y)
        arrow.lineTo(middle, y + 2.5 * direction)
        arrow.closeSubpath()
        painter.fillPath(arrow, lit)
