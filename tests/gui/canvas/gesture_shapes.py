"""Gestures that change whole shapes: interpolation, growing and its like, merging, superpixels."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QApplication

from tests.gui.canvas import plain_shapes
from tests.gui.canvas.gesture_parts import KEY, GestureParts
from tests.gui.canvas.hand_events import CTRL, LEFT, NONE
from tests.gui.canvas.plain_model import Mask, Undecided
from uniem.data.geometry import Box, Triple
from uniem.gui.canvas.hand.options import Change, Reach
from uniem.gui.canvas.hand.supervoxel_tool import SupervoxelTool

_PATIENCE_S = 30.0


class ShapeGestures(GestureParts):
    """Make gestures that are previewed, or that reach beyond what the hand draws."""

    def interpolate(self) -> None:
        """Fill the gaps of an object, or of the one in hand after it was copied some sections on."""
        self._take("brush")
        if self.random.random() < 0.6:
            self._take_object()
        label = self.model.label
        mask = self.model.labels == label
        covered, unsure = plain_shapes.between(mask, self.model.voxel_size, self._across)
        self.hand.key(KEY.Key_I)
        self.hand.settle()
        if self.random.random() < 0.2:
            self.hand.key(KEY.Key_Escape)
            return
        self.hand.key(KEY.Key_Return)
        self.hand.settle()
        if label and label not in self.model.locked:
            self.model.paint(self._decided(covered, unsure), begun_on=0, spares_others=True)
        self.told = f"{label}"

    def reshape(self) -> None:
        """Grow, shrink or smooth an object or fill its holes, in a section or in 3D."""
        self._take("reshape")
        options = self.canvas.model.hand.options
        options.change = Change(self.random.choice(list(Change)))
        options.change_reach = Reach(self.random.choice(list(Reach)))
        options.radius_px = int(self.random.integers(1, 6))
        at = self._place_of_object()
        label = self._label_at(self._voxels([at])[0])
        self._click(at)
        self.hand.settle()
        if not label:
            return
        self.model.label = label
        if self.random.random() < 0.2 or label in self.model.locked:
            self.hand.key(KEY.Key_Escape)
            return
        across = self._across if options.change_reach is Reach.SECTION else None
        shape, unsure = self._reshaped(options.change, options.radius_px, across)
        if self.canvas.hand_tools.proposal.edit is not None:
            self.hand.key(KEY.Key_Return)
            self.hand.settle()
        self.model.reshape(self._decided(shape, unsure))
        self.told = f"{options.change} {label} by {options.radius_px} in {options.change_reach}"

    def merge(self) -> None:
        """Take an object and draw over those that join it."""
        self._take("merge")
        start = self._place_of_object()
        self._click(start)
        master = self._label_at(self._voxels([start])[0])
        if not master or master in self.model.locked:
            self.hand.key(KEY.Key_Escape)
            return
        self.model.label = master
        path = [self._place_of_object(), self._place_of_object()]
        touched = self._touched(self._voxels(path))
        if touched is not None:
            self.hand.draw(path)
            self.hand.settle()
            self.model.merge(touched)
        self.hand.key(KEY.Key_Escape)
        self.told = f"{touched} into {master}"

    def superpixels(self) -> None:
        """Draw over superpixels; which voxels belong to which is taken as it is shown."""
        self._take("superpixels")
        tool = self._view.findChildren(SupervoxelTool)[0]
        path = [at for at in self._path() if self._is_inside(self._voxels([at])[0])]
        if not path:
            return
        self.hand.go_over(self._view, path[0])
        end = time.monotonic() + _PATIENCE_S
        while not tool.is_ready and time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.001)
        cut = tool.cut
        assert cut is not None
        points, is_erasing = self._voxels(path), bool(self.random.random() < 0.2)
        numbers = np.zeros(self.model.labels.shape, np.int32)
        numbers[cut.box.slices] = cut.numbers
        crossed = self._crossed(points)
        if crossed is None:
            return
        covered = np.isin(numbers, np.setdiff1d(numbers[crossed], [0]))
        begun_on = self._label_at(points[0])
        self.hand.draw(path, LEFT, CTRL if is_erasing else NONE)
        self.model.paint(covered, begun_on, is_erasing)
        self.told = f"{points} erasing: {is_erasing}"

    def _reshaped(self, change: Change, radius_px: int, across: int | None) -> tuple[Mask, Mask]:
        """Return the shape that the label in hand gets, and where rounding decides."""
        labels, voxel = self.model.labels, self.model.voxel_size
        mask, radius = labels == self.model.label, radius_px * voxel.x
        unsure = np.zeros_like(mask)
        if change is Change.SMOOTH:
            shape, unsure = plain_shapes.smoothed(mask, radius, voxel, across)
        elif change is Change.FILL_HOLES:
            shape = plain_shapes.filled(mask, across)
        else:
            way = plain_shapes.grown if change is Change.GROW else plain_shapes.shrunk
            shape = way(mask, radius, voxel, across)
        if across is not None:
            elsewhere = np.ones_like(mask)
            np.moveaxis(elsewhere, across, 0)[self.model.position[across]] = False
            shape, unsure = np.where(elsewhere, mask, shape), unsure & ~elsewhere
        return shape, unsure

    def _crossed(self, points: Sequence[Triple]) -> Mask | None:
        """Return the voxels that a thin line crosses, None where a voxel may be beside it."""
        line = replace(self.model, is_ball=False, gray=None)
        try:
            return line.stroke(points, [0.5] * len(points), self._across)
        except Undecided:
            return None

    def _decided(self, shape: Mask, unsure: Mask) -> Mask:
        """Return a shape in which what rounding decides is as it came out."""
        found = self.session.volume.read(Box.of_shape(self.model.labels.shape)) == self.model.label
        return np.where(unsure, found, shape)

    def _take_object(self) -> None:
        """Take an object that is there into the hand, by its number."""
        there = sorted(set(np.unique(self.model.labels).tolist()) - {0})
        if there:
            self._type_label(int(self.random.choice(there)))

    def _place_of_object(self) -> QPoint:
        """Return a place in view, over an object if one is found soon."""
        for _ in range(30):
            at = self._place()
            if self._label_at(self._voxels([at])[0]):
                break
        return at

    def _touched(self, points: Sequence[Triple]) -> set[int] | None:
        """Return the objects between two voxels, None where it may be one voxel or its neighbour."""
        start, stop = (np.array(point) for point in points)
        count = int(np.abs(stop - start).max())
        ways = [start + (stop - start) * step / max(1, count) for step in range(count + 1)]
        if any(np.any(np.abs(way % 1 - 0.5) < 1e-6) for way in ways):
            return None
        places = [tuple(np.floor(way + 0.5).astype(int).tolist()) for way in ways]
        return {self._label_at(place) for place in places}
