"""A picture in a panel, as wide as there is room, with names over its parts."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from uniem.gui.painter import painter_on


class Picture(QWidget):
    """A picture from a file, as wide as the panel, with the names of its parts, joined by |, over it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._image = QImage()
        self._path = Path()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def has_picture(self) -> bool:
        """Tell whether there is anything to see."""
        return not self._image.isNull()

    def show_file(self, path: Path) -> None:
        """Show another file; one that holds no picture is passed over."""
        if path != self._path:
            image = QImage(str(path))
            if not image.isNull():
                self._path, self._image = path, image
                self._set_height()
                self.update()

    def clear(self) -> None:
        """Show nothing."""
        self._path, self._image = Path(), QImage()
        self._set_height()

    def sizeHint(self) -> QSize:
        """Return the height that keeps the picture's shape."""
        return QSize(200, self._height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the picture's shape."""
        self._set_height()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the name and the picture."""
        if self._image.isNull():
            return
        with painter_on(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            line = self.fontMetrics().height()
            self._paint_names(painter, line)
            painter.drawImage(QRectF(0, line + 2, self.width(), self.height() - line - 2), self._image)

    def _paint_names(self, painter: QPainter, height: int) -> None:
        names = self._name.split("|")
        width = self.width() / len(names)
        for place, name in enumerate(names):
            area = QRectF(place * width, 0, width, height)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignHCenter), name.strip())

    def _height(self) -> int:
        if self._image.isNull():
            return 0
        scaled = self.width() * self._image.height() / max(1, self._image.width())
        return round(scaled) + self.fontMetrics().height() + 2

    def _set_height(self) -> None:
        self.setFixedHeight(self._height())
