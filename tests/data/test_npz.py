"""NPZ files keep voxels, voxel size and kind; a member is chosen by name."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.test_formats import ALL_DTYPES, SHAPES, SIZES, FullDisk, Stopping, random_voxels
from uniem.data.formats import export_volume, open_volume
from uniem.data.geometry import Box
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError
from uniem.progress import Cancelled


@pytest.mark.parametrize("dtype", [*ALL_DTYPES, "int8", "int64"])
@given(shape=st.sampled_from(SHAPES), size=SIZES, kind=st.sampled_from(list(Kind)), seed=st.integers(0, 99))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, dtype: str, shape: Any, size: Any, kind: Kind, seed: int
) -> None:
    path = tmp_path_factory.mktemp("round") / "a.npz"
    voxels = random_voxels(shape, dtype, seed)
    export_volume(ArrayVolume(voxels, size, kind), path)
    back = open_volume(path)
    assert (back.shape, back.dtype, back.kind, back.voxel_size) == (shape, voxels.dtype, kind, size)
    np.testing.assert_array_equal(back.read(Box.of_shape(shape)), voxels)
    with np.load(path, allow_pickle=False) as other:
        np.testing.assert_array_equal(other["volume"], voxels)
        assert str(other["kind"]) == kind


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [">u2", "<f4", "<f2"])
def test_members_are_chosen_by_name(tmp_path: Path, save: Any, order: Any, dtype: str) -> None:
    raw = random_voxels((7, 20, 30), "uint8").astype(dtype, order=order)
    labels = random_voxels((7, 20, 30), "uint32")
    save(tmp_path / "a.npz", raw=raw, labels=labels, note=np.array("made by hand"), weights=np.ones(5))
    with pytest.raises(UniemError, match=r"holds 2 arrays.*raw \(7 × 20 × 30\)"):
        open_volume(tmp_path / "a.npz")
    with pytest.raises(UniemError, match=r"no array 'mito'.*raw, labels"):
        open_volume(f"{tmp_path}/a.npz::mito")
    volume = open_volume(f"{tmp_path}/a.npz::raw")
    assert volume.source == f"{tmp_path}/a.npz::raw"
    for z in (5, 6, 0, 3):
        np.testing.assert_array_equal(volume[z], raw[z])
    np.testing.assert_array_equal(volume.read(Box((1, 2, 3), (6, 9, 9))), raw[1:6, 2:9, 3:9])
    np.testing.assert_array_equal(open_volume(f"{tmp_path}/a.npz::labels")[:], labels)


def test_the_name_of_the_array_is_the_users(tmp_path: Path) -> None:
    voxels = random_voxels((2, 5, 6), "uint8")
    export_volume(ArrayVolume(voxels), f"{tmp_path}/a.npz::em")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npz")["em"], voxels)
    with pytest.raises(UniemError, match="'kind' is taken"):
        export_volume(ArrayVolume(voxels), f"{tmp_path}/b.npz::kind")


def test_arrays_that_are_there_are_never_lost(tmp_path: Path) -> None:
    voxels = random_voxels((2, 5, 6), "uint8")
    np.savez(tmp_path / "a.npz", em=voxels, other=voxels)
    before = (tmp_path / "a.npz").read_bytes()
    with pytest.raises(UniemError, match=r"a\.npz holds other already, and cannot be added to"):
        export_volume(ArrayVolume(voxels), f"{tmp_path}/a.npz::em")
    assert (tmp_path / "a.npz").read_bytes() == before


class TestBadInput:
    @pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
    @pytest.mark.parametrize("share", [0.0005, 0.5, 0.999])
    def test_truncated(self, tmp_path: Path, save: Any, share: float) -> None:
        save(tmp_path / "a.npz", volume=random_voxels((9, 50, 60), "uint16"))
        content = (tmp_path / "a.npz").read_bytes()
        (tmp_path / "a.npz").write_bytes(content[: int(len(content) * share)])
        with pytest.raises(UniemError, match=r"cut short|damaged"):
            open_volume(tmp_path / "a.npz")[:]

    def test_damaged_inside(self, tmp_path: Path) -> None:
        np.savez_compressed(tmp_path / "a.npz", volume=random_voxels((9, 50, 60), "uint16"))
        content = bytearray((tmp_path / "a.npz").read_bytes())
        content[len(content) // 2 : len(content) // 2 + 2000] = bytes(2000)
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(UniemError, match=r"cannot be read as an \.npz"):
            open_volume(tmp_path / "a.npz")[:]

    def test_pickles_and_other_archives_are_refused(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "a.npz", volume=np.array([{}, {}], object))
        for location in (f"{tmp_path}/a.npz", f"{tmp_path}/a.npz::volume"):
            with pytest.raises(UniemError, match=r"no volume|holds values of type object"):
                open_volume(location)
        with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
            archive.writestr("hello.txt", "x")
        with pytest.raises(UniemError, match="no volume"):
            open_volume(tmp_path / "b.npz")
        (tmp_path / "b.npz").rename(tmp_path / "b.dat")
        with pytest.raises(UniemError, match="no known format"):
            open_volume(tmp_path / "b.dat")


def test_cancelling_and_a_full_disk_leave_nothing(tmp_path: Path) -> None:
    voxels = random_voxels((40, 30, 30), "uint16")
    with pytest.raises(Cancelled):
        export_volume(ArrayVolume(voxels), tmp_path / "a.npz", Stopping())
    with pytest.raises(UniemError, match="disk is full"):
        export_volume(FullDisk(voxels), tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())
