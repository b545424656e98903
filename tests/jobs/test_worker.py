from __future__ import annotations

from pathlib import Path

import pytest

from tests.jobs.samples import request_of
from uniem.errors import UniemError
from uniem.jobs.events import fold
from uniem.jobs.folder import JobFolder
from uniem.jobs.request import JobRequest
from uniem.jobs.worker import run_job

pytestmark = pytest.mark.usefixtures("samples")


def folder_of(request: JobRequest, tmp_path: Path) -> JobFolder:
    return JobFolder.create(tmp_path / "jobs", request)


def test_a_job_is_done_in_its_folder(source: Path, tmp_path: Path) -> None:
    folder = folder_of(request_of(source, steps=3, note="hello"), tmp_path)
    assert run_job(folder.path) == 0
    events, _ = folder.tail()
    assert events[0].event == "started"
    status = fold(events, folder.path)
    assert status.ending == "finished"
    assert status.outputs == {"result": str(tmp_path / "result.csv")}
    assert status.results == {"steps": 3, "mean": 0.5}
    assert status.metrics["loss"] == ((0, 1.0), (1, 0.5), (2, pytest.approx(1 / 3)))
    assert status.message == "hello"
    assert status.previews["ramp"].read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "result.csv").read_text() == "counted to 3"
    assert not folder.is_alive()


@pytest.mark.parametrize(
    ("end", "code", "error"),
    [
        ("error", 2, "The image is 4 × 5, the labels are 4 × 6."),
        ("disk", 2, "No space left on device"),
        ("bug", 1, "ZeroDivisionError: a bug of the operation"),
        ("exit", 1, "SystemExit: 7"),
    ],
)
def test_failures_are_told_and_leave_nothing(
    source: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, end: str, code: int, error: str
) -> None:
    folder = folder_of(request_of(source, end=end), tmp_path)
    assert run_job(folder.path) == code
    status = fold(folder.tail()[0])
    assert status.ending == "failed"
    assert error in status.error and status.hint
    assert ("Traceback" in caplog.text) == (code == 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["jobs", "source.csv"]


def test_a_wish_to_end_is_followed(source: Path, tmp_path: Path) -> None:
    folder = folder_of(request_of(source, steps=1000, pause_s=0.01), tmp_path)
    folder.ask_cancel()
    assert run_job(folder.path) == 3
    status = fold(folder.tail()[0])
    assert (status.ending, status.outputs) == ("cancelled", {})
    assert not (tmp_path / "result.csv").exists()


def test_what_is_usable_when_cancelled_is_named(source: Path, tmp_path: Path) -> None:
    folder = folder_of(request_of(source, steps=1000, pause_s=0.01, keep=True), tmp_path)
    assert run_job(folder.path, interrupted=lambda: True) == 3
    assert fold(folder.tail()[0]).outputs == {"result": str(tmp_path / "result.csv")}
    assert (tmp_path / "result.csv").read_text() == "begun"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"operation": "sample-cuont"}, "no operation named sample-cuont"),
        ({"version": 9}, "version 9"),
        ({"parameters": {"stepps": 3}}, "stepps: there is no such parameter"),
        ({"parameters": {"steps": 0}}, "steps: input should be greater than or equal to 1, not 0"),
        ({"inputs": {}}, "needs the input source"),
        ({"inputs": {"source": "/absent.csv"}}, "no /absent.csv"),
        ({"outputs": {}}, "needs the output result"),
    ],
)
def test_bad_requests_are_told(source: Path, tmp_path: Path, change: dict[str, object], message: str) -> None:
    folder = folder_of(request_of(source).model_copy(update=change), tmp_path)
    assert run_job(folder.path) == 2
    status = fold(folder.tail()[0])
    assert message in status.error and status.hint


def test_a_damaged_request_is_told(source: Path, tmp_path: Path) -> None:
    folder = folder_of(request_of(source), tmp_path)
    (folder.path / "request.json").write_text("{")
    assert run_job(folder.path) == 2
    assert "request.json is not a request" in fold(folder.tail()[0]).error


def test_a_job_runs_once(source: Path, tmp_path: Path) -> None:
    folder = folder_of(request_of(source), tmp_path)
    assert run_job(folder.path) == 0
    with pytest.raises(UniemError, match="has ended already"):
        run_job(folder.path)
    with pytest.raises(UniemError, match="no job folder"):
        run_job(tmp_path / "absent")
