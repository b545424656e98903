"""Other programs' libraries read our exports without help, and see the voxel size as they understand it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import imageio.v3
import mrcfile
import nibabel
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from uniem.data.formats import export_volume
from uniem.data.geometry import VoxelSize
from uniem.data.volume import ArrayVolume, Kind

SHAPE = (4, 50, 60)
SIZE = VoxelSize(40, 4.6, 4)
DTYPES = ["uint8", "uint16", "uint32", "int16", "int32", "float32", "float64"]


def exported(path: Path, dtype: str, **options: Any) -> NDArray[Any]:
    """Write a volume of a type, labels where it has 32 bits, and return its voxels."""
    generator = np.random.default_rng(0)
    if dtype.startswith("float"):
        voxels = generator.standard_normal(SHAPE).astype(dtype)
    else:
        limits = np.iinfo(dtype)
        voxels = generator.integers(limits.min, limits.max, SHAPE, dtype, endpoint=True)
    kind = Kind.LABELS if dtype in ("uint32", "int32") else Kind.IMAGE
    export_volume(ArrayVolume(voxels, SIZE, kind), str(path), **options)
    return voxels


class TestTiff:
    @pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
    def test_as_imagej_sees_it(self, tmp_path: Path, dtype: str) -> None:
        voxels = exported(tmp_path / "a.tif", dtype)
        with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
            series, metadata, page = tiff.series[0], tiff.imagej_metadata or {}, tiff.pages[0]
            assert (tiff.is_imagej, series.axes, series.shape) == (True, "ZYX", SHAPE)
            assert (metadata["unit"], metadata["spacing"], metadata["images"]) == ("nm", 40, 4)
            across, pixels = page.tags["XResolution"].value
            down, lines = page.tags["YResolution"].value
            assert (pixels / across, lines / down) == pytest.approx((4, 4.6), rel=1e-6)
            np.testing.assert_array_equal(series.asarray(), voxels)

    @pytest.mark.parametrize(
        ("name", "dtype"),
        [("a.ome.tif", "uint8"), ("a.ome.tif", "uint16"), *[("a.tif", d) for d in DTYPES if d not in ("uint8", "uint16", "float32")]],
    )  # fmt: skip
    def test_as_readers_of_ome_see_it(self, tmp_path: Path, name: str, dtype: str) -> None:
        voxels = exported(tmp_path / name, dtype)
        with tifffile.TiffFile(tmp_path / name) as tiff:
            series = tiff.series[0]
            assert (tiff.is_ome, series.axes, series.shape) == (True, "ZYX", SHAPE)
            np.testing.assert_array_equal(series.asarray(), voxels)
            pixels = tifffile.xml2dict(tiff.ome_metadata or "")["OME"]["Image"]["Pixels"]
        assert [pixels[f"PhysicalSize{axis}"] for axis in "ZYX"] == [40, 4.6, 4]
        assert {pixels[f"PhysicalSize{axis}Unit"] for axis in "ZYX"} == {"nm"}

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_one_call_is_enough(self, tmp_path: Path, dtype: str) -> None:
        voxels = exported(tmp_path / "a.tif", dtype)
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), voxels)
        np.testing.assert_array_equal(imageio.v3.imread(tmp_path / "a.tif", plugin="tifffile"), voxels)


@pytest.mark.parametrize("compression", ["zlib", "lzw", "none"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_pillow_reads_the_pages_of_a_tiff(tmp_path: Path, compression: str, dtype: str) -> None:
    voxels = exported(tmp_path / "a.tif", dtype, compression=compression)
    with Image.open(tmp_path / "a.tif") as picture:
        assert getattr(picture, "n_frames", 1) == SHAPE[0]
        for z, section in enumerate(voxels):
            picture.seek(z)
            np.testing.assert_array_equal(np.asarray(picture), section)


@pytest.mark.parametrize("dtype", DTYPES)
def test_h5py(tmp_path: Path, dtype: str) -> None:
    voxels = exported(tmp_path / "a.h5::volumes/raw", dtype)
    with h5py.File(tmp_path / "a.h5") as file:
        node = file["volumes/raw"]
        assert node.dtype == dtype
        np.testing.assert_array_equal(node[()], voxels)
        assert node.attrs["resolution"].tolist() == [40, 4.6, 4]
        assert node.attrs["element_size_um"].tolist() == pytest.approx([0.04, 0.0046, 0.004])


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_nibabel(tmp_path: Path, name: str, dtype: str) -> None:
    voxels = exported(tmp_path / name, dtype)
    image: Any = nibabel.load(tmp_path / name)
    assert image.shape == SHAPE[::-1]
    assert image.get_data_dtype() == dtype
    np.testing.assert_array_equal(np.asanyarray(image.dataobj).T, voxels)
    assert image.header.get_xyzt_units()[0] == "micron"
    assert image.header.get_zooms() == pytest.approx((0.004, 0.0046, 0.04))
    np.testing.assert_allclose(image.affine, np.diag([0.004, 0.0046, 0.04, 1]), rtol=1e-6)
    assert image.header.get_intent()[0] == ("label" if dtype in ("uint32", "int32") else "none")
    # The header is whole and passes nibabel's own checks.
    assert not type(image.header).diagnose_binaryblock(image.header.binaryblock, image.header.endianness)


@pytest.mark.parametrize("dtype", ["int16", "uint16", "float32"])
def test_mrcfile(tmp_path: Path, dtype: str, capsys: pytest.CaptureFixture[str]) -> None:
    voxels = exported(tmp_path / "a.mrc", dtype)
    assert mrcfile.validate(tmp_path / "a.mrc"), capsys.readouterr().out
    with mrcfile.open(tmp_path / "a.mrc") as file:
        np.testing.assert_array_equal(file.data, voxels)
        size = file.voxel_size
        assert (float(size.z), float(size.y), float(size.x)) == pytest.approx((400, 46, 40), rel=1e-6)
        assert file.is_volume()


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy(tmp_path: Path, dtype: str) -> None:
    voxels = exported(tmp_path / "a.npy", dtype)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), voxels)
    exported(tmp_path / "a.npz", dtype)
    with np.load(tmp_path / "a.npz") as archive:
        np.testing.assert_array_equal(archive["volume"], voxels)
        assert archive["voxel_size_nm"].tolist() == [40, 4.6, 4]


@pytest.mark.parametrize("file_type", ["png", "tif"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_pictures_by_pillow_and_imageio(tmp_path: Path, file_type: str, dtype: str) -> None:
    voxels = exported(tmp_path / "out", dtype, file_type=file_type)
    for z, section in enumerate(voxels):
        path = tmp_path / "out" / f"{z:04d}.{file_type}"
        with Image.open(path) as picture:
            np.testing.assert_array_equal(np.asarray(picture), section)
        np.testing.assert_array_equal(imageio.v3.imread(path), section)
