from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.samples import request_of, samples, source
from uniem.cli import main
from uniem.cli.sample import is_kept, keep_sample, kept_sample
from uniem.data.store import open_store
from uniem.data.volume import Kind
from uniem.jobs.folder import JobFolder
from uniem.jobs.launch import start as start_worker
from uniem.progress import Context

__all__ = ["samples", "source"]

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parents[1]


def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "uniem", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def status_of(path: Path) -> dict[str, Any]:
    with start("status", str(path), "--json") as process:
        out, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, "")
    status: dict[str, Any] = json.loads(out)
    return status


def wait_for(path: Path, word: str) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        text = (path / "events.jsonl").read_text() if (path / "events.jsonl").exists() else ""
        if word in text:
            return text
        time.sleep(0.02)
    raise AssertionError(f"no {word} in {path}")


class TestSample:
    def test_it_is_an_image_with_its_truth(self, tmp_path: Path) -> None:
        with start("sample", str(tmp_path / "s"), "--shape", "3,96,64") as process:
            _, error = process.communicate(timeout=60)
        assert process.returncode == 0
        assert error.splitlines()[-1].startswith("Done after")
        kinds = {
            name: open_store(tmp_path / "s" / f"{name}.zarr") for name in ("image", "cells", "mitochondria")
        }
        assert {volume.shape for volume in kinds.values()} == {(3, 96, 64)}
        assert [volume.kind for volume in kinds.values()] == [Kind.IMAGE, Kind.LABELS, Kind.LABELS]
        assert len(list((tmp_path / "s").iterdir())) == 3

    @pytest.mark.parametrize("shape", ["3,96", "3,96,x", "3,0,96", "1.5,2,3"])
    def test_a_shape_that_is_none(self, shape: str, tmp_path: Path, capsys: Capture) -> None:
        assert main(["sample", str(tmp_path / "s"), "--shape", shape]) == 2
        assert f"--shape is {shape}" in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []

    def test_what_stands_there_is_left_alone(self, tmp_path: Path, capsys: Capture) -> None:
        (tmp_path / "mine.txt").write_text("mine")
        for place in (tmp_path, tmp_path / "mine.txt"):
            assert main(["sample", str(place)]) == 2
            assert "is not an empty folder" in capsys.readouterr().err
        assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]

    @pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
    def test_a_cancelled_one_leaves_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        for name in ("new", "empty"):
            with start("sample", str(tmp_path / name), "--shape", "500,512,512", "--json") as process:
                assert process.stdout is not None
                while '"progress"' not in process.stdout.readline():
                    assert process.poll() is None
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=60)
            assert process.returncode == 3
        assert [path.name for path in tmp_path.iterdir()] == ["empty"]
        assert list((tmp_path / "empty").iterdir()) == []


@pytest.mark.usefixtures("samples")
class TestStatus:
    def job(self, source: Path, **parameters: Any) -> JobFolder:
        return JobFolder.create(source.parent / "jobs", request_of(source, **parameters))

    def test_one_that_waits(self, source: Path) -> None:
        status = status_of(self.job(source).path)
        assert (status["operation"], status["phase"], status["ending"]) == ("sample-count", "queued", None)

    def test_one_that_is_done(self, source: Path, capsys: Capture) -> None:
        folder = self.job(source, steps=4)
        with start("run-job", str(folder.path)) as process:
            process.communicate(timeout=60)
        status = status_of(folder.path)
        assert (status["phase"], status["ending"], status["fraction"]) == ("ended", "finished", 1.0)
        assert status["outputs"] == {"result": str(source.parent / "result.csv")}
        assert status["results"]["steps"] == 4
        assert (status["error"], status["log_end"]) == ("", "")
        assert main(["status", str(folder.path)]) == 0
        rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if line)
        assert (rows["job"], rows["state"], rows["steps"]) == ("sample-count", "finished", "4")

    def test_one_that_failed_shows_its_log(self, source: Path, capsys: Capture) -> None:
        folder = self.job(source, end="bug")
        worker = start_worker(folder)
        wait_for(folder.path, '"failed"')
        while worker.exit_code() is None:
            time.sleep(0.02)
        status = status_of(folder.path)
        assert status["ending"] == "failed"
        assert "ZeroDivisionError" in status["error"] and "ZeroDivisionError" in status["log_end"]
        assert main(["status", str(folder.path)]) == 0
        assert "The end of its log:" in capsys.readouterr().out

    def test_one_whose_worker_is_killed_is_lost(self, source: Path, capsys: Capture) -> None:
        folder = self.job(source, steps=1000, pause_s=0.05, note="on it")
        worker = start_worker(folder)
        wait_for(folder.path, '"metric"')
        running = status_of(folder.path)
        assert (running["phase"], running["ending"], running["message"]) == ("running", None, "on it")
        assert 0 < running["fraction"] < 1
        # A warning of the worker's, to be found at the end of its log.
        with folder.log.open("a") as log:
            log.write("the last words\n")
        worker.kill()
        while worker.exit_code() is None:
            time.sleep(0.02)
        lost = status_of(folder.path)
        assert (lost["phase"], lost["ending"]) == ("ended", "lost")
        assert "worker" in lost["error"]
        assert lost["log_end"].splitlines()[-1] == "the last words"
        assert main(["status", str(folder.path)]) == 0
        out = capsys.readouterr().out
        assert "lost" in out and out.rstrip().endswith("the last words")

    def test_what_is_no_job(self, tmp_path: Path, capsys: Capture) -> None:
        assert main(["status", str(tmp_path / "absent")]) == 2
        assert "There is no job folder" in capsys.readouterr().err
        assert main(["status", str(tmp_path)]) == 2
        assert "holds no request.json" in capsys.readouterr().err


class TestWindowOnTheSample:
    def test_it_opens_image_and_mitochondria_and_then_what_was_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
        opened: list[list[str]] = []
        more = tmp_path / "a.h5"
        more.write_text("")
        assert main(["gui", "--sample", str(more)], lambda locations: opened.append(locations) or 0) == 0
        names = [str(kept_sample() / name) for name in ("image.zarr", "mitochondria.zarr")]
        assert opened == [[*names, str(more)]]
        assert open_store(kept_sample() / "image.zarr").shape == (32, 384, 384)
        assert [path.name for path in kept_sample().parent.iterdir()] == ["sample"]

    def test_what_stands_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("uniem.demo.SAMPLE_SHAPE", (2, 64, 64))
        keep_sample(Context())
        assert is_kept()
        (kept_sample() / "mine.txt").write_text("mine")
        (kept_sample() / "image.zarr" / "mark").write_text("old")
        for path in sorted((kept_sample() / "mitochondria.zarr").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (kept_sample() / "mitochondria.zarr").rmdir()
        assert not is_kept()
        keep_sample(Context())
        assert is_kept()
        assert (kept_sample() / "mine.txt").exists() and (kept_sample() / "image.zarr" / "mark").exists()

    def test_a_real_window_shows_it_and_reports_its_first_paint(
        self, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("uniem.demo.SAMPLE_SHAPE", (2, 64, 64))
        keep_sample(Context())
        environment = {**os.environ, "UNIEM_STARTUP_REPORT": str(tmp_path / "paint.json")}
        if not environment.get("DISPLAY"):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        with start("gui", "--sample", env=environment) as process:
            _, error = process.communicate(timeout=60)
        assert process.returncode == 0, error
        assert 0 < json.loads((tmp_path / "paint.json").read_text())["first_paint_s"] < 60


@pytest.mark.skipif(sys.platform == "win32", reason="needs make")
def test_make_run_without_a_display_says_so_and_runs_in_a_new_folder(tmp_path: Path) -> None:
    recipe = tmp_path / "Makefile"
    recipe.write_text((ROOT / "Makefile").read_text().replace("run: setup", "run:"))
    (tmp_path / "out" / "demo").mkdir(parents=True)
    (tmp_path / "out" / "demo-2").mkdir()
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "MAKEFLAGS", "MAKELEVEL")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    command = ["make", "-f", str(recipe), "run", "PYTHON=echo ran:"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    said, ran = done.stdout.splitlines()
    assert said.startswith("There is no display")
    assert ran == "ran: -m uniem demo out/demo-3"
