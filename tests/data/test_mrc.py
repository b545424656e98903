"""MRC files keep voxels, voxel size and kind, and agree with mrcfile and IMOD."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mrcfile
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

READ_AS = {
    "int8": "int8",
    "int16": "int16",
    "uint16": "uint16",
    "float32": "float32",
    "uint8": "uint16",
    "bool": "int8",
}


@pytest.mark.parametrize(("dtype", "read_as"), READ_AS.items())
@given(shape=st.sampled_from(SHAPES), size=SIZES, kind=st.sampled_from(list(Kind)), seed=st.integers(0, 99))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    dtype: str,
    read_as: str,
    shape: Any,
    size: Any,
    kind: Kind,
    seed: int,
) -> None:
    path = tmp_path_factory.mktemp("round") / "a.mrc"
    voxels = random_voxels(shape, dtype, seed)
    export_volume(ArrayVolume(voxels, size, kind), path)
    back = open_volume(path)
    assert (back.shape, back.dtype.name, back.kind) == (shape, read_as, kind)
    assert back.voxel_size == size
    np.testing.assert_array_equal(back.read(Box.of_shape(shape)), voxels)
    np.testing.assert_array_equal(back[shape[0] - 1], voxels[-1])
    assert [p.name for p in path.parent.iterdir()] == ["a.mrc"]
    with mrcfile.open(path) as other:
        np.testing.assert_array_equal(other.data, voxels)
        assert float(other.header.dmax) == pytest.approx(float(voxels.max()), rel=1e-6)
        assert float(other.header.dmean) == pytest.approx(float(voxels.mean(dtype=np.float64)), abs=1e-2)
    assert mrcfile.validate(path)


def test_usual_voxel_sizes_come_back_exactly(tmp_path: Path) -> None:
    for number, size in enumerate([VoxelSize(50, 4.6, 4.6), VoxelSize(0.1357, 0.1357, 0.1357)]):
        path = tmp_path / f"{number}.mrc"
        export_volume(ArrayVolume(random_voxels((3, 20, 70), "uint16"), size), path)
        assert open_volume(path).voxel_size == size


class TestLabels:
    @pytest.mark.parametrize("dtype", ["uint32", "uint64", "int32", "int64"])
    def test_small_ids_are_kept_in_16_bits(self, tmp_path: Path, dtype: str) -> None:
        labels = np.arange(3 * 20 * 30, dtype=dtype).reshape(3, 20, 30)
        export_volume(ArrayVolume(labels, None, Kind.LABELS), tmp_path / "a.mrc")
        back = open_volume(tmp_path / "a.mrc")
        assert back.kind is Kind.LABELS
        np.testing.assert_array_equal(back[:], labels)

    @pytest.mark.parametrize(
        ("dtype", "value"), [("uint32", 2**32 - 1), ("uint32", 65536), ("int32", -32769)]
    )
    def test_what_does_not_fit_is_refused_and_nothing_remains(
        self, tmp_path: Path, dtype: str, value: int
    ) -> None:
        labels = np.zeros((40, 20, 30), dtype)
        labels[39, 5, 5] = value
        with pytest.raises(UniemError, match=r"The volume has whole numbers from .* but MRC holds"):
            export_volume(ArrayVolume(labels, None, Kind.LABELS), tmp_path / "a.mrc")
        assert not list(tmp_path.iterdir())

    def test_doubles_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UniemError, match="cannot hold float64"):
            export_volume(ArrayVolume(np.zeros((1, 2, 3))), tmp_path / "a.mrc")


class TestFilesOfOthers:
    def test_axes_in_another_order(self, tmp_path: Path) -> None:
        voxels = random_voxels((3, 4, 5), "int16")
        with mrcfile.new(tmp_path / "a.mrc") as file:
            file.set_data(np.ascontiguousarray(voxels.transpose(2, 0, 1)))  # sections along x, rows along z
            file.set_volume()
            file.header.mapc, file.header.mapr, file.header.maps = 2, 3, 1
            file.header.mx, file.header.my, file.header.mz = 5, 4, 3
            file.header.cella = (5 * 46, 4 * 46, 3 * 500)
        volume = open_volume(tmp_path / "a.mrc")
        assert (volume.shape, volume.voxel_size) == ((3, 4, 5), VoxelSize(50, 4.6, 4.6))
        np.testing.assert_array_equal(volume[:], voxels)

    @pytest.mark.parametrize(("flags", "dtype"), [(0, np.uint8), (1, np.int8)])
    def test_bytes_are_unsigned_if_imod_says_so(self, tmp_path: Path, flags: int, dtype: Any) -> None:
        voxels = random_voxels((3, 4, 5), "uint8")
        with mrcfile.new(tmp_path / "a.mrc", data=voxels.view(np.int8)):
            pass
        content = bytearray((tmp_path / "a.mrc").read_bytes())
        content[152:160] = np.array([1146047817, flags], "<i4").tobytes()
        (tmp_path / "a.mrc").write_bytes(content)
        volume = open_volume(tmp_path / "a.mrc")
        assert volume.dtype == dtype
        np.testing.assert_array_equal(volume[:], voxels.view(dtype))

    def test_an_image_big_endian_halves_and_an_extended_header(self, tmp_path: Path) -> None:
        image = random_voxels((1, 4, 5), "float32")[0].astype(np.float16)
        with mrcfile.new(tmp_path / "a.mrc") as file:
            file.set_data(image.astype(">f2"))
            file.set_extended_header(np.zeros(100, "V1"))
        volume = open_volume(tmp_path / "a.mrc")
        assert (volume.shape, volume.dtype) == ((1, 4, 5), np.dtype("=f4"))
        np.testing.assert_array_equal(volume[0], image.astype(np.float32))

    def test_complex_numbers_and_several_volumes_are_refused(self, tmp_path: Path) -> None:
        with mrcfile.new(tmp_path / "a.mrc", data=np.zeros((2, 3, 4), np.complex64)):
            pass
        with pytest.raises(UniemError, match="complex64"):
            open_volume(tmp_path / "a.mrc")
        with mrcfile.new(tmp_path / "b.mrc", data=np.zeros((2, 3, 4, 5), np.int16)):
            pass
        with pytest.raises(UniemError, match="holds 2 volumes"):
            open_volume(tmp_path / "b.mrc")


class TestBadInput:
    @pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 0.999])
    def test_truncated(self, tmp_path: Path, share: float) -> None:
        export_volume(ArrayVolume(random_voxels((3, 50, 60), "uint16")), tmp_path / "a.mrc")
        content = (tmp_path / "a.mrc").read_bytes()
        (tmp_path / "a.mrc").write_bytes(content[: int(len(content) * share)])
        with pytest.raises(UniemError, match=r"cut short|is not MRC"):
            open_volume(tmp_path / "a.mrc")

    @pytest.mark.parametrize(
        ("place", "value"), [(0, 2**31 - 1), (0, -5), (12, 77), (12, 3), (92, 2**31 - 1), (212, 0)]
    )
    def test_a_damaged_header(self, tmp_path: Path, place: int, value: int) -> None:
        export_volume(ArrayVolume(random_voxels((3, 50, 60), "uint16")), tmp_path / "a.mrc")
        content = bytearray((tmp_path / "a.mrc").read_bytes())
        content[place : place + 4] = np.array(value, "<i4").tobytes()
        (tmp_path / "a.mrc").write_bytes(content)
        try:
            read = open_volume(tmp_path / "a.mrc")[:]
        except UniemError as error:
            assert "a.mrc" in str(error)
        else:  # a wrong machine stamp alone: the data are still there
            assert place == 212 and read.shape == (3, 50, 60)

    def test_another_file_named_mrc_and_a_dataset(self, tmp_path: Path) -> None:
        (tmp_path / "a.mrc").write_bytes(b"no volume" * 200)
        with pytest.raises(UniemError, match=r"named \.mrc but is not MRC"):
            open_volume(tmp_path / "a.mrc")
        export_volume(ArrayVolume(random_voxels((3, 5, 6), "uint16")), tmp_path / "b.mrc")
        with pytest.raises(UniemError, match="no dataset 'raw'"):
            open_volume(f"{tmp_path}/b.mrc::raw")


def test_cancelling_and_a_full_disk_leave_nothing(tmp_path: Path) -> None:
    voxels = random_voxels((40, 30, 30), "uint16")
    with pytest.raises(Cancelled):
        export_volume(ArrayVolume(voxels), tmp_path / "a.mrc", Stopping())
    with pytest.raises(UniemError, match="disk is full"):
        export_volume(FullDisk(voxels), tmp_path / "a.mrc")
    assert not list(tmp_path.iterdir())
