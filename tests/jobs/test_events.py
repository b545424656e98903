from __future__ import annotations

import math
from pathlib import Path

import pytest
from pydantic import ValidationError

from uniem.jobs.events import (
    Cancelled,
    Ending,
    Failed,
    Finished,
    Message,
    Metric,
    Phase,
    Preview,
    Progress,
    Result,
    Started,
    fold,
    parse_event,
    thinned,
)
from uniem.jobs.pace import Pace


def test_nothing_yet_is_queued() -> None:
    status = fold([])
    assert (status.phase, status.ending, status.fraction) == (Phase.QUEUED, None, None)


def test_a_run_is_told_from_beginning_to_end() -> None:
    events = [Started(time=10), Progress(time=11, done=1, total=4, label="steps"), Message(text="on the CPU")]
    assert fold(events[:1]).phase == "starting"
    status = fold(events)
    assert (status.phase, status.done, status.total, status.label) == ("running", 1, 4, "steps")
    assert status.fraction == 0.25
    assert status.message == "on the CPU"
    events += [Metric(step=0, values={"loss": 2}), Metric(step=5, values={"loss": 1, "f1": 0.5})]
    events += [Preview(name="seen", file="previews/seen.000001.png"), Result(values={"f1": 0.5})]
    status = fold([*events, Finished(time=20, outputs={"model": "m"})], Path("job"))
    assert status.metrics == {"loss": ((0, 2.0), (5, 1.0)), "f1": ((5, 0.5),)}
    assert status.previews == {"seen": Path("job/previews/seen.000001.png")}
    assert (status.ending, status.results, status.outputs) == (Ending.FINISHED, {"f1": 0.5}, {"model": "m"})
    assert (status.started, status.ended, status.fraction, status.seconds_left) == (10, 20, 1.0, None)


def test_other_endings() -> None:
    failed = fold([Started(), Failed(error="no", hint="yes")])
    assert (failed.ending, failed.error, failed.hint) == ("failed", "no", "yes")
    cancelled = fold([Started(), Cancelled(outputs={"model": "m"})])
    assert (cancelled.ending, cancelled.outputs) == ("cancelled", {"model": "m"})


def test_a_second_start_forgets_the_first_run() -> None:
    status = fold([Started(), Metric(step=0, values={"loss": 9}), Started(time=5)])
    assert (status.metrics, status.started, status.phase) == ({}, 5, "starting")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_survive_strict_json(value: float) -> None:
    line = Metric(step=1, values={"loss": value}).model_dump_json()
    assert "NaN," not in line and ":Infinity" not in line
    event = parse_event(line)
    assert isinstance(event, Metric)
    assert event.values["loss"] == value or math.isnan(value)


def test_a_line_of_another_version_is_refused_not_guessed() -> None:
    with pytest.raises(ValidationError):
        parse_event('{"event": "sung", "time": 1}')


def test_a_long_curve_is_thinned_but_keeps_its_spikes() -> None:
    points = [(i, 0.0) for i in range(100_000)]
    points[31_415] = (31_415, 9.0)
    points[77_777] = (77_777, -9.0)
    curve = thinned(points)
    assert len(curve) <= 5000
    assert {(31_415, 9.0), (77_777, -9.0), points[0], points[-1]} <= set(curve)
    assert list(curve) == sorted(curve)


def test_time_left_follows_the_recent_pace() -> None:
    pace = Pace()
    pace.add(0, 0, 100, "training")
    assert pace.seconds_left() is None
    pace.add(30, 1, 100, "training")
    for i in range(1, 60):
        pace.add(30 + i, 1 + i, 100, "training")
    # The first step took 30 s, all others 1 s each: 40 are left.
    assert pace.seconds_left() == pytest.approx(40, rel=0.05)


def test_time_left_begins_anew_with_a_stage() -> None:
    pace = Pace()
    for i in range(10):
        pace.add(i, i, 10, "reading")
    pace.add(9.5, 0, 1000, "writing")
    assert pace.seconds_left() is None
    pace.add(11.5, 20, 1000, "writing")
    assert pace.seconds_left() == pytest.approx(98)
    pace.add(12, 5, None, "searching")
    assert pace.seconds_left() is None


def test_time_left_of_many_samples_stays_right() -> None:
    pace = Pace()
    for i in range(5000):
        pace.add(i * 0.1, i, 10_000, "steps")
    assert pace.seconds_left() == pytest.approx(500, rel=0.02)
