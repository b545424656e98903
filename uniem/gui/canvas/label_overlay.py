"""The labels over a section: coloured at screen resolution, and only where something changed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtGui import QImage

from uniem.data.palette import TABLE_SIZE, slots_of
from uniem.gui.canvas.compose import Axis, Grid, colour, edges_only, sample_nearest
from uniem.gui.canvas.draft import DraftSection
from uniem.gui.canvas.drawing import LayerDrawing, as_image
from uniem.gui.canvas.label_style import LabelStyle
from uniem.gui.canvas.patch import BAND
from uniem.gui.canvas.sections import Section

Rectangle = tuple[int, int, int, int]  # top, left, bottom, right; half-open, in pixels of the buffer


class LabelOverlay(LayerDrawing):
    """A section of labels, the stroke being drawn on it, and the ARGB buffer that shows both."""

    def __init__(self) -> None:
        super().__init__()
        self.draft: DraftSection | None = None
        self.buffer: NDArray[np.uint32] = np.zeros((0, 0), dtype=np.uint32)
        self._style = LabelStyle()
        self._hovered = 0
        self._table_made: NDArray[np.uint32] | None = None
        # The label of each pixel, so that another label under the mouse costs next to nothing.
        self._labels: NDArray[Any] = np.zeros((0, 0), dtype=np.uint32)
        self._grid: Grid | None = None

    def set_section(self, section: Section | None) -> None:
        """Show another section; a stroke being drawn is forgotten."""
        if self.section is None or section is None or section.array is not self.section.array:
            self.draft = None
        super().set_section(section)

    def set_style(self, style: LabelStyle) -> None:
        """Draw in other colours."""
        self._style = style
        self._table_made = None
        self.is_stale = True

    def hover(self, label: int) -> Rectangle | None:
        """Let a label shine; return the pixels that changed."""
        if label == self._hovered:
            return None
        touched = [each for each in (label, self._hovered) if each]
        self._hovered = label
        self._table_made = None
        if self.is_stale or self._grid is None or self._labels.size == 0:
            return None
        found = np.zeros(self._labels.shape, np.bool_)
        for each in touched:
            own = self._labels == each
            np.copyto(self.buffer, self._table[int(slots_of(each))], where=own)
            found |= own
        rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
        if not len(rows):
            return None
        return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1

    def begin_draft(self) -> DraftSection | None:
        """Start a stroke; None where no labels are there yet."""
        if self.section is None:
            return None
        self.draft = DraftSection(self.section)
        return self.draft

    def end_draft(self, is_kept: bool = False) -> None:
        """Forget the stroke being drawn, or let it stay in the picture until the labels are read again."""
        if self.draft is not None and is_kept:
            self.draft.keep()
        self.draft = None

    def label_at(self, row: int, column: int) -> int | None:
        """Return the label of a voxel, that of the stroke being drawn included."""
        if self.section is None:
            return None
        if self.draft is not None:
            return self.draft.label_at(row, column)
        return int(self.section.value_at(row, column))

    def render(self, grid: Grid) -> None:
        """Colour the whole buffer."""
        self._grid = grid
        dtype = self.section.array.dtype if self.section is not None else np.dtype(np.uint32)
        self.buffer = _of_shape(self.buffer, grid.shape, np.dtype(np.uint32))
        self._labels = _of_shape(self._labels, grid.shape, dtype)
        self._render(0, 0, *grid.shape)

    def render_box(self, y0: int, x0: int, y1: int, x1: int) -> Rectangle | None:
        """Colour the pixels that show a box of voxels, and return them; None if none is in view."""
        if self._grid is None:
            return None
        margin = 1 if self._style.outlines else 0
        top, bottom = self._grid.rows.pixels_of(y0, y1)
        left, right = self._grid.columns.pixels_of(x0, x1)
        if bottom <= top or right <= left:
            return None
        height, width = self._grid.shape
        top, left = max(0, top - margin), max(0, left - margin)
        bottom, right = min(height, bottom + margin), min(width, right + margin)
        self._render(top, left, bottom, right)
        return top, left, bottom, right

    def picture(self) -> QImage | None:
        """Return the buffer as a picture."""
        if self.section is None or self.buffer.size == 0:
            return None
        return as_image(self.buffer, QImage.Format.Format_ARGB32_Premultiplied)

    @property
    def _table(self) -> NDArray[np.uint32]:
        """The colour of each slot, made when labels are drawn."""
        if self._table_made is None:
            self._table_made = self._style.table(self._hovered)
        return self._table_made

    def _render(self, top: int, left: int, bottom: int, right: int) -> None:
        for first in range(top, bottom, BAND):
            self._render_band(first, left, min(bottom, first + BAND), right)

    def _render_band(self, top: int, left: int, bottom: int, right: int) -> None:
        inside = (slice(top, bottom), slice(left, right))
        if self.section is None:
            self.buffer[inside] = 0
            return
        if not self._style.outlines:
            labels = self._chosen(self._sample(top, left, bottom, right))
        else:
            # One pixel more on each side, so that a part is drawn as the whole would be.
            outer = (max(0, top - 1), max(0, left - 1))
            sampled = edges_only(self._chosen(self._sample(*outer, bottom + 1, right + 1)))
            labels = sampled[top - outer[0] :, left - outer[1] :][: bottom - top, : right - left]
        self._labels[inside] = labels
        colour(labels, self._table, out=self.buffer[inside])

    def _sample(self, top: int, left: int, bottom: int, right: int) -> NDArray[Any]:
        assert self._grid is not None and self.section is not None
        rows: Axis = self._grid.rows.cut(top, bottom)
        columns: Axis = self._grid.columns.cut(left, right)
        if self.draft is not None:
            return self.draft.sample(rows, columns)
        return sample_nearest(self.section, rows, columns)

    def _chosen(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Leave out labels that share a slot of the table with one of those that alone are drawn."""
        only = self._style.only
        if only is None or labels.size == 0 or labels.max() < TABLE_SIZE:
            return labels
        kept = only | {self._style.active}
        return np.where(np.isin(labels, np.array(sorted(kept), np.uint64)), labels, 0)


def _of_shape(array: NDArray[Any], shape: tuple[int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return an array of a shape: a part of what the given one is a part of, if that is large enough."""
    whole = array.base if isinstance(array.base, np.ndarray) else array
    if whole.dtype != dtype or any(n > most for n, most in zip(shape, whole.shape, strict=True)):
        whole = np.zeros(shape, dtype)
    return whole[: shape[0], : shape[1]]
