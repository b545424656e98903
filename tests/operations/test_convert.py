"""Convert: UNI-EM's twelve forms read back by their own libraries, ranges, regions, ids, and refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tests.operations.conftest import NM, run
from uniem.data.formats import open_volume
from uniem.data.geometry import VoxelSize
from uniem.data.palette import colours_of
from uniem.data.store import create_store, open_store
from uniem.data.volume import Kind
from uniem.errors import UniemError
from uniem.operations.parameters import validated
from uniem.operations.registry import find

SHAPE = (3, 37, 53)


def grey(dtype: str) -> NDArray[Any]:
    return np.random.default_rng(5).integers(1, np.iinfo(dtype).max + 1, SHAPE).astype(dtype)


def store_of(path: Path, voxels: NDArray[Any], kind: Kind = Kind.IMAGE) -> Path:
    store = create_store(path, voxels.shape, voxels.dtype, NM, kind)  # type: ignore[arg-type]
    store[:] = voxels
    return path


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    return store_of(tmp_path / "deep.zarr", np.linspace(1000, 3000, 40).reshape(2, 4, 5).astype(np.uint16))


@pytest.fixture
def ids(tmp_path: Path) -> Path:
    """Write labels, some of which are larger than 16 bits."""
    voxels = np.repeat(np.array([0, 7, 300, 70_000, 2**32 - 1], np.uint32), 8)[None, :, None]
    return store_of(tmp_path / "ids.zarr", np.broadcast_to(voxels, (4, 40, 24)).copy(), Kind.LABELS)


def pictures(folder: Path, ending: str) -> list[NDArray[Any]]:
    read = tifffile.imread if ending == "tif" else lambda path: np.asarray(Image.open(path))
    return [read(path) for path in sorted(folder.glob(f"*.{ending}"))]


# UNI-EM's forms, of images and of labels alike


@pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.LABELS])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_sections_in_grey(tmp_path: Path, ending: str, dtype: str, kind: Kind) -> None:
    voxels = grey(dtype)
    source = store_of(tmp_path / "a.zarr", voxels, kind)
    files = {"file_type": ending, "prefix": "vnc_", "first_number": 17, "digits": 3}
    run("convert", {"source": source}, {"result": tmp_path / "out"}, sections=files)
    names = sorted(path.name for path in (tmp_path / "out").glob(f"*.{ending}"))
    assert names == [f"vnc_{number:03d}.{ending}" for number in (17, 18, 19)]
    found = pictures(tmp_path / "out", ending)
    assert found[0].dtype == dtype
    np.testing.assert_array_equal(found, voxels)


@pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.LABELS])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("compression", ["by kind", "none", "lzw", "zlib"])
def test_a_stack_in_grey(tmp_path: Path, compression: str, dtype: str, kind: Kind) -> None:
    voxels = grey(dtype)
    source = store_of(tmp_path / "a.zarr", voxels, kind)
    run("convert", {"source": source}, {"result": tmp_path / "a.tif"}, tiff={"compression": compression})
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert (tiff.series[0].shape, tiff.pages[0].compression != 1) == (
            SHAPE,
            compression in ("lzw", "zlib") or (compression == "by kind" and kind is Kind.LABELS),
        )
        np.testing.assert_array_equal(tiff.asarray(), voxels)


def test_numpy_of_32_bits_and_hdf5_of_64_bits(tmp_path: Path, ids: Path) -> None:
    voxels = open_store(ids)[:]
    for name, dtype in (("a.npy", "uint32"), ("a.npz::stack", "uint32"), ("a.h5::stack", "int64")):
        run("convert", {"source": ids}, {"result": f"{tmp_path}/{name}"}, dtype=dtype)
    array = np.load(tmp_path / "a.npy")
    assert array.dtype == np.uint32
    np.testing.assert_array_equal(array, voxels)
    with np.load(tmp_path / "a.npz") as archive:
        assert archive["stack"].dtype == np.uint32
        np.testing.assert_array_equal(archive["stack"], voxels)
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["stack"].dtype == np.int64
        np.testing.assert_array_equal(file["stack"][:], voxels)


@pytest.mark.parametrize("form", ["png", "tif", "stack"])
def test_labels_in_colour(tmp_path: Path, ids: Path, form: str) -> None:
    target = tmp_path / ("out.tif" if form == "stack" else "out")
    options = {} if form == "stack" else {"sections": {"file_type": form}}
    run(
        "convert",
        {"source": ids},
        {"result": target},
        colour=True,
        colours="300=ff8000,4294967295=0A0b0C",
        **options,
    )
    voxels = open_store(ids)[:]
    expected = colours_of(voxels.ravel()).reshape(*voxels.shape, 3)
    expected[voxels == 300] = (255, 128, 0)
    expected[voxels == 2**32 - 1] = (10, 11, 12)
    found = tifffile.imread(target) if form == "stack" else np.array(pictures(target, form))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)
    back = open_volume(target)
    assert (back.voxel_size, back.kind, back.shape) == (NM, Kind.IMAGE, voxels.shape)
    # Opened as labels, every colour is an id of its own.
    assert len(np.unique(open_volume(target, Kind.LABELS)[0])) == len(np.unique(voxels))


# Values


def test_grey_values_are_mapped_and_never_wrap(tmp_path: Path, deep: Path) -> None:
    run("convert", {"source": deep}, {"result": tmp_path / "a.zarr"}, dtype="uint8", voxel_size="50,4,4")
    made = open_store(tmp_path / "a.zarr")
    assert made.voxel_size == VoxelSize(50, 4, 4) and (made[:].min(), made[:].max()) == (0, 255)
    run("convert", {"source": deep}, {"result": tmp_path / "b.zarr"}, dtype="uint8", low=0, high=2000)
    assert open_store(tmp_path / "b.zarr")[:].min() == round(1000 * 255 / 2000)
    run("convert", {"source": deep}, {"result": tmp_path / "c.zarr"}, dtype="float32")
    np.testing.assert_array_equal(open_store(tmp_path / "c.zarr")[:], open_store(deep)[:].astype(np.float32))
    with pytest.raises(UniemError, match="range from 5 to 3 is empty"):
        run("convert", {"source": deep}, {"result": tmp_path / "d.zarr"}, dtype="uint8", low=5, high=3)


def test_outliers_are_left_out_of_the_range(tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(1000, 2000, (4, 50, 50)).astype(np.uint16)
    voxels[0, 0, :2] = 0, 65_535
    source = store_of(tmp_path / "a.zarr", voxels)
    context = run(
        "convert", {"source": source}, {"result": tmp_path / "b.npy"}, dtype="uint8", clipped_percent=1
    )
    array = np.load(tmp_path / "b.npy")
    assert (array[0, 0, 0], array[0, 0, 1]) == (0, 255)
    assert 100 < array.mean() < 155
    assert 1000 <= context.results["darkest"] < 1020  # type: ignore[attr-defined]


def test_floats_with_holes_are_mapped(tmp_path: Path) -> None:
    voxels = np.linspace(-1, 1, 60, dtype=np.float32).reshape(3, 4, 5)
    voxels[1, 1] = np.nan, np.inf, -np.inf, 0, 0
    np.save(tmp_path / "a.npy", voxels)
    run(
        "convert",
        {"source": tmp_path / "a.npy"},
        {"result": tmp_path / "b.npy"},
        dtype="uint16",
        kind="image",
    )
    array = np.load(tmp_path / "b.npy")
    assert (array.min(), array.max(), array[1, 1].tolist()[:3]) == (0, 65_535, [0, 65_535, 0])


def test_ids_that_do_not_fit_are_named_or_numbered_anew(tmp_path: Path, ids: Path) -> None:
    for target in ("a.zarr", "a.tif", "sections"):
        with pytest.raises(
            UniemError, match=r"Labels 70000, 4294967295 of ids\.zarr .* into uint16"
        ) as caught:
            run("convert", {"source": ids}, {"result": tmp_path / target}, dtype="uint16")
        assert "relabel" in caught.value.hint
        assert not (tmp_path / target).exists()
    context = run("convert", {"source": ids}, {"result": tmp_path / "b.tif"}, dtype="uint8", relabel=True)
    array = tifffile.imread(tmp_path / "b.tif")
    assert (array.dtype, array[0, ::8, 0].tolist()) == (np.uint8, [0, 1, 2, 3, 4])
    assert context.results["objects"] == 4  # type: ignore[attr-defined]


def test_some_objects_are_taken(tmp_path: Path, ids: Path) -> None:
    run("convert", {"source": ids}, {"result": tmp_path / "a.npy"}, only="7, 60000-70000")
    assert np.unique(np.load(tmp_path / "a.npy")).tolist() == [0, 7, 70_000]
    run("convert", {"source": ids}, {"result": tmp_path / "b.npy"}, without="7,4294967295")
    assert np.unique(np.load(tmp_path / "b.npy")).tolist() == [0, 300, 70_000]


def test_colour_pictures_become_ids_when_they_are_said_to_be_labels(tmp_path: Path) -> None:
    colours = np.zeros((2, 6, 8, 3), np.uint8)
    colours[:, 2:], colours[:, 4:] = (10, 0, 0), (0, 0, 30)
    (tmp_path / "in").mkdir()
    for z, section in enumerate(colours):
        Image.fromarray(section).save(tmp_path / "in" / f"{z}.png")
    run("convert", {"source": tmp_path / "in"}, {"result": tmp_path / "a.npy"}, kind="labels")
    assert np.unique(np.load(tmp_path / "a.npy")).tolist() == [0, 30, 655_360]


# Regions and scale


def test_a_region_is_taken_and_made_coarser(tmp_path: Path, image: Path) -> None:
    region = {"first_section": 1, "section_count": 4, "first_row": 10, "row_count": 50, "first_column": 30}
    run(
        "convert",
        {"source": image},
        {"result": tmp_path / "a.zarr"},
        region=region,
        downsample={"z": 2, "y": 5, "x": 2},
    )
    made, voxels = open_store(tmp_path / "a.zarr"), open_store(image)[:]
    assert made.voxel_size == VoxelSize(100, 20, 8)
    cells = voxels[1:, 10:60, 30:].reshape(2, 2, 10, 5, 35, 2).astype(float).mean(axis=(1, 3, 5))
    assert np.abs(made[:] - cells).max() <= 0.5
    with pytest.raises(UniemError, match=r"Rows 90 to 99 were asked for, but .* has 96"):
        run(
            "convert",
            {"source": image},
            {"result": tmp_path / "b.zarr"},
            region={"first_row": 90, "row_count": 10},
        )


def test_requests_of_version_1_name_sections_without_a_region() -> None:
    model = find("convert").parameters
    params = validated(model, {"first_section": 2, "section_count": 3})
    assert params == validated(model, {"region": {"first_section": 2, "section_count": 3}})
    with pytest.raises(UniemError, match=r"region\.first_section"):
        validated(model, {"first_section": -2})


# Formats


def test_the_version_of_ome_zarr_is_chosen(tmp_path: Path, ids: Path) -> None:
    for version in ("0.4", "0.5"):
        target = tmp_path / f"{version}.zarr"
        run("convert", {"source": ids}, {"result": target}, zarr={"version": version})
        assert (target / "zarr.json").exists() == (version == "0.5")
        np.testing.assert_array_equal(open_volume(target)[:], open_store(ids)[:])


def test_pictures_of_8_bits_may_be_jpg(tmp_path: Path, image: Path, ids: Path, deep: Path) -> None:
    as_jpg = {"sections": {"file_type": "jpg"}}
    run("convert", {"source": image}, {"result": tmp_path / "a"}, **as_jpg)
    found = np.array(pictures(tmp_path / "a", "jpg")).astype(int)
    assert np.abs(found - open_store(image)[:]).mean() < 3
    with pytest.raises(UniemError, match="ids JPG would change"):
        run("convert", {"source": ids}, {"result": tmp_path / "b"}, **as_jpg)
    with pytest.raises(UniemError, match="uint16; JPG pictures have 8 bits"):
        run("convert", {"source": deep}, {"result": tmp_path / "c"}, **as_jpg)
    run("convert", {"source": deep}, {"result": tmp_path / "d"}, dtype="uint8", **as_jpg)


@pytest.mark.parametrize(
    ("target", "parameters", "complaint"),
    [
        (
            "a.npy",
            {"sections": {"prefix": "x"}},
            r"sections\.prefix has no effect here: the result is an .npy",
        ),
        ("a.h5", {"tiff": {"compression": "zlib"}}, r"tiff\.compression .* is HDF5"),
        ("a.tif", {"zarr": {"version": "0.4"}}, r"zarr\.version .* is a TIFF stack"),
        ("a.tif", {"low": 3}, "low has no effect here: ids of labels are kept"),
        ("a.npy", {"colour": True}, "colour has no effect here: the result is an .npy"),
        ("a.tif", {"colours": "1=ffffff"}, "colours has no effect here: no colour"),
        ("a.tif", {"colour": True, "dtype": "uint16"}, "dtype has no effect here"),
        (
            "a.tif",
            {"kind": "image", "relabel": True},
            "relabel has no effect here: the source is taken for image",
        ),
        (
            "a.tif",
            {"kind": "image", "low": 0, "high": 9, "clipped_percent": 1},
            "clipped-percent has no effect here: low and high",
        ),
    ],
)
def test_what_would_have_no_effect_is_refused_by_name(
    tmp_path: Path, ids: Path, target: str, parameters: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UniemError, match=complaint):
        run("convert", {"source": ids}, {"result": tmp_path / target}, **parameters)
    assert not (tmp_path / target).exists()


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"only": "3-x"}, "only: write ids as in"),
        ({"only": "0-99999999999"}, "list at most"),
        ({"colours": "7=red"}, "colours: write colours as in"),
        ({"downsample": {"y": 0}}, r"downsample\.y"),
        ({"sections": {"digits": 99}}, r"sections\.digits"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(parameters: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UniemError, match=complaint):
        validated(find("convert").parameters, parameters)


def test_the_prefix_must_be_a_name(tmp_path: Path, image: Path) -> None:
    for prefix in ("../x", "a:b", ".x", "a\nb"):
        with pytest.raises(UniemError, match="cannot begin a file's name"):
            run("convert", {"source": image}, {"result": tmp_path / "out"}, sections={"prefix": prefix})
        assert not (tmp_path / "out").exists()


def test_the_record_says_what_was_asked(tmp_path: Path, ids: Path) -> None:
    run("convert", {"source": ids}, {"result": tmp_path / "out"}, dtype="uint8", relabel=True)
    record = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert (record["operation"], record["version"], record["parameters"]["relabel"]) == ("convert", 2, True)
