"""The two frameworks that can compute networks, each in a Python of its own where they are not in one."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from uniem.jobs.events import JobStatus, fold
from uniem.jobs.folder import JobFolder
from uniem.jobs.launch import start
from uniem.jobs.request import JobRequest

# A path of its own environment, as `make backends` makes it.
OTHER = Path(__file__).resolve().parents[2] / ".venv-torch" / "bin" / "python"
SECONDS = 300

RunJob = Callable[..., JobStatus]


def _python_with(framework: str) -> str:
    if importlib.util.find_spec(framework):
        return sys.executable
    if framework == "torch" and OTHER.exists():
        return str(OTHER)
    pytest.skip(f"{framework} is not installed; `make backends` installs PyTorch and runs this")


@pytest.fixture
def run_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunJob:
    """Return what runs a job in a worker process by one of the frameworks, and gives what became of it."""
    pythons = {framework: _python_with(framework) for framework in ("tensorflow", "torch")}

    def run(
        framework: str, operation: str, inputs: dict[str, Path], outputs: dict[str, Path], **parameters: Any
    ) -> JobStatus:
        monkeypatch.setattr(sys, "executable", pythons[framework])
        monkeypatch.setenv("KERAS_BACKEND", framework)
        request = JobRequest(
            operation=operation,
            parameters=parameters,
            inputs={name: str(path) for name, path in inputs.items()},
            outputs={name: str(path) for name, path in outputs.items()},
        )
        folder = JobFolder.create(tmp_path / "jobs", request)
        worker = start(folder)
        ends = time.monotonic() + SECONDS
        while worker.exit_code() is None and time.monotonic() < ends:
            time.sleep(0.1)
        assert worker.exit_code() == 0, folder.log.read_text(errors="replace")
        return fold(folder.tail()[0], folder.path)

    return run
