"""Segment > TensorBoard: the real service over the models of a window."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QProcess, QUrl
from qtpy.QtGui import QDesktopServices

from uniem.data.model_folder import ModelFolder, ModelRecord, Normalisation
from uniem.gui.main_window import MainWindow
from uniem.jobs.folder import JobFolder
from uniem.jobs.queue import Job
from uniem.jobs.request import JobRequest
from uniem.networks.architectures import Unet
from uniem.networks.event_files import EventFile

WAIT_MS = 60_000


def model(path: Path) -> Path:
    folder = ModelFolder.create(path)
    facts: dict[str, Any] = {
        "architecture": Unet().model_dump(),
        "normalisation": Normalisation(mean=110, std=40),
        "patch": 32,
        "stride": 16,
        "receptive_field": 100,
        "parameters": 0,
    }
    folder.save_record(ModelRecord(**facts))
    folder.weights_path.touch()
    EventFile(path).write(1, loss=0.5)
    return path


def test_the_curves_of_open_models_are_shown_until_the_window_closes(
    window: MainWindow, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []

    def take(url: QUrl) -> bool:
        shown.append(url.toString())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", take)
    gone = JobRequest(operation="of-a-plugin-that-is-gone", inputs={}, outputs={"model": str(tmp_path / "m")})
    window.queue.jobs.append(Job(JobFolder.create(tmp_path / "jobs", gone)))
    window.action_set["tensorboard"].trigger()
    window.queue.jobs.pop()
    assert "train a network" in window.message.text
    window.results.open(str(model(tmp_path / "mito")))
    window.action_set["tensorboard"].trigger()
    qtbot.waitUntil(lambda: bool(shown), timeout=WAIT_MS)

    def runs() -> set[str]:
        with urllib.request.urlopen(f"{shown[0]}data/runs") as answer:
            return set(json.load(answer))

    qtbot.waitUntil(lambda: runs() == {"mito"}, timeout=WAIT_MS)
    assert window.tensorboard.address in window.message.text
    window.results.open(str(model(tmp_path / "membrane")))
    window.action_set["tensorboard"].trigger()
    assert len(shown) == 2 and shown[0] == shown[1]
    qtbot.waitUntil(lambda: runs() == {"mito", "membrane"}, timeout=WAIT_MS)
    (process,) = window.tensorboard.findChildren(QProcess)
    window.close()
    assert process.state() == QProcess.ProcessState.NotRunning
