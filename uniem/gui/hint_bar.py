"""One line under the canvas that says what mouse buttons, wheel and chords do right now."""

from __future__ import annotations

from collections.abc import Iterator

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QSizePolicy, QWidget

from uniem.gui import style
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.hints import Hint
from uniem.gui.canvas.keymap import BUTTONS
from uniem.gui.mouse_picture import HEIGHT, WIDTH, draw_mouse
from uniem.gui.painter import painter_on

_GAP, _MARGIN, _APART = 5, 8, 16


class HintBar(QWidget):
    """Show a `Hint`: mice with the button lit, keys as caps, and words; what does not fit is left out."""

    def __init__(self, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hint = canvas.hint()
        canvas.hint_changed.connect(self.show_hint)
        self.show_hint(self.hint)

    def show_hint(self, hint: Hint) -> None:
        """Show another hint."""
        self.hint = hint
        self.setToolTip(str(hint))
        self.setAccessibleName(str(hint))
        self.update()

    def sizeHint(self) -> QSize:
        """Return room for a line."""
        return QSize(200, max(HEIGHT, self.fontMetrics().height()) + 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what fits."""
        with painter_on(self) as painter:
            left = float(_MARGIN)
            for cap, button, words in self._parts():
                width = self._width(cap, button, words)
                if left + width > self.width() - _MARGIN:
                    painter.setPen(style.accent("quiet"))
                    painter.drawText(
                        QRectF(left, 0, 20, self.height()), int(Qt.AlignmentFlag.AlignVCenter), "…"
                    )
                    return
                self._draw(painter, left, cap, button, words)
                left += width + _APART

    def _parts(self) -> Iterator[tuple[str, str, str]]:
        """List what stands side by side: a key cap, or none, a mouse button, or none, and words."""
        if self.hint.modifier:
            yield self.hint.modifier.replace(", ", " "), "", ""
        for button, words in self.hint.buttons:
            yield "", button, words
        for name, words in self.hint.others:
            cap, _, button = name.rpartition("+")
            is_button = button.capitalize() in BUTTONS
            yield (cap, button.capitalize(), words) if is_button else (name, "", words)

    def _width(self, cap: str, button: str, words: str) -> float:
        metrics = self.fontMetrics()
        width = metrics.horizontalAdvance(words) + (metrics.horizontalAdvance(cap) + 10 if cap else 0)
        return float(width + (WIDTH if button else 0) + _GAP * (sum(map(bool, (cap, button, words))) - 1))

    def _draw(self, painter: QPainter, left: float, cap: str, button: str, words: str) -> None:
        ink, lit = style.accent("quiet"), self.palette().color(QPalette.ColorRole.Highlight).lighter(115)
        metrics, height = self.fontMetrics(), self.height()
        if cap:
            width = metrics.horizontalAdvance(cap) + 10
            self._draw_cap(
                painter, QRectF(left + 0.5, (height - HEIGHT) / 2 + 0.5, width - 1, HEIGHT - 1), cap
            )
            left += width + _GAP
        if button:
            draw_mouse(painter, left, (height - HEIGHT) / 2, button, ink, lit)
            left += WIDTH + _GAP
        painter.setPen(ink)
        text = QRectF(left, 0, self.width(), height)
        painter.drawText(text, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), words)

    def _draw_cap(self, painter: QPainter, box: QRectF, text: str) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(style.accent("quiet"))
        painter.setBrush(QColor(self.palette().color(QPalette.ColorRole.Button)))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)
        painter.restore()
