"""Jobs of a project that was moved, and a queue that goes from one folder to another."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jobs.samples import request_of
from uniem.jobs.events import Ending
from uniem.jobs.folder import JobFolder
from uniem.jobs.queue import Job, JobQueue
from uniem.jobs.relocation import relocate_jobs, relocated


def wait(queue: JobQueue, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline
        queue.poll()
        time.sleep(0.01)


def test_places_are_renamed_however_they_were_written() -> None:
    new = Path("/new/p")
    assert relocated("/old/p/a.zarr", "/old/p", new) == "/new/p/a.zarr"
    assert relocated("C:\\old\\p\\a.h5::raw", "C:/old/p/", new) == "/new/p/a.h5::raw"
    assert relocated("/old/p2/a.zarr", "/old/p", new) == "/old/p2/a.zarr"
    assert relocated("https://old/p/a", "https://old/p", new) == "https://old/p/a"
    assert relocated("/old/a", "", new) == "/old/a"


@pytest.mark.usefixtures("samples")
def test_ended_jobs_follow_their_project(source: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    source = source.rename(old / source.name)
    queue = JobQueue(old / "jobs", grace_s=0)
    job = queue.submit(request_of(source))
    wait(queue, lambda: not queue.is_busy)
    assert job.status.ending is Ending.FINISHED
    old.rename(new)
    assert relocate_jobs(new / "jobs", str(old), new) == 1
    assert relocate_jobs(new / "jobs", str(old), new) == 0
    again = JobQueue(new / "jobs", grace_s=0)
    wait(again, lambda: bool(again.jobs[0].status.outputs))
    assert again.jobs[0].status.outputs == {"result": (new / "result.csv").as_posix()}
    assert again.jobs[0].request.inputs == {"source": (new / source.name).as_posix()}
    (new / "result.csv").unlink()
    retried = again.retry(again.jobs[0])
    wait(again, lambda: not again.is_busy)
    assert retried.status.ending is Ending.FINISHED


@pytest.mark.usefixtures("samples")
def test_a_job_that_a_worker_has_is_left_alone(source: Path, tmp_path: Path) -> None:
    folder = JobFolder.create(tmp_path / "jobs", request_of(source))
    with folder.lock():
        assert relocate_jobs(tmp_path / "jobs", str(tmp_path), tmp_path / "new") == 0


@pytest.mark.usefixtures("samples")
def test_a_queue_goes_to_another_folder_and_back(source: Path, tmp_path: Path) -> None:
    queue = JobQueue(tmp_path / "one", grace_s=0)
    seen: list[tuple[str, str]] = []
    queue.added.connect(lambda job: seen.append(("added", job.id)))
    queue.removed.connect(lambda job: seen.append(("removed", job.id)))
    job = queue.submit(request_of(source, steps=40, pause_s=0.05))
    wait(queue, lambda: job.worker is not None)
    queue.move_to(tmp_path / "two")
    assert queue.jobs == [] and not queue.is_busy
    assert seen == [("added", job.id), ("removed", job.id)]
    queue.move_to(tmp_path / "one")
    found: Job = queue.jobs[0]
    assert found.id == job.id and seen[-1] == ("added", job.id)
    wait(queue, lambda: not queue.is_busy)
    assert found.status.ending is Ending.FINISHED
