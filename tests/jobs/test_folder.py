from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from uniem.errors import UniemError
from uniem.jobs.events import Message, Progress, Started
from uniem.jobs.folder import JobFolder
from uniem.jobs.request import JobRequest, absolute_location

HOLD = """
import os, sys, time
from pathlib import Path
from uniem.jobs.folder import JobFolder
with JobFolder(Path(sys.argv[1])).lock():
    os.write(1, b"held\\n")
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    return JobFolder.create(tmp_path / "jobs", JobRequest(operation="label", inputs={"image": "/a"}))


def test_a_request_survives_its_file(folder: JobFolder) -> None:
    assert JobFolder(folder.path).request == folder.request
    assert "-label-" in folder.path.name


def test_folders_sort_in_the_order_of_asking(tmp_path: Path) -> None:
    names = [JobFolder.create(tmp_path, JobRequest(operation="label")).path.name for _ in range(20)]
    assert names == sorted(names)


@pytest.mark.parametrize("text", ["", "{", '{"operation": 3}', '{"operation": "label", "colour": 1}', "\xff"])
def test_a_file_that_is_no_request_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "request.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UniemError, match=r"request\.json"):
        JobRequest.read(path)


def test_absolute_locations(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_location("a/b.h5::raw") == f"{tmp_path}/a/b.h5::raw"
    assert absolute_location("sections/") == f"{tmp_path}/sections/"
    assert absolute_location(str(tmp_path)) == str(tmp_path)


def test_only_complete_lines_are_events(folder: JobFolder) -> None:
    assert folder.tail() == ([], 0)
    assert folder.last_event() is None
    events = [Started(), Message(text="Müller"), Progress(done=1)]
    for event in events:
        folder.append(event)
    with (folder.path / "events.jsonl").open("ab") as file:
        file.write(b'{"event": "message", "text": "ha')
    found, offset = folder.tail()
    assert found == events
    assert folder.last_event() == events[-1]
    with (folder.path / "events.jsonl").open("ab") as file:
        file.write(b'lf"}\n')
    (rest,), end = folder.tail(offset)
    assert isinstance(rest, Message) and rest.text == "half"
    assert folder.tail(end) == ([], end)


def test_a_long_story_is_read_in_parts(folder: JobFolder) -> None:
    events = [Message(text="x" * 50 + str(i)) for i in range(100)]
    for event in events:
        folder.append(event)
    found, offset = [], 0
    while (part := folder.tail(offset, limit=300))[0]:
        found += part[0]
        offset = part[1]
    assert found == events


def test_a_line_longer_than_a_part_is_read_whole(folder: JobFolder) -> None:
    folder.append(Message(text="x" * 1000))
    folder.append(Message(text="y"))
    (event,), _ = folder.tail(0, limit=100)
    assert event == Message(text="x" * 1000, time=event.time)


def test_a_damaged_line_does_not_hide_the_others(folder: JobFolder, caplog: pytest.LogCaptureFixture) -> None:
    folder.append(Started())
    with (folder.path / "events.jsonl").open("ab") as file:
        file.write(b'{"event": "messa\n')
    folder.append(Message(text="still here"))
    events, _ = folder.tail()
    assert [event.event for event in events] == ["started", "message"]
    assert "not understood" in caplog.text


@contextlib.contextmanager
def holding(folder: JobFolder, code: str = HOLD, lines: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that holds the lock, and end it with its children whatever happens."""
    command = [sys.executable, "-c", code, str(folder.path)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    assert holder.stdout is not None
    try:
        assert holder.stdout.read(5 * lines) == b"held\n" * lines
        yield holder
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.wait()
        holder.stdout.close()


@pytest.mark.skipif(sys.platform == "win32", reason="kills a group")
def test_the_lock_goes_with_its_process(folder: JobFolder) -> None:
    assert not folder.is_alive()
    with holding(folder) as holder:
        assert folder.worker_id == holder.pid
        with pytest.raises(UniemError, match="run already"), folder.lock():
            pass
    assert folder.worker_id is None
    with folder.lock():
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_forked_children_do_not_hold_the_lock(folder: JobFolder) -> None:
    code = HOLD.replace("    os.write", "    os.fork()\n    os.write")
    with holding(folder, code, lines=2) as holder:
        assert folder.worker_id == holder.pid
        os.kill(holder.pid, signal.SIGKILL)
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
        assert not folder.is_alive()


def test_a_job_is_launched_once(folder: JobFolder) -> None:
    assert folder.launched_at is None
    assert folder.claim()
    assert not JobFolder(folder.path).claim()
    assert folder.launched_at is not None


def test_the_end_of_the_log(folder: JobFolder) -> None:
    assert folder.log_tail() == ""
    folder.log.write_bytes(b"".join(b"line %d\n" % i for i in range(100_000)) + b"\xff end")
    assert folder.log_tail(2) == "line 99999\n\ufffd end"


def test_a_report_holds_everything_needed(folder: JobFolder, tmp_path: Path) -> None:
    folder.append(Started())
    folder.log.write_text("hello")
    (folder.previews / "a.000001.png").write_bytes(b"png")
    folder.zip_report(tmp_path / "report.zip")
    with zipfile.ZipFile(tmp_path / "report.zip") as archive:
        names = set(archive.namelist())
        assert b"uniem" in archive.read("about.txt")
    assert names == {"about.txt", "request.json", "events.jsonl", "log.txt", "previews/a.000001.png"}
    with pytest.raises(UniemError, match="Cannot write"):
        folder.zip_report(tmp_path / "absent" / "report.zip")
