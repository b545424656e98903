"""Workers train and infer by either framework, and go on with each other's models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.frameworks.conftest import RunJob
from tests.networks.conftest import discs
from uniem.data.model_folder import ModelFolder
from uniem.data.provenance import FILE_NAME
from uniem.data.store import create_store, open_store
from uniem.data.volume import Volume

NAMES = {"tensorflow": "TensorFlow", "torch": "PyTorch"}
OTHER = {"tensorflow": "torch", "torch": "tensorflow"}
EXACTLY = {"device": "cpu", "precision": "float32"}
SETTINGS: dict[str, Any] = {
    **EXACTLY,
    "network": {"kind": "unet", "depth": 2, "base_features": 4},
    "steps": 30,
    "patch_size": 32,
    "batch_size": 4,
    "learning_rate": 0.01,
    "validate_every": 10,
}


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    """Return where an image and its labels lie on the disk."""
    found = {}
    for name, volume in zip(("image", "labels"), discs((2, 96, 80)), strict=True):
        found[name] = tmp_path / f"{name}.zarr"
        _write(found[name], volume)
    return found


def _write(path: Path, volume: Volume) -> None:
    store = create_store(path, volume.shape, volume.dtype, volume.voxel_size, volume.kind)
    store[:] = volume[:]


def _probabilities(run_job: RunJob, framework: str, image: Path, model: Path) -> NDArray[np.float32]:
    result = model.with_name(f"{model.name}-by-{framework}.zarr")
    status = run_job(
        framework,
        "infer-2d",
        {"image": image, "model": model},
        {"result": result},
        output={"kind": "probability", "values": "float"},
        **EXACTLY,
    )
    assert f"by {NAMES[framework]} on the CPU (" in status.message
    store = open_store(result)
    assert store.attributes["provenance"]["device"].startswith(f"{NAMES[framework]} on the CPU (")
    return np.asarray(store[:], np.float32)


@pytest.mark.parametrize("framework", NAMES)
def test_a_model_of_one_framework_gives_the_same_by_both(
    framework: str, run_job: RunJob, places: dict[str, Path], tmp_path: Path
) -> None:
    model = tmp_path / "model"
    status = run_job(framework, "train-2d", places, {"model": model}, **SETTINGS)
    losses = [loss for _, loss in status.metrics["loss"]]
    assert losses[-1] < losses[0]
    name = NAMES[framework]
    assert ModelFolder.open(model).record.device.startswith(f"{name} on the CPU (")
    assert json.loads((model / FILE_NAME).read_text())["device"].startswith(f"{name} on the CPU (")
    ours, theirs = (
        _probabilities(run_job, each, places["image"], model) for each in (framework, OTHER[framework])
    )
    assert ours.std() > 0.1
    # Measured: at most 4e-7.
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("framework", NAMES)
def test_a_training_goes_on_by_the_other_framework(
    framework: str, run_job: RunJob, places: dict[str, Path], tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    network = {**SETTINGS["network"], "dropout": 0.1}
    run_job(framework, "train-2d", places, {"model": first}, **{**SETTINGS, "network": network})
    status = run_job(OTHER[framework], "resume-2d", {**places, "start": first}, {"model": second}, steps=40)
    record = ModelFolder.open(second).record
    assert record.steps == 40
    assert record.device.startswith(f"{NAMES[OTHER[framework]]} on the CPU (")
    assert status.metrics["loss"][-1][1] < 2 * ModelFolder.open(first).record.history[-1]["loss"]
