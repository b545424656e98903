"""Where objects are in the picture of a section, for outlines and tints."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from qtpy.QtGui import QColor, QPainterPath, QTransform

from uniem.gui.canvas.hand.preview import Preview, outline, tinted
from uniem.gui.canvas.sections import Section
from uniem.proofreading.tools.protect import is_among


def outline_in(section: Section, labels: Iterable[int]) -> QPainterPath | None:
    """Return the lines around objects in a section, in voxels of the reference; None where there are none."""
    found = _found(section, labels)
    if found is None:
        return None
    mask, row, column = found
    path = outline(mask, row + section.origin[0], column + section.origin[1])
    return QTransform.fromScale(section.factors[1], section.factors[0]).map(path)


def tint_of(section: Section, labels: Iterable[int], colour: QColor) -> Preview | None:
    """Return objects of a section in a colour; None where there are none."""
    found = _found(section, labels)
    if found is None:
        return None
    mask, row, column = found
    preview = tinted(mask, colour, row, column)
    rows, columns = section.factors
    place = preview.place.translated(section.origin[1], section.origin[0])
    place.setRect(place.x() * columns, place.y() * rows, place.width() * columns, place.height() * rows)
    return Preview(tint=preview.tint, place=place)


def _found(section: Section, labels: Iterable[int]) -> tuple[np.ndarray, int, int] | None:
    """Return the smallest (row, column) bool around objects, with its first row and column."""
    mask = is_among(section.array, labels)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    inner = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return inner, int(rows[0]), int(columns[0])
