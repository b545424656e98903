"""Trained networks written for other programs, as operations."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.networks.conftest import untrained
from tests.operations.conftest import Recorder, run
from uniem.networks.architectures import Unet


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with random weights, of two classes beside the background."""
    path = tmp_path / "model"
    untrained(path, Unet(depth=1, base_features=2), classes=("background", "a", "b"), task="multi-class")
    return path


def test_export_onnx_writes_a_file_and_says_how_far_it_is_from_keras(model: Path, tmp_path: Path) -> None:
    context = Recorder()
    out = tmp_path / "out" / "network.onnx"
    run("export-onnx", {"model": model}, {"onnx": out}, context)
    assert out.read_bytes().startswith(b"\x08\x08\x12\x05uniem")
    assert context.results["megabytes"] == pytest.approx(out.stat().st_size / 1e6)
    if importlib.util.find_spec("onnxruntime"):
        assert context.results["largest_difference"] < 1e-4
        assert "give the same" in context.messages[-1]
    else:
        assert "was not compared" in context.messages[-1]
