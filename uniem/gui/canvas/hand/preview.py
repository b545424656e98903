"""What a tool shows before it changes anything: lines, and voxels in a colour."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF
from qtpy.QtGui import QColor, QImage, QPainterPath

from uniem.gui.canvas.drawing import as_image

Pixels = NDArray[np.bool_]


@dataclass(frozen=True)
class Mark:
    """A stroke of the user's in a colour, in voxels (column, row)."""

    path: QPainterPath
    colour: QColor


@dataclass(frozen=True)
class Preview:
    """Lines, in voxels (column, row), a picture over a rectangle of voxels, and strokes over both."""

    path: QPainterPath | None = None
    is_dashed: bool = False
    tint: QImage | None = None
    place: QRectF = field(default_factory=QRectF)
    marks: tuple[Mark, ...] = ()

    @property
    def bounds(self) -> QRectF:
        """The rectangle that holds it all."""
        around = QRectF(self.place)
        for path in (*([self.path] if self.path is not None else []), *(mark.path for mark in self.marks)):
            # A line along an axis has no area, which Qt would take for nothing.
            around = around.united(path.boundingRect().adjusted(-0.5, -0.5, 0.5, 0.5))
        return around


def tinted(mask: Pixels, colour: QColor, row: float, column: float, step: float = 1.0) -> Preview:
    """Return a preview of (row, column) bool voxels in a colour, at a place; each is `step` voxels wide."""
    alpha = colour.alpha()
    red, green, blue = (part * alpha // 255 for part in (colour.red(), colour.green(), colour.blue()))
    ink = np.uint32(alpha << 24 | red << 16 | green << 8 | blue)
    buffer = np.where(mask, ink, np.uint32(0))
    picture = as_image(np.ascontiguousarray(buffer), QImage.Format.Format_ARGB32_Premultiplied).copy()
    height, width = mask.shape
    return Preview(tint=picture, place=QRectF(column, row, width * step, height * step))


def outline(mask: Pixels, row: int, column: int) -> QPainterPath:
    """Return the lines along the edges of (row, column) bool voxels at a place."""
    path = QPainterPath()
    padded = np.pad(mask, 1)
    for line, start, stop in _runs(padded[1:] != padded[:-1]):
        path.moveTo(column + start - 1, row + line)
        path.lineTo(column + stop - 1, row + line)
    for line, start, stop in _runs((padded[:, 1:] != padded[:, :-1]).T):
        path.moveTo(column + line, row + start - 1)
        path.lineTo(column + line, row + stop - 1)
    return path


def _runs(edges: Pixels) -> list[tuple[int, int, int]]:
    """Return (line, first, last + 1) of every run of True along the lines of an array."""
    steps = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    lines, starts = np.nonzero(steps == 1)
    stops = np.nonzero(steps == -1)[1]
    return list(zip(lines.tolist(), starts.tolist(), stops.tolist(), strict=True))
