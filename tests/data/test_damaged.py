"""What the fuzz run (`benchmarks/fuzz`) has found once must not come back: one test for each kind of bug."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import struct
import subprocess
import sys
import threading
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uniem.data.formats import export_volume, open_volume
from uniem.data.formats.file_volume import FileArray, FileVolume
from uniem.data.geometry import Box, VoxelSize
from uniem.data.mesh import read_mesh, read_meshes
from uniem.data.model_folder import ModelFolder
from uniem.data.table import read_csv
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError

SHAPE = (6, 40, 56)
IS_POSIX = os.name == "posix"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def voxels() -> Any:
    return np.random.default_rng(3).integers(0, 255, SHAPE, np.uint8)


def zarr_with(folder: Path, multiscale: dict[str, Any] | None = None, array: Any = None) -> Path:
    """Write an OME-Zarr and change its metadata."""
    path = folder / "a.zarr"
    export_volume(ArrayVolume(np.zeros(SHAPE, np.uint8), VoxelSize(40, 8, 8)), path)
    group = json.loads((path / "zarr.json").read_text())
    group["attributes"]["ome"]["multiscales"][0] |= multiscale or {}
    (path / "zarr.json").write_text(json.dumps(group))
    inner = json.loads((path / "0" / "zarr.json").read_text())
    (path / "0" / "zarr.json").write_text(json.dumps(inner | (array or {})))
    return path


class TestFilesThatShrink:
    @pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.mrc", "a.nii", "a.tif"])
    def test_a_file_cut_while_it_is_open_is_an_error_and_not_the_end(
        self, tmp_path: Path, voxels: Any, name: str
    ) -> None:
        export_volume(ArrayVolume(voxels), tmp_path / name)
        volume = open_volume(tmp_path / name)
        assert volume[0].shape == SHAPE[1:]
        os.truncate(tmp_path / name, 5000)
        with pytest.raises(UniemError, match="shorter"):
            volume.read(Box.of_shape(SHAPE))

    def test_a_file_shorter_than_its_header_says_is_refused(self, tmp_path: Path) -> None:
        np.save(tmp_path / "a.npy", np.zeros(SHAPE, np.uint8))
        os.truncate(tmp_path / "a.npy", 1000)
        with pytest.raises(UniemError, match="should have 13568 bytes, not 1000"):
            open_volume(tmp_path / "a.npy")


class TestFileVolume:
    BOXES = (
        Box((0, 0, 0), (4, 5, 30_000)),
        Box((1, 2, 3), (3, 4, 29_000)),
        Box((2, 1, 7), (3, 5, 9)),
        Box((0, 0, 29_999), (4, 5, 30_000)),
        Box((3, 4, 0), (4, 5, 30_000)),
    )

    @pytest.mark.parametrize("box", BOXES, ids=str)
    def test_any_box_of_wide_rows_is_what_numpy_reads(self, tmp_path: Path, box: Box) -> None:
        array = np.arange(4 * 5 * 30_000, dtype=">u4").reshape(4, 5, 30_000)
        (tmp_path / "a").write_bytes(b"head" + array.tobytes())
        stored = FileArray(tmp_path / "a", np.dtype(">u4"), 4, (4, 5, 30_000))
        np.testing.assert_array_equal(stored.read(box), array[box.slices])

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 2, 1), (2, 0, 1), (1, 2, 0)])
    @pytest.mark.parametrize("is_fortran", [False, True])
    def test_axes_in_any_order(self, tmp_path: Path, order: Any, is_fortran: bool, voxels: Any) -> None:
        (tmp_path / "a").write_bytes(voxels.tobytes("F" if is_fortran else "C"))
        volume = FileVolume(tmp_path / "a", voxels.dtype, 0, SHAPE, is_fortran, order)
        expected = voxels.transpose(order)
        np.testing.assert_array_equal(volume[:], expected)
        for z in range(expected.shape[0]):
            np.testing.assert_array_equal(volume[z], expected[z])
        np.testing.assert_array_equal(volume[1:3, 2:5, 3:4], expected[1:3, 2:5, 3:4])

    def test_a_plane_in_fortran_order(self, tmp_path: Path) -> None:
        plane = np.asfortranarray(np.arange(12).reshape(3, 4))
        np.save(tmp_path / "a.npy", plane)
        np.testing.assert_array_equal(open_volume(tmp_path / "a.npy", Kind.IMAGE)[0], plane)

    def test_many_threads_read_what_they_asked_for(self, tmp_path: Path, voxels: Any) -> None:
        np.save(tmp_path / "a.npy", voxels)
        volume = open_volume(tmp_path / "a.npy")
        wrong: list[int] = []

        def read() -> None:
            wrong.extend(z for _ in range(50) for z in range(6) if (volume[z] != voxels[z]).any())

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


class TestAbsurdSizes:
    @pytest.mark.parametrize(
        "shape", [(10**9, 10**9, 10**9), (2**63, 2, 2), (-1, 5, 5), (1.5, 5, 5), (True, 9, 9)]
    )
    def test_npy(self, tmp_path: Path, shape: Any) -> None:
        header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
        (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header)
        with pytest.raises(UniemError, match=r"shape|cut short"):
            open_volume(tmp_path / "a.npy")

    @pytest.mark.parametrize("text", ["(" * 500, "open('x')", "-" * 3000 + "1", ""])
    def test_npy_header_of_nonsense(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode())
        with pytest.raises(UniemError, match="its header makes no sense"):
            open_volume(tmp_path / "a.npy")

    def test_npz_with_a_bomb_for_its_voxel_size(self, tmp_path: Path) -> None:
        huge = io.BytesIO()
        np.save(huge, np.zeros(1 << 24, np.uint8))
        with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            plain = io.BytesIO()
            np.save(plain, np.ones(SHAPE, np.uint8))
            archive.writestr("volume.npy", plain.getvalue())
            archive.writestr("voxel_size_nm.npy", huge.getvalue())
        assert open_volume(tmp_path / "a.npz").voxel_size is None

    def test_png_that_could_not_be_in_so_few_bytes(self, tmp_path: Path) -> None:
        head = b"IHDR" + struct.pack(">IIBBBBB", 200_000, 200_000, 8, 0, 0, 0, 0)
        part = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
        (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + part + bytes(99))
        with pytest.raises(UniemError, match=r"holds 37\.3 GB of pixels, in 132 bytes"):
            open_volume(tmp_path / "a.png")

    def test_ome_xml_of_a_billion_planes(self, tmp_path: Path, voxels: Any) -> None:
        import tifffile

        xml = (
            '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="P" '
            'DimensionOrder="XYZCT" Type="uint8" SizeX="56" SizeY="40" SizeZ="1000000000" SizeC="1" SizeT="1">'
            "<TiffData/></Pixels></Image></OME>"
        )
        tifffile.imwrite(tmp_path / "a.ome.tif", voxels, description=xml, metadata=None)
        with pytest.raises(UniemError, match="1000000000 planes"):
            open_volume(tmp_path / "a.ome.tif")

    def test_mrc_with_an_extended_header_longer_than_the_file(self, tmp_path: Path, voxels: Any) -> None:
        export_volume(ArrayVolume(voxels), tmp_path / "a.mrc")
        content = bytearray((tmp_path / "a.mrc").read_bytes())
        content[92:96] = struct.pack("<i", 2**31 - 1)
        (tmp_path / "a.mrc").write_bytes(content)
        with pytest.raises(UniemError, match="extended header"):
            open_volume(tmp_path / "a.mrc")

    def test_hdf5_chunks_and_groups(self, tmp_path: Path) -> None:
        import h5py

        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_dataset("a", (9, 50_000, 50_000), "u1", chunks=(1, 50_000, 50_000))
        with pytest.raises(UniemError, match=r"2.33 GB each"):
            open_volume(tmp_path / "a.h5")
        with h5py.File(tmp_path / "b.h5", "w") as file:
            file.create_group("/".join(["g"] * 150))["a"] = np.ones(SHAPE)
        with pytest.raises(UniemError, match="nested too deeply"):
            open_volume(tmp_path / "b.h5")

    @pytest.mark.parametrize("size", [[10**6] * 3, [0, 1, 1], [2**62] * 3])
    def test_precomputed(self, tmp_path: Path, size: list[int]) -> None:
        path = tmp_path / "a.precomputed"
        export_volume(ArrayVolume(np.zeros(SHAPE, np.uint8)), path)
        info = json.loads((path / "info").read_text())
        info["scales"][0] |= {"size": size, "chunk_sizes": [size]}
        (path / "info").write_text(json.dumps(info))
        with pytest.raises(UniemError):
            open_volume(path)

    @pytest.mark.parametrize("size", [10**5, 2**62, 0])
    def test_zarr(self, tmp_path: Path, size: int) -> None:
        grid = {"name": "regular", "configuration": {"chunk_shape": [max(1, size)] * 3}}
        with pytest.raises(UniemError):
            open_volume(zarr_with(tmp_path, array={"shape": [size] * 3, "chunk_grid": grid}))

    def test_a_volume_without_voxels(self, tmp_path: Path, voxels: Any) -> None:
        export_volume(ArrayVolume(voxels), tmp_path / "a.mrc")
        content = bytearray((tmp_path / "a.mrc").read_bytes())
        content[8:12] = bytes(4)
        (tmp_path / "a.mrc").write_bytes(content)
        with pytest.raises(UniemError, match="no voxel"):
            open_volume(tmp_path / "a.mrc")

    def test_tiles_of_a_dojo_folder(self, tmp_path: Path) -> None:
        export_volume(ArrayVolume(np.ones(SHAPE, np.uint8)), tmp_path / "a.mojo")
        path = tmp_path / "a.mojo" / "images" / "tiledVolumeDescription.xml"
        path.write_text(path.read_text().replace('numVoxelsX="512"', f'numVoxelsX="{"9" * 400}"'))
        (tmp_path / "a.mojo" / "images" / "volume.json").unlink()
        with pytest.raises(UniemError, match="does not describe tiles"):
            open_volume(tmp_path / "a.mojo")


class TestDescriptions:
    STRANGE = (
        {"datasets": []},
        {"datasets": None},
        {"datasets": [{}]},
        {"datasets": [{"path": 0}]},
        {"datasets": ["0"]},
        {"datasets": [{"path": "../../x"}]},
    )
    WITHOUT_SIZE = (
        *([{"type": "scale", "scale": [v, 8, 8]}] for v in (float("nan"), float("inf"), -4, 0, "a", None)),
        [{"type": "scale", "scale": [8]}],
        [{"type": "scale"}],
    )

    @pytest.mark.parametrize("change", STRANGE, ids=str)
    def test_zarr_that_names_no_arrays(self, tmp_path: Path, change: Any) -> None:
        with pytest.raises(UniemError):
            open_volume(zarr_with(tmp_path, change))

    @pytest.mark.parametrize("transformations", WITHOUT_SIZE, ids=str)
    def test_zarr_without_a_voxel_size_that_can_be(self, tmp_path: Path, transformations: Any) -> None:
        level = {"path": "0", "coordinateTransformations": transformations}
        assert open_volume(zarr_with(tmp_path, {"datasets": [level]})).voxel_size is None

    @pytest.mark.parametrize("axes", [None, "zyx", [5, 6, 7], [{"name": "z", "unit": ["nm"]}] * 3], ids=str)
    def test_zarr_with_strange_axes_opens(self, tmp_path: Path, axes: Any) -> None:
        assert open_volume(zarr_with(tmp_path, {"axes": axes})).shape == SHAPE

    def test_zarr_chunk_of_wrong_length_is_a_sentence(self, tmp_path: Path) -> None:
        path = zarr_with(tmp_path)
        (path / "0" / "c" / "0" / "0").mkdir(parents=True, exist_ok=True)
        (path / "0" / "c" / "0" / "0" / "0").write_bytes(b"x")
        with pytest.raises(UniemError, match="cannot be read"):
            open_volume(path)[0]

    def test_json_nested_too_deeply(self, tmp_path: Path, voxels: Any) -> None:
        deep = "[" * 100_000
        export_volume(ArrayVolume(voxels), f"{tmp_path}/sections/")
        (tmp_path / "sections" / "volume.json").write_text(deep)
        assert open_volume(tmp_path / "sections").voxel_size is None
        (tmp_path / "a.zarr").mkdir()
        (tmp_path / "a.zarr" / "zarr.json").write_text(deep)
        with pytest.raises(UniemError):
            open_volume(tmp_path / "a.zarr")
        (tmp_path / "meshes.json").write_text(deep)
        with pytest.raises(UniemError, match="damaged"):
            read_meshes(tmp_path)

    def test_numbers_beyond_every_float(self, tmp_path: Path, voxels: Any) -> None:
        export_volume(ArrayVolume(voxels), f"{tmp_path}/sections/")
        record = '{"voxel_size_nm": [1' + "0" * 400 + ", 1, 1]}"
        (tmp_path / "sections" / "volume.json").write_text(record)
        assert open_volume(tmp_path / "sections").voxel_size is None

    def test_hdf5_kind_that_is_an_array(self, tmp_path: Path, voxels: Any) -> None:
        import h5py

        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["a"] = voxels
            file["a"].attrs["kind"] = [1.0, 2.0, 3.0]
        assert open_volume(tmp_path / "a.h5").kind == Kind.IMAGE

    def test_nifti_of_an_unknown_unit(self, tmp_path: Path, voxels: Any) -> None:
        export_volume(ArrayVolume(voxels, VoxelSize(1, 1, 1)), tmp_path / "a.nii")
        content = bytearray((tmp_path / "a.nii").read_bytes())
        content[123] = 255
        (tmp_path / "a.nii").write_bytes(content)
        with pytest.raises(UniemError, match="cannot be read as NIfTI"):
            open_volume(tmp_path / "a.nii")

    def test_a_view_for_the_merges_of_a_dojo_folder(self, tmp_path: Path) -> None:
        labels = ArrayVolume(np.ones(SHAPE, np.uint32), None, Kind.LABELS)
        export_volume(labels, tmp_path / "a.mojo")
        connection = sqlite3.connect(tmp_path / "a.mojo" / "ids" / "segmentInfo.db")
        connection.execute("DROP TABLE relabelMap")
        connection.execute(
            "CREATE VIEW relabelMap AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT i AS fromId, i AS toId FROM n"
        )
        connection.close()
        with pytest.raises(UniemError, match="views"):
            open_volume(tmp_path / "a.mojo")


class TestOddValues:
    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_a_volume_of_nothing_but_nan_opens_without_a_warning(self, tmp_path: Path, value: float) -> None:
        np.save(tmp_path / "a.npy", np.full(SHAPE, value, np.float32))
        assert open_volume(tmp_path / "a.npy").kind == Kind.IMAGE

    def test_two_level_tiff_of_several_pages(self, tmp_path: Path) -> None:
        import tifffile

        voxels = np.random.default_rng(1).random((3, 20, 30)) < 0.5
        tifffile.imwrite(tmp_path / "a.tif", voxels, photometric="minisblack")
        np.testing.assert_array_equal(open_volume(tmp_path / "a.tif")[:], voxels)

    @pytest.mark.parametrize("corner", [-1, 3, 10**20])
    @pytest.mark.parametrize("ending", ["ply", "obj"])
    def test_a_face_of_a_vertex_that_cannot_be(self, tmp_path: Path, corner: int, ending: str) -> None:
        place = f"-{9 - corner}" if corner < 0 else str(corner + 1)
        texts = {
            "ply": "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
            "property float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
            f"0 0 0\n1 0 0\n0 1 0\n3 0 1 {corner}\n",
            "obj": f"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 {place}\n",
        }
        (tmp_path / f"7.{ending}").write_text(texts[ending])
        with pytest.raises(UniemError):
            read_mesh(tmp_path / f"7.{ending}")


@pytest.mark.skipif(not IS_POSIX, reason="needs pipes and devices")
class TestThingsThatAreNoFiles:
    @pytest.mark.parametrize("name", ["a.tif", "a.png", "a.npy", "a"])
    def test_a_pipe_is_not_waited_for(self, tmp_path: Path, name: str) -> None:
        os.mkfifo(tmp_path / name)
        with pytest.raises(UniemError, match="a pipe or a device"):
            open_volume(tmp_path / name)

    def test_meshes_tables_and_models(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "a.ply")
        (tmp_path / "a.csv").symlink_to("/dev/zero")
        with pytest.raises(UniemError):
            read_mesh(tmp_path / "a.ply")
        with pytest.raises(UniemError):
            read_csv(tmp_path / "a.csv")
        with pytest.raises(UniemError):
            ModelFolder.open(tmp_path / "a.ply")

    def test_a_record_that_is_a_device(self, tmp_path: Path, voxels: Any) -> None:
        export_volume(ArrayVolume(voxels), f"{tmp_path}/sections/")
        (tmp_path / "sections" / "volume.json").unlink()
        (tmp_path / "sections" / "volume.json").symlink_to("/dev/zero")
        assert open_volume(tmp_path / "sections").shape == SHAPE

    def test_a_chunk_that_is_a_pipe(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("uniem.data.tensor_reading.PATIENCE_S", 0.1)
        path = tmp_path / "a.zarr"
        export_volume(ArrayVolume(np.ones(SHAPE, np.uint8)), path)
        chunk = next(p for p in (path / "0" / "c").rglob("*") if p.is_file())
        chunk.unlink()
        os.mkfifo(chunk)
        with pytest.raises(UniemError, match="is a pipe"):
            open_volume(path)[0]
        os.close(os.open(chunk, os.O_WRONLY))  # lets the thread that waits for it go

    def test_links_in_a_circle_and_names_too_long_from_the_command_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from uniem.cli import main

        (tmp_path / "a.tif").symlink_to(tmp_path / "a.tif")
        for name in ("a.tif", "y" * 300):
            assert main(["convert", str(tmp_path / name), str(tmp_path / "b.tif")]) == 2
            assert "unexpectedly" not in capsys.readouterr().err

    @pytest.mark.skipif(sys.platform != "linux", reason="needs names that are no UTF-8")
    def test_a_name_that_is_no_text(self, tmp_path: Path) -> None:
        path = zarr_with(tmp_path).rename(tmp_path / os.fsdecode(b"\xe9.zarr"))
        with pytest.raises(UniemError, match="not text in UTF-8"):
            open_volume(path)

    def test_a_zero_character_in_a_path(self, tmp_path: Path) -> None:
        with pytest.raises(UniemError, match="character 0"):
            open_volume(f"{tmp_path}/a\0.tif")


def test_sections_one_voxel_wide_become_pictures(tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(0, 255, (1, 300, 1), np.uint8)
    export_volume(ArrayVolume(voxels), f"{tmp_path}/sections/")
    np.testing.assert_array_equal(open_volume(tmp_path / "sections")[:], voxels)


@pytest.mark.skipif(not IS_POSIX, reason="needs a limit for the size of files")
@pytest.mark.parametrize("name", ["a.h5", "a.mojo", "a.mrc", "a.zarr", "a.tif"])
def test_a_full_disk_is_an_error_and_not_the_end(tmp_path: Path, name: str) -> None:
    script = """
import resource, sys
import numpy as np
from uniem.data.formats import export_volume
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError
labels = ArrayVolume(np.random.default_rng(0).integers(0, 9, (9, 99, 99), np.uint16), None, Kind.LABELS)
resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
try:
    export_volume(labels, sys.argv[1])
except UniemError as error:
    print("refused:", error)
"""
    command = [sys.executable, "-c", script, str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout[:8]) == (0, "refused:"), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_exporting_to_hdf5_keeps_no_reserved_room(tmp_path: Path, voxels: Any) -> None:
    export_volume(ArrayVolume(voxels), tmp_path / "a.h5")
    export_volume(ArrayVolume(voxels), f"{tmp_path / 'a.h5'}::second")
    assert (tmp_path / "a.h5").stat().st_size < 2 * voxels.size + 20_000
    np.testing.assert_array_equal(open_volume(f"{tmp_path / 'a.h5'}::second")[:], voxels)


@pytest.mark.parametrize("name", ["a.npz", "a.h5", "a.tif", "a.npy", "a.zarr", "a.mojo", "sections/"])
def test_a_name_too_long_to_be_written(tmp_path: Path, voxels: Any, name: str) -> None:
    with pytest.raises(UniemError, match="name is too long"):
        export_volume(ArrayVolume(voxels), f"{tmp_path}/{'l' * 300}{name}")
