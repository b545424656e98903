"""Every format keeps voxels, voxel size and label ids exactly in every type it can hold, and refuses the rest.

The table is read off `FORMATS`: a format without an entry fails, and so does one whose entry says otherwise
than its own declaration.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from uniem.data.formats import FORMATS, export_volume, format_for, open_volume
from uniem.data.geometry import VoxelSize
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError

UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
SIGNED = ["int8", "int16", "int32", "int64"]
FLOATS = ["float16", "float32", "float64"]
DTYPES = ["bool", *UNSIGNED, *SIGNED, *FLOATS]
# What NumPy has beyond them, and no volume has.
NO_VOXELS = ["complex64", "longdouble"]

SAME = {name: name for name in DTYPES if name != "float16"}
WIDENED = {"float16": "float32"}
AS_BYTES = {"bool": "uint8"}
WHOLE = ["bool", *UNSIGNED, *SIGNED]


@dataclass(frozen=True)
class Way:
    """A way of writing a format: a name, options, kinds, and what each type that it holds comes back as."""

    name: str
    holds: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)
    kinds: tuple[Kind, ...] = tuple(Kind)

    def __str__(self) -> str:
        return " ".join([self.name, *map(str, self.options.values())])


ZARR = {**SAME, **WIDENED, **AS_BYTES}
NIFTI = {**SAME, **WIDENED, **AS_BYTES}
MRC = {
    **{"bool": "int8", "int8": "int8", "uint8": "uint16", "uint16": "uint16", "int16": "int16"},
    **{"uint32": "uint16", "uint64": "uint16", "int32": "int16", "int64": "int16"},
    **{"float16": "float32", "float32": "float32"},
}
PRECOMPUTED = {name: ZARR[name] for name in ZARR if name not in ("int64", "float64")}
OME = {name: kept for name, kept in {**SAME, **WIDENED}.items() if name not in ("uint64", "int64")}
PICTURES = dict.fromkeys(WHOLE, "uint16") | {"bool": "uint8", "uint8": "uint8"}
IMAGES = (Kind.IMAGE, Kind.PROBABILITY)

WAYS: dict[str, list[Way]] = {
    "OME-Zarr": [Way("a.zarr", ZARR), Way("a.zarr", ZARR, {"version": "0.4"})],
    "a TIFF stack": [
        Way("a.tif", {**SAME, **WIDENED}),
        Way("a.tif", {**SAME, **WIDENED}, {"compression": "zlib"}),
        Way("a.ome.tif", OME),
    ],
    "HDF5": [Way("a.h5", {**SAME, **WIDENED}), Way("a.h5::volumes/raw", {**SAME, **WIDENED})],
    "an .npy file": [Way("a.npy", {**SAME, **WIDENED})],
    "an .npz file": [Way("a.npz", {**SAME, **WIDENED})],
    "MRC": [Way("a.mrc", MRC)],
    "NIfTI": [Way("a.nii", NIFTI), Way("a.nii.gz", NIFTI)],
    "a precomputed volume": [Way("a.precomputed", PRECOMPUTED)],
    "a Dojo folder": [
        Way("a.mojo", dict.fromkeys(WHOLE, "uint8"), kinds=IMAGES),
        Way("a.mojo", dict.fromkeys(WHOLE, "uint32"), kinds=(Kind.LABELS,)),
    ],
    "a folder of PNG, TIFF or JPG sections": [
        Way("sections/", PICTURES),
        Way("sections/", dict.fromkeys(WHOLE, "uint8"), {"bits": 8}),
        Way("sections/", {**SAME, **WIDENED, **AS_BYTES}, {"file_type": "tif"}),
    ],
}
ALL_WAYS = [way for ways in WAYS.values() for way in ways]
PAIRS = [(way, dtype) for way in ALL_WAYS for dtype in DTYPES]
HELD = [(way, dtype) for way, dtype in PAIRS if dtype in way.holds]
NARROWED = [(w, d) for w, d in HELD if not np.can_cast(d, w.holds[d], "safe")]
REFUSED = [(way, dtype) for way in ALL_WAYS for dtype in [*DTYPES, *NO_VOXELS] if dtype not in way.holds]

ODD_EDGES = [0.1 + 0.2, 100 / 3, 1 / 3, 4.6, 50.0, 1e7 / 7, 1e-3 / 7, 2**0.5, 0.01, 1e-4]
EDGES = st.sampled_from(ODD_EDGES) | st.floats(1e-4, 1e7)
SIZES = st.none() | st.builds(VoxelSize, EDGES, EDGES, EDGES)
QUICK = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))


def limits_of(dtype: str, stored: str) -> tuple[int, int]:
    """Return the least and greatest whole number of a type that the type in the file holds."""
    if dtype == "bool":
        return 0, 1
    own, other = np.iinfo(dtype), np.iinfo(stored)
    return max(int(own.min), int(other.min)), min(int(own.max), int(other.max))


@st.composite
def voxels(draw: st.DrawFn, dtype: str, stored: str) -> NDArray[Any]:
    """Draw small volumes of any values that the file can hold, its extremes and NaN among them."""
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)))
    if np.dtype(dtype).kind == "f":
        return draw(arrays(dtype, shape))
    low, high = limits_of(dtype, stored)
    elements = st.booleans() if dtype == "bool" else st.sampled_from([low, high]) | st.integers(low, high)
    return draw(arrays(dtype, shape, elements=elements))


def patches(shape: tuple[int, int, int], dtype: str, stored: str) -> NDArray[Any]:
    """Return patches of 7 x 7 equal voxels, as labels are; the first and last are the extremes."""
    generator = np.random.default_rng(zlib.crc32(f"{shape}{dtype}".encode()))
    coarse = (shape[0], -(-shape[1] // 7), -(-shape[2] // 7))
    if np.dtype(dtype).kind == "f":
        made = generator.standard_normal(coarse).astype(dtype)
    elif dtype == "bool":
        made = generator.random(coarse) < 0.5
    else:
        low, high = limits_of(dtype, stored)
        made = generator.integers(low, high, coarse, dtype, endpoint=True)
        made.flat[0], made.flat[-1] = low, high
    return np.ascontiguousarray(made.repeat(7, 1).repeat(7, 2)[:, : shape[1], : shape[2]])


def check(folder: Path, way: Way, array: NDArray[Any], size: VoxelSize | None, kind: Kind) -> None:
    """Write a volume, open it again, and compare all that is known about it."""
    name = f"{folder}/{way.name}"
    export_volume(ArrayVolume(array, size, kind), name, **way.options)
    back = open_volume(name.rstrip("/"))
    stored = np.dtype(way.holds[array.dtype.name])
    assert (back.shape, back.dtype, back.kind) == (array.shape, stored, kind)
    assert back.voxel_size == size
    read = back[:]
    assert read.dtype == stored
    # In their own type, since 64-bit ids would be rounded where NumPy compares them as floats.
    same = read.astype(array.dtype)
    np.testing.assert_array_equal(same, array)
    if stored.kind == "f":
        np.testing.assert_array_equal(np.signbit(same), np.signbit(array))


def left_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


class TestTheTable:
    def test_every_format_has_an_entry(self) -> None:
        assert list(WAYS) == [each.title for each in FORMATS]

    @pytest.mark.parametrize("title", WAYS)
    def test_an_entry_is_of_its_format_and_says_what_the_format_says(self, title: str) -> None:
        declared = {each.title: each.holds for each in FORMATS}[title]
        for way in WAYS[title]:
            assert format_for(way.name).title == title
            assert declared is None or way.holds.items() <= declared.items()
        assert declared is None or any(way.holds == dict(declared) for way in WAYS[title])
        assert {kind for way in WAYS[title] for kind in way.kinds} == set(Kind)


class TestWhatIsHeld:
    @pytest.mark.parametrize(("way", "dtype"), HELD, ids=str)
    @given(data=st.data(), size=SIZES)
    @QUICK
    def test_any_values_and_voxel_sizes(
        self, tmp_path_factory: pytest.TempPathFactory, way: Way, dtype: str, data: Any, size: Any
    ) -> None:
        array = data.draw(voxels(dtype, way.holds[dtype]))
        check(tmp_path_factory.mktemp("any"), way, array, size, data.draw(st.sampled_from(way.kinds)))

    @pytest.mark.parametrize("shape", [(1, 1, 1), (3, 200, 200), (5, 600, 700)])
    @pytest.mark.parametrize(("way", "dtype"), HELD, ids=str)
    def test_sizes_up_to_many_tiles_and_ids_up_to_the_largest(
        self, tmp_path: Path, way: Way, dtype: str, shape: tuple[int, int, int]
    ) -> None:
        kind = way.kinds[len(dtype) % len(way.kinds)] if np.dtype(dtype).kind == "f" else way.kinds[-1]
        array = patches(shape, dtype, way.holds[dtype])
        check(tmp_path, way, array, VoxelSize(0.1 + 0.2, 100 / 3, 4.6), kind)

    @pytest.mark.parametrize("way", [way for way in ALL_WAYS if Kind.LABELS in way.kinds], ids=str)
    def test_labels_of_all_sizes_up_to_32_bits(self, tmp_path: Path, way: Way) -> None:
        if np.iinfo(way.holds["uint32"]).max < 2**32 - 1:
            pytest.skip("holds no ids of 32 bits, which another test sees refused")
        ids = np.array([0, 1, 255, 256, 65535, 65536, 2**24 + 1, 2**31, 2**32 - 2, 2**32 - 1], np.uint32)
        check(tmp_path, way, ids.reshape(2, 1, 5), VoxelSize(40, 4, 4), Kind.LABELS)

    @pytest.mark.parametrize("way", ALL_WAYS, ids=str)
    def test_sections_of_few_voxels_are_not_taken_for_colours(self, tmp_path: Path, way: Way) -> None:
        for number, shape in enumerate([(2, 3, 1), (2, 1, 3), (3, 4, 3), (1, 5, 1), (4, 1, 4), (1, 1, 2)]):
            array = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)
            (folder := tmp_path / str(number)).mkdir()
            check(folder, way, array, VoxelSize(40, 4, 4), way.kinds[0])

    @pytest.mark.parametrize("dtype", [">u2", ">f4"])
    @pytest.mark.parametrize("way", ALL_WAYS, ids=str)
    def test_bytes_in_the_other_order(self, tmp_path: Path, way: Way, dtype: str) -> None:
        native = np.dtype(dtype).newbyteorder("=").name
        if native not in way.holds:
            pytest.skip("does not hold the type, which another test sees refused")
        array = np.arange(210).reshape(5, 6, 7)
        check(tmp_path, way, array.astype(dtype), None, way.kinds[0])


class TestWhatIsNotHeld:
    @pytest.mark.parametrize(("way", "dtype"), REFUSED, ids=str)
    def test_types_are_refused_with_a_remedy(self, tmp_path: Path, way: Way, dtype: str) -> None:
        volume = ArrayVolume(np.ones((2, 3, 4), dtype), VoxelSize(40, 4, 4), way.kinds[0])
        with pytest.raises(UniemError, match=np.dtype(dtype).name) as caught:
            export_volume(volume, f"{tmp_path}/{way.name}", **way.options)
        assert any(word in caught.value.hint for word in ("Convert", "Open it as labels"))
        assert not left_in(tmp_path)

    @pytest.mark.parametrize("end", [0, 1])
    @pytest.mark.parametrize(("way", "dtype"), NARROWED, ids=str)
    def test_a_number_beyond_the_file_is_refused_and_never_wrapped(
        self, tmp_path: Path, way: Way, dtype: str, end: int
    ) -> None:
        limits = limits_of(dtype, way.holds[dtype])
        own = (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
        if limits[end] == own[end]:
            pytest.skip("the type has no number beyond this end")
        array = np.ones((20, 3, 4), dtype)
        beyond = limits[end] + (1 if end else -1)
        array[-1, -1, -1] = beyond
        with pytest.raises(UniemError, match=str(beyond)) as caught:
            export_volume(ArrayVolume(array, None, way.kinds[0]), f"{tmp_path}/{way.name}", **way.options)
        assert any(word in caught.value.hint for word in ("Convert", "convert", "Relabel", "relabel"))
        assert not left_in(tmp_path)

    @pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 3, 0)])
    @pytest.mark.parametrize("way", ALL_WAYS, ids=str)
    def test_no_voxels_at_all(self, tmp_path: Path, way: Way, shape: tuple[int, int, int]) -> None:
        volume = ArrayVolume(np.ones(shape, np.uint8), None, way.kinds[0])
        with pytest.raises(UniemError, match="holds no voxel"):
            export_volume(volume, f"{tmp_path}/{way.name}", **way.options)
        assert not left_in(tmp_path)


REAL = {
    "snemi3d_crop_raw.tif": Kind.IMAGE,
    "snemi3d_crop_neurons.tif": Kind.LABELS,
    "snemi3d_crop_supervoxels.tif": Kind.LABELS,
    "galafib_train_boundary.tif": Kind.PROBABILITY,
    "vnc_raw.tif": Kind.IMAGE,
    "urocell_2_fv.tif": Kind.LABELS,
    "celegans_raw.tif": Kind.IMAGE,
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("way", ALL_WAYS, ids=str)
def test_real_volumes_go_into_every_format_and_come_back(
    shared_data: Path, tmp_path: Path, way: Way, name: str
) -> None:
    source = open_volume(shared_data / name)
    assert source.kind is REAL[name]
    crop = source[2:9, 10:110, 20:150]
    if source.kind not in way.kinds:
        pytest.skip("another way of this format takes this kind")
    limits = np.iinfo(way.holds[crop.dtype.name])
    if int(crop.max()) > limits.max:
        with pytest.raises(UniemError, match=str(limits.max)):
            check(tmp_path, way, crop, source.voxel_size, source.kind)
    else:
        check(tmp_path, way, crop, source.voxel_size, source.kind)
