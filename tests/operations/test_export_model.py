"""Trained networks written for other programs, as operations."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.networks.conftest import untrained
from tests.operations.conftest import Recorder, run
from uniem.data.formats import open_volume
from uniem.errors import UniemError
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
    assert context.results["largest_difference"] < 1e-4
    assert "give the same" in context.messages[-1]


def test_export_bioimage_io_writes_a_package_that_says_all_about_itself(model: Path, tmp_path: Path) -> None:
    package, context = tmp_path / "out" / "network.zip", Recorder()
    said = {
        "name": "Köln: a/b",
        "authors": "A. One; B. Two",
        "cite": "One 2026",
        "doi": "10.1038/s41592-019-0612-7",
    }
    run("export-bioimage-io", {"model": model}, {"package": package}, context, **said)
    with zipfile.ZipFile(package) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    described = yaml.safe_load(files["rdf.yaml"])
    assert described["name"] == "K ln a b" and [each["name"] for each in described["authors"]] == [
        "A. One",
        "B. Two",
    ]
    assert described["cite"] == [{"text": "One 2026", "doi": "10.1038/s41592-019-0612-7"}]
    (taken,), (given,) = described["inputs"], described["outputs"]
    assert taken["preprocessing"][0]["kwargs"] == {"mean": 110.0, "std": 40.0}
    network = Unet(depth=1, base_features=2)
    side = taken["axes"][2]
    assert (side["id"], side["unit"], side["scale"]) == ("y", "nanometer", 4.0)
    assert side["size"] == {"min": 2 * network.margin + 64, "step": 2}
    assert given["axes"][3]["halo"] == network.margin
    assert given["axes"][1]["channel_names"] == ["background", "a", "b"]
    for name, said_hash in (
        (taken["test_tensor"]["source"], taken["test_tensor"]["sha256"]),
        (given["test_tensor"]["source"], given["test_tensor"]["sha256"]),
        ("network.onnx", described["weights"]["onnx"]["sha256"]),
    ):
        assert hashlib.sha256(files[name]).hexdigest() == said_hash
    tests = [np.load(io.BytesIO(files[name])) for name in ("test_input.npy", "test_output.npy")]
    assert [each.shape[1] for each in tests] == [1, 3]
    assert tests[0].shape[2:] == tests[1].shape[2:] == (side["size"]["min"],) * 2
    np.testing.assert_allclose(tests[1].sum(1), 1, atol=1e-5)
    assert str(tmp_path) not in files["rdf.yaml"].decode() + files["README.md"].decode()
    assert "bioimageio" in context.messages[-1]


def test_a_package_needs_its_ending_and_an_example_that_is_large_enough(
    model: Path, image: Path, tmp_path: Path
) -> None:
    with pytest.raises(UniemError, match="no name of a package"):
        run("export-bioimage-io", {"model": model}, {"package": tmp_path / "network"})
    package = tmp_path / "network.zip"
    run("export-bioimage-io", {"model": model}, {"package": package}, sample=str(image))
    with zipfile.ZipFile(package) as archive:
        shown = np.load(io.BytesIO(archive.read("test_input.npy")))[0, 0]
    side = shown.shape[0]
    top, left = (96 - side) // 2, (100 - side) // 2
    assert (shown == open_volume(image)[2][top : top + side, left : left + side]).all()
