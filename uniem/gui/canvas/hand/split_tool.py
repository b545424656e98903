"""Split by a line: drawn across an object, in any plane, it cuts the object in two."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from qtpy.QtCore import QPointF
from qtpy.QtGui import QPainterPath

from uniem.gui.canvas.hand.preview import Preview
from uniem.gui.canvas.hand.proposal import Proposal
from uniem.gui.canvas.hand.section_tool import Place, SectionTool
from uniem.gui.canvas.hand.splitting import Splitting
from uniem.gui.canvas.mouse import CLICK_RADIUS_PX
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.slice_view import SliceView
from uniem.proofreading.tools.plane import Point


class SplitTool(SectionTool):
    """Draw a line across an object; then a click chooses the part that keeps the label."""

    def __init__(
        self, view: SliceView, painting: PaintingController, proposal: Proposal, splitting: Splitting
    ) -> None:
        super().__init__(view, painting)
        self._proposal, self._splitting = proposal, splitting
        self._line: list[Place] = []
        self._position = 0
        self._pressed, self._is_dragged = QPointF(), False

    def press(self, place: QPointF, is_erasing: bool) -> None:
        """Begin a line; with the button that erases, forget what was begun."""
        if is_erasing:
            self._proposal.forget()
            self.cancel()
        else:
            self._line, self._position = [self._place(place)], self._view.position
            self._pressed, self._is_dragged = QPointF(place), False

    def move(self, place: QPointF) -> None:
        """Draw the line on."""
        if self._line:
            self._line.append(self._place(place))
            self._is_dragged |= (place - self._pressed).manhattanLength() > CLICK_RADIUS_PX

    def release(self) -> None:
        """Propose the split along the line, or let the part that was clicked keep the label."""
        line, self._line = self._line, []
        if not line or self._view.position != self._position:
            return
        if not self._is_dragged:
            self._choose(line[0])
            return
        label = _crossed(self._labels_along(line), self._view.model.hand.label)
        if not label:
            self.refused.emit("Draw a line right across an object, from one side to the other.")
        elif not self._refusal(label):
            self._splitting.by_line(label, [self._point(place) for place in line], self._view.axes.plane)

    def cancel(self) -> bool:
        """Forget the line."""
        had_any = bool(self._line)
        self._line = []
        return had_any

    def preview(self) -> Preview | None:
        """Return the line."""
        if len(self._line) < 2 or self._view.position != self._position:
            return None
        path = QPainterPath(QPointF(self._line[0][1], self._line[0][0]))
        for row, column in self._line[1:]:
            path.lineTo(column, row)
        return Preview(path)

    def _choose(self, place: Place) -> None:
        row, column = (int(np.floor(each)) for each in place)
        height, width = self._view.axes.shape(self._view.model.shape)
        is_inside = 0 <= row < height and 0 <= column < width
        if not is_inside or not self._splitting.keep(self._view.axes.zyx(self._position, row, column)):
            self.refused.emit("Draw a line across an object; then click the part that keeps the label.")

    def _labels_along(self, line: list[Place]) -> list[int]:
        """Return the labels on the way, one for each voxel or so, background outside of the section."""
        height, width = self._view.axes.shape(self._view.model.shape)
        found = []
        for one, two in pairwise(line):
            count = int(max(abs(one[0] - two[0]), abs(one[1] - two[1]))) + 2
            for row, column in np.floor(np.linspace(one, two, count)).astype(int).tolist():
                is_inside = 0 <= row < height and 0 <= column < width
                found.append(self._label_at(row, column) if is_inside else 0)
        return found

    def _point(self, place: Place) -> Point:
        """Return a place of the section as z, y, x, in which the centre of voxel i is at i."""
        axes, point = self._view.axes, [0.0, 0.0, 0.0]
        point[axes.across] = float(self._position)
        point[axes.rows], point[axes.columns] = place[0] - 0.5, place[1] - 0.5
        return (point[0], point[1], point[2])


def _crossed(labels: list[int], in_hand: int) -> int:
    """Return the object that a line means, from the labels on its way; 0 if there is none.

    That is one in which the line neither begins nor ends: the one in hand, else the one it crosses longest;
    if there is none, the one it is on for the longest.
    """
    lengths = Counter(label for label in labels if label)
    if not lengths:
        return 0
    across = {label for label in lengths if label not in (labels[0], labels[-1])}
    if in_hand in across:
        return in_hand
    return max(across or lengths, key=lambda label: lengths[label])
