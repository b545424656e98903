"""What the drawings of all layers have in common, and the drawing of an image."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray
from PyQt5.sip import voidptr
from qtpy.QtGui import QImage

from uniem.gui.canvas.colour_maps import GRAY, colour_table
from uniem.gui.canvas.compose import Grid, percentile_range, sample_mean, to_gray
from uniem.gui.canvas.layers import Layer
from uniem.gui.canvas.sections import Section


class LayerDrawing(ABC):
    """A layer of a section at the resolution of the screen.

    Attributes
    ----------
    opacity : float
        Of the whole layer.
    is_stale : bool
        The buffer must be composed anew before it is drawn.
    """

    def __init__(self) -> None:
        self.section: Section | None = None
        self.is_drawn = True
        self.is_stale = True
        self.opacity = 1.0

    def set_section(self, section: Section | None) -> None:
        """Show another section, or the same after some of it arrived."""
        self.section = section
        self.is_stale = True

    @abstractmethod
    def render(self, grid: Grid) -> None:
        """Compose the whole buffer."""

    @abstractmethod
    def picture(self) -> QImage | None:
        """Return the buffer as a picture, which is valid until the next `render`."""


class ImageDrawing(LayerDrawing):
    """An image: gray, or in the colours of a map."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self._layer = layer
        self._gray: NDArray[np.uint8] | None = None
        self._colours: NDArray[np.uint32] | None = None
        self._ranges: dict[int, tuple[float, float]] = {}

    def render(self, grid: Grid) -> None:
        """Compose the whole buffer."""
        self._gray = self._colours = None
        if self.section is None:
            return
        gray = to_gray(sample_mean(self.section, grid), *self._contrast(self.section))
        if self._layer.is_inverted:
            gray = 255 - gray
        if self._layer.colours == GRAY:
            self._gray = np.ascontiguousarray(gray)
        else:
            self._colours = np.ascontiguousarray(np.take(colour_table(self._layer.colours), gray))

    def picture(self) -> QImage | None:
        """Return the buffer as a picture."""
        if self._gray is not None:
            return as_image(self._gray, QImage.Format.Format_Grayscale8)
        if self._colours is not None:
            return as_image(self._colours, QImage.Format.Format_ARGB32_Premultiplied)
        return None

    def _contrast(self, section: Section) -> tuple[float, float]:
        if not self._layer.is_normalised:
            return self._layer.low, self._layer.high
        # Kept, so that a section does not change its looks while one moves over it.
        if section.position not in self._ranges:
            self._ranges[section.position] = percentile_range(section.array)
        return self._ranges[section.position]


def as_image(buffer: NDArray[np.uint8] | NDArray[np.uint32], pixel_format: QImage.Format) -> QImage:
    """Wrap a C-contiguous buffer without a copy; the buffer must outlive the picture."""
    height, width = buffer.shape
    return QImage(voidptr(buffer.ctypes.data), width, height, buffer.strides[0], pixel_format)
