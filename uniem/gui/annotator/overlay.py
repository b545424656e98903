"""What is painted over the 3D picture: scale bar, axes, messages; and lengths in fitting units."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QImage, QPainter, QPen

_AXIS_COLOURS = {"x": "#e5534b", "y": "#57ab5a", "z": "#539bf5"}


def format_length(nm: float) -> str:
    """Write a length in nm, µm or mm, whichever reads best."""
    for limit, scale, unit in ((1e3, 1.0, "nm"), (1e6, 1e3, "µm"), (math.inf, 1e6, "mm")):
        if abs(nm) < limit:
            return f"{nm / scale:.4g} {unit}"
    raise ValueError(f"{nm} is not a length")


def round_length(most_nm: float) -> float:
    """Return the largest of 1, 2 or 5 times a power of ten that is no longer than a length."""
    power = 10.0 ** math.floor(math.log10(most_nm))
    return max(step * power for step in (1, 2, 5) if step * power <= most_nm * (1 + 1e-9))


def paint_scale_bar(
    painter: QPainter, area: QRectF, nm_per_pixel: float, colour: QColor, unit: float
) -> None:
    """Paint a bar of round length in the lower right corner; `unit` is the size of a point in pixels."""
    most_nm = min(area.width() / 4, 220 * unit) * nm_per_pixel
    if not (math.isfinite(most_nm) and most_nm > 0):
        return
    length_nm = round_length(most_nm)
    width = length_nm / nm_per_pixel
    bar = QRectF(area.right() - 16 * unit - width, area.bottom() - 18 * unit, width, 4 * unit)
    painter.fillRect(bar, colour)
    painter.setFont(_font(painter, 11 * unit, bold=True))
    painter.setPen(colour)
    text = QRectF(bar.center().x() - 100 * unit, bar.top() - 20 * unit, 200 * unit, 18 * unit)
    painter.drawText(
        text, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, format_length(length_nm)
    )


def paint_scale_bar_into(image: QImage, nm_per_pixel: float, colour: QColor) -> None:
    """Paint a scale bar into a picture, larger in a larger one."""
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    area = QRectF(0, 0, image.width(), image.height())
    paint_scale_bar(painter, area, nm_per_pixel, colour, max(0.5, image.height() / 800))
    painter.end()


def paint_axes(painter: QPainter, area: QRectF, axes: Sequence[Sequence[float]], unit: float) -> None:
    """Paint the directions of x, y and z in the lower left corner; `axes`: right, up and forward."""
    origin = QPointF(area.left() + 44 * unit, area.bottom() - 44 * unit)
    right, up, forward = axes
    painter.setFont(_font(painter, 11 * unit, bold=True))
    for k in sorted(range(3), key=lambda k: -forward[k]):
        tip = QPointF(right[k], -up[k]) * 24 * unit
        colour = QColor(_AXIS_COLOURS["xyz"[k]])
        painter.setPen(QPen(colour, 2 * unit, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(origin, origin + tip)
        if math.hypot(right[k], up[k]) > 0.2:
            at = origin + tip * 1.4
            box = QRectF(at.x() - 8 * unit, at.y() - 8 * unit, 16 * unit, 16 * unit)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "xyz"[k])


def paint_message(painter: QPainter, area: QRectF, title: str, text: str, colour: QColor) -> None:
    """Paint a title and an explanation in the middle."""
    faint = QColor(colour)
    faint.setAlphaF(0.7)
    middle = area.adjusted(24, 0, -24, 0)
    painter.setPen(colour)
    painter.setFont(_font(painter, 17, bold=True))
    upper = QRectF(middle.left(), middle.top(), middle.width(), middle.height() / 2 - 6)
    flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(upper, flags | Qt.AlignmentFlag.AlignBottom, title)
    painter.setPen(faint)
    painter.setFont(_font(painter, 13))
    lower = QRectF(middle.left(), middle.center().y() + 6, middle.width(), middle.height() / 2 - 6)
    painter.drawText(lower, flags | Qt.AlignmentFlag.AlignTop, text)


def paint_badge(painter: QPainter, area: QRectF, text: str) -> None:
    """Paint a short note on a pill at the top."""
    painter.setFont(_font(painter, 12))
    width = painter.fontMetrics().horizontalAdvance(text) + 24
    pill = QRectF(area.center().x() - width / 2, area.top() + 10, width, 24)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 170))
    painter.drawRoundedRect(pill, 12, 12)
    painter.setPen(QColor("white"))
    painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)


def _font(painter: QPainter, pixels: float, bold: bool = False) -> QFont:
    font = QFont(painter.font())
    font.setPixelSize(max(1, round(pixels)))
    font.setBold(bold)
    return font


def to_image(pixels: NDArray[np.uint8], transparent: bool) -> QImage:
    """Return a copy of a (height, width, 4) picture; a transparent one is premultiplied by alpha."""
    height, width, _ = pixels.shape
    form = QImage.Format.Format_RGBA8888_Premultiplied if transparent else QImage.Format.Format_RGBX8888
    return QImage(pixels.tobytes(), width, height, 4 * width, form).copy()
