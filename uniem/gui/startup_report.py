"""How soon the window was there, measured in its own process for the benchmark and the bundle's test."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QWidget

from uniem.gui.first_paint import FirstPaint

VARIABLE = "UNIEM_STARTUP_REPORT"
# For how long after the first paint, in s, the longest pause of the window is looked for; then it closes.
WATCH_VARIABLE = "UNIEM_STARTUP_WATCH"
TICK_MS = 2

_imported = time.monotonic()


def seconds_since_start() -> float:
    """Return how long this process has run, in s; where the system does not tell, since the import."""
    if not sys.platform.startswith("linux"):
        return time.monotonic() - _imported
    # The program's name, in brackets, may itself hold spaces and brackets; field 22 is the 20th after it.
    fields = Path("/proc/self/stat").read_text("utf-8", errors="replace").rpartition(")")[2].split()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


class StartupReport(QObject):
    """Write when a window painted first, in s since the start and of CPU, and close it.

    With `watch_s` the window stays so long, and the longest time in which it answered nothing is written too.
    """

    def __init__(self, window: QWidget, first_paint: FirstPaint, file: Path, watch_s: float = 0.0) -> None:
        super().__init__(window)
        self._window, self._file, self._watch_s = window, file, watch_s
        self._facts: dict[str, float] = {}
        self._pauses: list[float] = []
        self._clock = QTimer(self)
        self._clock.setInterval(TICK_MS)
        self._clock.timeout.connect(self._tick)
        first_paint.first(self._painted)

    def _painted(self) -> None:
        self._facts = {"first_paint_s": seconds_since_start(), "cpu_s": time.process_time()}
        if not self._watch_s:
            self._write()
            return
        self._last = time.perf_counter()
        self._clock.start()
        QTimer.singleShot(round(self._watch_s * 1000), self._end_watch)

    def _tick(self) -> None:
        now = time.perf_counter()
        self._pauses.append(now - self._last)
        self._last = now

    def _end_watch(self) -> None:
        self._tick()
        longest = sorted(self._pauses, reverse=True)
        self._facts |= {"longest_pause_s": longest[0], "second_pause_s": longest[min(1, len(longest) - 1)]}
        self._write()

    def _write(self) -> None:
        self._file.write_text(json.dumps(self._facts), encoding="utf-8")
        self._window.close()


def is_asked() -> bool:
    """Tell whether the first paint is to be reported: then the window asks nothing, and closes by itself."""
    return bool(os.environ.get(VARIABLE))


def report_if_asked(window: QWidget, first_paint: FirstPaint) -> None:
    """Have the first paint reported where the environment names a file for it."""
    if file := os.environ.get(VARIABLE):
        StartupReport(window, first_paint, Path(file), float(os.environ.get(WATCH_VARIABLE) or 0))
