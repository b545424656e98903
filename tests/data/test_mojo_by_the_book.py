"""A Dojo folder written here, read by a slow reader that knows nothing but the description of the layout."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from uniem.data.formats import export_volume
from uniem.data.formats.mojo import MojoSegment
from uniem.data.geometry import VoxelSize
from uniem.data.volume import ArrayVolume, Kind

# What UNI-EM looks for before it takes a folder for one of Dojo's.
REQUIRED = (
    "ids",
    "ids/tiles",
    "ids/tiledVolumeDescription.xml",
    "ids/colorMap.hdf5",
    "ids/segmentInfo.db",
    "images",
    "images/tiles",
    "images/tiledVolumeDescription.xml",
)
ID_TILE_BYTES = 1_050_624


class DojoReader:
    """Reads a Dojo folder tile by tile, and asserts every rule of its layout on the way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        assert all((folder / name).exists() for name in REQUIRED)

    def part(self, name: str) -> list[NDArray[Any]]:
        """Return the padded volume of each level of `images` or `ids`, as UNI-EM shows it."""
        about = self.description(name)
        size = [about[f"numVoxels{axis}"] for axis in "ZYX"]
        assert [about[f"numVoxelsPerTile{axis}"] for axis in "ZYX"] == [1, 512, 512]
        assert [about[f"numTiles{axis}"] for axis in "ZYX"] == [
            size[0],
            math.ceil(size[1] / 512),
            math.ceil(size[2] / 512),
        ]
        assert all(math.log2(edge).is_integer() for edge in size[1:])
        # A level is written while a side is longer than 256; that is why UNI-EM cannot import smaller images.
        levels, edge = 0, max(size[1:])
        while edge > 256:
            levels, edge = levels + 1, edge / 2
        assert about["numTilesW"] == levels
        tiles = self.folder / name / "tiles"
        assert sorted(p.name for p in tiles.iterdir()) == [f"w={w:08d}" for w in range(levels)]
        return [self.level(name, w, size) for w in range(levels)]

    def description(self, name: str) -> dict[str, Any]:
        """Return the attributes of the one element of the description, numbers as numbers."""
        text = (self.folder / name / "tiledVolumeDescription.xml").read_text("utf-8")
        root = ElementTree.fromstring(text)
        assert root.tag == "tiledVolumeDescription"
        assert not list(root)
        about = dict(root.attrib)
        kinds = {"images": ("tif", "R8_UNorm", "1"), "ids": ("hdf5", "R32_UInt", "4")}
        stated = tuple(about.pop(key) for key in ("fileExtension", "dxgiFormat", "numBytesPerVoxel"))
        assert stated == kinds[name]
        assert about.pop("isSigned") == "false"
        numbers = {
            f"{what}{axis}" for what in ("numTiles", "numVoxelsPerTile", "numVoxels") for axis in "XYZ"
        }
        assert set(about) == numbers | {"numTilesW"}
        return {key: int(value) for key, value in about.items()}

    def level(self, name: str, w: int, size: list[int]) -> NDArray[Any]:
        """Return a level, of which every tile is there and nothing else."""
        rows, columns = (math.ceil(math.ceil(edge / 2**w) / 512) for edge in size[1:])
        folder = self.folder / name / "tiles" / f"w={w:08d}"
        assert sorted(p.name for p in folder.iterdir()) == [f"z={z:08d}" for z in range(size[0])]
        ending = "tif" if name == "images" else "hdf5"
        sections = []
        for z in range(size[0]):
            names = [f"y={y:08d},x={x:08d}.{ending}" for y in range(rows) for x in range(columns)]
            place = folder / f"z={z:08d}"
            assert sorted(p.name for p in place.iterdir()) == names
            decoded = [self.tile(place / each) for each in names]
            grid = [decoded[row * columns : (row + 1) * columns] for row in range(rows)]
            sections.append(np.block(grid))
        stack = np.stack(sections)
        return stack[:, : math.ceil(size[1] / 2**w), : math.ceil(size[2] / 2**w)]

    def tile(self, path: Path) -> NDArray[Any]:
        """Return a tile: a TIFF packed with LZW, or one plain dataset of HDF5."""
        if path.suffix == ".tif":
            with Image.open(path) as picture:
                assert (picture.mode, picture.size, getattr(picture, "n_frames", 1)) == ("L", (512, 512), 1)
                assert picture.info["compression"] == "tiff_lzw"
                return np.asarray(picture)
        assert path.stat().st_size == ID_TILE_BYTES
        with h5py.File(path) as file:
            assert list(file) == ["IdMap"]
            node = file["IdMap"]
            assert (node.dtype, node.shape) == (np.uint32, (512, 512))
            assert (node.chunks, node.compression) == (None, None)
            return node[()]

    def colours(self) -> NDArray[np.uint8]:
        """Return the table of colours; ids beyond it begin again."""
        with h5py.File(self.folder / "ids" / "colorMap.hdf5") as file:
            assert list(file) == ["idColorMap"]
            table = file["idColorMap"][()]
        assert (table.dtype, table.shape) == (np.uint8, (16001, 3))
        assert not table[0].any()
        return table

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "ids" / "segmentInfo.db")) as base:
            return base.execute(sql).fetchall()


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 200, 200), (2, 600, 700), (2, 512, 513)])
def test_a_folder_written_here_follows_every_rule(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    generator = np.random.default_rng(0)
    image = generator.integers(0, 255, shape, np.uint8, endpoint=True)
    coarse = generator.integers(0, 30, (shape[0], -(-shape[1] // 50), -(-shape[2] // 50)), np.uint32)
    ids = np.ascontiguousarray(coarse.repeat(50, 1).repeat(50, 2)[:, : shape[1], : shape[2]])
    ids[0, 0, 0] = 99_999_999
    path, size = tmp_path / "a.mojo", VoxelSize(40, 4, 4)
    known = [MojoSegment(99_999_999, "soma", confidence=100)]
    export_volume(ArrayVolume(image, size), path)
    export_volume(ArrayVolume(ids, size, Kind.LABELS), path, segments=known)
    reader = DojoReader(path)
    for name, voxels in (("images", image), ("ids", ids)):
        levels = reader.part(name)
        padded = np.zeros_like(levels[0])
        padded[:, : shape[1], : shape[2]] = voxels
        for w, level in enumerate(levels):
            assert level.dtype == voxels.dtype
            np.testing.assert_array_equal(level, padded[:, :: 2**w, :: 2**w])
    assert len(np.unique(reader.colours(), axis=0)) > 10_000
    check_database(reader, ids)


def check_database(reader: DojoReader, ids: NDArray[np.uint32]) -> None:
    """Compare the tables with the voxels of the tiles, one by one."""
    columns = {
        table: [row[1] for row in reader.rows(f"PRAGMA table_info({table})")]
        for table in ("idTileIndex", "segmentInfo", "relabelMap")
    }
    assert columns == {
        "idTileIndex": ["id", "w", "z", "y", "x"],
        "segmentInfo": ["id", "name", "size", "confidence"],
        "relabelMap": ["fromId", "toId"],
    }
    indexed = set()
    for row in reader.rows("SELECT name, tbl_name FROM sqlite_master WHERE type = 'index'"):
        indexed |= {(row[1], column[2]) for column in reader.rows(f"PRAGMA index_info('{row[0]}')")}
    assert indexed == {("idTileIndex", "id"), ("segmentInfo", "id"), ("relabelMap", "fromId")}
    expected = set()
    for w, level in enumerate(reader.part("ids")):
        for z, section in enumerate(level):
            for y in range(0, section.shape[0], 512):
                for x in range(0, section.shape[1], 512):
                    found = set(section[y : y + 512, x : x + 512].ravel().tolist()) - {0}
                    expected |= {(label, w, z, y // 512, x // 512) for label in found}
    assert set(reader.rows("SELECT id, w, z, y, x FROM idTileIndex")) == expected
    rows = reader.rows("SELECT id, name, size, confidence FROM segmentInfo ORDER BY id")
    labels, counts = np.unique(ids[ids > 0], return_counts=True)
    named = {99_999_999: ("soma", 100)}
    assert rows == [
        (label, named.get(label, (f"segment{label}",))[0], count, named.get(label, ("", 0))[1])
        for label, count in zip(labels.tolist(), counts.tolist(), strict=True)
    ]
    assert reader.rows("SELECT * FROM relabelMap") == []
