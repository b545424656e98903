"""Requests written by every released version can still be understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from uniem.jobs.request import JobRequest, resolve

REQUESTS = sorted((Path(__file__).resolve().parents[1] / "requests").glob("*.json"))


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_a_request_is_understood(path: Path) -> None:
    request = JobRequest.read(path)
    operation, parameters = resolve(request)
    assert operation.id == request.operation
    for name, value in request.parameters.items():
        if not isinstance(value, dict) and request.version == operation.version:
            assert parameters.model_dump(mode="json")[name] == value
