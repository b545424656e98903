"""NIfTI files keep voxels, voxel size and kind, and agree with nibabel."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.test_formats import SHAPES, SIZES, FullDisk, Stopping, random_voxels
from uniem.data.formats import export_volume, open_volume
from uniem.data.geometry import Box, VoxelSize
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError
from uniem.progress import Cancelled

DTYPES = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64"]


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("dtype", [*DTYPES, "bool"])
@given(shape=st.sampled_from(SHAPES), size=SIZES, kind=st.sampled_from(list(Kind)), seed=st.integers(0, 99))
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    dtype: str,
    shape: Any,
    size: Any,
    kind: Kind,
    seed: int,
) -> None:
    path = tmp_path_factory.mktemp("round") / name
    voxels = random_voxels(shape, dtype, seed)
    export_volume(ArrayVolume(voxels, size, kind), path)
    back = open_volume(path)
    assert (back.shape, back.dtype.name, back.kind) == (shape, dtype.replace("bool", "uint8"), kind)
    assert back.voxel_size == size
    np.testing.assert_array_equal(back.read(Box.of_shape(shape)), voxels)
    np.testing.assert_array_equal(back[0], voxels[0])
    other = nibabel.load(path)
    np.testing.assert_array_equal(np.asarray(other.dataobj).T, voxels)
    if size:
        assert other.header.get_xyzt_units()[0] == "micron"
        assert other.header.get_zooms() == pytest.approx([edge / 1000 for edge in size[::-1]], rel=1e-6)


def test_usual_voxel_sizes_and_large_ids_come_back_exactly(tmp_path: Path) -> None:
    labels = np.full((2, 3, 4), 2**32 - 1, np.uint32)
    export_volume(ArrayVolume(labels, VoxelSize(50, 4.6, 4.6), Kind.LABELS), tmp_path / "a.nii")
    back = open_volume(tmp_path / "a.nii")
    assert (back.voxel_size, back.kind) == (VoxelSize(50, 4.6, 4.6), Kind.LABELS)
    np.testing.assert_array_equal(back[:], labels)
    assert nibabel.load(tmp_path / "a.nii").header.get_intent()[0] == "label"


def test_a_very_long_axis_needs_nifti_2(tmp_path: Path) -> None:
    voxels = random_voxels((2, 3, 40000), "uint8")
    export_volume(ArrayVolume(voxels, VoxelSize(50, 4, 4)), tmp_path / "a.nii")
    np.testing.assert_array_equal(open_volume(tmp_path / "a.nii")[:], voxels)
    image = nibabel.load(tmp_path / "a.nii")
    assert isinstance(image, nibabel.Nifti2Image)
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, voxels)


class TestFilesOfOthers:
    @pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
    def test_millimetres_an_affine_and_a_scale(self, tmp_path: Path, name: str) -> None:
        values = random_voxels((3, 4, 5), "int16")
        turned = np.array([[0, 0, 0.05, 7], [-0.0046, 0, 0, 8], [0, 0.0046, 0, 9], [0, 0, 0, 1]])
        image = nibabel.Nifti1Image(values.T, turned)
        image.header.set_xyzt_units("mm")
        image.header.set_slope_inter(2, 1)
        nibabel.save(image, tmp_path / name)
        volume = open_volume(tmp_path / name)
        assert (volume.dtype, volume.voxel_size) == (np.float32, VoxelSize(50000, 4600, 4600))
        np.testing.assert_allclose(volume[:], np.asarray(nibabel.load(tmp_path / name).dataobj).T, rtol=1e-6)

    @pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
    @pytest.mark.parametrize("shape", [(5, 4), (5, 4, 3), (5, 4, 3, 1), (5, 4, 3, 1, 1)])
    def test_other_numbers_of_axes(self, tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
        values = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / name)
        expected = values.reshape([*shape, 1][:3]).T
        np.testing.assert_array_equal(open_volume(tmp_path / name)[:], expected)

    def test_without_a_unit_the_size_is_unknown(self, tmp_path: Path) -> None:
        nibabel.save(nibabel.Nifti1Image(np.zeros((5, 4, 3), np.uint8), np.eye(4)), tmp_path / "a.nii")
        assert open_volume(tmp_path / "a.nii").voxel_size is None

    def test_time_and_colours_are_refused(self, tmp_path: Path) -> None:
        nibabel.save(nibabel.Nifti1Image(np.zeros((5, 4, 3, 2), np.uint8), np.eye(4)), tmp_path / "a.nii")
        with pytest.raises(UniemError, match=r"shape \(5, 4, 3, 2\)"):
            open_volume(tmp_path / "a.nii")
        colours = np.zeros((5, 4, 3), [("R", "u1"), ("G", "u1"), ("B", "u1")])
        nibabel.save(nibabel.Nifti1Image(colours, np.eye(4)), tmp_path / "b.nii")
        with pytest.raises(UniemError, match="values of type"):
            open_volume(tmp_path / "b.nii")

    def test_compressed_sections_come_in_any_order(self, tmp_path: Path) -> None:
        voxels = random_voxels((40, 30, 20), "uint16")
        export_volume(ArrayVolume(voxels), tmp_path / "a.nii.gz")
        volume = open_volume(tmp_path / "a.nii.gz")
        for z in np.random.default_rng(0).permutation(40):
            np.testing.assert_array_equal(volume[int(z)], voxels[z])


class TestBadInput:
    @pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
    @pytest.mark.parametrize("share", [0.0005, 0.01, 0.5, 0.999])
    def test_truncated(self, tmp_path: Path, name: str, share: float) -> None:
        export_volume(ArrayVolume(random_voxels((9, 50, 60), "uint16")), tmp_path / name)
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: int(len(content) * share)])
        with pytest.raises(UniemError, match=r"cut short|is not NIfTI"):
            open_volume(tmp_path / name)[:]

    def test_an_unknown_type_and_a_huge_shape(self, tmp_path: Path) -> None:
        export_volume(ArrayVolume(random_voxels((9, 50, 60), "uint16")), tmp_path / "a.nii")
        content = bytearray((tmp_path / "a.nii").read_bytes())
        for place, value in [(70, 77), (42, 32767), (40, 99)]:
            damaged = content[:]
            damaged[place : place + 2] = np.array(value, "<i2").tobytes()
            (tmp_path / "b.nii").write_bytes(damaged)
            with pytest.raises(UniemError, match=r"b\.nii"):
                open_volume(tmp_path / "b.nii")[:]

    def test_other_files_with_its_names(self, tmp_path: Path) -> None:
        (tmp_path / "a.nii").write_bytes(b"no volume" * 200)
        (tmp_path / "b.nii.gz").write_bytes(gzip.compress(b"no volume" * 200))
        for name in ("a.nii", "b.nii.gz"):
            with pytest.raises(UniemError, match="is not NIfTI"):
                open_volume(tmp_path / name)
        export_volume(ArrayVolume(random_voxels((9, 5, 6), "uint16")), tmp_path / "c.nii")
        (tmp_path / "c.nii").rename(tmp_path / "c.dat")
        with pytest.raises(UniemError, match=r"lack the ending \.nii"):
            open_volume(tmp_path / "c.dat")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_cancelling_and_a_full_disk_leave_nothing(tmp_path: Path, name: str) -> None:
    voxels = random_voxels((40, 30, 30), "uint16")
    with pytest.raises(Cancelled):
        export_volume(ArrayVolume(voxels), tmp_path / name, Stopping())
    with pytest.raises(UniemError, match="disk is full"):
        export_volume(FullDisk(voxels), tmp_path / name)
    assert not list(tmp_path.iterdir())
