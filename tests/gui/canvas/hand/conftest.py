"""Mouse, pen and keys by real events, over any of the three views."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QTabletEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.slice_view import SliceView
from uniem.proofreading.tools.plane import Plane

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE = Qt.KeyboardModifier.NoModifier
Points = list[tuple[int, int]]


class Hands:
    """Mouse, pen and keys over one view of a canvas."""

    def __init__(self, qtbot: QtBot, canvas: Canvas, plane: Plane = Plane.XY) -> None:
        self.qtbot, self.canvas, self.plane = qtbot, canvas, plane
        if plane is not Plane.XY:
            canvas.grid.show_alone(plane)
            qtbot.waitUntil(lambda: self.view.item.overlay.section is not None)
        # What is laid out anew takes its size now, rather than between a press and its release.
        QApplication.processEvents()
        self.view.fit()
        qtbot.waitUntil(lambda: self.view.is_complete)

    @property
    def view(self) -> SliceView:
        return self.canvas.views[self.plane]

    def at(self, row: int, column: int) -> QPoint:
        return self.view.place_of(row, column).toPoint()

    def move(self, point: tuple[int, int], button: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
        event = QMouseEvent(
            QEvent.Type.MouseMove, QPointF(self.at(*point)), Qt.MouseButton.NoButton, button, NONE
        )
        QApplication.sendEvent(self.view.viewport(), event)

    def drag(
        self,
        points: Points,
        button: Qt.MouseButton = LEFT,
        modifiers: Qt.KeyboardModifier = NONE,
        is_released: bool = True,
    ) -> None:
        QTest.mousePress(self.view.viewport(), button, modifiers, self.at(*points[0]))
        for point in points[1:]:
            self.move(point, button)
        if is_released:
            self.release(points[-1], button, modifiers)

    def release(
        self,
        point: tuple[int, int],
        button: Qt.MouseButton = LEFT,
        modifiers: Qt.KeyboardModifier = NONE,
    ) -> None:
        QTest.mouseRelease(self.view.viewport(), button, modifiers, self.at(*point))

    def click(self, point: tuple[int, int]) -> None:
        self.drag([point])

    def double_click(self, point: tuple[int, int]) -> None:
        """Press, release, press again and release, as a mouse does; Qt calls the second press by its name."""
        self.click(point)
        QTest.mouseDClick(self.view.viewport(), LEFT, NONE, self.at(*point))
        self.release(point)

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self.view, key, modifiers)

    def pen(self, points: Points, pressures: list[float]) -> None:
        kinds = [
            QEvent.Type.TabletPress,
            *[QEvent.Type.TabletMove] * len(points[1:]),
            QEvent.Type.TabletRelease,
        ]
        steps = zip(kinds, [*points, points[-1]], [*pressures, 0.0], strict=True)
        for kind, point, pressure in steps:
            at = QPointF(self.at(*point))
            down = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletRelease else LEFT
            device, pointer = QTabletEvent.TabletDevice.Stylus, QTabletEvent.PointerType.Pen
            event = QTabletEvent(
                kind, at, at, device, pointer, pressure, 0, 0, 0.0, 0.0, 0, NONE, 1, LEFT, down
            )
            QApplication.sendEvent(self.view.viewport(), event)

    def settle(self) -> None:
        """Wait until no edit is being made."""
        self.qtbot.waitUntil(lambda: not self.canvas.painting.maker.is_busy, timeout=20_000)


@pytest.fixture
def hands(qtbot: QtBot, painting_canvas: Canvas) -> Hands:
    return Hands(qtbot, painting_canvas)
