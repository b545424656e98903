from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import zarr

from uniem.data.geometry import Box, VoxelSize
from uniem.data.pyramid import downsample
from uniem.data.store import create_store, is_store, open_store
from uniem.data.volume import ArrayVolume, Kind, check_same_shape
from uniem.data.zarr_metadata import group_attributes, write_group
from uniem.errors import UniemError

NM = VoxelSize(50, 4, 4)


@pytest.fixture
def labels() -> np.ndarray:
    blocks = np.random.default_rng(0).integers(0, 2**32, (5, 30, 35), dtype=np.uint32)
    return np.kron(blocks, np.ones((1, 20, 20), np.uint32))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64", "float32"])
def test_voxels_voxel_size_and_kind_come_back(tmp_path: Path, dtype: str) -> None:
    values = (np.random.default_rng(1).random((3, 40, 50)) * 250).astype(dtype)
    store = create_store(tmp_path / "a.zarr", values.shape, dtype, NM, Kind.IMAGE)
    store[:] = values
    again = open_store(tmp_path / "a.zarr")
    assert np.array_equal(again[:], values)
    assert (again.dtype, again.voxel_size, again.kind, again.name) == (
        np.dtype(dtype),
        NM,
        Kind.IMAGE,
        "a.zarr",
    )


def test_an_unknown_voxel_size_stays_unknown_until_it_is_set(tmp_path: Path) -> None:
    create_store(tmp_path / "a.zarr", (1, 2, 3), "uint8", None, Kind.IMAGE)
    assert open_store(tmp_path / "a.zarr").voxel_size is None
    open_store(tmp_path / "a.zarr", writable=True).set_voxel_size(NM)
    assert open_store(tmp_path / "a.zarr").voxel_size == NM


def test_another_library_reads_the_arrays_and_the_metadata(tmp_path: Path, labels: np.ndarray) -> None:
    store = create_store(tmp_path / "a.zarr", labels.shape, "uint32", NM, Kind.LABELS)
    store[:] = labels
    store.build_pyramid()
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="r")
    assert np.array_equal(group["0"][:], labels)
    multiscale = group.attrs["ome"]["multiscales"][0]
    assert [axis["name"] for axis in multiscale["axes"]] == ["z", "y", "x"]
    assert multiscale["datasets"][0]["coordinateTransformations"][0]["scale"] == [50, 4, 4]


def test_zarr_2_written_by_another_library_is_read(tmp_path: Path) -> None:
    values = np.arange(2 * 3 * 4, dtype=np.uint16).reshape(1, 2, 3, 4)
    group = zarr.open_group(str(tmp_path / "old.zarr"), mode="w", zarr_format=2)
    group.create_array("0", data=values, chunks=(1, 1, 3, 4))
    axes = [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"]
    scale = {"type": "scale", "scale": [1, 0.05, 0.004, 0.004]}
    group.attrs["multiscales"] = [
        {
            "version": "0.4",
            "axes": [{"name": "c", "type": "channel"}, *axes],
            "datasets": [{"path": "0", "coordinateTransformations": [scale]}],
        }
    ]
    store = open_store(tmp_path / "old.zarr")
    assert np.array_equal(store[:], values[0])
    assert store.voxel_size == pytest.approx((50, 4, 4))


def test_a_transaction_is_seen_by_its_own_reads_and_by_the_disk_after_commit(tmp_path: Path) -> None:
    store = create_store(tmp_path / "a.zarr", (2, 8, 8), "uint32", NM, Kind.LABELS)
    store.begin()
    store[1:2, 2:4, 2:4] = np.full((1, 2, 2), 7, np.uint32)
    assert store[1][2, 2] == 7
    assert open_store(tmp_path / "a.zarr")[1][2, 2] == 0
    store.commit()
    assert open_store(tmp_path / "a.zarr")[1][2, 2] == 7
    store.begin()
    store[1:2, 2:4, 2:4] = np.full((1, 2, 2), 9, np.uint32)
    store.abort()
    assert store[1][2, 2] == 7


def test_a_part_of_the_pyramid_is_brought_up_to_date(tmp_path: Path, labels: np.ndarray) -> None:
    store = create_store(tmp_path / "a.zarr", labels.shape, "uint32", VoxelSize(4, 4, 4), Kind.LABELS)
    store[:] = labels
    store.build_pyramid()
    box = Box((1, 101, 99), (4, 303, 205))
    store.write(box, np.full(box.shape, 3, np.uint32))
    store.update_pyramid(box)
    partly = [level[:].copy() for level in open_store(tmp_path / "a.zarr").levels]
    store.build_pyramid()
    wholly = [level[:] for level in open_store(tmp_path / "a.zarr").levels]
    assert len(wholly) > 1
    assert all(np.array_equal(a, b) for a, b in zip(partly, wholly, strict=True))


def test_labels_shrink_by_mode_and_images_by_mean() -> None:
    block = np.array([[[1, 2], [2, 9]]], np.uint8)
    assert downsample(block, (1, 2, 2), is_labels=True).item() == 2
    assert downsample(block, (1, 2, 2), is_labels=False).item() == 4
    ragged = np.array([[[0, 0, 200]]], np.uint8)
    assert downsample(ragged, (1, 2, 2), is_labels=False).tolist() == [[[0, 200]]]


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    create_store(tmp_path / "a.zarr", (1, 2, 2), "uint8", None, Kind.IMAGE)
    with pytest.raises(UniemError, match="already exists"):
        create_store(tmp_path / "a.zarr", (1, 2, 2), "uint8", None, Kind.IMAGE)


def test_damaged_and_foreign_folders_are_named(tmp_path: Path) -> None:
    assert not is_store(tmp_path)
    with pytest.raises(UniemError, match="not an OME-Zarr image"):
        open_store(tmp_path)
    store = create_store(tmp_path / "a.zarr", (1, 2, 2), "uint8", None, Kind.IMAGE)
    with pytest.raises(UniemError, match="reading only"):
        open_store(tmp_path / "a.zarr")[0] = np.zeros((2, 2))
    (store.path / "0" / "zarr.json").unlink()
    with pytest.raises(UniemError, match="damaged"):
        open_store(tmp_path / "a.zarr")
    (store.path / "zarr.json").write_text("{ not json")
    with pytest.raises(UniemError, match="cannot be read"):
        open_store(tmp_path / "a.zarr")


def test_attributes_are_kept_beside_foreign_ones(tmp_path: Path) -> None:
    store = create_store(tmp_path / "a.zarr", (1, 2, 2), "uint8", None, Kind.LABELS)
    store.update_attributes(checkpoint=3)
    group = json.loads((store.path / "zarr.json").read_text())
    assert group["attributes"]["uniem"]["checkpoint"] == 3
    assert "ome" in group["attributes"]
    assert open_store(store.path).attributes["checkpoint"] == 3


def test_indexing_reads_and_writes_sections_and_boxes() -> None:
    array = np.arange(24).reshape(2, 3, 4)
    volume = ArrayVolume(array.copy())
    assert np.array_equal(volume[1], array[1])
    assert np.array_equal(volume[-1], array[1])
    assert np.array_equal(volume[0:1, 1:3], array[0:1, 1:3])
    volume[0] = np.zeros((3, 4))
    assert not volume[0].any()
    with pytest.raises(IndexError):
        volume[2]


def test_two_shapes_are_both_named() -> None:
    with pytest.raises(UniemError, match=r"raw is 1 × 2 × 3.*truth is 1 × 2 × 4"):
        check_same_shape(
            ArrayVolume(np.zeros((1, 2, 3)), name="raw"), ArrayVolume(np.zeros((1, 2, 4)), name="truth")
        )


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_labels_are_told_apart_from_images_and_what_others_noted_stays(tmp_path: Path, version: str) -> None:
    for kind, dtype in ((Kind.LABELS, "uint32"), (Kind.IMAGE, "uint8"), (Kind.LABELS, "float32")):
        path = tmp_path / f"{kind}-{dtype}.zarr"
        store = create_store(path, (2, 3, 4), dtype, None, kind, version=version)
        attributes = group_attributes(path)
        ome = attributes if version == "0.4" else attributes["ome"]
        assert ("image-label" in ome) == (dtype == "uint32")
        ome["omero"] = {"id": 7}
        write_group(path, attributes)
        del store
        open_store(path, writable=True).set_voxel_size(VoxelSize(40, 4, 4))
        attributes = group_attributes(path)
        ome = attributes if version == "0.4" else attributes["ome"]
        assert ome["omero"] == {"id": 7}
        assert ("image-label" in ome) == (dtype == "uint32")
