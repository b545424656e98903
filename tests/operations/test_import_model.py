"""Packages of bioimage.io become models that are applied as our own, or are refused with the reason."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.networks.conftest import untrained
from tests.operations.conftest import Recorder, run
from uniem.data.formats import open_volume
from uniem.data.model_folder import ModelFolder
from uniem.errors import UniemError
from uniem.networks.architectures import Architecture, InceptionResNet, Unet

TWO_CLASSES = {"classes": ("background", "a"), "task": "multi-class", "class_labels": (0, 7)}


def packed(tmp_path: Path, network: Architecture | None = None, **record: Any) -> Path:
    """Return the package of a model with random weights, which is in `model`."""
    network = network or Unet(depth=1, base_features=2)
    untrained(tmp_path / "model", network, **(record or TWO_CLASSES))
    run("export-bioimage-io", {"model": tmp_path / "model"}, {"package": tmp_path / "network.zip"})
    return tmp_path / "network.zip"


def unpacked(package: Path, **changes: Any) -> Path:
    """Return a package as a folder, what it says of itself changed."""
    folder = package.with_suffix("")
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    described = yaml.safe_load((folder / "rdf.yaml").read_text())
    (folder / "rdf.yaml").write_text(yaml.safe_dump({**described, **changes}))
    return folder


def imported(package: Path, **parameters: Any) -> tuple[ModelFolder, list[str]]:
    """Return the model that a package becomes, and what was said."""
    context, place = Recorder(), package.parent / "imported"
    run("import-bioimage-io", {"package": package}, {"model": place}, context, **parameters)
    return ModelFolder.open(place), context.messages


@pytest.mark.parametrize(
    ("network", "record"),
    [
        (Unet(depth=1, base_features=2), TWO_CLASSES),
        (
            InceptionResNet(base_features=2, neighbours=1, blocks=1),
            {"classes": ("g",), "task": "gray", "top": 200},
        ),
    ],
    ids=["classes", "gray-of-three-sections"],
)
def test_a_package_of_our_own_predicts_as_the_model_it_was_made_of(
    tmp_path: Path, image: Path, network: Architecture, record: dict[str, Any]
) -> None:
    package = packed(tmp_path, network, **record)
    model, messages = imported(package)
    assert "gives what its makers got" in messages[0]
    assert (model.record.classes, model.record.voxel_size) == (record["classes"], (50, 4, 4))
    options = {"output": {"kind": "probability", "values": "float"}, "device": "cpu", "precision": "float32"}
    found = []
    for name, place in (("ours", tmp_path / "model"), ("theirs", model.path)):
        out = tmp_path / f"{name}.zarr"
        run("infer-2d", {"image": image, "model": place}, {"result": out}, **options)
        found.append(np.asarray(open_volume(out)[:]))
    assert found[0].std() > 0
    np.testing.assert_allclose(found[1], found[0], atol=1e-4 * record.get("top", 1))
    with pytest.raises(UniemError, match="made by another program"):
        run("export-onnx", {"model": model.path}, {"onnx": tmp_path / "again.onnx"})


def test_what_a_package_normalises_by_each_image_is_measured_once(tmp_path: Path, image: Path) -> None:
    package = packed(tmp_path)
    with zipfile.ZipFile(package) as archive:
        described = yaml.safe_load(archive.read("rdf.yaml"))
    described["inputs"][0]["preprocessing"] = [
        {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}},
        {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}},
    ]
    folder = unpacked(package, inputs=described["inputs"], config={})
    with pytest.raises(UniemError, match="by its own gray values"):
        imported(folder)
    model, messages = imported(folder, image=str(image))
    voxels = np.asarray(open_volume(image)[:], np.float64)
    assert model.record.normalisation.mean == pytest.approx(voxels.mean(), rel=0.02)
    assert model.record.normalisation.std == pytest.approx(voxels.std(), rel=0.02)
    assert model.record.class_labels == (0, 1)
    # The made-up example has just the mean and deviation that the model normalises by.
    assert "gives what its makers got" in messages[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weights": {"pytorch_state_dict": {"source": "w.pt"}}}, "pickled, which can run any program"),
        ({"weights": {"torchscript": {"source": "w.pt"}}}, "program for PyTorch"),
        ({"weights": {"onnx": {"source": "../model/weights.keras"}}}, "not in it"),
        ({"weights": {"onnx": {"source": "absent.onnx"}}}, r"lacks absent\.onnx"),
        ({"format_version": "0.4.10"}, r"format 0\.4\.10"),
        ({"type": "dataset"}, "is a dataset"),
        ({"inputs": []}, "0 inputs"),
        ({"inputs": [{"axes": [{"type": "space", "id": a, "size": 8} for a in "zyx"]}]}, "axes z, y, x"),
        ({"inputs": [{"axes": [{"type": "space", "id": a, "size": 512} for a in "yx"]}]}, "one size only"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_applied_is_refused_with_the_reason(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    source = tmp_path / "package"
    source.mkdir()
    sides = [{"type": "space", "id": side, "size": {"min": 8, "step": 8}} for side in "yx"]
    described = {
        "format_version": "0.5.4",
        "type": "model",
        "inputs": [{"axes": sides}],
        "outputs": [{"axes": sides}],
        "weights": {"onnx": {"source": "network.onnx"}},
    }
    (source / "network.onnx").write_bytes(b"")
    (source / "rdf.yaml").write_text(yaml.safe_dump({**described, **changes}))
    with pytest.raises(UniemError, match=words):
        imported(source)
    assert not (tmp_path / "imported").exists()


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK nothing")
    with pytest.raises(UniemError, match="no zip file"):
        imported(tmp_path / "a.zip")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "rdf.yaml").write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(UniemError, match="damaged"):
        imported(tmp_path / "b")
