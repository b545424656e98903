"""What infer-2d writes, as it is started by a user: probabilities, classes, objects, by one model or all folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.networks.conftest import untrained
from tests.operations.conftest import run
from uniem.data.store import open_store
from uniem.data.volume import Kind
from uniem.errors import UniemError
from uniem.networks.architectures import Unet
from uniem.operations.infer_2d import Infer2DParameters

NET = Unet(depth=1, base_features=4)


def test_classes_and_objects_are_labels_and_probabilities_are_probabilities(
    image: Path, tmp_path: Path
) -> None:
    model = untrained(tmp_path / "model", NET).path
    inputs = {"image": image, "model": model}
    run(
        "infer-2d", inputs, {"result": tmp_path / "p.zarr"}, output={"kind": "probability", "values": "float"}
    )
    chance = open_store(tmp_path / "p.zarr")
    assert (chance.kind, chance.dtype) == (Kind.PROBABILITY, np.float32)
    level = float(np.median(chance[:]))
    run("infer-2d", inputs, {"result": tmp_path / "c.zarr"}, output={"kind": "classes", "level": level})
    classes = open_store(tmp_path / "c.zarr")
    assert (classes.kind, classes.dtype) == (Kind.LABELS, np.uint8)
    np.testing.assert_array_equal(classes[:], chance[:] > np.float32(level))
    output = {"kind": "objects", "level": level, "min_size_voxels": 5}
    context = run("infer-2d", inputs, {"result": tmp_path / "o.zarr"}, output=output)
    objects = open_store(tmp_path / "o.zarr")
    assert (objects.kind, objects.dtype) == (Kind.LABELS, np.uint32)
    assert objects[:].max() == context.results["objects"] > 0  # type: ignore[attr-defined]
    assert objects.voxel_size == open_store(image).voxel_size
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == set()


def test_a_class_that_is_not_there_is_refused_and_nothing_is_left(image: Path, tmp_path: Path) -> None:
    model = untrained(tmp_path / "model", NET).path
    with pytest.raises(UniemError, match="no class 'mito'"):
        run(
            "infer-2d",
            {"image": image, "model": model},
            {"result": tmp_path / "here" / "r.zarr"},
            output={"kind": "objects", "of_class": "mito"},
        )
    assert not list((tmp_path / "here").iterdir())


def test_parameters_of_the_first_version_are_understood() -> None:
    old = Infer2DParameters.model_validate({"values": "float", "tile_size": 64})
    assert old.output.model_dump() == {"kind": "probability", "values": "float", "of_class": ""}
