"""Large edits, which are seen at once, written block by block while nothing else is to be done."""

from __future__ import annotations

import time
from collections.abc import Iterator

from qtpy.QtCore import QObject, QTimer, Signal

from uniem.errors import UniemError
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.sessions import Sessions

EVERY_MS, SLICE_S = 20, 0.008


class BackgroundWriting(QObject):
    """Write what waits in the session; strokes and edits being made come first. `failed(str)`."""

    failed = Signal(str)

    def __init__(self, sessions: Sessions, canvas: Canvas, parent: QObject) -> None:
        super().__init__(parent)
        self._sessions, self._canvas = sessions, canvas
        self._steps: Iterator[None] | None = None
        self._clock = QTimer(self)
        self._clock.setInterval(EVERY_MS)
        self._clock.timeout.connect(self._write_on)
        sessions.session_changed.connect(self._take_session)
        sessions.history_changed.connect(self._wake)

    @property
    def is_busy(self) -> bool:
        """Tell whether anything is left to write."""
        return self._clock.isActive()

    def stop(self) -> None:
        """Write no more."""
        self._clock.stop()
        self._steps = None

    def _take_session(self, _session: object) -> None:
        self.stop()
        self._wake()

    def _wake(self) -> None:
        session = self._sessions.session
        if session is not None and session.unwritten_blocks:
            self._steps = session.write_steps()
            self._clock.start()

    def _write_on(self) -> None:
        # A save writes what waits itself.
        if self._canvas.is_stroking or self._canvas.painting.maker.is_busy or self._sessions.saving.is_busy:
            return
        end = time.monotonic() + SLICE_S
        try:
            while self._steps is not None and time.monotonic() < end:
                next(self._steps)
        except StopIteration:
            self.stop()
        except UniemError as error:
            self.stop()
            self.failed.emit(str(error))
