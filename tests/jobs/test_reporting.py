from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from uniem.errors import UniemError
from uniem.jobs.events import Event, Message, Metric, Preview, Progress, Result
from uniem.jobs.folder import JobFolder
from uniem.jobs.reporting import JobContext, plain
from uniem.jobs.request import JobRequest
from uniem.progress import Cancelled


def test_progress_is_thinned_and_ends_whole() -> None:
    events: list[Event] = []
    context = JobContext(events.append, lambda: False)
    began = time.monotonic()
    for _ in context.track(range(2000), "steps"):
        time.sleep(0.0002)
    taken = time.monotonic() - began
    context.flush()
    progress = [event for event in events if isinstance(event, Progress)]
    assert len(progress) <= 10 * taken + 11
    assert (progress[0].done, progress[-1].done) == (0, 2000)


def test_a_flood_of_stages_is_thinned_but_the_last_is_told() -> None:
    events: list[Event] = []
    context = JobContext(events.append, lambda: False)
    began = time.monotonic()
    for stage in range(500):
        context.progress(0, 3, f"stage {stage}")
    taken = time.monotonic() - began
    assert len(events) <= 10 * taken + 11
    context.message("next")
    assert isinstance(events[-2], Progress) and events[-2].label == "stage 499"
    assert isinstance(events[-1], Message)


def test_a_wish_to_end_is_seen_in_a_loop() -> None:
    wishes: list[int] = []
    context = JobContext(lambda _event: None, lambda: bool(wishes))
    seen = 0
    with pytest.raises(Cancelled):
        for _ in context.track(range(1000), "steps"):
            seen += 1
            wishes.append(1)
            time.sleep(0.02)
    assert seen <= 10


def test_metrics_are_all_kept() -> None:
    events: list[Event] = []
    context = JobContext(events.append, lambda: False)
    for step in range(1000):
        context.metric(step, loss=np.float32(step))
    assert len(events) == 1000
    assert events[7] == Metric(step=7, values={"loss": 7.0}, time=events[7].time)


def test_previews_are_pictures(tmp_path: Path) -> None:
    import cv2

    events: list[Event] = []
    context = JobContext(events.append, lambda: False, tmp_path)
    colour = np.zeros((5, 7, 3), np.uint8)
    colour[..., 0] = 200
    for _ in range(4):
        context.preview("what/it sees", colour)
    context.preview("grey", np.full((3, 4), 9, np.uint8))
    last = events[3]
    assert isinstance(last, Preview) and last.name == "what/it sees"
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / last.file))[..., ::-1], colour)
    assert len(list((tmp_path / "previews").iterdir())) == 3
    with pytest.raises(UniemError, match="not a picture"):
        context.preview("wrong", np.zeros((2, 2), np.float32))  # type: ignore[arg-type]


def test_results_are_plain_json() -> None:
    value = {"a": np.int64(3), "b": np.array([1.5, 2]), "c": (Path("/x"), None, True), 4: np.float32(0.5)}
    assert json.loads(json.dumps(plain(value))) == {
        "a": 3,
        "b": [1.5, 2.0],
        "c": ["/x", None, True],
        "4": 0.5,
    }
    events: list[Event] = []
    JobContext(events.append, lambda: False).result(f1=np.float64(0.25))
    assert isinstance(events[0], Result) and events[0].values == {"f1": 0.25}


def test_a_job_waits_while_it_is_asked_to(tmp_path: Path) -> None:
    folder = JobFolder.create(tmp_path, JobRequest(operation="train-2d"))
    context = JobContext(lambda _event: None, lambda: False, folder.path)
    assert not context.paused() and not JobContext(lambda _event: None, lambda: False).paused()
    folder.ask_pause()
    assert context.paused()
    folder.ask_pause(False)
    folder.ask_pause(False)
    assert not context.paused()
