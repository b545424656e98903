"""Gestures at random: each is made on a canvas by real events, and told to the plain model."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from tests.gui.canvas.gesture_parts import KEY, LABELS
from tests.gui.canvas.gesture_shapes import ShapeGestures
from tests.gui.canvas.hand_events import CTRL, LEFT, MIDDLE, NONE, RIGHT, SHIFT
from tests.gui.canvas.plain_model import PlainModel, Undecided
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.hand.options import FillOn, Reach
from uniem.proofreading.edits import Edit, FieldChange
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Tip
from uniem.proofreading.tools.protect import Over


class GestureScript(ShapeGestures):
    """Make gestures one after the other; `model` tells what should come of them."""

    def __init__(self, canvas: Canvas, session: ProofreadingSession, model: PlainModel, seed: int) -> None:
        super().__init__(canvas, session, model, seed)
        self._kinds: dict[Callable[[], None], float] = {
            self.stroke: 22,
            self.erase: 10,
            self.pen_stroke: 9,
            self.line: 5,
            self.lasso: 5,
            self.polygon: 4,
            self.fill: 6,
            self.copy: 5,
            self.interpolate: 4,
            self.reshape: 8,
            self.merge: 4,
            self.superpixels: 3,
            self.undo: 9,
            self.redo: 6,
            self.step: 8,
            self.peek: 1,
            self.cross_hair: 2,
            self.size: 5,
            self.zoom: 5,
            self.pan: 4,
            self.layout: 2,
            self.looks: 3,
            self.take_label: 8,
            self.protect: 4,
            self.tip: 3,
            self.options: 3,
            self.select: 2,
            self.lock: 3,
            self.stroke_given_up: 2,
            self.stroke_cut_short: 2,
            self.stroke_while_zooming: 2,
            self.click_right: 1,
            self.save: 1,
        }

    def make_one(self) -> str:
        """Make a gesture and return what it was."""
        self._rein_in()
        self._choose_view()
        self.hand.settle()
        kinds, weights = list(self._kinds), np.array(list(self._kinds.values()))
        kind = kinds[int(self.random.choice(len(kinds), p=weights / weights.sum()))]
        self.told = ""
        kind()
        self.hand.settle()
        return f"{kind.__name__} in {self._view.axes.plane} {self.told}".strip()

    # Painting.

    def stroke(self) -> None:
        self._take("brush")
        self._draw(self._path())

    def erase(self) -> None:
        way = int(self.random.integers(3))
        self._take("eraser" if way == 0 else "brush")
        button, modifiers = (LEFT, NONE) if way == 0 else (RIGHT, NONE) if way == 1 else (LEFT, CTRL)
        self._draw(self._path(), button, modifiers, is_erasing=True)

    def pen_stroke(self) -> None:
        self._take("brush")
        # A pen is pressed harder before it moves.
        path = self._path()
        path = path[:1] * int(self.random.integers(1, 4)) + path[1:]
        pressures = self.random.uniform(0, 1, len(path)).tolist()
        is_eraser = self.random.random() < 0.3
        points = self._voxels(path)
        radii = [self.model.radius(pressure) for pressure in pressures]
        try:
            covered = self.model.stroke(points, radii, self._across)
        except Undecided:
            return
        begun_on = self._label_at(points[0])
        self.hand.pen(path, pressures, is_eraser)
        self.model.paint(covered, begun_on, is_eraser)
        self.told = f"{points} {radii} eraser: {is_eraser}"

    def line(self) -> None:
        self._take("line")
        self._draw(self._path(), is_line=True)

    def lasso(self) -> None:
        self._take("lasso")
        path = self._path(least=6)
        self.hand.press(path[0])
        for at in path[1:]:
            self.hand.drag(at)
        self._close(path, lambda: self.hand.release(path[-1]))

    def polygon(self) -> None:
        self._take("lasso")
        corners = [self._place()]
        for _ in range(int(self.random.integers(2, 7))):
            corner = self._place()
            if all(math.hypot(corner.x() - one.x(), corner.y() - one.y()) > 15 for one in corners):
                corners.append(corner)
        for number, corner in enumerate(corners):
            self._click(corner)
            if number and self.random.random() < 0.2:
                self.hand.key(KEY.Key_Backspace)
                self._click(corner)
        self._close(corners, lambda: self.hand.key(KEY.Key_Return))

    def fill(self) -> None:
        self._take("fill")
        options = self.canvas.model.hand.options
        options.fill_on = FillOn.IMAGE if self.random.random() < 0.3 else FillOn.LABELS
        options.fill_tolerance = float(self.random.integers(0, 40))
        if self.random.random() < 0.3:
            self.hand.key(KEY.Key_3, Qt.KeyboardModifier.KeypadModifier)
        at = self._place()
        for _ in range(12):
            if self._label_at(self._voxels([at])[0]):
                break
            at = self._place()
        point, is_erasing = self._voxels([at])[0], self.random.random() < 0.2
        tolerance = options.fill_tolerance if options.fill_on is FillOn.IMAGE else None
        across = self._across if options.fill_reach is Reach.SECTION else None
        self._click(at, CTRL if is_erasing else NONE)
        if self._is_inside(point):
            region = self.model.region(point, is_erasing, tolerance, across)
            self.model.paint(region, self._label_at(point), is_erasing)
        self.told = f"{point} erasing: {is_erasing} tolerance: {tolerance} across: {across}"

    def copy(self) -> None:
        by = int(self.random.choice([-1, 1]))
        self.hand.key(KEY.Key_F if by > 0 else KEY.Key_D, SHIFT)
        self.model.copy(self._across, by)
        self.told = f"by {by}"

    def stroke_given_up(self) -> None:
        self._take("brush")
        path = self._path()
        self.hand.press(path[0])
        for at in path[1:]:
            self.hand.drag(at)
        self.hand.key(KEY.Key_Escape)
        self.hand.drag(path[0])
        self.hand.release(path[0])

    def stroke_cut_short(self) -> None:
        """Turn the wheel while painting: the stroke ends there."""
        self._take("brush")
        path, notches = self._path(), int(self.random.choice([-1, 1]))
        middle = len(path) // 2 + 1
        points = self._voxels(path[:middle])
        place = self.model.position
        is_moved = 0 <= place[self._across] + notches < self.model.labels.shape[self._across]
        used = points if is_moved else self._voxels(path)
        try:
            covered = self.model.stroke(used, [self.model.radius(1.0)] * len(used), self._across)
        except Undecided:
            return
        begun_on = self._label_at(points[0])
        self.hand.press(path[0])
        for at in path[1:middle]:
            self.hand.drag(at)
        self.hand.turn(120 * notches)
        for at in path[middle:]:
            self.hand.drag(at)
        self.hand.release(path[-1])
        self.model.paint(covered, begun_on)
        self.model.move(self._across, notches)
        self.told = f"{used} by {notches}"

    def stroke_while_zooming(self) -> None:
        self._take("brush")
        path = self._path()
        points = self._voxels(path)
        begun_on = self._label_at(points[0])
        self.hand.press(path[0])
        for at in path[1:]:
            self.hand.drag(at)
        self.hand.turn(int(self.random.choice([-60, 60])), CTRL)
        more = [at for at in self._path() if self.hand.is_sharp(at)]
        points += self._voxels(more)
        for at in more:
            self.hand.drag(at)
        self._finish(points, begun_on, False, lambda: self.hand.release(path[-1]))

    def click_right(self) -> None:
        self._take("brush")
        self._click(self._place(), button=RIGHT)

    # History.

    def undo(self) -> None:
        for _ in range(int(self.random.integers(1, 4))):
            self.hand.key(KEY.Key_Z, CTRL)
            self.model.undo()

    def redo(self) -> None:
        for _ in range(int(self.random.integers(1, 4))):
            self.hand.key(KEY.Key_Y, CTRL)
            self.model.redo()

    def save(self) -> None:
        self.session.save()

    def lock(self) -> None:
        """Lock an object or unlock one, as the object table does."""
        objects = self.model.locked or set(np.unique(self.model.labels).tolist()) - {0}
        if not objects:
            return
        label = int(self.random.choice(sorted(objects)))
        was_locked = label in self.model.locked
        self.session.apply(Edit("Lock", (FieldChange(label, "locked", was_locked, not was_locked),)))
        self.model.lock(label, not was_locked)
        self.told = f"{label}: {not was_locked}"

    def select(self) -> None:
        """Select objects, as the object table does."""
        chosen = [int(label) for label in self.random.choice(LABELS, int(self.random.integers(0, 3)))]
        self.canvas.model.select(chosen)
        self.model.selected = frozenset(chosen)

    # What is in the hand.

    def size(self) -> None:
        self._take("brush")
        way = int(self.random.integers(6))
        if way == 0:
            notches = int(self.random.choice([-2, -1, 1, 3]))
            self.hand.turn(120 * notches, SHIFT)
            self.model.grow_brush(notches)
        elif way < 3:
            by = 5 if way == 1 else -5
            self.hand.key(KEY.Key_BraceRight if by > 0 else KEY.Key_BraceLeft, SHIFT)
            self.model.brush_px = max(1, self.model.brush_px + by)
        else:
            by = 1 if self.random.random() < 0.5 else -1
            self.hand.key(KEY.Key_BracketRight if by > 0 else KEY.Key_BracketLeft)
            self.model.grow_brush(by)
        self.told = f"{self.model.brush_px} px"

    def take_label(self) -> None:
        way, slot = int(self.random.integers(6)), int(self.random.integers(1, 10))
        number = Qt.Key(KEY.Key_0 + slot)
        if way == 0:
            self.hand.key(number)
            self.model.label = self.model.slots.get(slot, slot)
        elif way == 1:
            self.hand.key(number, CTRL)
            self.model.slots[slot] = self.model.label
        elif way == 2:
            self.hand.key(KEY.Key_X)
            self.model.swap()
        elif way == 3:
            self.hand.key(KEY.Key_N)
            self.model.take_new_label()
        elif way == 4:
            self._type_label(int(self.random.choice(LABELS)))
        else:
            self._pick()
        self.told = f"way {way}: {self.model.label}"

    def protect(self) -> None:
        self.hand.key(KEY.Key_P)
        rules = list(Over)
        self.model.over = rules[(rules.index(self.model.over) + 1) % len(rules)]
        self.told = self.model.over

    def tip(self) -> None:
        self._take("brush")
        self.hand.key(KEY.Key_3, Qt.KeyboardModifier.KeypadModifier)
        self.model.is_ball = not self.model.is_ball
        self.told = f"ball: {self.model.is_ball}"

    def options(self) -> None:
        """Switch pressure and the gray range, as the strip of options does."""
        options = self.canvas.model.hand.options
        options.uses_pressure = self.model.uses_pressure = bool(self.random.random() < 0.7)
        low = float(self.random.integers(20, 150))
        options.gray_low, options.gray_high = low, low + 80
        options.uses_gray = bool(self.random.random() < 0.25)
        self.model.gray = (low, low + 80) if options.uses_gray else None
        self.told = f"pressure: {options.uses_pressure} gray: {self.model.gray}"

    # Where the eye is.

    def step(self) -> None:
        self._take("navigate" if self.random.random() < 0.3 else "brush")
        way, sign = int(self.random.integers(4)), int(self.random.choice([-1, 1]))
        by = sign
        if way == 0:
            self.hand.key(KEY.Key_F if sign > 0 else KEY.Key_D)
        elif way == 1:
            self.hand.key(KEY.Key_PageUp if sign > 0 else KEY.Key_PageDown)
            by = 10 * sign
        elif way == 2:
            for _ in range(3):
                self.hand.turn(40 * sign)
        elif self.model.tool == "navigate":
            self.hand.turn(120 * sign, SHIFT)
            by = 10 * sign
        else:
            by = int(self.random.integers(1, 6)) * sign
            self.hand.turn(120 * by)
        self.model.move(self._across, by)
        self.told = f"by {by}"

    def peek(self) -> None:
        QTest.keyPress(self._view, KEY.Key_Q)
        self.hand.turn(120 * int(self.random.integers(-9, 9)))
        QTest.keyRelease(self._view, KEY.Key_Q)

    def cross_hair(self) -> None:
        """Click with the middle button: all views go there."""
        at = self._place()
        point = self._voxels([at])[0]
        self._click(at, button=MIDDLE)
        if self.canvas.grid.shows_three and self._is_inside(point):
            self.model.position = point
        self.told = f"{point}"

    def zoom(self) -> None:
        way = int(self.random.integers(5))
        self.hand.go_over(self._view, self._place())
        if way == 0:
            self.hand.key(KEY.Key_Home)
        elif way == 1:
            self.hand.key(KEY.Key_Plus if self.random.random() < 0.5 else KEY.Key_Minus)
        else:
            self.hand.turn(int(self.random.choice([-240, -120, -50, 50, 120, 240])), CTRL)
        self.told = f"{self._view.camera.scale:.2f}"

    def pan(self) -> None:
        start, stop = self._anywhere(), self._anywhere()
        way = int(self.random.integers(3))
        if math.hypot(start.x() - stop.x(), start.y() - stop.y()) < 9:
            return
        if way == 0:
            self._take("navigate")
            self.hand.draw([start, stop])
        elif way == 1:
            self.hand.draw([start, stop], MIDDLE)
        else:
            QTest.keyPress(self._view, KEY.Key_Space)
            self.hand.draw([start, stop])
            QTest.keyRelease(self._view, KEY.Key_Space)

    def layout(self) -> None:
        self.hand.key(KEY.Key_Period)

    def looks(self) -> None:
        keys = [
            (KEY.Key_O, NONE),
            (KEY.Key_H, NONE),
            (KEY.Key_A, NONE),
            (KEY.Key_A, SHIFT),
            (KEY.Key_Space, NONE),
        ]
        self.hand.key(*keys[int(self.random.integers(len(keys)))])


def hand_of(canvas: Canvas) -> dict[str, object]:
    """Return what a canvas has in hand, in the words of the model."""
    hand, options = canvas.model.hand, canvas.model.hand.options
    return {
        "tool": hand.tool.value,
        "label": hand.label,
        "brush_px": hand.brush_px,
        "is_ball": options.tip is Tip.BALL,
        "over": options.over,
        "slots": dict(hand.slots),
        "position": canvas.model.position,
    }
