"""What happened in a job, one JSON object per line, and the status that follows from it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from uniem.jobs.pace import Pace

POINTS_SHOWN = 5000


class _Event(BaseModel):
    # Numbers that are not finite travel as strings: JSON has none, and a loss may well be NaN.
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings", defer_build=True)

    time: float = Field(default_factory=time.time, description="When, in s since 1970.")


class Started(_Event):
    """A worker has taken the job."""

    event: Literal["started"] = "started"
    operation: str = ""
    pid: int = 0
    host: str = ""
    uniem_version: str = ""


class Progress(_Event):
    """So much of the current stage is done; `total` is None where nobody knows."""

    event: Literal["progress"] = "progress"
    done: int
    total: int | None = None
    label: str = ""


class Metric(_Event):
    """Named numbers, such as a loss, at a step."""

    event: Literal["metric"] = "metric"
    step: int
    values: dict[str, float]


class Preview(_Event):
    """A new picture; `file` is relative to the job's folder."""

    event: Literal["preview"] = "preview"
    name: str
    file: str


class Message(_Event):
    """A sentence for the user."""

    event: Literal["message"] = "message"
    text: str


class Result(_Event):
    """Final numbers, such as scores."""

    event: Literal["result"] = "result"
    values: dict[str, Any]


class Finished(_Event):
    """All is done; the outputs stand at these locations."""

    event: Literal["finished"] = "finished"
    outputs: dict[str, str] = Field(default_factory=dict)


class Failed(_Event):
    """The job ended with an error; `outputs` are those that are usable all the same.

    `traceback` is empty for errors that a user can do something about.
    """

    event: Literal["failed"] = "failed"
    error: str
    hint: str = ""
    traceback: str = ""
    outputs: dict[str, str] = Field(default_factory=dict)


class Cancelled(_Event):
    """The job ended because it was asked to; `outputs` are those that are usable all the same."""

    event: Literal["cancelled"] = "cancelled"
    outputs: dict[str, str] = Field(default_factory=dict)
    message: str = ""


class Kept(_Event):
    """What a worker had made so far that died, at `time`, without a word was brought to these locations."""

    event: Literal["kept"] = "kept"
    outputs: dict[str, str]


Event = Started | Progress | Metric | Preview | Message | Result | Finished | Failed | Cancelled | Kept
END_EVENTS = (Finished, Failed, Cancelled)

# Made when the first event is read: the window is on screen by then.
_adapter: TypeAdapter[Event] = TypeAdapter(
    Annotated[Event, Field(discriminator="event")], config=ConfigDict(defer_build=True)
)


def parse_event(line: bytes | str) -> Event:
    """Return the event that a line holds; raise `pydantic.ValidationError` if it holds none."""
    return _adapter.validate_json(line)


class Phase(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"


class Ending(StrEnum):
    """How a job ended; a lost one was killed or crashed before it could say so."""

    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


Curve = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What is known of a job at a moment.

    Attributes
    ----------
    done, total, label, seconds_left
        Of the current stage; `seconds_left` in s, None while it cannot be told.
    metrics : dict of tuple of (step, value)
        The curves. One of more than 5,000 points is thinned for showing, keeping the smallest and the largest
        value of each stretch; `events.jsonl` keeps every point.
    previews : dict of Path
        The latest picture under each name; a new picture has a new path.
    outputs : dict
        The locations of what is there to be opened.
    log_end : str
        The end of the log of a lost job.
    started, ended : float or None
        In s since 1970.
    host : str
        The computer that runs it.
    """

    phase: Phase = Phase.QUEUED
    ending: Ending | None = None
    done: int = 0
    total: int | None = None
    label: str = ""
    seconds_left: float | None = None
    metrics: dict[str, Curve] = field(default_factory=dict)
    previews: dict[str, Path] = field(default_factory=dict)
    message: str = ""
    results: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    error: str = ""
    hint: str = ""
    log_end: str = ""
    started: float | None = None
    ended: float | None = None
    host: str = ""

    @property
    def fraction(self) -> float | None:
        """How much of the current stage is done, 0 to 1; None where nobody knows."""
        if self.ending is Ending.FINISHED:
            return 1.0
        return min(self.done / self.total, 1.0) if self.total else None


class EventFold:
    """Take events one after the other and tell the status that follows from them."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path()
        self._reset()

    def _reset(self) -> None:
        self._facts: dict[str, Any] = {}
        self._curves: dict[str, list[tuple[int, float]]] = {}
        self._shown: dict[str, tuple[int, Curve]] = {}
        self._previews: dict[str, Path] = {}
        self._results: dict[str, Any] = {}
        self._pace = Pace()

    def add(self, event: Event) -> None:
        """Take the next event."""
        if isinstance(event, Started):
            self._reset()
            self._facts = {"phase": Phase.STARTING, "started": event.time, "host": event.host}
            return
        if isinstance(event, Finished | Failed | Cancelled):
            self._end(event)
            return
        if isinstance(event, Kept):
            self._facts.update(outputs=event.outputs, ended=event.time)
            return
        self._facts["phase"] = Phase.RUNNING
        match event:
            case Progress():
                self._facts.update(done=event.done, total=event.total, label=event.label)
                self._pace.add(event.time, event.done, event.total, event.label)
            case Metric():
                for name, value in event.values.items():
                    self._curves.setdefault(name, []).append((event.step, value))
            case Preview():
                self._previews[event.name] = self._folder / event.file
            case Message():
                self._facts["message"] = event.text
            case Result():
                self._results.update(event.values)

    def _end(self, event: Finished | Failed | Cancelled) -> None:
        self._facts.update(phase=Phase.ENDED, ended=event.time)
        match event:
            case Finished():
                self._facts.update(ending=Ending.FINISHED, outputs=event.outputs)
            case Failed():
                self._facts.update(
                    ending=Ending.FAILED, error=event.error, hint=event.hint, outputs=event.outputs
                )
            case Cancelled():
                self._facts.update(ending=Ending.CANCELLED, outputs=event.outputs)
                if event.message:
                    self._facts["message"] = event.message

    @property
    def status(self) -> JobStatus:
        """What is known so far."""
        has_ended = self._facts.get("phase") is Phase.ENDED
        return JobStatus(
            **self._facts,
            metrics={name: self._curve(name) for name in self._curves},
            previews=dict(self._previews),
            results=dict(self._results),
            seconds_left=None if has_ended else self._pace.seconds_left(),
        )

    def _curve(self, name: str) -> Curve:
        points = self._curves[name]
        length, curve = self._shown.get(name, (0, ()))
        if length != len(points):
            curve = thinned(points)
            self._shown[name] = (len(points), curve)
        return curve


def fold(events: Iterable[Event], folder: Path | None = None) -> JobStatus:
    """Return the status that follows from events; previews are named inside `folder`."""
    state = EventFold(folder)
    for event in events:
        state.add(event)
    return state.status


def thinned(points: list[tuple[int, float]], limit: int = POINTS_SHOWN) -> Curve:
    """Return at most about `limit` points of a curve: the ends, and the extremes of each stretch between."""
    if len(points) <= limit:
        return tuple(points)
    stretch = -(-len(points) // (limit // 2 - 1))
    kept = [points[0]]
    for start in range(1, len(points) - 1, stretch):
        part = points[start : min(start + stretch, len(points) - 1)]
        low, high = (choose(range(len(part)), key=lambda i: part[i][1]) for choose in (min, max))
        kept += [part[i] for i in sorted({low, high})]
    return (*kept, points[-1])
