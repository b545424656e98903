from __future__ import annotations

from pathlib import Path

import cc3d
import cv2
import numpy as np
import pytest

from tests.operations.conftest import NM, Recorder, run
from uniem.algorithms.meshing import mesh_volume_nm3
from uniem.data.mesh import read_meshes
from uniem.data.model_folder import ModelFolder
from uniem.data.store import create_store, open_store
from uniem.data.table import read_csv
from uniem.data.volume import Kind
from uniem.errors import UniemError
from uniem.progress import Cancelled

TINY = {"network": {"kind": "unet", "depth": 2, "base_features": 4}, "patch_size": 64, "batch_size": 2}


def test_a_section_filter_does_every_section(image: Path, tmp_path: Path) -> None:
    run("clahe", {"image": image}, {"result": tmp_path / "out.zarr"}, clip_limit=3, tiles=4)
    expected = [cv2.createCLAHE(3, (4, 4)).apply(np.ascontiguousarray(s)) for s in open_store(image)[:]]
    assert np.array_equal(open_store(tmp_path / "out.zarr")[:], np.stack(expected))


def test_normalise_stretches_the_volume_or_every_section(image: Path, tmp_path: Path) -> None:
    for per in ("volume", "section"):
        run("normalise", {"image": image}, {"result": tmp_path / f"{per}.zarr"}, per=per)
        stretched = open_store(tmp_path / f"{per}.zarr")[:]
        assert stretched.dtype == np.uint8 and stretched.min() == 0 and stretched.max() == 255


def test_threshold_finds_the_discs_by_itself(image: Path, labels: Path, tmp_path: Path) -> None:
    context = run("threshold", {"image": image}, {"result": tmp_path / "mask.zarr"})
    mask = open_store(tmp_path / "mask.zarr")
    truth = open_store(labels)[:] > 0
    assert mask.kind is Kind.LABELS and (mask[:] == truth).mean() > 0.98
    assert 110 < context.results["level"] < 160  # type: ignore[attr-defined]
    run("threshold", {"image": image}, {"result": tmp_path / "rest.zarr"}, invert=True)
    assert np.array_equal(open_store(tmp_path / "rest.zarr")[:], 1 - mask[:])


def test_label_equals_cc3d_and_needs_a_level_for_an_image(image: Path, labels: Path, tmp_path: Path) -> None:
    mask = open_store(labels)[:] > 0
    context = run("label", {"image": labels}, {"result": tmp_path / "parts.zarr"})
    assert np.array_equal(
        open_store(tmp_path / "parts.zarr")[:], cc3d.connected_components(mask, connectivity=6)
    )
    assert context.results["components"] == 2  # type: ignore[attr-defined]
    with pytest.raises(UniemError, match="Set the level"):
        run("label", {"image": image}, {"result": tmp_path / "none.zarr"})


def test_measure_counts_voxels_and_nanometres(labels: Path, tmp_path: Path) -> None:
    run("measure", {"labels": labels}, {"table": tmp_path / "objects.csv"})
    rows = read_csv(tmp_path / "objects.csv").records()
    truth = open_store(labels)[:]
    assert [row["id"] for row in rows] == [1, 2]
    for row in rows:
        assert row["voxels"] == np.count_nonzero(truth == row["id"])
        assert row["volume_nm3"] == pytest.approx(row["voxels"] * NM.volume_nm3)
    assert (rows[0]["start_z"], rows[0]["stop_z"]) == (0, 5)


def test_meshes_have_the_volume_of_their_objects(labels: Path, tmp_path: Path) -> None:
    run("mesh", {"labels": labels}, {"meshes": tmp_path / "meshes"})
    meshes = read_meshes(tmp_path / "meshes")
    truth = open_store(labels)[:]
    assert [mesh.label for mesh in meshes] == [1, 2]
    for mesh in meshes:
        expected = np.count_nonzero(truth == mesh.label) * NM.volume_nm3
        assert mesh_volume_nm3(mesh) == pytest.approx(expected, rel=0.1)
    run("mesh", {"labels": labels}, {"meshes": tmp_path / "one.stl"}, ids="2")
    (single,) = read_meshes(tmp_path / "one.stl")
    assert mesh_volume_nm3(single) == pytest.approx(mesh_volume_nm3(meshes[1]), rel=1e-3)
    with pytest.raises(UniemError, match="no object 9"):
        run("mesh", {"labels": labels}, {"meshes": tmp_path / "none"}, ids="9")


def test_evaluate_scores_perfect_and_imperfect(labels: Path, tmp_path: Path) -> None:
    perfect = run("evaluate", {"prediction": labels, "truth": labels}, {"report": tmp_path / "a.csv"})
    for name in ("f1", "jaccard", "v_rand", "adapted_rand_precision"):
        assert perfect.results[name] == pytest.approx(1)  # type: ignore[attr-defined]
    assert perfect.results["voi"] == pytest.approx(0)  # type: ignore[attr-defined]
    eroded = open_store(labels)[:].copy()
    eroded[eroded == 2] = 0
    store = create_store(tmp_path / "half.zarr", eroded.shape, "uint32", NM, Kind.LABELS)
    store[:] = eroded
    half = run("evaluate", {"prediction": store.path, "truth": labels}, {"report": tmp_path / "b.csv"})
    assert half.results["precision"] == 1 and half.results["recall"] == pytest.approx(0.5, abs=0.02)  # type: ignore[attr-defined]
    scores = {row["metric"]: row["value"] for row in read_csv(tmp_path / "b.csv").records()}
    assert scores["recall"] == pytest.approx(half.results["recall"])  # type: ignore[attr-defined]


def test_a_network_is_trained_applied_and_keeps_its_model_when_cancelled(
    image: Path, labels: Path, tmp_path: Path
) -> None:
    inputs = {"image": image, "labels": labels}
    context = run("train-2d", inputs, {"model": tmp_path / "model"}, steps=30, validate_every=10, **TINY)
    assert context.metrics and context.results["steps"] == 30  # type: ignore[attr-defined]
    assert ModelFolder.open(tmp_path / "model").record.voxel_size_nm == NM
    assert (tmp_path / "model" / "provenance.json").exists()
    run("infer-2d", {"image": image, "model": tmp_path / "model"}, {"result": tmp_path / "p.zarr"})
    probability = open_store(tmp_path / "p.zarr")
    assert (probability.kind, probability.dtype) == (Kind.PROBABILITY, np.uint8)
    with pytest.raises(Cancelled):
        run(
            "train-2d", inputs, {"model": tmp_path / "short"}, Recorder(cancel_after=30), steps=10_000, **TINY
        )
    ModelFolder.open(tmp_path / "short")
