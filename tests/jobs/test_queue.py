from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.jobs.samples import request_of
from uniem.errors import UniemError
from uniem.jobs.folder import JobFolder
from uniem.jobs.queue import Job, JobQueue

pytestmark = pytest.mark.usefixtures("samples")
PATIENCE_S = 60


@pytest.fixture
def queue() -> Iterator[JobQueue]:
    queue = JobQueue(grace_s=1.0)
    yield queue
    queue.grace_s = 0
    queue.stop_all()


def wait(queue: JobQueue, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < deadline, [job.status for job in queue.jobs]
        queue.poll()
        time.sleep(0.01)


def wait_idle(queue: JobQueue) -> None:
    wait(queue, lambda: not queue.is_busy)


def is_running(job: Job) -> bool:
    return job.status.phase == "running"


def lives(process: int) -> bool:
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


def test_a_job_runs_in_a_process_of_its_own(queue: JobQueue, source: Path) -> None:
    seen: list[str] = []
    queue.added.connect(lambda job: seen.append(f"added {job.status.phase}"))
    queue.changed.connect(lambda job: seen.append(str(job.status.phase)))
    job = queue.submit(request_of(source, steps=20, pause_s=0.05))
    assert (queue.jobs, job.status.phase) == ([job], "queued")
    wait_idle(queue)
    assert job.status.ending == "finished"
    assert job.status.results["steps"] == 20
    assert len(job.status.metrics["loss"]) == 20
    assert (source.parent / "result.csv").read_text() == "counted to 20"
    phases = list(dict.fromkeys(seen))
    assert phases == ["added queued", "starting", "running", "ended"]


def test_a_worker_finds_its_environment(queue: JobQueue, source: Path, home: Path) -> None:
    job = queue.submit(request_of(source, "sample-device"))
    wait_idle(queue)
    assert job.status.results == {
        "CUDA_VISIBLE_DEVICES": "-1",
        "PYINSTALLER_RESET_ENVIRONMENT": "1",
        "UNIEM_HOME": str(home),
    }
    assert "sagt etwas: ü" in job.folder.log_tail()


def test_failures_are_told(queue: JobQueue, source: Path) -> None:
    wrong = queue.submit(request_of(source, end="error"))
    buggy = queue.submit(request_of(source, result="other.csv", end="bug"))
    wait_idle(queue)
    assert (wrong.status.ending, wrong.status.hint) == ("failed", "Crop one of them.")
    assert buggy.status.ending == "failed" and "ZeroDivisionError" in buggy.status.error
    assert "in count" in buggy.folder.log_tail(60)


def test_what_cannot_work_is_refused_at_once(queue: JobQueue, source: Path) -> None:
    (source.parent / "there.csv").write_text("")
    for request, message in [
        (request_of(source, "sample-cont"), "no operation"),
        (request_of(source, steps=-1), "steps"),
        (request_of(source.parent / "absent.csv"), "absent.csv does not exist"),
        (request_of(source, result="there.csv"), "already exists"),
        (request_of(source, result="source.csv"), "lies in the input"),
    ]:
        with pytest.raises(UniemError, match=message):
            queue.submit(request)
    assert queue.jobs == [] and not queue.folder.exists()


def test_cancel_ends_a_running_job(queue: JobQueue, source: Path) -> None:
    queue.grace_s = 60
    job = queue.submit(request_of(source, steps=1000, pause_s=0.02, keep=True))
    wait(queue, lambda: is_running(job))
    queue.cancel(job)
    wait_idle(queue)
    assert job.status.ending == "cancelled"
    assert job.status.outputs == {"result": str(source.parent / "result.csv")}


@pytest.mark.skipif(sys.platform == "win32", reason="looks into /proc")
def test_a_deaf_worker_is_killed_with_its_children(queue: JobQueue, source: Path) -> None:
    job = queue.submit(request_of(source, steps=1, end="deaf"))
    note = source.parent / "child"
    wait(queue, lambda: note.exists() and note.read_text() != "")
    queue.cancel(job)
    wait_idle(queue)
    assert job.status.ending == "cancelled"
    assert "did not end by itself" in job.status.message
    wait(queue, lambda: not lives(int(note.read_text())))


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_a_killed_worker_is_lost_with_the_end_of_its_log(queue: JobQueue, source: Path) -> None:
    job = queue.submit(request_of(source, steps=1000, pause_s=0.02))
    wait(queue, lambda: is_running(job))
    with job.folder.log.open("a") as log:
        log.write("the last words\n")
    process = job.folder.worker_id
    assert process
    os.kill(process, signal.SIGKILL)
    wait_idle(queue)
    assert job.status.ending == "lost"
    assert "was killed (SIGKILL)" in job.status.error
    assert job.status.log_end.endswith("the last words")
    assert job.status.metrics["loss"]
    assert JobQueue().jobs[0].folder.exit_code == -9


@pytest.mark.skipif(sys.platform == "win32", reason="names signals")
@pytest.mark.parametrize(("end", "name"), [("segfault", "SIGSEGV"), ("abort", "SIGABRT")])
def test_a_crash_is_lost_with_the_stack_in_the_log(
    queue: JobQueue, source: Path, end: str, name: str
) -> None:
    job = queue.submit(request_of(source, end=end))
    wait_idle(queue)
    assert job.status.ending == "lost"
    assert f"crashed ({name})" in job.status.error
    assert "Fatal Python error" in job.status.log_end
    assert "in end" in job.status.log_end


def test_what_a_failed_job_made_is_kept_where_it_says_so(queue: JobQueue, source: Path) -> None:
    job = queue.submit(request_of(source, steps=1, keep=True, end="bug"))
    wait_idle(queue)
    assert job.status.ending == "failed"
    assert job.status.outputs == job.request.outputs
    assert (source.parent / "result.csv").read_text() == "begun"
    assert JobQueue().jobs[0].status.outputs == job.request.outputs


def test_what_a_dead_worker_had_begun_is_removed(queue: JobQueue, source: Path) -> None:
    job = queue.submit(request_of(source, steps=1, keep=True, end="quit"))
    wait_idle(queue)
    assert job.status.ending == "lost" and not job.status.outputs
    wait(queue, lambda: sorted(path.name for path in source.parent.iterdir()) == ["source.csv"])


def test_an_exit_without_a_word_is_lost(queue: JobQueue, source: Path) -> None:
    job = queue.submit(request_of(source, end="quit"))
    wait_idle(queue)
    assert (job.status.ending, "exit code 9" in job.status.error) == ("lost", True)


def test_gpu_jobs_go_one_after_the_other_beside_cpu_jobs(queue: JobQueue, source: Path) -> None:
    slow = {"steps": 1000, "pause_s": 0.02}
    first, second = (queue.submit(request_of(source, "sample-gpu", f"g{i}.csv", **slow)) for i in range(2))
    third, fourth, fifth = (queue.submit(request_of(source, result=f"c{i}.csv", **slow)) for i in range(3))
    wait(queue, lambda: is_running(first) and is_running(third) and is_running(fourth))
    assert (second.status.phase, fifth.status.phase) == ("queued", "queued")
    queue.cancel(fourth)
    wait(queue, lambda: is_running(fifth))
    assert second.status.phase == "queued"
    queue.cancel(second)
    assert second.status.ending == "cancelled"
    queue.cancel(first)
    wait(queue, lambda: first.status.phase == "ended")


def test_jobs_outlive_the_window(source: Path) -> None:
    queue = JobQueue()
    running = queue.submit(request_of(source, result="a.csv", steps=150, pause_s=0.02))
    waiting = [queue.submit(request_of(source, "sample-gpu", f"b{i}.csv", steps=1)) for i in range(1)]
    wait(queue, lambda: is_running(running))
    queue.leave_running()
    del queue
    again = JobQueue()
    assert [job.id for job in again.jobs] == [running.id, waiting[0].id]
    wait_idle(again)
    assert [job.status.ending for job in again.jobs] == ["finished", "finished"]
    assert len(again.jobs[0].status.metrics["loss"]) == 150


def test_a_job_goes_on_when_the_process_that_started_it_is_killed(
    source: Path, home: Path, tmp_path: Path
) -> None:
    request = request_of(source, steps=100, pause_s=0.02)
    request.write(tmp_path / "request.json")
    code = (
        "import os, signal, sys, time\n"
        "from uniem.jobs.queue import JobQueue; from uniem.jobs.request import JobRequest\n"
        "queue = JobQueue(); job = queue.submit(JobRequest.read(sys.argv[1]))\n"
        "while job.status.phase != 'running': queue.poll(); time.sleep(0.01)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    started = subprocess.run([sys.executable, "-c", code, str(tmp_path / "request.json")], check=False)
    assert started.returncode in (-9, 9)
    queue = JobQueue()
    wait_idle(queue)
    assert queue.jobs[0].status.ending == "finished"


def test_ended_jobs_are_told_again(queue: JobQueue, source: Path) -> None:
    queue.submit(request_of(source, steps=3))
    queue.submit(request_of(source, result="x.csv", end="error"))
    wait_idle(queue)
    statuses = [job.status for job in queue.jobs]
    again = JobQueue()
    assert [job.status.ending for job in again.jobs] == ["finished", "failed"]
    wait(again, lambda: [job.status for job in again.jobs] == statuses)
    assert not again.is_busy


def test_a_lost_job_is_told_again(queue: JobQueue, source: Path) -> None:
    job = queue.submit(request_of(source, end="quit"))
    wait_idle(queue)
    again = JobQueue()
    wait_idle(again)
    assert again.jobs[0].status == job.status


def test_retry_and_remove(queue: JobQueue, source: Path) -> None:
    removed: list[Job] = []
    queue.removed.connect(removed.append)
    job = queue.submit(request_of(source, end="error"))
    with pytest.raises(UniemError, match="has not ended"):
        queue.remove(job)
    wait_idle(queue)
    second = queue.retry(job)
    assert second.request == job.request and second.id != job.id
    wait_idle(queue)
    queue.remove(job)
    assert (removed, queue.jobs, job.folder.path.exists()) == ([job], [second], False)


def test_stop_all_ends_everything(source: Path) -> None:
    queue = JobQueue(grace_s=30)
    jobs = [queue.submit(request_of(source, result=f"{i}.csv", steps=1000, pause_s=0.02)) for i in range(3)]
    wait(queue, lambda: is_running(jobs[0]))
    queue.stop_all()
    assert [job.status.ending for job in jobs] == ["cancelled"] * 3
    assert not any(job.folder.is_alive() for job in jobs)


def test_two_windows_start_a_job_once(source: Path) -> None:
    first = JobQueue()
    first.submit(request_of(source, steps=5, pause_s=0.02))
    second = JobQueue()
    wait(first, lambda: (second.poll(), not first.is_busy and not second.is_busy)[1])
    for queue in (first, second):
        assert queue.jobs[0].status.ending == "finished"
    events, _ = first.jobs[0].folder.tail()
    assert [event.event for event in events].count("started") == 1


def test_strange_folders_are_passed_over(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    jobs = home / "jobs"
    (jobs / "empty").mkdir(parents=True)
    (jobs / "broken").mkdir()
    (jobs / "broken" / "request.json").write_text("{")
    (jobs / "file.txt").write_text("")
    with caplog.at_level(logging.WARNING):
        assert JobQueue().jobs == []
    assert "is not a request" in caplog.text


def test_a_job_whose_operation_is_gone_is_still_told(source: Path, home: Path) -> None:
    folder = JobFolder.create(home / "jobs", request_of(source, "sample-gone"))
    queue = JobQueue()
    wait_idle(queue)
    assert queue.jobs[0].folder.path == folder.path
    assert queue.jobs[0].status.ending == "failed"
    assert "sample-gone" in queue.jobs[0].status.error
