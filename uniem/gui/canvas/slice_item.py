"""A section in a graphics scene: gray image and coloured labels, composed for the part in view only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt5.sip import voidptr
from qtpy.QtCore import QPointF, QRectF
from qtpy.QtGui import QImage, QPainter, QTransform
from qtpy.QtWidgets import QGraphicsItem, QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from uniem.gui.canvas.compose import Axis, Grid, sample_mean, to_gray
from uniem.gui.canvas.label_overlay import LabelOverlay
from uniem.gui.canvas.sections import Section

ViewBoxYX = tuple[float, float, float, float]


class SliceItem(QGraphicsObject):
    """Draw a section; x runs along columns and y along rows, in voxels.

    Both layers are buffers of at most the size of the screen. They are composed in `paint`, so at most once a
    frame; a dab recolours its own pixels only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.overlay = LabelOverlay()
        self.labels_are_drawn = True
        self._image: Section | None = None
        self._contrast = (0.0, 255.0)
        self._shape = (0, 0)
        self._view: ViewBoxYX = (0, 0, 0, 0)
        self._scales = (1.0, 1.0)
        self._grid: Grid | None = None
        self._gray: NDArray[np.uint8] | None = None
        self._labels_are_stale = True

    def set_shape(self, shape_yx: tuple[int, int]) -> None:
        """Set the size of the section in voxels."""
        self.prepareGeometryChange()
        self._shape = shape_yx
        self._grid = None

    def set_sections(self, image: Section | None, labels: Section | None) -> None:
        """Show an image and labels."""
        self._image = image
        self._gray = None
        self.overlay.set_section(labels)
        self.redraw_labels()

    def set_contrast(self, low: float, high: float) -> None:
        """Set the gray values drawn black and white."""
        self._contrast = (low, high)
        self._gray = None
        self.update()

    def set_view(self, view: ViewBoxYX, scale_y: float, scale_x: float) -> None:
        """Tell which voxels are in view, and how many device pixels a voxel takes."""
        self._view, self._scales = view, (scale_y, scale_x)
        self._grid = None
        self.update()

    def redraw_labels(self) -> None:
        """Colour all labels in view again."""
        self._labels_are_stale = True
        self.update()

    def redraw_box(self, y0: int, x0: int, y1: int, x1: int) -> None:
        """Colour the labels of a box of voxels again."""
        if self._labels_are_stale or self._grid is None:
            self.update()
            return
        pixels = self.overlay.render_box(y0, x0, y1, x1)
        if pixels is not None and self.labels_are_drawn:
            self.update(self._voxels_of(*pixels))

    def value_at(self, y: int, x: int) -> float | None:
        """Return the gray value of a voxel."""
        if self._image is None:
            return None
        height, width = self._image.array.shape
        factor = self._image.factor
        return float(self._image.array[min(int(y / factor), height - 1), min(int(x / factor), width - 1)])

    def boundingRect(self) -> QRectF:
        """Return the section's rectangle."""
        return QRectF(0, 0, self._shape[1], self._shape[0])

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw the exposed part of both layers."""
        self._compose()
        if self._grid is None or self._grid.is_empty:
            return
        top, left, bottom, right = self._pixels_of(option.exposedRect)
        if bottom <= top or right <= left:
            return
        source = QRectF(left, top, right - left, bottom - top)
        if self._gray is not None:
            self._draw(painter, _as_image(self._gray, QImage.Format.Format_Grayscale8), source)
        if self.labels_are_drawn and self.overlay.section is not None:
            buffer = _as_image(self.overlay.buffer, QImage.Format.Format_ARGB32_Premultiplied)
            self._draw(painter, buffer, source)

    def _compose(self) -> None:
        if self._grid is None:
            top, left, bottom, right = self._view
            rows = Axis.of_view(top, bottom, self._scales[0], self._shape[0])
            columns = Axis.of_view(left, right, self._scales[1], self._shape[1])
            self._grid = Grid(rows, columns)
            self._gray, self._labels_are_stale = None, True
        if self._grid.is_empty:
            return
        if self._gray is None and self._image is not None:
            sample = sample_mean(self._image.array, self._grid, self._image.factor)
            self._gray = np.ascontiguousarray(to_gray(sample, *self._contrast))
        if self._labels_are_stale and self.labels_are_drawn:
            self.overlay.render(self._grid)
            self._labels_are_stale = False

    def _draw(self, painter: QPainter, image: QImage, source: QRectF) -> None:
        assert self._grid is not None
        transform = painter.worldTransform()
        ratio = painter.device().devicePixelRatioF()
        exact = (
            abs(self._grid.rows.step * transform.m22() * ratio - 1) < 1e-3
            and abs(self._grid.columns.step * transform.m11() * ratio - 1) < 1e-3
        )
        if not exact:
            top, left = int(source.top()), int(source.left())
            target = self._voxels_of(top, left, top + int(source.height()), left + int(source.width()))
            painter.drawImage(target, image, source)
            return
        # Buffer and screen have the same pixels: place them one on the other, without resampling.
        corner = transform.map(QPointF(self._grid.columns.origin, self._grid.rows.origin))
        x, y = round(corner.x() * ratio) + source.left(), round(corner.y() * ratio) + source.top()
        image.setDevicePixelRatio(ratio)
        painter.save()
        painter.setWorldTransform(QTransform())
        painter.drawImage(QPointF(x / ratio, y / ratio), image, source)
        painter.restore()

    def _voxels_of(self, top: int, left: int, bottom: int, right: int) -> QRectF:
        assert self._grid is not None
        rows, columns = self._grid.rows, self._grid.columns
        x, y = columns.origin + left * columns.step, rows.origin + top * rows.step
        return QRectF(x, y, (right - left) * columns.step, (bottom - top) * rows.step)

    def _pixels_of(self, exposed: QRectF) -> tuple[int, int, int, int]:
        assert self._grid is not None
        rows, columns = self._grid.rows, self._grid.columns
        height, width = self._grid.shape
        top = math.floor((exposed.top() - rows.origin) / rows.step) - 1
        left = math.floor((exposed.left() - columns.origin) / columns.step) - 1
        bottom = math.ceil((exposed.bottom() - rows.origin) / rows.step) + 1
        right = math.ceil((exposed.right() - columns.origin) / columns.step) + 1
        return max(0, top), max(0, left), min(height, bottom), min(width, right)


def _as_image(buffer: NDArray[Any], pixel_format: QImage.Format) -> QImage:
    """Wrap a C-contiguous buffer without a copy; the buffer must outlive the picture."""
    height, width = buffer.shape
    return QImage(voidptr(buffer.ctypes.data), width, height, buffer.strides[0], pixel_format)
