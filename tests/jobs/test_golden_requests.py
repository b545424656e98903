"""Requests written by every released version can still be understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from uniem.jobs.request import JobRequest, resolve
from uniem.operations.registry import operations, plugins

REQUESTS = sorted((Path(__file__).resolve().parents[1] / "requests").glob("*.json"))


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_a_request_is_understood(path: Path) -> None:
    request = JobRequest.read(path)
    operation, parameters = resolve(request)
    assert operation.id == request.operation
    for name, value in request.parameters.items():
        if not isinstance(value, dict) and request.version == operation.version:
            assert parameters.model_dump(mode="json")[name] == value


def test_every_operation_of_our_own_has_one_for_its_present_version() -> None:
    of_plugins = {id for plugin in plugins() for id in plugin.operations}
    wanted = {f"{one.id}-{one.version}" for one in operations().values() if one.id not in of_plugins}
    assert wanted - {path.stem for path in REQUESTS} == set()
