"""The labels over a section: coloured at screen resolution, and only where something changed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.gui.canvas.compose import Axis, Grid, colour, edges_only, sample_nearest
from uniem.gui.canvas.draft import DraftSection
from uniem.gui.canvas.sections import Section

Rectangle = tuple[int, int, int, int]  # top, left, bottom, right; half-open, in pixels of the buffer


class LabelOverlay:
    """A section of labels, the stroke being drawn on it, and the ARGB buffer that shows both."""

    def __init__(self) -> None:
        self.section: Section | None = None
        self.draft: DraftSection | None = None
        self.table: NDArray[np.uint32] = np.zeros(1 << 16, dtype=np.uint32)
        self.outlines = False
        self.buffer: NDArray[np.uint32] = np.zeros((0, 0), dtype=np.uint32)
        self._grid: Grid | None = None

    def set_section(self, section: Section | None) -> None:
        """Show another section; a stroke being drawn is forgotten."""
        if self.section is None or section is None or section.array is not self.section.array:
            self.draft = None
        self.section = section

    def begin_draft(self) -> DraftSection | None:
        """Start a stroke; None where the labels are not there in full resolution yet."""
        if self.section is None or self.section.factor != 1:
            return None
        self.draft = DraftSection(self.section.array)
        return self.draft

    def end_draft(self) -> None:
        """Forget the stroke being drawn."""
        self.draft = None

    def label_at(self, y: int, x: int) -> int | None:
        """Return the label of a voxel, that of the stroke being drawn included."""
        if self.section is None:
            return None
        if self.draft is not None:
            return self.draft.label_at(y, x)
        height, width = self.section.array.shape
        factor = self.section.factor
        return int(self.section.array[min(int(y / factor), height - 1), min(int(x / factor), width - 1)])

    def render(self, grid: Grid) -> None:
        """Colour the whole buffer."""
        self._grid = grid
        if self.buffer.shape != grid.shape:
            self.buffer = np.zeros(grid.shape, dtype=np.uint32)
        self._render(0, 0, *grid.shape)

    def render_box(self, y0: int, x0: int, y1: int, x1: int) -> Rectangle | None:
        """Colour the pixels that show a box of voxels, and return them; None if none is in view."""
        if self._grid is None:
            return None
        margin = 1 if self.outlines else 0
        top, bottom = self._grid.rows.pixels_of(y0, y1)
        left, right = self._grid.columns.pixels_of(x0, x1)
        if bottom <= top or right <= left:
            return None
        height, width = self._grid.shape
        top, left = max(0, top - margin), max(0, left - margin)
        bottom, right = min(height, bottom + margin), min(width, right + margin)
        self._render(top, left, bottom, right)
        return top, left, bottom, right

    def _render(self, top: int, left: int, bottom: int, right: int) -> None:
        assert self._grid is not None
        target = self.buffer[top:bottom, left:right]
        if self.section is None:
            target[...] = 0
        elif not self.outlines:
            colour(self._sample(top, left, bottom, right), self.table, out=target)
        else:
            # One pixel more on each side, so that a part is drawn as the whole would be.
            outer = (max(0, top - 1), max(0, left - 1))
            sampled = edges_only(self._sample(*outer, bottom + 1, right + 1))
            inner = sampled[top - outer[0] :, left - outer[1] :][: bottom - top, : right - left]
            colour(inner, self.table, out=target)

    def _sample(self, top: int, left: int, bottom: int, right: int) -> NDArray[Any]:
        assert self._grid is not None and self.section is not None
        rows: Axis = self._grid.rows.cut(top, bottom)
        columns: Axis = self._grid.columns.cut(left, right)
        if self.draft is not None:
            return self.draft.sample(rows, columns)
        return sample_nearest(self.section.array, rows, columns, self.section.factor)
