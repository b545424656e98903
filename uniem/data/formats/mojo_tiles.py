"""The tiles of a Dojo folder: how they are described, found, decoded and padded, and the original size.

A part of the folder, `images` or `ids`, is a pyramid of tiles, `tiles/w=%08d/z=%08d/y=%08d,x=%08d.<type>`,
and `tiledVolumeDescription.xml`. UNI-EM pads sections with zeros to powers of two and forgets their size;
this suite notes it in `volume.json` beside the description.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import DTypeLike, NDArray

from uniem.data.formats.files import PARSER_ERRORS, read_record, reading
from uniem.data.formats.format import CACHE_BYTES, flatten_colours
from uniem.data.formats.picture import decode_picture
from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError

DESCRIPTION = "tiledVolumeDescription.xml"
RECORD = "volume.json"
TILE_EDGE = 512
COARSEST_EDGE = 256
ID_DATASET = "IdMap"
TILE_TYPES = {"images": ("tif", "tiff", "png", "jpg", "jpeg"), "ids": ("hdf5", "h5")}
MAX_DESCRIPTION_BYTES = 1 << 20
MAX_TILE_EDGE = 1 << 15
MAX_EDGE = 1 << 40


@dataclass(frozen=True, slots=True)
class Tiling:
    """What the description of a part says.

    Attributes
    ----------
    folder : Path
        `images` or `ids` inside the Dojo folder.
    file_type : str
        The ending of the tiles' files.
    size : (int, int, int)
        Sections, rows and columns with the padding.
    tile_shape : (int, int)
        Rows and columns of a tile.
    """

    folder: Path
    file_type: str
    size: Triple
    tile_shape: tuple[int, int]

    def tile(self, z: int, y: int, x: int, level: int = 0) -> Path:
        """Return the file of a tile, counted in tiles."""
        place = f"w={level:08d}/z={z:08d}/y={y:08d},x={x:08d}.{self.file_type}"
        return self.folder / "tiles" / place

    def decode(self, z: int, y: int, x: int, kind: Kind | None = None) -> NDArray[Any]:
        """Return the voxels of a tile at full resolution, (y, x); raise if it is damaged."""
        path = self.tile(z, y, x)
        with reading(path):
            if self.folder.name == "ids":
                return _decode_ids(path, self.tile_shape)
            pixels = flatten_colours(decode_picture(path), kind)
        if pixels.shape != self.tile_shape:
            raise _unlike(path, pixels.shape, self.tile_shape)
        return pixels


class TileVolume(Volume):
    """A volume whose file yields tiles of sections; those decoded last are kept.

    Several threads may read at once.
    """

    def __init__(
        self,
        shape: Triple,
        dtype: DTypeLike,
        tile_shape: tuple[int, int],
        decode: Callable[[int, int, int], NDArray[Any]],
        voxel_size: VoxelSize | None = None,
    ) -> None:
        super().__init__(shape, dtype, voxel_size, Kind.IMAGE)
        self._tile_shape = tile_shape
        self._decode = decode
        self._cached: OrderedDict[Triple, NDArray[Any]] = OrderedDict()
        self._capacity = max(1, CACHE_BYTES // (math.prod(tile_shape) * self.dtype.itemsize))
        self._lock = threading.Lock()

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box, decoding only the tiles that it crosses."""
        array = np.empty(box.shape, self.dtype)
        height, width = self._tile_shape
        rows = range(box.start[1] // height, math.ceil(box.stop[1] / height))
        columns = range(box.start[2] // width, math.ceil(box.stop[2] / width))
        for z, y, x in itertools.product(range(box.start[0], box.stop[0]), rows, columns):
            corner = (z, y * height, x * width)
            tile = Box(corner, (z + 1, corner[1] + height, corner[2] + width))
            part = box.intersection(tile)
            pixels = self._tile((z, y, x))[part.relative_to(corner).slices[1:]]
            array[part.relative_to(box.start).slices] = pixels
        return array

    def _tile(self, place: Triple) -> NDArray[Any]:
        with self._lock:
            if place in self._cached:
                self._cached.move_to_end(place)
                return self._cached[place]
        tile = self._decode(*place)
        with self._lock:
            self._cached[place] = tile
            while len(self._cached) > self._capacity:
                self._cached.popitem(last=False)
        return tile


def padded_edge(edge: int) -> int:
    """Return the next power of two, at least one tile: UNI-EM does not make folders of smaller sections."""
    return max(TILE_EDGE, 1 << (edge - 1).bit_length())


def count_levels(height: int, width: int) -> int:
    """Return how many levels a padded section has: each halves both sides, while one is longer than 256."""
    return next(w for w in itertools.count() if max(height, width) >> w <= COARSEST_EDGE)


def describe_tiling(folder: Path) -> Tiling:
    """Read the description of a part; raise if it is missing or makes no sense."""
    path = folder / DESCRIPTION
    with reading(path), path.open("rb") as file:
        text = file.read(MAX_DESCRIPTION_BYTES)
    try:
        node = ElementTree.fromstring(text)
        size, tile = ([int(node.attrib[f"{name}{axis}"]) for axis in "ZYX"] for name in _ATTRIBUTES)
        file_type = node.attrib["fileExtension"].removeprefix(".").lower()
    except (ElementTree.ParseError, *PARSER_ERRORS) as error:
        raise _damaged(path, f"{type(error).__name__}, {error}") from error
    if min(size) < 1 or max(size) > MAX_EDGE or min(tile) < 1 or tile[0] != 1 or max(tile) > MAX_TILE_EDGE:
        raise _damaged(path, f"a volume of {size} in tiles of {tile} (z, y, x)")
    if file_type not in TILE_TYPES[folder.name]:
        known = ", ".join(TILE_TYPES[folder.name])
        raise UniemError(f"{path} says that the tiles are '{file_type}' files.", f"Known are {known}.")
    return Tiling(folder, file_type, (size[0], size[1], size[2]), (tile[1], tile[2]))


_ATTRIBUTES = ("numVoxels", "numVoxelsPerTile")


def describe_part(folder: Path) -> dict[str, Any]:
    """Return what this suite noted about a part (kind, voxel size, shape); empty for one by UNI-EM."""
    try:
        record = read_record(folder / RECORD)
    except (OSError, *PARSER_ERRORS):
        return {}
    return record if isinstance(record, dict) else {}


def original_shape(tilings: list[Tiling]) -> Triple:
    """Return the size without padding of parts that have the same padded size, the images first.

    It is the one that this suite noted, if that fits. Else an edge that is no power of two was not padded;
    the others end with the last row and the last column in which the images, or for want of images the ids,
    have a voxel that is not 0 in any section, but they keep more than half of the padded edge, as the padding
    rule implies. A rim on the right or below that is black in all sections is thus lost; volumes that are all
    zero keep their padding.
    """
    size = tilings[0].size
    for tiling in tilings:
        if shape := _noted_shape(tiling):
            return shape
    if not any(_is_power_of_two(edge) for edge in size[1:]):
        return size
    for tiling in tilings:
        height, width = _extent(tiling)
        if height:
            return (size[0], _least(height, size[1]), _least(width, size[2]))
    return size


def check_tiles(tiling: Tiling, shape: Triple) -> None:
    """Raise if a tile of a volume of this shape is missing at full resolution."""
    height, width = tiling.tile_shape
    grid = (math.ceil(shape[1] / height), math.ceil(shape[2] / width))
    for z in range(shape[0]):
        folder = tiling.tile(z, 0, 0).parent
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        # What is missing is found after as many steps as there are files, whatever size is declared.
        for y, x in ((y, x) for y in range(grid[0]) for x in range(grid[1])):
            if (tile := tiling.tile(z, y, x)).name not in names:
                raise UniemError(
                    f"The tile {tile} is missing; section {z} should have {grid[0] * grid[1]} tiles.",
                    "Copy the folder again, or take it from a backup: UNI-EM may delete tiles of a section "
                    "when a split in it is saved.",
                )


def _decode_ids(path: Path, tile_shape: tuple[int, int]) -> NDArray[np.uint32]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            node = file[ID_DATASET]
            shape, dtype = tuple(node.shape), node.dtype
            # Whatever size is declared, only that of a tile is read.
            ids = node[()] if shape == tile_shape else None
    except FileNotFoundError:
        raise
    except (OSError, *PARSER_ERRORS) as error:
        raise UniemError(f"The tile {path} is damaged: {error}.", "Copy the folder again.") from error
    if ids is None:
        raise _unlike(path, shape, tile_shape)
    if not np.can_cast(dtype, np.uint32):
        raise UniemError(f"The tile {path} holds {dtype}, not ids of 32 bits.", "Copy the folder again.")
    return np.asarray(ids, np.uint32)


def _unlike(path: Path, shape: tuple[int, ...], tile_shape: tuple[int, int]) -> UniemError:
    found, expected = (" × ".join(map(str, each)) for each in (shape, tile_shape))
    return UniemError(
        f"The tile {path} is {found}, but {DESCRIPTION} says {expected} (y, x).", "Copy the folder again."
    )


def _noted_shape(tiling: Tiling) -> Triple | None:
    noted = describe_part(tiling.folder).get("shape")
    if not isinstance(noted, list) or len(noted) != 3 or not all(type(n) is int and n > 0 for n in noted):
        return None
    padded = (noted[0], padded_edge(noted[1]), padded_edge(noted[2]))
    return (noted[0], noted[1], noted[2]) if padded == tiling.size else None


def _extent(tiling: Tiling) -> tuple[int, int]:
    """Return the rows and columns up to the last voxel that is not 0, looking only at tiles beyond them."""
    height, width = tiling.tile_shape
    seen = [0, 0]
    for z in range(tiling.size[0]):
        folder = tiling.tile(z, 0, 0).parent
        if not folder.is_dir():  # which is an error later; the declared number of sections may be absurd
            break
        for y, x in sorted(_places([path.name for path in folder.iterdir()], tiling)):
            if (y + 1) * height <= seen[0] and (x + 1) * width <= seen[1]:
                continue
            tile = tiling.decode(z, y, x)[: tiling.size[1] - y * height, : tiling.size[2] - x * width]
            for axis, start in ((0, y * height), (1, x * width)):
                filled = np.flatnonzero(tile.any(axis=1 - axis))
                seen[axis] = max(seen[axis], start + int(filled[-1]) + 1) if filled.size else seen[axis]
        if seen == [*tiling.size[1:]]:
            break
    return seen[0], seen[1]


def _places(names: list[str], tiling: Tiling) -> list[tuple[int, int]]:
    """Return rows and columns of the tiles that lie inside the declared size."""
    grid = [math.ceil(n / t) for n, t in zip(tiling.size[1:], tiling.tile_shape, strict=True)]
    found = []
    for name in names:
        y, _, x = name.removesuffix(f".{tiling.file_type}").partition(",")
        numbers = (y.removeprefix("y="), x.removeprefix("x="))
        if all(len(n) == 8 and n.isdecimal() for n in numbers):
            found.append((int(numbers[0]), int(numbers[1])))
    return [(y, x) for y, x in found if y < grid[0] and x < grid[1]]


def _is_power_of_two(edge: int) -> bool:
    return edge & (edge - 1) == 0


def _least(extent: int, edge: int) -> int:
    return max(extent, edge // 2 + 1) if _is_power_of_two(edge) else edge


def _damaged(path: Path, what: str) -> UniemError:
    return UniemError(f"{path} does not describe tiles: {what}.", "Copy the folder again.")
