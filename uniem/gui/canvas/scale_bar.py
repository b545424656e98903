"""A bar of a round length in nm or µm over a view."""

from __future__ import annotations

import math

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

from uniem.gui.painter import painter_on

_TARGET_PX = 140


def round_length(longest_nm: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is no longer."""
    power = 10.0 ** math.floor(math.log10(longest_nm))
    return max(m * power for m in (1, 2, 5) if m * power <= longest_nm * (1 + 1e-9))


def length_text(nm: float) -> str:
    """Return a length in nm or µm."""
    return f"{nm / 1000:g} µm" if nm >= 1000 else f"{nm:g} nm"


class ScaleBar(QWidget):
    """Show how long a part of the screen is in the specimen."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._length_px = 0.0
        self.text = ""
        self.hide()

    def set_pixel_nm(self, pixel_nm: float | None) -> None:
        """Set how many nm a screen pixel spans; None hides the bar, for an unknown voxel size."""
        self.setVisible(pixel_nm is not None)
        if pixel_nm is not None:
            length = round_length(pixel_nm * _TARGET_PX)
            self._length_px, self.text = length / pixel_nm, length_text(length)
            self.resize(self.sizeHint())
            self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the bar with its text."""
        return QSize(math.ceil(self._length_px) + 16, 34)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bar and its length on a dark ground."""
        with painter_on(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(0, 0, 0, 120))
            painter.drawRoundedRect(QRectF(self.rect()), 5, 5)
            painter.setBrush(QColor("white"))
            painter.drawRect(QRectF(8, self.height() - 9, self._length_px, 3))
            painter.setPen(QColor("white"))
            font = QFont(self.font())
            font.setBold(True)
            painter.setFont(font)
            place = QRectF(0, 3, self.width(), self.height() - 14)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self.text)
