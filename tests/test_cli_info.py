"""`uniem info`, and the window opened with whatever is named."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from uniem.cli import main
from uniem.data.formats.glimpse import Contents, contents_of
from uniem.data.model_folder import ModelFolder, ModelRecord, Normalisation


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    path = tmp_path / "stack.tif"
    voxels = np.random.default_rng(0).integers(0, 255, (3, 20, 30), np.uint8)
    metadata = {"unit": "nm", "spacing": 40.0, "axes": "ZYX"}
    tifffile.imwrite(path, voxels, imagej=True, resolution=(0.25, 0.25), metadata=metadata)
    return path


def test_volumes_are_described(stack: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with h5py.File(tmp_path / "many.h5", "w") as file:
        file["raw"] = file["copy"] = np.zeros((2, 3, 4), np.uint16)
    assert main(["info", str(stack), str(tmp_path / "many.h5"), str(tmp_path / "gone.tif")]) == 2
    told = capsys.readouterr()
    assert "40 × 4 × 4  (z × y × x)" in told.out
    assert "many.h5::raw  2 × 3 × 4  uint16" in told.out
    assert "gone.tif" in told.err
    assert main(["info", "--json", f"file://{stack}"]) == 0
    found = json.loads(capsys.readouterr().out)[0]
    assert found["size"] == [3, 20, 30]
    assert found["kind"] == "image"


def test_a_model_with_pictures_in_its_folder_is_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ModelFolder.create(tmp_path / "model")
    model.save_record(
        ModelRecord(
            architecture={"kind": "unet"},
            normalisation=Normalisation(mean=1, std=2),
            patch=64,
            stride=8,
            receptive_field=100,
            parameters=12,
        )
    )
    model.weights_path.write_bytes(b"weights")
    np.savez(model.path / "resume.npz", a=np.zeros((2, 3, 4)), b=np.zeros(3))
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(model.path / "preview.png")
    assert main(["info", str(model.path)]) == 0
    assert "a trained network" in capsys.readouterr().out
    assert contents_of(model.path) == Contents("a trained network", ())


def test_what_is_dropped_on_the_icon_opens_in_the_window(
    stack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    opened: list[list[str]] = []

    def open_window(locations: list[str]) -> int:
        opened.append(locations)
        return 0

    places = [str(stack), str(tmp_path / "gone.tif"), "https://host/a.zarr"]
    assert main(places, open_window) == 0
    assert main(["gui", f"file://{stack}"], open_window) == 0
    assert opened == [places, [f"file://{stack}"]]
    assert main(["gui", str(tmp_path / "gone.tif")], open_window) == 2


def test_an_operation_is_no_folder_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "label").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["label"], lambda _: 0) == 2
    assert "label takes" in capsys.readouterr().err
