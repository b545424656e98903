"""Split in 3D: strokes on the parts of an object, in as many sections and views as it takes."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from qtpy.QtCore import QPointF
from qtpy.QtGui import QPainterPath

from uniem.data.geometry import Triple
from uniem.gui.canvas.hand.preview import Mark, Preview
from uniem.gui.canvas.hand.proposal import Proposal
from uniem.gui.canvas.hand.section_tool import SectionTool
from uniem.gui.canvas.hand.splitting import Splitting, part_colour
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.slice_view import SliceView


class SeedTool(SectionTool):
    """Mark the parts of an object: the left button marks the part chosen, the one that erases the next."""

    def __init__(
        self, view: SliceView, painting: PaintingController, proposal: Proposal, splitting: Splitting
    ) -> None:
        super().__init__(view, painting)
        self._proposal, self._splitting = proposal, splitting
        self._stroke: list[Triple] = []
        self._part = 0

    def press(self, place: QPointF, is_erasing: bool) -> None:
        """Begin a stroke; the first one chooses the object."""
        voxel = self._voxel(place)
        if voxel is None:
            return
        if not self._splitting.label:
            label = self._label_at(*voxel)
            if not label:
                self.refused.emit("Begin on the object that is to be split.")
            if not label or self._refusal(label):
                return
            self._splitting.label = label
        chosen = self._view.model.hand.options.seed_part
        self._part = chosen if not is_erasing else 2 if chosen == 1 else 1
        self._stroke = [self._view.axes.zyx(self._view.position, *voxel)]

    def move(self, place: QPointF) -> None:
        """Draw the stroke on, through every voxel on the way."""
        voxel = self._voxel(place)
        if not self._stroke or voxel is None:
            return
        end = np.array(self._view.axes.zyx(self._view.position, *voxel))
        start = np.array(self._stroke[-1])
        count = int(np.abs(end - start).max()) + 1
        if count > 1:
            way = np.linspace(start, end, count).round().astype(int)[1:]
            self._stroke += [(int(z), int(y), int(x)) for z, y, x in way]

    def release(self) -> None:
        """Mark the part, and propose the split once there are two."""
        stroke, self._stroke = self._stroke, []
        if not stroke:
            return
        session, label = self._painting.session, self._splitting.label
        across = {point[self._view.axes.across] for point in stroke}
        on_object = (
            [point for point in stroke if self._label_at(*self._row_column(point)) == label]
            if across == {self._view.position}
            else stroke
        )
        if session is None or not on_object:
            self.refused.emit(f"Mark object {label}, or forget what is marked with Esc.")
            return
        self._splitting.mark(self._part, on_object)
        self._painting.maker.cancel()
        self._splitting.by_seeds()

    def click_right(self, place: QPointF) -> bool:
        """Mark a point of the other part."""
        if not self._splitting.label:
            return False
        self.press(place, is_erasing=True)
        self.release()
        return True

    def accept(self) -> bool:
        """Tell what is missing: a split that is proposed was accepted before this is asked."""
        if self._splitting.strokes and not self._painting.maker.is_busy:
            self.refused.emit("Mark another part too: with the right button, or after its number key.")
        return bool(self._splitting.strokes)

    def step_back(self) -> bool:
        """Take back the last stroke."""
        return self._splitting.step_back()

    def cancel(self) -> bool:
        """Forget all strokes."""
        self._stroke = []
        return self._splitting.forget()

    def preview(self) -> Preview | None:
        """Return the strokes in this section over the parts that are proposed."""
        axes, position = self._view.axes, self._view.position
        strokes = [*self._splitting.strokes, *([(self._part, self._stroke)] if self._stroke else [])]
        marks = [
            Mark(path, part_colour(part))
            for part, points in strokes
            if not (path := self._path(points)).isEmpty()
        ]
        proposed = self._proposal.preview(axes, position)
        if not marks:
            return None
        if proposed is None:
            return Preview(marks=tuple(marks))
        return Preview(proposed.path, tint=proposed.tint, place=proposed.place, marks=tuple(marks))

    def _path(self, points: list[Triple]) -> QPainterPath:
        """Return what of a stroke is in the section in view."""
        path, position = QPainterPath(), self._view.position
        across = self._view.axes.across
        for is_here, run in groupby(points, lambda point: point[across] == position):
            places = [self._row_column(point) for point in run] if is_here else []
            for number, (row, column) in enumerate(places):
                place = QPointF(column + 0.5, row + 0.5)
                if number == 0:
                    path.moveTo(place)
                # A line to itself is a dot.
                path.lineTo(place + QPointF(0.01, 0) if len(places) == 1 else place)
        return path

    def _row_column(self, point: Triple) -> tuple[int, int]:
        return point[self._view.axes.rows], point[self._view.axes.columns]
