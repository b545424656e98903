"""Every format keeps voxels, voxel size and kind; bad files get one clear message."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from uniem.data.formats import export_volume, open_volume
from uniem.data.formats.files import replacing
from uniem.data.formats.format import SectionVolume
from uniem.data.formats.hdf5 import list_datasets
from uniem.data.geometry import Box, VoxelSize
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError
from uniem.progress import Cancelled, Context

SHAPES = [(1, 1, 1), (3, 200, 200), (5, 60, 70)]
ALL_DTYPES = ["bool", "uint8", "uint16", "uint32", "uint64", "int16", "int32", "float32", "float64"]
DTYPES = {
    "a.tif": ALL_DTYPES,
    "a.h5": ALL_DTYPES,
    "a.npy": ALL_DTYPES,
    "a.zarr": ALL_DTYPES[1:],
    "sections/": ["uint8", "uint16"],
}
PAIRS = [(name, dtype) for name, dtypes in DTYPES.items() for dtype in dtypes]
SIZES = st.none() | st.builds(VoxelSize, *[st.floats(0.01, 5000, allow_nan=False)] * 3)


def random_voxels(shape: tuple[int, int, int], dtype: str, seed: int = 0) -> NDArray[Any]:
    generator = np.random.default_rng(seed)
    if dtype == "bool":
        return generator.random(shape) < 0.5
    if dtype.startswith("float"):
        return generator.standard_normal(shape).astype(dtype)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)


@pytest.mark.parametrize(("name", "dtype"), PAIRS)
@given(shape=st.sampled_from(SHAPES), size=SIZES, kind=st.sampled_from(list(Kind)), seed=st.integers(0, 99))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_round_trip_keeps_everything(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    dtype: str,
    shape: Any,
    size: Any,
    kind: Kind,
    seed: int,
) -> None:
    folder = tmp_path_factory.mktemp("round")
    voxels = random_voxels(shape, dtype, seed)
    export_volume(ArrayVolume(voxels, size, kind), f"{folder}/{name}")
    back = open_volume(folder / name)
    assert (back.shape, back.dtype, back.kind) == (shape, voxels.dtype, kind)
    assert back.voxel_size == (pytest.approx(size, rel=1e-12) if size and name == "a.zarr" else size)
    np.testing.assert_array_equal(back.read(Box.of_shape(shape)), voxels)
    np.testing.assert_array_equal(back[shape[0] - 1], voxels[-1])
    assert not [p for p in folder.iterdir() if p.name.endswith(".part")]


@pytest.mark.parametrize("compression", ["zlib", "none"])
@pytest.mark.parametrize("dtype", ["uint8", "uint32"])
def test_tiff_compression_keeps_voxels(tmp_path: Path, compression: str, dtype: str) -> None:
    import tifffile

    voxels = random_voxels((4, 33, 21), dtype)
    export_volume(ArrayVolume(voxels, None, Kind.LABELS), tmp_path / "a.tif", compression=compression)
    np.testing.assert_array_equal(open_volume(tmp_path / "a.tif")[:], voxels)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), voxels)


def test_a_box_decodes_only_its_sections_and_the_last_ones_are_kept() -> None:
    decoded: list[int] = []

    def decode(z: int) -> NDArray[Any]:
        decoded.append(z)
        return np.full((10, 10), z, np.uint8)

    volume = SectionVolume((50, 10, 10), np.uint8, decode, cache_bytes=300)
    assert volume.read(Box((7, 2, 3), (9, 5, 4)))[:, 0, 0].tolist() == [7, 8]
    assert volume[8][0, 0] == 8
    assert decoded == [7, 8]
    volume.read(Box((20, 0, 0), (24, 1, 1)))
    assert volume[7][0, 0] == 7
    assert decoded == [7, 8, 20, 21, 22, 23, 7]
    with pytest.raises(ValueError, match="read-only"):
        volume[7][0, 0] = 1


def test_many_threads_read_one_tiff(tmp_path: Path) -> None:
    voxels = random_voxels((40, 64, 64), "uint8")
    export_volume(ArrayVolume(voxels), tmp_path / "a.tif", compression="zlib")
    volume = open_volume(tmp_path / "a.tif")
    wrong: list[int] = []

    def read(seed: int) -> None:
        order = np.random.default_rng(seed).permutation(40)
        wrong.extend(int(z) for z in order if not np.array_equal(volume[int(z)], voxels[z]))

    threads = [threading.Thread(target=read, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


class TestTiffMetadata:
    @pytest.mark.parametrize(
        ("unit", "spacing", "per_pixel", "expected"),
        [
            ("nm", 50.0, 4.6, VoxelSize(50, 4.6, 4.6)),
            ("um", 0.05, 0.0046, VoxelSize(50, 4.6, 4.6)),
            ("micron", 0.05, 0.004, VoxelSize(50, 4, 4)),
            ("\\u00B5m", 0.05, 0.004, VoxelSize(50, 4, 4)),
            ("pixel", 1.0, 1.0, None),
            ("nm", None, 4.0, None),
        ],
    )
    def test_imagej(self, tmp_path: Path, unit: str, spacing: Any, per_pixel: float, expected: Any) -> None:
        import tifffile

        metadata = {"axes": "ZYX", "unit": unit} | ({"spacing": spacing} if spacing else {})
        voxels, scale = random_voxels((3, 8, 9), "uint16"), 1 / per_pixel
        tifffile.imwrite(
            tmp_path / "a.tif", voxels, imagej=True, resolution=(scale, scale), metadata=metadata
        )
        assert open_volume(tmp_path / "a.tif").voxel_size == expected

    def test_ome(self, tmp_path: Path) -> None:
        import tifffile

        sizes = {
            "PhysicalSizeX": 4.6,
            "PhysicalSizeXUnit": "nm",
            "PhysicalSizeY": 0.0046,
            "PhysicalSizeZ": 0.05,
        }
        voxels = random_voxels((3, 8, 9), "uint16")
        tifffile.imwrite(tmp_path / "a.ome.tif", voxels, ome=True, metadata={"axes": "ZYX", **sizes})
        volume = open_volume(tmp_path / "a.ome.tif")
        assert volume.voxel_size == VoxelSize(50, 4.6, 4.6)
        np.testing.assert_array_equal(volume[:], voxels)

    def test_inches_of_a_plain_file_are_no_voxel_size(self, tmp_path: Path) -> None:
        import tifffile

        tifffile.imwrite(
            tmp_path / "a.tif", random_voxels((5, 8, 9), "uint8"), resolution=(72, 72), metadata=None
        )
        assert open_volume(tmp_path / "a.tif").voxel_size is None

    def test_imagej_drops_our_record_when_it_changes_the_size(self, tmp_path: Path) -> None:
        import tifffile

        voxels = random_voxels((3, 8, 9), "uint8")
        export_volume(ArrayVolume(voxels, VoxelSize(50, 4, 4)), tmp_path / "a.tif")
        with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
            metadata = tiff.imagej_metadata
        assert metadata is not None
        assert (metadata["unit"], metadata["spacing"], metadata["images"]) == ("nm", 50.0, 3)

    @pytest.mark.parametrize("planar", ["contig", "separate"])
    def test_colours_become_grey_or_ids(self, tmp_path: Path, planar: str) -> None:
        import tifffile

        pixels = random_voxels((5, 6, 3), "uint8")
        stored = pixels if planar == "contig" else np.moveaxis(pixels, -1, 0)
        tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar)
        grey = open_volume(tmp_path / "a.tif", Kind.IMAGE)
        expected = np.round(pixels @ np.array([0.299, 0.587, 0.114]))
        assert np.abs(grey[0].astype(float) - expected).max() <= 1
        labels = open_volume(tmp_path / "a.tif", Kind.LABELS)
        assert labels.dtype == np.uint32
        red, green, blue = pixels[2, 3].tolist()
        assert labels[0][2, 3] == red * 65536 + green * 256 + blue

    def test_several_channels_are_refused(self, tmp_path: Path) -> None:
        import tifffile

        voxels = random_voxels((6, 8, 9), "uint8").reshape(3, 2, 8, 9)
        tifffile.imwrite(tmp_path / "a.tif", voxels, imagej=True, metadata={"axes": "ZCYX"})
        with pytest.raises(UniemError, match="2 channels"):
            open_volume(tmp_path / "a.tif")

    def test_a_big_endian_bigtiff_opens(self, tmp_path: Path) -> None:
        import tifffile

        voxels = random_voxels((6, 8, 9), "uint16")
        tifffile.imwrite(tmp_path / "a.tif", voxels, bigtiff=True, byteorder=">", compression="zlib")
        np.testing.assert_array_equal(open_volume(tmp_path / "a.tif")[:], voxels)


class TestFolders:
    def write(self, folder: Path, *sizes: tuple[int, int], suffix: str = ".png") -> list[NDArray[Any]]:
        import cv2

        folder.mkdir()
        pictures = [random_voxels((1, *size), "uint8", i)[0] for i, size in enumerate(sizes)]
        for i, picture in enumerate(pictures):
            cv2.imwrite(str(folder / f"z{i + 1}{suffix}"), picture)
        return pictures

    @pytest.mark.parametrize("suffix", [".png", ".tif", ".PNG"])
    def test_sections_are_in_natural_order(self, tmp_path: Path, suffix: str) -> None:
        pictures = self.write(tmp_path / "s", *[(20, 30)] * 12, suffix=suffix)
        (tmp_path / "s" / "Thumbs.db").write_bytes(b"x")
        volume = open_volume(tmp_path / "s")
        np.testing.assert_array_equal(volume[:], np.stack(pictures))
        assert volume.voxel_size is None

    def test_jpg_and_single_pictures_open(self, tmp_path: Path) -> None:
        self.write(tmp_path / "s", *[(20, 30)] * 2, suffix=".jpg")
        assert open_volume(tmp_path / "s").shape == (2, 20, 30)
        assert open_volume(tmp_path / "s" / "z1.jpg").shape == (1, 20, 30)

    def test_mixed_sizes_name_both_files(self, tmp_path: Path) -> None:
        self.write(tmp_path / "s", (20, 30), (20, 30), (20, 31))
        with pytest.raises(UniemError, match=r"z1\.png is 20 × 30 .*z3\.png is 20 × 31"):
            open_volume(tmp_path / "s")

    def test_a_stack_among_sections_is_named(self, tmp_path: Path) -> None:
        self.write(tmp_path / "s", (20, 30), suffix=".tif")
        export_volume(ArrayVolume(random_voxels((4, 20, 30), "uint8")), tmp_path / "s" / "z2.tif")
        with pytest.raises(UniemError, match=r"z2\.tif is a stack of 4 sections"):
            open_volume(tmp_path / "s")

    def test_names_follow_prefix_first_and_digits(self, tmp_path: Path) -> None:
        volume = ArrayVolume(random_voxels((2, 5, 6), "uint8"))
        export_volume(volume, tmp_path / "out", prefix="em_", first=9, digits=3, file_type="tif")
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
            "em_009.tif",
            "em_010.tif",
            "volume.json",
        ]

    def test_large_ids_are_never_wrapped(self, tmp_path: Path) -> None:
        labels = np.zeros((3, 5, 6), np.uint32)
        labels[2, 1, 1] = 70000
        volume = ArrayVolume(labels, None, Kind.LABELS, "cells")
        with pytest.raises(UniemError, match=r"Section 2 of cells has label ids from 0 to 70000.*65535"):
            export_volume(volume, tmp_path / "out")
        assert not list(tmp_path.iterdir())
        labels[2, 1, 1] = 60000
        export_volume(volume, tmp_path / "out")
        np.testing.assert_array_equal(open_volume(tmp_path / "out")[:], labels)

    def test_an_existing_folder_is_not_touched(self, tmp_path: Path) -> None:
        self.write(tmp_path / "s", (20, 30))
        with pytest.raises(UniemError, match="not empty"):
            export_volume(ArrayVolume(random_voxels((2, 5, 6), "uint8")), f"{tmp_path}/s/")
        assert [p.name for p in (tmp_path / "s").iterdir()] == ["z1.png"]


class TestHdf5:
    def test_datasets_are_listed_when_there_is_a_choice(self, tmp_path: Path) -> None:
        path = tmp_path / "a.h5"
        raw, labels = random_voxels((3, 20, 30), "uint8"), random_voxels((3, 20, 30), "uint32")
        export_volume(ArrayVolume(raw), f"{path}::volumes/raw")
        export_volume(ArrayVolume(labels, None, Kind.LABELS), f"{path}::volumes/labels/ids")
        shapes = {name: shape for name, (shape, _) in list_datasets(path).items()}
        assert shapes == {"volumes/labels/ids": (3, 20, 30), "volumes/raw": (3, 20, 30)}
        with pytest.raises(UniemError, match=r"holds 2 datasets.*volumes/labels/ids"):
            open_volume(path)
        with pytest.raises(UniemError, match=r"no volume 'mito'.*volumes/raw"):
            open_volume(f"{path}::mito")
        volume = open_volume(f"{path}::volumes/labels/ids")
        np.testing.assert_array_equal(volume[:], labels)
        assert volume.source == f"{path}::volumes/labels/ids"
        np.testing.assert_array_equal(open_volume(f"{path}::volumes/raw")[:], raw)

    def test_axes_of_length_one_and_microns_are_understood(self, tmp_path: Path) -> None:
        import h5py

        voxels = random_voxels((3, 20, 30), "uint8")
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["data"] = voxels[None, ..., None]
            file["data"].attrs["element_size_um"] = [0.05, 0.0046, 0.0046]
        volume = open_volume(tmp_path / "a.h5")
        assert (volume.shape, volume.voxel_size) == ((3, 20, 30), VoxelSize(50, 4.6, 4.6))
        np.testing.assert_array_equal(volume.read(Box((1, 2, 3), (3, 9, 9))), voxels[1:3, 2:9, 3:9])


class TestBadInput:
    @pytest.mark.parametrize("compression", ["zlib", "none"])
    @pytest.mark.parametrize("dtype", ["uint8", "uint32"])
    @pytest.mark.parametrize("share", [0.0005, 0.1, 0.5, 0.95, 0.999])
    def test_truncated_tiff(self, tmp_path: Path, compression: str, dtype: str, share: float) -> None:
        voxels = random_voxels((9, 50, 60), dtype)
        export_volume(ArrayVolume(voxels), tmp_path / "a.tif", compression=compression)
        content = (tmp_path / "a.tif").read_bytes()
        (tmp_path / "b.tif").write_bytes(content[: int(len(content) * share)])
        try:
            read = open_volume(tmp_path / "b.tif", Kind.IMAGE)[:]
        except UniemError as error:
            assert re.search(r"b\.tif .*(cut short|damaged|is not a TIFF)", str(error))
        else:  # all that is missing is a part that nobody reads
            assert share == 0.999
            np.testing.assert_array_equal(read, voxels)

    @pytest.mark.parametrize("name", ["a.h5", "a.npy", "a.png", "a.jpg"])
    def test_truncated_others(self, tmp_path: Path, name: str) -> None:
        import cv2

        voxels = random_voxels((9, 50, 60), "uint8")
        if name.endswith("g"):
            cv2.imwrite(str(tmp_path / name), voxels[0])
        else:
            export_volume(ArrayVolume(voxels), tmp_path / name)
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
        with pytest.raises(UniemError, match=r"cut short|damaged|cannot be"):
            open_volume(tmp_path / name, Kind.IMAGE)[:]

    def test_pages_of_mixed_sizes(self, tmp_path: Path) -> None:
        import tifffile

        with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
            for height in (60, 60, 50):
                writer.write(np.zeros((height, 70), np.uint8), metadata=None)
        with pytest.raises(UniemError, match=r"page 1 is 60 × 70 .*page 3 is 50 × 70"):
            open_volume(tmp_path / "a.tif")

    @pytest.mark.parametrize("suffix", [".tif", ".h5", ".npy", ".png", ".txt", ""])
    @pytest.mark.parametrize(
        "content", [b"", b"I am no image\n", b"II*\0", b"\x93NUMPY", b"\x89HDF\r\n\x1a\n"]
    )
    def test_text_and_stumps(self, tmp_path: Path, suffix: str, content: bytes) -> None:
        path = tmp_path / f"a{suffix}"
        path.write_bytes(content)
        with pytest.raises(UniemError):
            open_volume(path)

    def test_a_text_file_named_tif_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "a.tif").write_text("I am no image")
        with pytest.raises(UniemError, match=r"named \.tif but is not a TIFF stack"):
            open_volume(tmp_path / "a.tif")

    def test_missing_empty_and_unreadable(self, tmp_path: Path) -> None:
        with pytest.raises(UniemError, match="no such file"):
            open_volume(tmp_path / "none.tif")
        with pytest.raises(UniemError, match="it is empty"):
            open_volume(tmp_path)
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        with pytest.raises(UniemError, match="links"):
            open_volume(tmp_path / "loop")
        with pytest.raises(UniemError, match="too long"):
            open_volume(tmp_path / ("a" * 300))
        with pytest.raises(UniemError, match="path is empty"):
            open_volume("  ")

    def test_pickled_arrays_are_refused(self, tmp_path: Path) -> None:
        np.save(tmp_path / "a.npy", np.array([{}, {}], object), allow_pickle=True)
        with pytest.raises(UniemError, match="cannot be read"):
            open_volume(tmp_path / "a.npy")

    def test_a_dataset_of_a_tiff(self, tmp_path: Path) -> None:
        export_volume(ArrayVolume(random_voxels((2, 5, 6), "uint8")), tmp_path / "a.tif")
        with pytest.raises(UniemError, match="no dataset 'raw'"):
            open_volume(f"{tmp_path}/a.tif::raw")


class Stopping(Context):
    """Cancels after some progress."""

    def __init__(self) -> None:
        self.steps = 0

    def progress(self, done: int, total: int | None, label: str) -> None:
        self.steps += 1

    def cancelled(self) -> bool:
        return self.steps > 1


class FullDisk(ArrayVolume):
    """A volume whose second slab meets a full disk."""

    def read(self, box: Box) -> NDArray[Any]:
        if box.start[0] > 0:
            raise OSError(28, "No space left on device")
        return super().read(box)


@pytest.mark.parametrize("name", ["a.tif", "a.h5", "a.npy", "a.zarr", "sections/"])
class TestHalfWritten:
    def test_cancel_leaves_nothing(self, tmp_path: Path, name: str) -> None:
        volume = ArrayVolume(random_voxels((40, 30, 30), "uint8"))
        with pytest.raises(Cancelled):
            export_volume(volume, f"{tmp_path}/{name}", Stopping())
        assert not list(tmp_path.iterdir())

    def test_full_disk_leaves_what_was_there(self, tmp_path: Path, name: str) -> None:
        old = ArrayVolume(random_voxels((2, 30, 30), "uint8"))
        if name.startswith("a.") and name != "a.zarr":
            export_volume(old, tmp_path / name)
        before = sorted(tmp_path.iterdir())
        with pytest.raises(UniemError, match="disk is full"):
            export_volume(FullDisk(random_voxels((40, 30, 30), "uint8")), f"{tmp_path}/{name}")
        assert sorted(tmp_path.iterdir()) == before
        if before:
            np.testing.assert_array_equal(open_volume(tmp_path / name)[:], old.array)

    def test_a_place_that_is_a_file(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(UniemError, match="Cannot write"):
            export_volume(ArrayVolume(random_voxels((2, 5, 6), "uint8")), f"{tmp_path}/file/{name}")

    def test_the_input_is_not_overwritten(self, tmp_path: Path, name: str) -> None:
        export_volume(ArrayVolume(random_voxels((2, 5, 6), "uint8")), f"{tmp_path}/{name}")
        volume = open_volume(tmp_path / name)
        with pytest.raises(UniemError):
            export_volume(volume, f"{volume.source}/" if name == "sections/" else volume.source)


def test_unknown_options_and_suffixes(tmp_path: Path) -> None:
    volume = ArrayVolume(random_voxels((2, 5, 6), "uint8"))
    with pytest.raises(UniemError, match=r"no option colour.*compression"):
        export_volume(volume, tmp_path / "a.tif", colour=1)
    with pytest.raises(UniemError, match=r"No known format ends with \.xyz"):
        export_volume(volume, tmp_path / "a.xyz")


def real_volumes(record: Any) -> Iterator[dict[str, Any]]:
    if isinstance(record, dict):
        if "file" in record:
            yield record
        for value in record.values():
            yield from real_volumes(value)
    elif isinstance(record, list):
        for value in record:
            yield from real_volumes(value)


def test_real_volumes_open_with_their_shape_type_voxel_size_and_kind(shared_data: Path) -> None:
    kinds = {"raw": Kind.IMAGE, "probability": Kind.PROBABILITY}
    for record in real_volumes(json.loads((shared_data / "datasets.json").read_text())):
        volume = open_volume(shared_data / record["file"])
        shape = tuple(record["shape"])
        size = record["voxel_size_nm"]
        assert volume.shape == (shape if len(shape) == 3 else (1, *shape)), record
        assert volume.dtype == record["dtype"], record
        assert volume.kind == kinds.get(record["kind"], Kind.LABELS), record
        if len(shape) == 3:  # the pages of single pictures say nothing about z
            assert volume.voxel_size == (VoxelSize(*size) if size else None), record


def test_a_large_stack_of_imagej_has_one_directory(tmp_path: Path) -> None:
    """Beyond 4 GB, ImageJ writes the directory of the first page only, and `images` in its description."""
    import tifffile

    voxels = random_voxels((5, 60, 70), "uint16")
    export_volume(ArrayVolume(voxels), tmp_path / "a.tif", compression="none")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        pages: Any = tiff.pages
        first, order = pages[0], "little" if tiff.byteorder == "<" else "big"
        tag_count = len(first.tags)
        link = first.offset + 2 + 12 * tag_count
    content = bytearray((tmp_path / "a.tif").read_bytes())
    assert int.from_bytes(content[link : link + 4], order)
    content[link : link + 4] = bytes(4)
    (tmp_path / "a.tif").write_bytes(content)
    np.testing.assert_array_equal(open_volume(tmp_path / "a.tif")[:], voxels)
    (tmp_path / "a.tif").write_bytes(content[: first.dataoffsets[0] + 4 * 60 * 70 * 2])
    with pytest.raises(UniemError, match=r"cut short|damaged"):
        open_volume(tmp_path / "a.tif")[:]


def test_a_short_write_of_numpy_is_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(UniemError, match="disk is full"), replacing(tmp_path / "a.tif"):
        raise OSError("90000 requested and 26784 written")


def test_a_tiff_written_page_by_page_has_all_its_sections_and_mixed_sizes_are_refused(tmp_path: Path) -> None:
    import tifffile

    sections = np.random.default_rng(0).integers(0, 255, (5, 20, 30), dtype=np.uint8)
    with tifffile.TiffWriter(tmp_path / "loop.tif") as writer:
        for section in sections:
            writer.write(section)
    assert np.array_equal(open_volume(tmp_path / "loop.tif")[:], sections)
    with tifffile.TiffWriter(tmp_path / "mixed.tif") as writer:
        writer.write(sections[0])
        writer.write(sections[0, :10])
    with pytest.raises(UniemError, match=r"page 1 is 20 × 30.*page 2 is 10 × 30"):
        open_volume(tmp_path / "mixed.tif")
