"""Dojo folders of UNI-EM (Mojo): images and ids in tiles, merges, and the segments' names, locks and colours.

A folder `NAME.mojo` holds `images` and `ids`, each of which is opened as `NAME.mojo::images` or `::ids` and
written by itself, the second beside the first. Merges are applied; the padding is taken off (see
`mojo_tiles.original_shape`). UNI-EM opens a folder once it holds both, and works with ids below 100,000,000.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats.files import PARSER_ERRORS, replacing
from uniem.data.formats.format import Format, described_kind, described_voxel_size, settle
from uniem.data.formats.hdf5 import content_of_file
from uniem.data.formats.mojo_pyramid import WrittenTile, write_part
from uniem.data.formats.mojo_tiles import (
    DESCRIPTION,
    TileVolume,
    Tiling,
    check_tiles,
    describe_part,
    describe_tiling,
    original_shape,
)
from uniem.data.formats.picture import look_at_picture
from uniem.data.palette import Colour, colours_of
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

PARTS = {"images": Kind.IMAGE, "ids": Kind.LABELS}
DATABASE = "segmentInfo.db"
COLOURS = "colorMap.hdf5"
COLOUR_DATASET = "idColorMap"
COLOUR_COUNT = 16001
MAX_COLOURS = 1 << 20
LOCKED = 100
MAX_ID = 0xFFFFFFFF
TABLES = (
    "CREATE TABLE idTileIndex (id int, w int, z int, y int, x int)",
    "CREATE TABLE segmentInfo (id int, name text, size int, confidence int)",
    "CREATE TABLE relabelMap (fromId int PRIMARY KEY, toId int)",
)
INDICES = (
    "CREATE INDEX I_idTileIndex ON idTileIndex (id)",
    "CREATE UNIQUE INDEX I_segmentInfo ON segmentInfo (id)",
)
TileDecoder = Callable[[int, int, int], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class MojoSegment:
    """A segment of a Dojo folder; `size` counts voxels, and a confidence of 100 locks it."""

    id: int
    name: str
    size: int = 0
    confidence: int = 0
    colour: Colour | None = None

    @property
    def is_locked(self) -> bool:
        """Tell whether UNI-EM refuses to change the segment."""
        return self.confidence == LOCKED


def probe(path: Path) -> bool:
    """Tell whether a folder holds the images or ids of a Dojo folder, or is one of the two."""
    parts = [path / part for part in _parts_in(path)]
    return any(_is_part(part) or (part / "tiles" / "w=00000000").is_dir() for part in [path, *parts])


def read(path: Path, dataset: str | None, kind: Kind | None) -> Volume:
    """Open `images` or `ids`; by default the only one, or the one that a given kind asks for."""
    if _is_part(path):
        path, dataset = path.parent, dataset or path.name
    part = _chosen_part(path, dataset, kind)
    tiling = describe_tiling(path / part)
    tilings = [describe_tiling(path / each) for each in PARTS if _is_part(path / each)]
    shape = original_shape([each for each in tilings if each.size == tiling.size])
    check_tiles(tiling, shape)
    dtype, decode = _image_decoder(tiling, kind) if part == "images" else _id_decoder(tiling)
    records = [describe_part(path / each) for each in (part, *PARTS)]
    voxel_size = next(filter(None, map(described_voxel_size, records)), None)
    volume = TileVolume(shape, dtype, tiling.tile_shape, decode, voxel_size)
    return settle(volume, path, part, kind or described_kind(records[0]) or PARTS[part])


def write(
    volume: Volume,
    path: Path,
    dataset: str | None,
    context: Context,
    *,
    segments: Iterable[MojoSegment] = (),
) -> None:
    """Write labels as `ids`, all else as `images`, or what `::ids` or `::images` says, into one folder.

    The folder may hold the other part already, in the same shape. `segments` gives names, confidences and
    colours of ids; the others are called segment<id>, are unlocked and have the palette's. Sizes are counted.
    """
    part = dataset or ("ids" if volume.kind == Kind.LABELS else "images")
    _check_target(volume, path, part)
    is_new = not path.exists()
    try:
        with replacing(path / part) as folder:
            folder.mkdir()
            tiles = write_part(volume, folder, part, context)
            if part == "ids":
                known = {each.id: each for each in segments}
                _write_colours(folder / COLOURS, known)
                _write_database(folder / DATABASE, tiles, known)
            else:
                for _ in tiles:
                    context.check_cancelled()
    finally:
        if is_new:
            with suppress(OSError):  # it stays if it holds something
                path.rmdir()


def read_segments(path: Path) -> list[MojoSegment]:
    """Return the segments of a Dojo folder by id, as they are after its merges.

    A merged segment has the sum of the sizes and what its target is called; 0, the background, is left out.
    Sizes are those that UNI-EM counted when it last saved.
    """
    database = path / "ids" / DATABASE
    colours = _read_colours(path / "ids" / COLOURS)
    merges = _read_merges(database)
    names: dict[int, tuple[str, int]] = {}
    sizes: dict[int, int] = {}
    for label, name, size, confidence in _query(
        database, "SELECT id, name, size, confidence FROM segmentInfo"
    ):
        number = _id_of(label, database)
        names[number] = (str(name or f"segment{number}"), _whole(confidence, database))
        final = merges.get(number, number)
        sizes[final] = sizes.get(final, 0) + _whole(size, database)
    return [
        MojoSegment(label, *_joined(names.get(label), label, size), colours[label % len(colours)])
        for label, size in sorted(sizes.items())
        if label
    ]


def _joined(known: tuple[str, int] | None, label: int, size: int) -> tuple[str, int, int]:
    name, confidence = known or (f"segment{label}", 0)
    return name, size, confidence


def _is_part(path: Path) -> bool:
    return path.name in PARTS and (path / DESCRIPTION).is_file()


def _parts_in(path: Path) -> list[str]:
    return [part for part in PARTS if (path / part).is_dir()]


def _chosen_part(path: Path, dataset: str | None, kind: Kind | None) -> str:
    found = _parts_in(path)
    if dataset and dataset not in PARTS:
        raise UniemError(f"A Dojo folder holds no '{dataset}' ({path}).", f"It holds {' and '.join(found)}.")
    if not dataset and not kind and len(found) > 1:
        raise UniemError(
            f"{path} holds images and ids.", f"Add ::images or ::ids to the path, as in {path}::ids."
        )
    wanted = "ids" if kind == Kind.LABELS else "images"
    part = dataset or (found[0] if len(found) == 1 else wanted)
    needed = [DESCRIPTION, *([DATABASE] if part == "ids" else [])]
    if missing := [name for name in needed if not (path / part / name).is_file()]:
        raise UniemError(f"The Dojo folder {path} lacks {part}/{missing[0]}.", "Copy the whole folder again.")
    return part


def _image_decoder(tiling: Tiling, kind: Kind | None) -> tuple[np.dtype[Any], TileDecoder]:
    first = look_at_picture(tiling.tile(0, 0, 0))
    is_coded = kind == Kind.LABELS and first.samples >= 3 and first.dtype == np.uint8
    dtype = np.dtype(np.uint32) if is_coded else first.dtype

    def decode(z: int, y: int, x: int) -> NDArray[Any]:
        pixels = tiling.decode(z, y, x, kind)
        if not np.can_cast(pixels.dtype, dtype):
            raise UniemError(
                f"Tiles differ: {first.path} is {dtype}, {tiling.tile(z, y, x)} is {pixels.dtype}.",
                "Copy the folder again.",
            )
        return pixels

    return dtype, decode


def _id_decoder(tiling: Tiling) -> tuple[np.dtype[Any], TileDecoder]:
    merges = _read_merges(tiling.folder / DATABASE)

    def decode(z: int, y: int, x: int) -> NDArray[Any]:
        import fastremap

        ids = tiling.decode(z, y, x)
        return fastremap.remap(ids, merges, preserve_missing_labels=True) if merges else ids

    return np.dtype(np.uint32), decode


def _read_merges(database: Path) -> dict[int, int]:
    """Return the id that each merged id finally has, following merges of merges; 0 is never merged."""
    rows = _query(database, "SELECT fromId, toId FROM relabelMap")
    direct = {_id_of(old, database): _id_of(new, database) for old, new in rows}
    direct = {old: new for old, new in direct.items() if old and old != new}
    final: dict[int, int] = {}
    for start in direct:
        chain: dict[int, None] = {}
        label = start
        while label in direct and label not in final:
            if label in chain:
                raise UniemError(
                    f"The merges in {database} go round in a circle at id {label}.",
                    "Delete one of these merges from its table relabelMap.",
                )
            chain[label] = None
            label = direct[label]
        final |= dict.fromkeys(chain, final.get(label, label))
    return final


def _query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    if not database.is_file():
        raise UniemError(f"{database} is missing; it holds merges and names.", "Copy the whole folder again.")
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.text_factory = lambda text: text.decode("utf-8", "replace")
            if connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'view'").fetchone():
                raise ValueError("it holds views, which a Dojo folder has not")
            return connection.execute(sql).fetchall()
    except (sqlite3.Error, ValueError, MemoryError) as error:
        raise UniemError(f"{database} cannot be read: {error}.", "Copy the whole folder again.") from error


def _whole(value: Any, database: Path) -> int:
    try:
        return int(value or 0)
    except (TypeError, ValueError, OverflowError) as error:
        raise UniemError(f"{database} holds {value!r} where a number belongs.", "Copy it again.") from error


def _id_of(value: Any, database: Path) -> int:
    number = _whole(value, database)
    if not 0 <= number <= MAX_ID:
        raise UniemError(f"{database} holds the id {number}, beyond 32 bits.", "Copy the folder again.")
    return number


def _read_colours(path: Path) -> list[Colour]:
    import h5py

    if not path.is_file():
        raise UniemError(f"{path} is missing; it holds the colours.", "Copy the whole folder again.")
    try:
        with h5py.File(path, "r") as file:
            node = file[COLOUR_DATASET]
            shape, dtype = tuple(node.shape), node.dtype
            is_table = len(shape) == 2 and 0 < shape[0] <= MAX_COLOURS and shape[1] == 3 and dtype == np.uint8
            table = node[()] if is_table else None
    except (OSError, *PARSER_ERRORS) as error:
        raise UniemError(f"{path} cannot be read: {error}.", "Copy the whole folder again.") from error
    if table is None:
        raise UniemError(f"{path} holds {dtype} of shape {shape}, not colours.", "Copy it again.")
    return [(red, green, blue) for red, green, blue in table.tolist()]


def _check_target(volume: Volume, path: Path, part: str) -> None:
    if part not in PARTS:
        raise UniemError(f"A Dojo folder holds no '{part}'.", "Write ::images or ::ids.")
    if not path.is_dir():
        return
    unfinished = {f".{each}.part" for each in PARTS}
    if {each.name for each in path.iterdir()} - unfinished and not probe(path):
        raise UniemError(f"The folder {path} is not a Dojo folder.", "Choose a new or an empty folder.")
    for other in _parts_in(path):
        beside = read(path, other, None) if other != part else volume
        if beside.shape != volume.shape:
            sizes = [" × ".join(map(str, each.shape)) for each in (beside, volume)]
            raise UniemError(
                f"{other} in {path} are {sizes[0]} (z, y, x), but {volume.name or part} is {sizes[1]}.",
                "Crop or convert one of them, or choose another folder.",
            )


def _write_colours(path: Path, known: dict[int, MojoSegment]) -> None:
    """Write the table of colours, in which ids beyond its end have the colours of smaller ones."""
    colours = colours_of(np.arange(COLOUR_COUNT))
    for label, segment in known.items():
        if segment.colour is not None and 0 < label < COLOUR_COUNT:
            colours[label] = segment.colour
    path.write_bytes(content_of_file(lambda file: file.create_dataset(COLOUR_DATASET, data=colours)))


def _write_database(path: Path, tiles: Iterable[WrittenTile], known: dict[int, MojoSegment]) -> None:
    sizes: dict[int, int] = {}
    try:
        with closing(sqlite3.connect(path)) as connection, connection:
            for sql in TABLES:
                connection.execute(sql)
            for tile in tiles:
                counts = _count_ids(tile.pixels)
                place = (tile.level, tile.z, tile.y, tile.x)
                rows = [(label, *place) for label in counts]
                connection.executemany("INSERT INTO idTileIndex VALUES (?, ?, ?, ?, ?)", rows)
                for label, count in counts.items() if tile.level == 0 else ():
                    sizes[label] = sizes.get(label, 0) + count
            unnamed = MojoSegment(0, "")
            infos = (
                (
                    label,
                    (segment := known.get(label, unnamed)).name or f"segment{label}",
                    size,
                    segment.confidence,
                )
                for label, size in sorted(sizes.items())
            )
            connection.executemany("INSERT INTO segmentInfo VALUES (?, ?, ?, ?)", infos)
            for sql in INDICES:
                connection.execute(sql)
    except sqlite3.Error as error:
        raise UniemError(f"Cannot write {path}: {error}.", "Check the disk and the path.") from error


def _count_ids(tile: NDArray[Any]) -> dict[int, int]:
    """Return how many voxels each id but 0 has, sorting only the first voxel of each run of equal ones."""
    flat = tile.ravel()
    starts = np.flatnonzero(np.concatenate(([True], flat[1:] != flat[:-1])))
    lengths = np.diff(starts, append=flat.size)
    ids, where = np.unique(flat[starts], return_inverse=True)
    counts = np.bincount(where, lengths).astype(np.int64)
    return {label: count for label, count in zip(ids.tolist(), counts.tolist(), strict=True) if label}


FORMAT = Format("a Dojo folder", (".mojo", ".dojo"), probe, read, write, holds_several=True)
