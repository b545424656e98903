"""A line of text that ends in … where there is no room, and is told in full by its tooltip."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QPaintEvent, QPalette
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from uniem.gui.painter import painter_on


class ElidedLabel(QLabel):
    """Show one line, as much of it as fits."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show a text, and keep all of it in the tooltip."""
        super().setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        """Return room for a few letters."""
        return QSize(40, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the part of the text that fits."""
        room = self.contentsRect()
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        with painter_on(self) as painter:
            self.style().drawItemText(
                painter,
                room,
                int(Qt.AlignmentFlag.AlignVCenter) | int(Qt.AlignmentFlag.AlignLeft),
                self.palette(),
                self.isEnabled(),
                text,
                QPalette.ColorRole.WindowText,
            )
