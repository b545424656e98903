"""TensorBoard as a service: the curves of trainings as they grow, move and are joined by others."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from uniem.cli.commands import main
from uniem.cli.tensorboard import CurveMirror
from uniem.networks.event_files import EventFile

WAIT_S = 60


def curves(folder: Path, steps: int = 3) -> EventFile:
    folder.mkdir(parents=True, exist_ok=True)
    events = EventFile(folder)
    for step in range(steps):
        events.write(step, loss=1 / (step + 1))
    return events


def bytes_below(folder: Path) -> dict[str, int]:
    return {
        str(path.parent.relative_to(folder)): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file()
    }


class TestMirror:
    def test_a_training_keeps_its_name_when_it_ends_and_what_it_adds_is_copied(self, tmp_path: Path) -> None:
        mirror, model = CurveMirror(tmp_path / "mirror"), tmp_path / "models" / "mito"
        made = model.with_name(".mito.0a1b2c.part")
        mirror.follow(model)
        assert mirror.update() == 0
        events = curves(made)
        assert mirror.update() == 1
        begun = bytes_below(tmp_path / "mirror")
        events.write(3, loss=0.2)
        made.rename(model)
        mirror.update()
        ended = bytes_below(tmp_path / "mirror")
        assert list(begun) == list(ended) == ["mito"]
        assert begun["mito"] < ended["mito"] == bytes_below(model)["."]

    def test_folds_and_folders_of_models_are_runs_of_their_own(self, tmp_path: Path) -> None:
        mirror = CurveMirror(tmp_path / "mirror")
        for place in ("all/a", "all/.b.ffffff.part/folds/2", "all/image.zarr/c"):
            curves(tmp_path / place)
        mirror.follow(tmp_path / "all")
        assert mirror.update() == 2
        assert set(bytes_below(tmp_path / "mirror")) == {str(Path("all/a")), str(Path("all/b/folds/2"))}

    def test_models_of_one_name_stay_apart_and_what_is_trained_anew_replaces_the_old(
        self, tmp_path: Path
    ) -> None:
        mirror = CurveMirror(tmp_path / "mirror")
        for place in ("one/mito", "two/mito"):
            curves(tmp_path / place)
            mirror.follow(tmp_path / place)
        mirror.follow(tmp_path / "two" / "mito")
        assert mirror.update() == 2
        (old,) = (tmp_path / "two" / "mito").iterdir()
        old.rename(old.with_name("events.out.tfevents.anew"))
        mirror.update()
        names = {path.name for path in (tmp_path / "mirror" / "mito (2)").iterdir()}
        assert names == {"events.out.tfevents.anew"}


@pytest.fixture
def service() -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Start a service and return it with its address; end it at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **options: Any) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "uniem", "tensorboard", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.wait()


def wait_for_runs(address: str, wanted: set[str]) -> None:
    """Ask until these are the runs that TensorBoard shows."""
    found: set[str] = set()
    end = time.monotonic() + WAIT_S
    while found != wanted and time.monotonic() < end:
        with urllib.request.urlopen(f"{address}data/runs") as answer:
            found = set(json.load(answer))
        time.sleep(0.2)
    assert found == wanted


def test_the_page_shows_the_curves_and_further_ones_and_ends_with_its_input(
    service: Callable[..., tuple[subprocess.Popen[str], str]], tmp_path: Path
) -> None:
    curves(tmp_path / "first")
    curves(tmp_path / "second")
    process, address = service(str(tmp_path / "first"), "--follow-input", stdin=subprocess.PIPE)
    assert address.startswith("http://127.0.0.1:")
    wait_for_runs(address, {"first"})
    assert process.stdin is not None
    process.stdin.write(json.dumps(str(tmp_path / "second")) + "\n")
    process.stdin.flush()
    wait_for_runs(address, {"first", "second"})
    with urllib.request.urlopen(f"{address}data/plugin/scalars/scalars?run=second&tag=loss") as answer:
        assert [value for _, _, value in json.load(answer)] == pytest.approx([1, 1 / 2, 1 / 3])
    process.stdin.close()
    assert process.wait(WAIT_S) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_is_its_good_end(
    service: Callable[..., tuple[subprocess.Popen[str], str]], tmp_path: Path, number: int
) -> None:
    curves(tmp_path / "model")
    process, address = service(str(tmp_path / "model"))
    wait_for_runs(address, {"model"})
    process.send_signal(number)
    assert process.wait(WAIT_S) == 0


def test_folders_without_curves_and_no_folder_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tensorboard", str(tmp_path)]) == 2
    assert "curves of a training" in capsys.readouterr().err
    assert main(["tensorboard"]) == 2
    assert "uniem tensorboard MODEL" in capsys.readouterr().err
