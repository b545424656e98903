"""Voxel sizes given by the user: kept beside the file, seen by everything that opens it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from uniem.data.formats import open_volume
from uniem.data.geometry import VoxelSize
from uniem.data.voxel_sizes import FILE_NAME, record_voxel_size
from uniem.errors import UniemError
from uniem.operations.execution import run_operation
from uniem.operations.registry import find

NM = VoxelSize(50, 4.6, 4)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    path = tmp_path / "日本 bare.npy"
    np.save(path, np.zeros((3, 8, 9), np.uint8))
    return path


def test_a_given_size_is_seen_by_whoever_opens_the_file(bare: Path, tmp_path: Path) -> None:
    before = bare.read_bytes()
    record_voxel_size(open_volume(bare), NM)
    (tmp_path / "link.npy").symlink_to(bare)
    assert open_volume(bare).voxel_size == open_volume(tmp_path / "link.npy").voxel_size == NM
    convert = find("convert")
    result = str(tmp_path / "copy.zarr")
    run_operation(convert, convert.parameters(), {"source": str(bare)}, {"result": result})
    assert open_volume(result).voxel_size == NM
    assert bare.read_bytes() == before
    record_voxel_size(open_volume(bare), None)
    assert open_volume(bare).voxel_size is None


def test_another_volume_of_the_same_name_does_not_inherit_it(bare: Path) -> None:
    record_voxel_size(open_volume(bare), NM)
    np.save(bare, np.zeros((4, 8, 9), np.uint8))
    assert open_volume(bare).voxel_size is None


def test_a_damaged_record_is_put_aside_and_a_full_place_is_told(bare: Path, home: Path) -> None:
    (home / FILE_NAME).write_text("{")
    assert open_volume(bare).voxel_size is None
    record_voxel_size(open_volume(bare), NM)
    assert open_volume(bare).voxel_size == NM
    (home / FILE_NAME).unlink()
    (home / FILE_NAME).mkdir()
    with pytest.raises(UniemError, match="cannot be kept"):
        record_voxel_size(open_volume(bare), NM)
