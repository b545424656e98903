"""A hand on a canvas: mouse, wheel, pen and keys as Qt tells of them."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QEnterEvent, QMouseEvent, QTabletEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.slice_view import SliceView

NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
NO_BUTTON, LEFT, MIDDLE, RIGHT = (
    Qt.MouseButton.NoButton,
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.MiddleButton,
    Qt.MouseButton.RightButton,
)
KIND = QEvent.Type
_PATIENCE_S = 30.0


class HandEvents:
    """Send events to the view that the mouse is over; places are pixels of it."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self.view = canvas.current_view
        self._at = QPoint()

    def go_over(self, view: SliceView, at: QPoint) -> None:
        """Move the mouse, with no button down, to a place of a view."""
        if view is not self.view:
            QApplication.sendEvent(self.view, QEvent(KIND.Leave))
            self.view = view
        where = QPointF(at)
        QApplication.sendEvent(view, QEnterEvent(where, where, QPointF(view.mapToGlobal(at))))
        self._mouse(KIND.MouseMove, at, NO_BUTTON, NO_BUTTON, NONE)

    def press(self, at: QPoint, button: Qt.MouseButton = LEFT, modifiers: Qt.KeyboardModifier = NONE) -> None:
        """Put a button down."""
        self._mouse(KIND.MouseButtonPress, at, button, button, modifiers)

    def drag(self, at: QPoint, button: Qt.MouseButton = LEFT, modifiers: Qt.KeyboardModifier = NONE) -> None:
        """Move with a button down."""
        self._mouse(KIND.MouseMove, at, NO_BUTTON, button, modifiers)

    def release(
        self, at: QPoint, button: Qt.MouseButton = LEFT, modifiers: Qt.KeyboardModifier = NONE
    ) -> None:
        """Let a button up."""
        self._mouse(KIND.MouseButtonRelease, at, button, NO_BUTTON, modifiers)

    def draw(
        self,
        path: Sequence[QPoint],
        button: Qt.MouseButton = LEFT,
        modifiers: Qt.KeyboardModifier = NONE,
    ) -> None:
        """Draw with a button down from the first place to the last."""
        self.press(path[0], button, modifiers)
        for at in path[1:]:
            self.drag(at, button, modifiers)
        self.release(path[-1], button, modifiers)

    def pen(self, path: Sequence[QPoint], pressures: Sequence[float], is_eraser: bool = False) -> None:
        """Draw with a pen, or with its eraser end."""
        pointer = QTabletEvent.PointerType.Eraser if is_eraser else QTabletEvent.PointerType.Pen
        kinds = [KIND.TabletPress, *[KIND.TabletMove] * (len(path) - 1), KIND.TabletRelease]
        for kind, at, pressure in zip(kinds, [*path, path[-1]], [*pressures, 0.0], strict=True):
            where, whole = QPointF(at), QPointF(self.view.viewport().mapToGlobal(at))
            device = QTabletEvent.TabletDevice.Stylus
            buttons = NO_BUTTON if kind == KIND.TabletRelease else LEFT
            tilt = (0, 0, 0.0, 0.0, 0)
            event = QTabletEvent(kind, where, whole, device, pointer, pressure, *tilt, NONE, 1, LEFT, buttons)
            QApplication.sendEvent(self.view.viewport(), event)

    def turn(self, delta: int, modifiers: Qt.KeyboardModifier = NONE) -> None:
        """Turn the wheel by eighths of a degree: 120 are a notch."""
        viewport = self.view.viewport()
        whole = QPointF(viewport.mapToGlobal(self._at))
        none, phase = QPoint(), Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(
            QPointF(self._at), whole, none, QPoint(0, delta), NO_BUTTON, modifiers, phase, False
        )
        QApplication.sendEvent(viewport, event)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        """Press a key and let it up."""
        QTest.keyClick(self.view, key, modifiers)

    def voxel(self, at: QPoint) -> tuple[float, float]:
        """Return the row and column that are drawn at a place, the edges of voxels at integers."""
        place = self.view.scene_box.mapFromScene(self.view.mapToScene(at))
        return place.y(), place.x()

    def settle(self) -> None:
        """Wait until every edit is made and everything is shown."""
        end = time.monotonic() + _PATIENCE_S
        canvas = self.canvas
        while time.monotonic() < end:
            QApplication.processEvents()
            views = [view for view in canvas.grid.views if view.isVisible()]
            is_shown = all(view.is_complete and self._has_labels(view) for view in views)
            if is_shown and not canvas.painting.maker.is_busy and canvas.reader.is_idle():
                return
            time.sleep(0.001)
        raise TimeoutError("The canvas does not come to rest.")

    def _has_labels(self, view: SliceView) -> bool:
        """Tell whether the labels are read, also where they are not drawn, for they may be painted."""
        layer = self.canvas.model.labels_layer
        own = [each.source for each in view._layers if each.layer is layer and layer.is_visible]
        return all(source.is_complete for source in own)

    def is_sharp(self, at: QPoint) -> bool:
        """Tell whether a place is well inside of a voxel, so that no rounding moves it to the next one."""
        return all(1e-4 < place - math.floor(place) < 1 - 1e-4 for place in self.voxel(at))

    def _mouse(
        self,
        kind: QEvent.Type,
        at: QPoint,
        button: Qt.MouseButton,
        buttons: Qt.MouseButton,
        modifiers: Qt.KeyboardModifier,
    ) -> None:
        self._at = at
        viewport = self.view.viewport()
        event = QMouseEvent(kind, QPointF(at), QPointF(viewport.mapToGlobal(at)), button, buttons, modifiers)
        QApplication.sendEvent(viewport, event)
