"""Dojo folders: what an independent writer of the documented layout made opens, and what is written follows it."""

from __future__ import annotations

import errno
import itertools
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from uniem.data.formats import export_volume, open_volume
from uniem.data.formats.mojo import MojoSegment, probe, read_segments
from uniem.data.formats.picture import decode_picture
from uniem.data.geometry import Box, VoxelSize
from uniem.data.palette import colours_of
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError
from uniem.progress import Cancelled, Context

SHAPES = [(1, 1, 1), (3, 200, 200), (5, 600, 700), (2, 513, 1100)]
MAX_ID = 2**32 - 1


def random_ids(shape: tuple[int, int, int], seed: int = 0) -> NDArray[np.uint32]:
    """Return patches of 7 x 7 voxels with ids of all sizes, some 0, one the largest."""
    generator = np.random.default_rng(seed)
    coarse = (shape[0], -(-shape[1] // 7), -(-shape[2] // 7))
    ids = generator.integers(0, MAX_ID, coarse, np.uint32, endpoint=True)
    ids >>= generator.integers(0, 33, coarse, np.uint32).clip(0, 31)
    fine = ids.repeat(7, 1).repeat(7, 2)[:, : shape[1], : shape[2]]
    fine[-1, -1, -1] = MAX_ID
    return np.ascontiguousarray(fine)


def random_image(shape: tuple[int, int, int], seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 255, shape, np.uint8, endpoint=True)


class DojoWriter:
    """Write a folder as UNI-EM does: padded to powers of two, sub-sampled, without the original size."""

    def __init__(self, folder: Path, image_type: str = "tif") -> None:
        self.folder = folder
        self.image_type = image_type

    def write(self, image: NDArray[Any], ids: NDArray[np.uint32]) -> None:
        self.write_part("images", image)
        self.write_part("ids", ids)
        with h5py.File(self.folder / "ids/colorMap.hdf5", "w") as file:
            colours = np.random.default_rng(1).integers(0, 255, (16001, 3), np.uint8, endpoint=True)
            colours[0] = 0
            file["idColorMap"] = colours
        with closing(sqlite3.connect(self.folder / "ids/segmentInfo.db")) as base, base:
            base.execute("CREATE TABLE idTileIndex (id, w, z, y, x)")
            base.execute("CREATE TABLE segmentInfo (id UNIQUE, name, size, confidence, type, subtype)")
            base.execute("CREATE TABLE relabelMap (fromId PRIMARY KEY, toId)")
            for label, size in zip(*np.unique(ids[ids > 0], return_counts=True), strict=True):
                row = (int(label), f"segment{label}", int(size), 0, "", "")
                base.execute("INSERT INTO segmentInfo VALUES (?, ?, ?, ?, ?, ?)", row)

    def sql(self, command: str, *values: object) -> None:
        with closing(sqlite3.connect(self.folder / "ids/segmentInfo.db")) as base, base:
            base.execute(command, values)

    def write_part(self, part: str, voxels: NDArray[Any]) -> None:
        depth, height, width = voxels.shape
        rows, columns = (2 ** int(np.ceil(np.log2(n))) for n in (height, width))
        padded = np.zeros((depth, rows, columns), voxels.dtype)
        padded[:, :height, :width] = voxels
        level = 0
        while max(rows, columns) >> level > 256:
            for z in range(depth):
                self.write_section(part, level, z, padded[z, :: 2**level, :: 2**level])
            level += 1
        ending = self.image_type if part == "images" else "hdf5"
        (self.folder / part / "tiledVolumeDescription.xml").write_text(
            f'<?xml version="1.0"?>\n<tiledVolumeDescription fileExtension="{ending}" '
            f'numTilesX="{-(-columns // 512)}" numTilesY="{-(-rows // 512)}" numTilesZ="{depth}" '
            f'numTilesW="{level}" numVoxelsPerTileX="512" numVoxelsPerTileY="512" numVoxelsPerTileZ="1" '
            f'numVoxelsX="{columns}" numVoxelsY="{rows}" numVoxelsZ="{depth}" '
            f'dxgiFormat="R8_UNorm" numBytesPerVoxel="1" isSigned="false"/>'
        )

    def write_section(self, part: str, level: int, z: int, section: NDArray[Any]) -> None:
        folder = self.folder / part / f"tiles/w={level:08d}/z={z:08d}"
        folder.mkdir(parents=True)
        for y, x in itertools.product(*(range(-(-n // 512)) for n in section.shape)):
            tile = np.zeros((512, 512), section.dtype)
            piece = section[y * 512 : y * 512 + 512, x * 512 : x * 512 + 512]
            tile[: piece.shape[0], : piece.shape[1]] = piece
            self.write_tile(folder / f"y={y:08d},x={x:08d}", tile)

    def write_tile(self, stem: Path, tile: NDArray[Any]) -> None:
        import imagecodecs

        if tile.dtype == np.uint32:
            with h5py.File(f"{stem}.hdf5", "w") as file:
                file["IdMap"] = tile
        elif self.image_type == "tif":
            tifffile.imwrite(f"{stem}.tif", tile, compression="lzw")
        else:
            encode = imagecodecs.png_encode if self.image_type == "png" else imagecodecs.jpeg8_encode
            Path(f"{stem}.{self.image_type}").write_bytes(encode(tile))


@pytest.fixture
def dojo(tmp_path: Path) -> DojoWriter:
    """Write a folder of 600 x 700 voxels with the segments 1, 2, 3, 4, 20000 and the largest id."""
    image = random_image((3, 600, 700)) | 1
    ids = np.zeros((3, 600, 700), np.uint32)
    for i, label in enumerate((1, 2, 3, 4, 20000, MAX_ID)):
        ids[:, 100 * i : 100 * i + 50, 10:700] = label
    writer = DojoWriter(tmp_path / "project")
    writer.write(image, ids)
    return writer


def voxels_of(dojo: DojoWriter, part: str) -> NDArray[Any]:
    return open_volume(f"{dojo.folder}::{part}")[:]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NDArray[np.uint32]]:
    """Return a written folder of ids, larger than one tile on both sides, and its voxels."""
    path = tmp_path_factory.mktemp("wide") / "a.mojo"
    voxels = random_ids((3, 600, 1100))
    export_volume(ArrayVolume(voxels, None, Kind.LABELS), path)
    return path, voxels


class TestRoundTrip:
    @pytest.mark.parametrize("shape", SHAPES)
    @given(
        size=st.none() | st.builds(VoxelSize, *[st.floats(0.01, 5000, allow_nan=False)] * 3),
        seed=st.integers(0, 99),
        first=st.sampled_from(["images", "ids"]),
    )
    @settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
    def test_keeps_voxels_ids_size_and_kinds(
        self, tmp_path_factory: pytest.TempPathFactory, shape: Any, size: Any, seed: int, first: str
    ) -> None:
        path = tmp_path_factory.mktemp("round") / "a.mojo"
        both = {
            "images": ArrayVolume(random_image(shape, seed), size, Kind.IMAGE),
            "ids": ArrayVolume(random_ids(shape, seed), size, Kind.LABELS),
        }
        for part in sorted(both, key=lambda name: name != first):
            export_volume(both[part], path)
        for part, written in both.items():
            back = open_volume(f"{path}::{part}")
            assert (back.shape, back.dtype, back.kind) == (shape, written.dtype, written.kind)
            assert back.voxel_size == size
            assert (back.name, back.source) == (f"a.mojo::{part}", f"{path}::{part}")
            np.testing.assert_array_equal(back[:], written.array)
        assert sorted(p.name for p in path.iterdir()) == ["ids", "images"]
        labels, counts = np.unique(both["ids"].array, return_counts=True)
        expected = dict(zip(labels.tolist(), counts.tolist(), strict=True))
        expected.pop(0, None)
        assert {s.id: s.size for s in read_segments(path)} == expected

    @given(
        corner=st.tuples(st.integers(0, 2), st.integers(0, 598), st.integers(0, 1098)),
        extent=st.tuples(st.integers(1, 3), st.integers(1, 600), st.integers(1, 1100)),
    )
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    def test_any_box_equals_the_array(self, wide: tuple[Path, Any], corner: Any, extent: Any) -> None:
        path, voxels = wide
        stop = tuple(min(a + n, s) for a, n, s in zip(corner, extent, voxels.shape, strict=True))
        box = Box(corner, (stop[0], stop[1], stop[2]))
        np.testing.assert_array_equal(open_volume(path).read(box), voxels[box.slices])

    @pytest.mark.parametrize(("dtype", "part"), [("bool", "images"), ("uint16", "images"), ("int64", "ids")])
    def test_other_types_are_kept_where_they_fit(self, tmp_path: Path, dtype: str, part: str) -> None:
        voxels = (random_image((2, 20, 30)) % 2).astype(dtype)
        export_volume(ArrayVolume(voxels), f"{tmp_path}/a.mojo::{part}")
        np.testing.assert_array_equal(open_volume(tmp_path / "a.mojo")[:], voxels.astype("uint8"))

    def test_names_and_locks_go_out_and_come_back(self, tmp_path: Path) -> None:
        labels = ArrayVolume(random_image((1, 9, 9)) % 3, None, Kind.LABELS)
        known = [MojoSegment(2, "soma 日本", confidence=100)]
        export_volume(labels, tmp_path / "a.mojo", segments=known)
        one, two = read_segments(tmp_path / "a.mojo")
        assert (one.name, one.is_locked, two.name, two.is_locked) == ("segment1", False, "soma 日本", True)
        assert two.size == int((labels.array == 2).sum())
        assert two.colour == tuple(colours_of([2])[0].tolist())


class TestLayout:
    """What is written, against section 2.3 of the description of the format."""

    @pytest.fixture
    def written(self, tmp_path: Path) -> Path:
        export_volume(ArrayVolume(random_image((3, 600, 700))), tmp_path / "a.mojo")
        export_volume(ArrayVolume(random_ids((3, 600, 700)), None, Kind.LABELS), tmp_path / "a.mojo")
        return tmp_path / "a.mojo"

    def test_files_and_tiles_equal_those_of_an_independent_writer(
        self, written: Path, tmp_path: Path
    ) -> None:
        other = DojoWriter(tmp_path / "other")
        other.write(random_image((3, 600, 700)), random_ids((3, 600, 700)))
        names = {str(p.relative_to(other.folder)) for p in other.folder.rglob("*")}
        own = {str(p.relative_to(written)) for p in written.rglob("*")}
        assert own - names == {"images/volume.json", "ids/volume.json"}
        assert not names - own
        for path in other.folder.rglob("*.hdf5"):
            if path.parent.name.startswith("z="):
                content = (written / path.relative_to(other.folder)).read_bytes()
                assert content == path.read_bytes()
                assert len(content) == 1_050_624
        for path in other.folder.rglob("*.tif"):
            tile = written / path.relative_to(other.folder)
            np.testing.assert_array_equal(tifffile.imread(tile), decode_picture(path))
            with tifffile.TiffFile(tile) as tiff:
                assert tiff.pages[0].compression.name == "LZW"

    def test_descriptions(self, written: Path) -> None:
        common = {
            **{"numTilesX": "2", "numTilesY": "2", "numTilesZ": "3", "numTilesW": "2"},
            **{"numVoxelsPerTileX": "512", "numVoxelsPerTileY": "512", "numVoxelsPerTileZ": "1"},
            **{"numVoxelsX": "1024", "numVoxelsY": "1024", "numVoxelsZ": "3", "isSigned": "false"},
        }
        own = {
            "images": {"fileExtension": "tif", "dxgiFormat": "R8_UNorm", "numBytesPerVoxel": "1"},
            "ids": {"fileExtension": "hdf5", "dxgiFormat": "R32_UInt", "numBytesPerVoxel": "4"},
        }
        for part, attributes in own.items():
            node = ElementTree.parse(written / part / "tiledVolumeDescription.xml").getroot()
            assert node.tag == "tiledVolumeDescription"
            assert node.attrib == common | attributes

    def test_tables_and_colours(self, written: Path) -> None:
        ids = random_ids((3, 600, 700))
        padded = np.zeros((3, 1024, 1024), np.uint32)
        padded[:, :600, :700] = ids
        expected = set()
        for w, z in itertools.product(range(2), range(3)):
            section = padded[z, :: 2**w, :: 2**w]
            for y, x in itertools.product(range(2 - w), range(2 - w)):
                tile = section[y * 512 : y * 512 + 512, x * 512 : x * 512 + 512]
                expected |= {(label, w, z, y, x) for label in np.unique(tile).tolist() if label}
        with closing(sqlite3.connect(written / "ids/segmentInfo.db")) as base:
            index = base.execute("SELECT id, w, z, y, x FROM idTileIndex").fetchall()
            infos = base.execute("SELECT * FROM segmentInfo").fetchall()
            columns = [row[1] for row in base.execute("PRAGMA table_info(segmentInfo)")]
            assert base.execute("SELECT count(*) FROM relabelMap").fetchone() == (0,)
            with pytest.raises(sqlite3.IntegrityError):
                base.execute("INSERT INTO segmentInfo VALUES (?, 'twin', 1, 0)", (infos[0][0],))
        assert len(index) == len(expected)
        assert set(index) == expected
        assert columns == ["id", "name", "size", "confidence"]
        labels, counts = np.unique(ids[ids > 0], return_counts=True)
        pairs = zip(labels.tolist(), counts.tolist(), strict=True)
        assert sorted(infos) == [(label, f"segment{label}", count, 0) for label, count in pairs]
        with h5py.File(written / "ids/colorMap.hdf5") as file:
            table = file["idColorMap"][()]
        assert (table.dtype, table.shape, table[0].tolist()) == (np.uint8, (16001, 3), [0, 0, 0])

    @pytest.mark.parametrize(
        ("shape", "grid"),
        [((1, 1, 1), [(1, 1)]), ((1, 512, 1025), [(1, 4), (1, 2), (1, 1)]), ((1, 600, 40), [(2, 1), (1, 1)])],
    )
    def test_levels_end_once_both_sides_fit_into_256(self, tmp_path: Path, shape: Any, grid: Any) -> None:
        export_volume(ArrayVolume(random_image(shape)), tmp_path / "a.mojo")
        for level, (rows, columns) in enumerate(grid):
            tiles = list((tmp_path / f"a.mojo/images/tiles/w={level:08d}/z=00000000").iterdir())
            assert len(tiles) == rows * columns
        assert len(list((tmp_path / "a.mojo/images/tiles").iterdir())) == len(grid)


class TestFolderOfUniEm:
    def test_padding_is_taken_off(self, dojo: DojoWriter) -> None:
        image = open_volume(f"{dojo.folder}::images")
        assert (image.shape, image.dtype, image.kind) == ((3, 600, 700), np.uint8, Kind.IMAGE)
        assert image.voxel_size is None
        np.testing.assert_array_equal(image[:], random_image((3, 600, 700)) | 1)
        labels = open_volume(dojo.folder, Kind.LABELS)
        assert (labels.shape, labels.dtype, labels.kind) == ((3, 600, 700), np.uint32, Kind.LABELS)
        assert open_volume(dojo.folder, Kind.IMAGE).name == "project::images"

    def test_both_and_no_choice_lists_them(self, dojo: DojoWriter) -> None:
        with pytest.raises(UniemError, match=r"holds images and ids.*::ids"):
            open_volume(dojo.folder)
        assert open_volume(dojo.folder / "ids").source == f"{dojo.folder}::ids"

    def test_merges_names_locks_and_colours(self, dojo: DojoWriter) -> None:
        before = voxels_of(dojo, "ids")
        dojo.sql("INSERT INTO relabelMap VALUES (?, ?)", 2, 1)
        dojo.sql("INSERT INTO relabelMap VALUES (?, ?)", 3, 2)
        dojo.sql("INSERT INTO relabelMap VALUES (?, ?)", MAX_ID, 20000)
        dojo.sql("UPDATE segmentInfo SET name = ?, confidence = 100 WHERE id = 1", "axon 'A'; --")
        expected = before.copy()
        expected[(before == 2) | (before == 3)] = 1
        expected[before == MAX_ID] = 20000
        np.testing.assert_array_equal(voxels_of(dojo, "ids"), expected)
        segments = read_segments(dojo.folder)
        one = 3 * 50 * 690
        assert [(s.id, s.name, s.size, s.is_locked) for s in segments] == [
            (1, "axon 'A'; --", 3 * one, True),
            (4, "segment4", one, False),
            (20000, "segment20000", 2 * one, False),
        ]
        with h5py.File(dojo.folder / "ids/colorMap.hdf5") as file:
            assert segments[2].colour == tuple(file["idColorMap"][20000 % 16001].tolist())

    def test_a_segment_merged_into_nothing_is_background(self, dojo: DojoWriter) -> None:
        dojo.sql("INSERT INTO relabelMap VALUES (4, 0)")
        assert 4 not in voxels_of(dojo, "ids")
        assert 4 not in {s.id for s in read_segments(dojo.folder)}

    @pytest.mark.parametrize("image_type", ["png", "jpg"])
    def test_other_kinds_of_image_tiles(self, tmp_path: Path, image_type: str) -> None:
        image = np.full((2, 400, 600), 100, np.uint8)
        DojoWriter(tmp_path / "d", image_type).write_part("images", image)
        volume = open_volume(tmp_path / "d")
        assert volume.shape[0] == 2
        assert volume.shape[1] in range(400, 409)  # JPEG blurs the border within its blocks of 8
        np.testing.assert_array_equal(volume[:, :392, :592], image[:, :392, :592])

    @pytest.mark.parametrize(
        ("filled", "shape"),
        [
            ((600, 700), (600, 700)),
            ((1024, 1024), (1024, 1024)),
            ((300, 900), (513, 900)),  # 300 rows would have been padded to 512
            ((0, 0), (1024, 1024)),
        ],
    )
    def test_the_rule_of_the_size(self, tmp_path: Path, filled: tuple[int, int], shape: Any) -> None:
        image = np.zeros((2, 1024, 1024), np.uint8)
        image[1, : filled[0], : filled[1]] = 9
        DojoWriter(tmp_path / "d").write_part("images", image)
        assert open_volume(tmp_path / "d").shape == (2, *shape)

    def test_black_images_leave_the_size_to_the_ids(self, tmp_path: Path) -> None:
        ids = np.ones((2, 610, 720), np.uint32)
        DojoWriter(tmp_path / "d").write(np.zeros((2, 610, 720), np.uint8), ids)
        assert open_volume(f"{tmp_path}/d::images").shape == (2, 610, 720)

    def test_an_edge_that_is_no_power_of_two_was_not_padded(self, tmp_path: Path) -> None:
        DojoWriter(tmp_path / "d").write_part("images", np.zeros((1, 600, 700), np.uint8))
        path = tmp_path / "d/images/tiledVolumeDescription.xml"
        text = path.read_text().replace('VoxelsX="1024"', 'VoxelsX="777"')
        path.write_text(text.replace('VoxelsY="1024"', 'VoxelsY="666"'))
        assert open_volume(tmp_path / "d").shape == (1, 666, 777)

    def test_many_threads_read_at_once(self, dojo: DojoWriter) -> None:
        dojo.sql("INSERT INTO relabelMap VALUES (2, 1)")
        expected = voxels_of(dojo, "ids")
        volume = open_volume(f"{dojo.folder}::ids")
        right: list[bool] = []
        threads = [
            threading.Thread(target=lambda z=z: right.append(np.array_equal(volume[z], expected[z])))
            for z in (0, 1, 2, 0, 1, 2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert right == [True] * 6


def cut(path: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        content = (folder / path).read_bytes()
        (folder / path).write_bytes(content[: len(content) // 3])

    return damage


def drop(path: str) -> Callable[[Path], None]:
    return lambda folder: (folder / path).unlink()


def put(path: str, text: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / path).write_text(text)

    return damage


def swap(path: str, old: str, new: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        text = (folder / path).read_text()
        assert old in text
        (folder / path).write_text(text.replace(old, new))

    return damage


def sql(command: str) -> Callable[[Path], None]:
    return lambda folder: DojoWriter(folder).sql(command)


XML = "tiledVolumeDescription.xml"
TILES = "tiles/w=00000000/z=00000001"
TILE = f"{TILES}/y=00000000,x=00000001"


class TestDamage:
    @pytest.mark.parametrize(
        ("part", "damage", "message"),
        [
            ("images", drop(f"images/{XML}"), f"lacks images/{XML}"),
            ("images", cut(f"images/{XML}"), "does not describe tiles"),
            ("images", swap(f"images/{XML}", 'numVoxelsX="1024"', 'numVoxelsX="x"'), "does not describe"),
            ("images", swap(f"images/{XML}", 'numVoxelsX="1024"', 'numVoxelsX="-4"'), "does not describe"),
            ("images", swap(f"images/{XML}", 'sZ="3"', 'sZ="999999999999"'), "is missing"),
            ("images", swap(f"images/{XML}", 'sX="1024"', 'sX="1099511627776"'), "is missing"),
            ("images", swap(f"images/{XML}", '="tif"', '="a/../x"'), "are 'a/../x' files"),
            ("images", drop(f"images/{TILE}.tif"), "is missing; section 1 should have 4 tiles"),
            ("images", cut(f"images/{TILE}.tif"), "damaged|cut short"),
            ("images", put(f"images/{TILE}.tif", ""), r"x=00000001\.tif"),
            ("ids", drop(f"ids/{XML}"), f"lacks ids/{XML}"),
            ("ids", drop(f"ids/{TILE}.hdf5"), "is missing; section 1"),
            ("ids", cut(f"ids/{TILE}.hdf5"), r"x=00000001\.hdf5 is damaged"),
            ("ids", drop("ids/segmentInfo.db"), "lacks ids/segmentInfo.db"),
            ("ids", put("ids/segmentInfo.db", "no database" * 99), "cannot be read"),
            ("ids", sql("DROP TABLE relabelMap"), "no such table"),
            ("ids", sql("INSERT INTO relabelMap VALUES (1, 4294967296)"), "beyond 32 bits"),
            ("ids", sql("INSERT INTO relabelMap VALUES (1, 'many')"), "'many' where a number"),
            ("ids", sql("INSERT INTO relabelMap VALUES (1, 2), (2, 3), (3, 1)"), "round in a circle"),
            ("colours", drop("ids/colorMap.hdf5"), "is missing; it holds the colours"),
            ("colours", cut("ids/colorMap.hdf5"), "cannot be read"),
        ],
    )
    def test_one_clear_message(
        self, dojo: DojoWriter, part: str, damage: Callable[[Path], None], message: str
    ) -> None:
        damage(dojo.folder)
        with pytest.raises(UniemError, match=message) as caught:
            if part == "colours":
                read_segments(dojo.folder)
            else:
                voxels_of(dojo, part)
        assert caught.value.hint

    def test_a_tile_of_another_size_or_type(self, dojo: DojoWriter) -> None:
        tifffile.imwrite(dojo.folder / f"images/{TILE}.tif", np.zeros((512, 512), np.uint16))
        with pytest.raises(UniemError, match="Tiles differ"):
            voxels_of(dojo, "images")
        with h5py.File(dojo.folder / f"ids/{TILE}.hdf5", "w") as file:
            file["IdMap"] = np.zeros((5, 5), np.uint32)
        with pytest.raises(UniemError, match="is 5 × 5"):
            voxels_of(dojo, "ids")
        with h5py.File(dojo.folder / f"ids/{TILE}.hdf5", "w") as file:
            file["IdMap"] = np.zeros((512, 512), np.int64)
        with pytest.raises(UniemError, match="holds int64"):
            voxels_of(dojo, "ids")
        with h5py.File(dojo.folder / "ids/colorMap.hdf5", "w") as file:
            file["idColorMap"] = np.zeros((16001, 4), np.uint8)
        with pytest.raises(UniemError, match=r"shape \(16001, 4\), not colours"):
            read_segments(dojo.folder)

    def test_unknown_datasets(self, dojo: DojoWriter) -> None:
        with pytest.raises(UniemError, match="holds no 'stack'"):
            voxels_of(dojo, "stack")
        with pytest.raises(UniemError, match="holds no 'stack'"):
            export_volume(ArrayVolume(random_image((1, 2, 3))), f"{dojo.folder}.mojo::stack")

    def test_other_folders_are_no_dojo_folders(self, tmp_path: Path) -> None:
        (tmp_path / "images/tiles").mkdir(parents=True)
        assert not probe(tmp_path)
        assert not probe(tmp_path / "absent")


class Stopping(Context):
    def cancelled(self) -> bool:
        return True


class FullDisk(ArrayVolume):
    def read(self, box: Box) -> NDArray[Any]:
        """Fail after some sections, as a write to a full disk does."""
        if box.stop[0] > 16:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().read(box)


class TestWriting:
    @pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.LABELS])
    def test_full_disk_leaves_nothing(self, tmp_path: Path, kind: Kind) -> None:
        with pytest.raises(UniemError, match="disk is full"):
            export_volume(FullDisk(random_image((20, 9, 9)), None, kind), tmp_path / "a.mojo")
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.LABELS])
    def test_cancel_leaves_nothing(self, tmp_path: Path, kind: Kind) -> None:
        volume = ArrayVolume(random_image((4, 9, 9)), None, kind)
        with pytest.raises(Cancelled):
            export_volume(volume, tmp_path / "a.mojo", Stopping())
        assert not list(tmp_path.iterdir())
        export_volume(volume, tmp_path / "a.mojo")
        other = ArrayVolume(volume.array, None, Kind.LABELS if kind == Kind.IMAGE else Kind.IMAGE)
        with pytest.raises(Cancelled):
            export_volume(other, tmp_path / "a.mojo", Stopping())
        assert len(list((tmp_path / "a.mojo").iterdir())) == 1

    @pytest.mark.parametrize(
        ("array", "kind", "message"),
        [
            (np.full((1, 2, 2), 256, np.uint16), Kind.IMAGE, "values from 256 to 256.*0 to 255"),
            (np.full((1, 2, 2), -1, np.int8), Kind.IMAGE, "from -1"),
            (np.zeros((1, 2, 2), np.float32), Kind.IMAGE, "is float32"),
            (np.full((1, 2, 2), 2**32, np.uint64), Kind.LABELS, "label ids from 4294967296"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, tmp_path: Path, array: Any, kind: Kind, message: str) -> None:
        with pytest.raises(UniemError, match=message):
            export_volume(ArrayVolume(array, None, kind), tmp_path / "a.mojo")
        assert not list(tmp_path.iterdir())

    def test_targets_that_hold_something_else(self, tmp_path: Path) -> None:
        volume = ArrayVolume(random_image((2, 20, 30)))
        path = tmp_path / "a.mojo"
        export_volume(volume, path)
        with pytest.raises(UniemError, match="not empty"):
            export_volume(volume, path)
        smaller = ArrayVolume(np.ones((2, 20, 31), np.uint8), None, Kind.LABELS, "cells")
        with pytest.raises(UniemError, match=r"images in .* are 2 × 20 × 30 .*, but cells is 2 × 20 × 31"):
            export_volume(smaller, path)
        (tmp_path / "b.mojo").mkdir()
        (tmp_path / "b.mojo/letter.txt").write_text("x")
        with pytest.raises(UniemError, match="not a Dojo folder"):
            export_volume(volume, tmp_path / "b.mojo")
        (tmp_path / "c.mojo").write_text("x")
        with pytest.raises(UniemError, match="Cannot write"):
            export_volume(volume, tmp_path / "c.mojo")
