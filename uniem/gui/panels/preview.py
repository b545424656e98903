"""A live preview: the operation on the visible field of the section in view, before and after."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QPointF, QRectF, QRunnable, Qt, QThreadPool, QTimer, Signal
from qtpy.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from uniem.data.geometry import Box
from uniem.data.palette import argb_table, slots_of
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.gui import style
from uniem.gui.painter import painter_on

logger = logging.getLogger(__name__)

LARGEST_SIDE = 768
DEBOUNCE_MS = 120


@dataclass(frozen=True, slots=True)
class Field:
    """The part of a section that is in view."""

    z: int
    y: tuple[int, int]
    x: tuple[int, int]


class CroppedVolume(Volume):
    """A window on a volume that keeps all sections but only some rows and columns."""

    def __init__(self, volume: Volume, field: Field) -> None:
        height, width = field.y[1] - field.y[0], field.x[1] - field.x[0]
        super().__init__((volume.shape[0], height, width), volume.dtype, volume.voxel_size, volume.kind)
        self.name = volume.name
        self._volume = volume
        self._offset = (0, field.y[0], field.x[0])

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box of the window."""
        return self._volume.read(box.translated(self._offset))


def limited(field: Field, shape: tuple[int, int, int]) -> Field:
    """Return the field inside a volume, no larger than what is computed quickly, around the same centre."""

    def cut(span: tuple[int, int], size: int) -> tuple[int, int]:
        low, high = max(0, span[0]), min(size, span[1])
        spare = max(0, (high - low - LARGEST_SIDE) // 2)
        return low + spare, min(high - spare, low + spare + LARGEST_SIDE)

    return Field(min(max(0, field.z), shape[0] - 1), cut(field.y, shape[1]), cut(field.x, shape[2]))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field before and after; `error` says why there is no after."""

    before: NDArray[Any]
    after: NDArray[Any] | None
    after_is_labels: bool = False
    error: str = ""


class _Task(QRunnable):
    def __init__(
        self, number: int, compute: Callable[[], Comparison], done: Callable[[int, object], None]
    ) -> None:
        super().__init__()
        self._number, self._compute, self._done = number, compute, done

    def run(self) -> None:
        self._done(self._number, self._compute())


class PreviewMaker(QObject):
    """Compute comparisons beside the window's thread; only the answer to the latest question is passed on."""

    arrived = Signal(object)
    _finished = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._asked = 0
        self._question: Callable[[], Comparison] | None = None
        self._is_busy = False
        self._debounce = QTimer(self)
        self._debounce.setSingleShot(True)
        self._debounce.setInterval(DEBOUNCE_MS)
        self._debounce.timeout.connect(self._start)
        self._finished.connect(self._pass_on)

    def ask(self, question: Callable[[], Comparison]) -> None:
        """Ask soon; a question that follows quickly takes this one's place."""
        self._question = question
        self._asked += 1
        self._debounce.start()

    def stop(self) -> None:
        """Drop what is asked and wait for what is being computed."""
        self._debounce.stop()
        self._question = None
        self._asked += 1
        self._pool.waitForDone()

    def _start(self) -> None:
        if self._is_busy or self._question is None:
            return
        self._is_busy = True
        question, self._question = self._question, None
        self._pool.start(_Task(self._asked, question, self._finished.emit))

    def _pass_on(self, number: int, comparison: object) -> None:
        self._is_busy = False
        if number == self._asked:
            self.arrived.emit(comparison)
        elif self._question is not None and not self._debounce.isActive():
            self._start()


def compare(
    preview: Callable[[Volume, int, Any], NDArray[Any]],
    image: Volume,
    field: Field,
    params: Any,
    labels: bool,
) -> Comparison:
    """Return a field before and after an operation's preview."""
    field = limited(field, image.shape)
    window = CroppedVolume(image, field)
    before = np.array(window[field.z])
    try:
        return Comparison(before, np.asarray(preview(window, field.z, params)), labels)
    except (UniemError, ValueError, ArithmeticError, MemoryError) as error:
        logger.info("No preview: %s", error)
        return Comparison(before, None, error=str(error))


class Curtain(QWidget):
    """A picture before (left of a line that can be dragged) and after (right of it)."""

    def __init__(self) -> None:
        super().__init__()
        self._before: QImage | None = None
        self._after: QImage | None = None
        self._place = 0.5
        self._message = "Show an image to see a preview."
        self.setMinimumHeight(200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setToolTip("Before on the left, after on the right; drag the line.")

    @property
    def has_picture(self) -> bool:
        """Tell whether a result is shown."""
        return self._after is not None

    def show_comparison(self, comparison: Comparison) -> None:
        """Show pictures, or why there is none."""
        low, high = grey_range(comparison.before)
        self._before = grey_image(comparison.before, low, high)
        self._after = None
        self._message = comparison.error
        if comparison.after is not None:
            self._after = self._picture(comparison, low, high)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Move the line to the mouse."""
        self._drag_to(event.localPos())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the line."""
        self._drag_to(event.localPos())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint both pictures, the line and the words."""
        with painter_on(self) as painter:
            painter.fillRect(self.rect(), self.palette().brush(QPalette.ColorRole.Base))
            if self._before is not None:
                area = self._area(self._before)
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                painter.drawImage(area, self._before)
                if self._after is not None:
                    self._paint_after(painter, area, self._after)
            if self._message:
                painter.setPen(style.accent("warning" if self._before else "quiet"))
                words = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
                painter.drawText(QRectF(self.rect()).adjusted(10, 10, -10, -10), words, self._message)

    def _paint_after(self, painter: QPainter, area: QRectF, after: QImage) -> None:
        line = area.left() + area.width() * self._place
        painter.save()
        painter.setClipRect(QRectF(line, area.top(), area.right() - line, area.height()))
        painter.drawImage(area, after)
        painter.restore()
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2))
        painter.drawLine(QPointF(line, area.top()), QPointF(line, area.bottom()))

    def _picture(self, comparison: Comparison, low: float, high: float) -> QImage:
        after = comparison.after
        assert after is not None
        if comparison.after_is_labels:
            return overlay_image(comparison.before, after, low, high)
        same = after.dtype == comparison.before.dtype and after.shape == comparison.before.shape
        return grey_image(after, *((low, high) if same else grey_range(after)))

    def _area(self, image: QImage) -> QRectF:
        scale = min(self.width() / image.width(), self.height() / image.height())
        width, height = image.width() * scale, image.height() * scale
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def _drag_to(self, place: QPointF) -> None:
        if self._before is not None:
            area = self._area(self._before)
            self._place = min(1.0, max(0.0, (place.x() - area.left()) / max(1.0, area.width())))
            self.update()


def grey_range(section: NDArray[Any]) -> tuple[float, float]:
    """Return the grey values to draw black and white: the whole range of bytes, else all but the extremes."""
    if section.dtype == np.uint8 and section.size and section.max() > 1:
        return 0.0, 255.0
    low, high = np.nanpercentile(section.astype(np.float32), [0.3, 99.7]) if section.size else (0.0, 1.0)
    return float(low), float(high) if high > low else float(low) + 1.0


def grey_image(section: NDArray[Any], low: float, high: float) -> QImage:
    """Return a section, (y, x) or (y, x, 3) uint8, as a picture."""
    if section.ndim == 3:
        pixels = np.ascontiguousarray(section[..., :3], np.uint8)
        height, width = pixels.shape[:2]
        return QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    scaled = np.clip((section.astype(np.float32) - low) * (255.0 / (high - low)), 0, 255).astype(np.uint8)
    scaled = np.ascontiguousarray(scaled)
    height, width = scaled.shape
    return QImage(scaled.tobytes(), width, height, width, QImage.Format.Format_Grayscale8).copy()


def overlay_image(section: NDArray[Any], labels: NDArray[Any], low: float, high: float) -> QImage:
    """Return labels drawn over a section as a picture."""
    picture = grey_image(section, low, high).convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    colours = np.ascontiguousarray(argb_table(0.5)[slots_of(labels)])
    height, width = colours.shape
    over = QImage(colours.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    painter = QPainter(picture)
    painter.drawImage(0, 0, over)
    painter.end()
    return picture
