"""Fixtures shared by the tests of jobs and of the command line."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from uniem.jobs.request import JobRequest
from uniem.operations import operation as operation_module
from uniem.operations import registry


@pytest.fixture
def samples(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Declare the sample operations here, for this test only, and as a plugin for worker processes."""
    registry.operations()
    monkeypatch.setattr(operation_module, "_declared", dict(operation_module._declared))
    plugin = home / "plugins" / "sample_operations.py"
    plugin.parent.mkdir()
    shutil.copy(Path(__file__).with_name("sample_operations.py"), plugin)
    assert registry._load_file(plugin).error == ""
    yield plugin
    sys.modules.pop("uniem_plugins.sample_operations")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file to read."""
    path = tmp_path / "source.csv"
    path.write_text("counted to ")
    return path


def request_of(
    source: Path, operation: str = "sample-count", result: str = "result.csv", **parameters: Any
) -> JobRequest:
    """A request that reads the source and writes beside it."""
    return JobRequest(
        operation=operation,
        parameters=parameters,
        inputs={"source": str(source)},
        outputs={"result": str(source.parent / result)},
    )
