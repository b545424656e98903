"""How soon the window was there, measured in its own process for the benchmark and the bundle's test."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget

VARIABLE = "UNIEM_STARTUP_REPORT"

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
    """Write when a window painted first, as `{"first_paint_s": ...}`, and close it."""

    def __init__(self, window: QWidget, file: Path) -> None:
        super().__init__(window)
        self._window, self._file = window, file
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Wait for the first paint."""
        if event is not None and event.type() == QEvent.Type.Paint:
            self._window.removeEventFilter(self)
            # The paint is under way; once it is done and sent to the screen, the event loop comes back here.
            QTimer.singleShot(0, self._write)
        return False

    def _write(self) -> None:
        self._file.write_text(json.dumps({"first_paint_s": seconds_since_start()}), encoding="utf-8")
        self._window.close()


def is_asked() -> bool:
    """Tell whether the first paint is to be reported: then the window asks nothing, and closes by itself."""
    return bool(os.environ.get(VARIABLE))


def report_if_asked(window: QWidget) -> None:
    """Have the first paint reported where the environment names a file for it."""
    if file := os.environ.get(VARIABLE):
        StartupReport(window, Path(file))
