"""Write the tiles, the description and the record of one part of a Dojo folder, `images` or `ids`."""

from __future__ import annotations

import functools
import io
import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats.format import describe, sections
from uniem.data.formats.hdf5 import content_of_file
from uniem.data.formats.mojo_tiles import (
    DESCRIPTION,
    ID_DATASET,
    RECORD,
    TILE_EDGE,
    Tiling,
    count_levels,
    padded_edge,
)
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

FILE_TYPES = {"images": "tif", "ids": "hdf5"}
DTYPES: dict[str, np.dtype[Any]] = {"images": np.dtype(np.uint8), "ids": np.dtype(np.uint32)}
FORMATS = {"images": "R8_UNorm", "ids": "R32_UInt"}


@dataclass(frozen=True, slots=True)
class WrittenTile:
    """A tile that was just written: its level, section, row and column, and its (512, 512) voxels."""

    level: int
    z: int
    y: int
    x: int
    pixels: NDArray[Any]


def write_part(volume: Volume, folder: Path, part: str, context: Context) -> Iterator[WrittenTile]:
    """Write description, record and tiles of a part into a folder that exists, yielding each tile.

    Level w takes every 2^w-th row and column of the section padded with zeros to powers of two. Voxels that
    are not whole numbers or do not fit into 8 bits (images) or 32 bits (ids) are an error.
    """
    if volume.dtype.kind not in "bui":
        raise UniemError(
            f"{volume.name or 'The volume'} is {volume.dtype}; {_holds(part)}.",
            "Convert it to uint8 with a range first." if part == "images" else "Open it as labels first.",
        )
    height, width = padded_edge(volume.shape[1]), padded_edge(volume.shape[2])
    tiling = Tiling(folder, FILE_TYPES[part], (volume.shape[0], height, width), (TILE_EDGE, TILE_EDGE))
    _write_description(tiling, part)
    record = {**describe(volume), "shape": list(volume.shape)}
    (folder / RECORD).write_text(json.dumps(record, indent=1), "utf-8")
    write = _write_image_tile if part == "images" else functools.partial(_write_id_tile, _id_frame())
    for z, section in enumerate(sections(volume, context, "writing")):
        fitted = _fitted(section, volume, part, z)
        for level, y, x, pixels in _pyramid(fitted, height, width):
            path = tiling.tile(z, y, x, level)
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, pixels)
            yield WrittenTile(level, z, y, x, pixels)


def _pyramid(section: NDArray[Any], height: int, width: int) -> Iterator[tuple[int, int, int, NDArray[Any]]]:
    """Yield level, row, column and voxels of the tiles of a section, without making the padded section."""
    for level in range(count_levels(height, width)):
        step = 1 << level
        rows, columns = math.ceil(height / (TILE_EDGE * step)), math.ceil(width / (TILE_EDGE * step))
        for y, x in itertools.product(range(rows), range(columns)):
            tile = np.zeros((TILE_EDGE, TILE_EDGE), section.dtype)
            top, left = y * TILE_EDGE * step, x * TILE_EDGE * step
            part = section[top : top + TILE_EDGE * step : step, left : left + TILE_EDGE * step : step]
            tile[: part.shape[0], : part.shape[1]] = part
            yield level, y, x, tile


def _fitted(section: NDArray[Any], volume: Volume, part: str, z: int) -> NDArray[Any]:
    dtype = DTYPES[part]
    if section.dtype.kind != "b":
        limits = np.iinfo(dtype)
        low, high = int(section.min()), int(section.max())
        if low < limits.min or high > limits.max:
            what = "label ids" if volume.kind == Kind.LABELS else "values"
            raise UniemError(
                f"Section {z} of {volume.name or 'the volume'} has {what} from {low} to {high}; "
                f"{_holds(part)}.",
                "Convert it with a range first." if part == "images" else "Relabel the objects first.",
            )
    return section.astype(dtype)


def _holds(part: str) -> str:
    limits = np.iinfo(DTYPES[part])
    return f"{part} of a Dojo folder hold whole numbers from 0 to {limits.max}"


def _write_description(tiling: Tiling, part: str) -> None:
    depth, height, width = tiling.size
    attributes: dict[str, Any] = {
        "fileExtension": tiling.file_type,
        "numTilesX": width // TILE_EDGE,
        "numTilesY": height // TILE_EDGE,
        "numTilesZ": depth,
        "numTilesW": count_levels(height, width),
        "numVoxelsPerTileX": TILE_EDGE,
        "numVoxelsPerTileY": TILE_EDGE,
        "numVoxelsPerTileZ": 1,
        "numVoxelsX": width,
        "numVoxelsY": height,
        "numVoxelsZ": depth,
        "dxgiFormat": FORMATS[part],
        "numBytesPerVoxel": DTYPES[part].itemsize,
        "isSigned": "false",
    }
    node = ElementTree.Element("tiledVolumeDescription", {k: str(v) for k, v in attributes.items()})
    (tiling.folder / DESCRIPTION).write_bytes(ElementTree.tostring(node, "utf-8", xml_declaration=True))


def _write_image_tile(path: Path, pixels: NDArray[Any]) -> None:
    path.write_bytes(_encoded(pixels) if pixels.any() else _blank_image())


def _encoded(pixels: NDArray[Any]) -> bytes:
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, photometric="minisblack", compression="lzw", metadata=None)
    return buffer.getvalue()


@functools.cache
def _blank_image() -> bytes:
    return _encoded(np.zeros((TILE_EDGE, TILE_EDGE), np.uint8))


def _id_frame() -> tuple[bytes, bytes]:
    """Return what HDF5 writes before and after the voxels of a tile, which is the same for all tiles.

    Uncompressed and contiguous as they are, tiles differ in nothing else; writing these bytes is several
    times faster than going through HDF5 for each tile, and a full disk is reported by its number.
    """
    voxels = np.full((TILE_EDGE, TILE_EDGE), 0xA5A5A5A5, "<u4")
    content = content_of_file(lambda file: file.create_dataset(ID_DATASET, data=voxels))
    before, _, after = content.partition(voxels.tobytes())
    return before, after


def _write_id_tile(frame: tuple[bytes, bytes], path: Path, pixels: NDArray[Any]) -> None:
    path.write_bytes(b"".join((frame[0], pixels.astype("<u4", copy=False).tobytes(), frame[1])))
