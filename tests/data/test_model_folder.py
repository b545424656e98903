"""A model folder keeps its record, and says what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from uniem.data.geometry import VoxelSize
from uniem.data.model_folder import ModelFolder, ModelRecord, Normalisation
from uniem.errors import UniemError


def record() -> ModelRecord:
    return ModelRecord(
        architecture={"kind": "unet", "depth": 4},
        normalisation=Normalisation(mean=120.5, std=33.25),
        voxel_size=(50, 4.6, 4.6),
        patch=256,
        stride=16,
        receptive_field=188,
        parameters=12,
        history=({"step": 1, "loss": 0.5},),
    )


def test_a_record_is_read_as_written(tmp_path: Path) -> None:
    folder = ModelFolder.create(tmp_path / "model")
    folder.save_record(record())
    folder.weights_path.write_bytes(b"weights")

    opened = ModelFolder.open(tmp_path / "model")

    assert opened.record == record()
    assert opened.record.voxel_size_nm == VoxelSize(50, 4.6, 4.6)
    assert ModelFolder.is_model(opened.path)
    assert sorted(file.name for file in opened.path.iterdir()) == ["model.json", "weights.keras"]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UniemError, match="no model folder"):
        ModelFolder.open(tmp_path / "nothing")
    with pytest.raises(UniemError, match=r"model.json and weights.keras missing"):
        ModelFolder.open(tmp_path)
    ModelFolder.create(tmp_path).save_record(record())
    with pytest.raises(UniemError, match=r"model: weights.keras missing"):
        ModelFolder.open(tmp_path)
    assert not ModelFolder.is_model(tmp_path)


def test_a_foreign_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"some": "thing"}')
    (tmp_path / "weights.keras").write_bytes(b"")
    with pytest.raises(UniemError, match="not the record"):
        ModelFolder.open(tmp_path)


def test_a_model_is_not_overwritten(tmp_path: Path) -> None:
    ModelFolder.create(tmp_path).save_record(record())
    with pytest.raises(UniemError, match="already holds a model"):
        ModelFolder.create(tmp_path)
