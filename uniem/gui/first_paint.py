"""What waits until the window is on screen; done in small steps, so that the window answers meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget


class FirstPaint(QObject):
    """Take steps one after the other once a window has painted first; the event loop runs between them."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._steps: deque[Callable[[], object]] = deque()
        self._clock = QTimer(self)
        self._clock.setSingleShot(True)
        self._clock.timeout.connect(self._take_step)
        self._is_over = False
        window.installEventFilter(self)

    def then(self, *steps: Callable[[], object]) -> None:
        """Add steps to be taken."""
        self._steps.extend(steps)
        if self._is_over:
            self._clock.start(0)

    def first(self, step: Callable[[], object]) -> None:
        """Put a step before those that are there."""
        self._steps.appendleft(step)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Wait for the first paint."""
        if event is not None and event.type() == QEvent.Type.Paint:
            self._window.removeEventFilter(self)
            self._is_over = True
            # The paint is under way; once it is done and sent to the screen, the event loop comes back here.
            self._clock.start(0)
        return False

    def _take_step(self) -> None:
        if not self._steps or not self._window.isVisible():
            return
        step = self._steps.popleft()
        # Before the step: one that asks something runs a loop of its own, and the others need not wait.
        self._clock.start(0)
        step()
