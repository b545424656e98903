from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from tests.operations.conftest import NM, Recorder, run
from uniem.data.formats import open_volume
from uniem.data.store import open_store
from uniem.data.volume import Kind
from uniem.errors import UniemError
from uniem.operations.execution import run_operation
from uniem.operations.registry import find
from uniem.progress import Cancelled


def digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def test_an_output_store_has_a_pyramid_provenance_and_its_name(image: Path, tmp_path: Path) -> None:
    before = digest(image.parent)
    run("gaussian", {"image": image}, {"result": tmp_path / "out.zarr"}, sigma=1.5)
    store = open_store(tmp_path / "out.zarr")
    assert (store.shape, store.dtype, store.voxel_size, store.kind) == (
        (5, 96, 100),
        np.uint8,
        NM,
        Kind.IMAGE,
    )
    provenance = store.attributes["provenance"]
    assert provenance["operation"] == "gaussian" and provenance["parameters"]["sigma"] == 1.5
    assert provenance["inputs"]["image"]["location"] == str(image)
    assert (
        json.loads((store.path / "zarr.json").read_text())["attributes"]["ome"]["multiscales"][0]["name"]
        == "out.zarr"
    )
    assert digest(image.parent) == before
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("name", ["out.tif", "out.npy", "out.h5::volume", "out.nii.gz", "out"])
def test_the_name_of_an_output_chooses_its_format(image: Path, tmp_path: Path, name: str) -> None:
    run("convert", {"source": image}, {"result": tmp_path / name})
    again = open_volume(str(tmp_path / name))
    assert np.array_equal(again[:], open_store(image)[:])
    assert leftovers(tmp_path) == []


def test_a_cancelled_run_leaves_nothing(image: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        run("gaussian", {"image": image}, {"result": tmp_path / "out.zarr"}, Recorder(cancel_after=0))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_existing_output_is_kept_unless_it_may_be_replaced(image: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.tif"
    target.write_text("precious")
    with pytest.raises(UniemError, match="already exists"):
        run("convert", {"source": image}, {"result": target})
    assert target.read_text() == "precious"


@pytest.mark.parametrize("place", ["image.zarr", "image.zarr/inside.zarr"])
def test_an_input_is_never_written(image: Path, place: str) -> None:
    before = digest(image)
    with pytest.raises(UniemError, match="lies in the input"):
        run("convert", {"source": image}, {"result": image.parent / place})
    assert digest(image) == before


def test_wrong_names_are_told(image: Path, tmp_path: Path) -> None:
    with pytest.raises(UniemError, match=r"needs the input image"):
        run("clahe", {}, {"result": tmp_path / "a.zarr"})
    with pytest.raises(UniemError, match=r"Did you mean image"):
        run("clahe", {"image": image, "imagge": image}, {"result": tmp_path / "a.zarr"})
    with pytest.raises(UniemError, match=r"no operation named clahee.*clahe"):
        run("clahee", {"image": image}, {"result": tmp_path / "a.zarr"})


def test_bad_inputs_are_named_and_nothing_is_left(image: Path, labels: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.zarr"
    (tmp_path / "text.tif").write_text("no image")
    (tmp_path / "empty").mkdir()
    for wrong in (tmp_path / "absent.tif", tmp_path / "text.tif", tmp_path / "empty"):
        with pytest.raises(UniemError, match=str(wrong)):
            run("clahe", {"image": wrong}, {"result": target})
    tifffile.imwrite(tmp_path / "small.tif", np.zeros((5, 96, 99), np.uint8))
    with pytest.raises(UniemError, match=r"96 × 100.*96 × 99"):
        run(
            "evaluate",
            {"prediction": labels, "truth": tmp_path / "small.tif"},
            {"report": tmp_path / "r.csv"},
        )
    with pytest.raises(UniemError, match=r"is not a model|no model"):
        run("infer-2d", {"image": image, "model": tmp_path / "empty"}, {"result": target})
    assert not target.exists() and not (tmp_path / "r.csv").exists()
    assert leftovers(tmp_path) == []


def test_a_place_that_cannot_be_written_is_named(image: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UniemError, match="Cannot write into"):
        run("clahe", {"image": image}, {"result": tmp_path / "file" / "out.zarr"})


def test_a_dojo_folder_is_added_to_and_never_replaced(image: Path, labels: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out.mojo"
    run("convert", {"source": image}, {"result": folder})
    operation = find("convert")
    given = {"source": str(labels)}, {"result": str(folder)}
    run_operation(operation, operation.parameters(), *given, overwrite=True)
    assert np.array_equal(open_volume(f"{folder}::images")[:], open_store(image)[:])
    assert np.array_equal(open_volume(f"{folder}::ids")[:], open_store(labels)[:])
