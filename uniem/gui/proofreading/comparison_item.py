"""What differs between two points of the history, drawn over a section."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF
from qtpy.QtGui import QColor, QImage, QPainter
from qtpy.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from uniem.data.palette import Colour, colours_of
from uniem.gui.canvas.drawing import as_image
from uniem.gui.canvas.planes import ViewAxes
from uniem.proofreading.comparison import BlockDifference

GAINED, LOST, MOVED = QColor(80, 210, 120), QColor(240, 85, 75), QColor(255, 205, 60)
_ALPHA = 170
_KEPT_BLOCKS = 256


class Side(StrEnum):
    """What is shown of the voxels that differ."""

    BOTH = "difference"
    BEFORE = "before"
    AFTER = "after"


class Tile(NamedTuple):
    """A picture of the voxels that differ in a part of a section."""

    place: QRectF
    picture: QImage


def tile_of(
    difference: BlockDifference, axes: ViewAxes, position: int, side: Side, own: dict[int, Colour]
) -> Tile | None:
    """Draw the voxels of a section that differ; None if none does."""
    box = difference.box
    index = position - box.start[axes.across]
    before, after = (axes.section_of(labels, index) for labels in _labels(difference))
    differs = before != after
    if not differs.any():
        return None
    if side is Side.BOTH:
        kinds = np.select([before == 0, after == 0], [0, 1], 2)
        ink = np.array([_ink(colour) for colour in (GAINED, LOST, MOVED)], np.uint32)[kinds]
    else:
        ink = _inks_of(before if side is Side.BEFORE else after, own)
    buffer = np.ascontiguousarray(np.where(differs, ink, np.uint32(0)), np.uint32)
    picture = as_image(buffer, QImage.Format.Format_ARGB32_Premultiplied).copy()
    rows, columns = differs.shape
    return Tile(QRectF(box.start[axes.columns], box.start[axes.rows], columns, rows), picture)


class ComparisonItem(QGraphicsObject):
    """Draw tiles, in voxels (column, row)."""

    def __init__(self, shape: tuple[int, int], tiles: Callable[[], list[Tile]]) -> None:
        super().__init__()
        self.setZValue(8)
        self._shape, self._tiles = shape, tiles

    def boundingRect(self) -> QRectF:
        """Return the section's rectangle."""
        return QRectF(0, 0, self._shape[1], self._shape[0])

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Draw the tiles, voxel by voxel."""
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        for tile in self._tiles():
            painter.drawImage(tile.place, tile.picture)


@lru_cache(maxsize=_KEPT_BLOCKS)
def _labels(difference: BlockDifference) -> tuple[NDArray[Any], NDArray[Any]]:
    return difference.labels()


def _ink(colour: QColor) -> int:
    red, green, blue = (part * _ALPHA // 255 for part in (colour.red(), colour.green(), colour.blue()))
    return _ALPHA << 24 | red << 16 | green << 8 | blue


def _inks_of(labels: NDArray[Any], own: dict[int, Colour]) -> NDArray[np.uint32]:
    """Return the colours of labels; background is darkened."""
    ids, places = np.unique(labels, return_inverse=True)
    colours = colours_of(ids)
    inks = [_ink(QColor(*own.get(label, tuple(colours[i])))) for i, label in enumerate(ids.tolist())]
    if len(ids) and ids[0] == 0:
        inks[0] = _ALPHA << 24
    found: NDArray[np.uint32] = np.array(inks, np.uint32)[places.reshape(labels.shape)]
    return found
