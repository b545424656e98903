"""What a run shows on a terminal, in a log file, or to another program."""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

from uniem.cli.reference import aligned
from uniem.jobs.events import Event, EventFold, Failed, JobStatus, Message, Metric, Progress, Result

BAR = 24
LINE_EVERY_S = 10.0


class Terminal:
    """Show events to a person: one living line on a terminal, now and then a line elsewhere.

    Attributes
    ----------
    failure : Failed or None
        The error that ended the run.
    results : dict
        The final numbers.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.failure: Failed | None = None
        self.results: dict[str, Any] = {}
        self._stream = stream or sys.stderr
        self._is_tty = self._stream.isatty()
        self._fold = EventFold()
        self._values: dict[str, float] = {}
        self._shown = ""
        self._label = ""
        self._written = -math.inf

    def report(self, event: Event) -> None:
        """Show an event."""
        match event:
            case Message():
                self.say(event.text)
            case Metric():
                self._values = dict(event.values)
            case Failed():
                self.failure = event
            case Result():
                self.results.update(event.values)
            case Progress():
                if event.label != self._fold.status.label:
                    self._values = {}  # the numbers of a training are not those of the next stage
                self._fold.add(event)
                self._progress()

    def say(self, text: str) -> None:
        """Write a line that stays."""
        self.clear()
        self._stream.write(text + "\n")
        self._stream.flush()

    def clear(self) -> None:
        """Take the living line away."""
        if self._shown:
            self._stream.write("\r" + " " * len(self._shown) + "\r")
            self._shown = ""

    def _progress(self) -> None:
        status = self._fold.status
        if self._is_tty:
            width = shutil.get_terminal_size().columns - 1
            line = progress_line(status, self._values, bar=BAR)[:width]
            self._stream.write("\r" + line.ljust(len(self._shown)))
            self._stream.flush()
            self._shown = line
            return
        now = time.monotonic()
        wait = LINE_EVERY_S if status.label == self._label else 1.0
        if now - self._written >= wait:
            self._written, self._label = now, status.label
            self.say(progress_line(status, self._values))


class JsonLines(Terminal):
    """Write every event as one line of JSON on the standard output."""

    def report(self, event: Event) -> None:
        """Write an event."""
        if isinstance(event, Failed):
            self.failure = event
        sys.stdout.write(event.model_dump_json() + "\n")
        sys.stdout.flush()


class TerminalLog(logging.Handler):
    """Show our own warnings without disturbing the living line, and without tracebacks.

    What libraries warn of is in the errors that follow, in words; `UNIEM_DEBUG=1` shows it all the same.
    """

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(logging.WARNING)
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record's message."""
        if record.name.startswith("uniem") or os.environ.get("UNIEM_DEBUG") == "1":
            self._terminal.say(f"{record.name.partition('.')[0]}: {record.getMessage()}")


def progress_line(status: JobStatus, values: Mapping[str, float], bar: int = 0) -> str:
    """Return a stage's progress in one line, as in `labelling: 12 of 27 (44 %), 1 min 20 s left`."""
    parts = []
    fraction = status.fraction
    if bar and fraction is not None:
        full = round(fraction * bar)
        parts.append("[" + "#" * full + "." * (bar - full) + "]")
    if status.total:
        parts.append(
            f"{status.label}: {status.done} of {status.total} ({math.floor(100 * (fraction or 0))} %)"
        )
    elif status.done:
        parts.append(f"{status.label}: {status.done}")
    else:
        parts.append(status.label)
    line = " ".join(parts)
    if status.seconds_left:
        line += f", {duration(status.seconds_left)} left"
    shown = [f"{name} {value:.4g}" for name, value in values.items()]
    return ", ".join([line, *shown])


def duration(seconds: float) -> str:
    """Return a time in words of two units at most, as in `1 min 20 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24} h"


def results_table(results: Mapping[str, Any]) -> str:
    """Return final numbers as a table of names and values."""
    rows = list(_rows(results))
    numbers = [text for _, text, is_number in rows if is_number]
    width = max((len(text) for text in numbers), default=0)
    return aligned([(name, text.rjust(width) if is_number else text) for name, text, is_number in rows])


def _rows(results: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str, bool]]:
    rows: list[tuple[str, str, bool]] = []
    for name, value in results.items():
        if isinstance(value, dict):
            rows += _rows(value, f"{prefix}{name}.")
        elif isinstance(value, float):
            rows.append((prefix + name, f"{value:.6g}", True))
        elif isinstance(value, int) and not isinstance(value, bool):
            rows.append((prefix + name, str(value), True))
        else:
            rows.append((prefix + name, value if isinstance(value, str) else json.dumps(value), False))
    return rows
