"""What stands at a location, where it holds several volumes to choose from, or before it is opened."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from uniem.data.formats import FORMATS, Format, hdf5, image_folder, mojo, numpy_archive, ome_zarr
from uniem.data.formats.files import reading
from uniem.data.formats.mojo_tiles import describe_tiling
from uniem.data.formats.picture import Picture, look_at_picture
from uniem.data.formats.picture_series import (
    PICTURE_SUFFIXES,
    Series,
    are_numbered,
    picture_names,
    selection_of,
    series_in,
)
from uniem.data.location import is_web_address, split_location
from uniem.errors import UniemError

# How many of a series' pictures are looked at before it is believed to be of one size.
SAMPLED_PICTURES = 9
# Of more volumes than this only the first is offered as chosen.
MANY = 4


@dataclass(frozen=True, slots=True)
class Part:
    """A volume that is one of several at a place.

    Attributes
    ----------
    shape : tuple of int
        As the file says, so perhaps with more axes than three; empty if only opening would tell.
    is_usual : bool
        Whether it is wanted unless the user says otherwise.
    """

    location: str
    name: str
    shape: tuple[int, ...] = ()
    dtype: str = ""
    is_usual: bool = False


def format_of(path: Path) -> Format | None:
    """Return the format in which a file or folder is, by its content; None if it is in none."""
    with reading(path):
        path.stat()
        return next((each for each in FORMATS if each.probe(path)), None)


def parts_at(
    location: str, is_thorough: bool = False, should_stop: Callable[[], bool] = lambda: False
) -> list[Part]:
    """Return the volumes among which a user has to choose; nothing if there is one, or none.

    Several are in an HDF5 or NPZ file of several arrays, a Dojo folder, an OME-Zarr with labels or a group of
    them, a folder of several stacks, and a folder that holds volumes. Where `is_thorough`, every picture of a
    folder is looked at, not only some of each series.
    """
    if is_web_address(location):
        return []
    path, dataset = split_location(location)
    if dataset:
        return []
    found = format_of(path)
    if found is image_folder.FORMAT and path.is_dir():
        parts = _stacks_in(path, is_thorough, should_stop)
    elif found is hdf5.FORMAT:
        parts = _datasets(path, hdf5.list_datasets(path))
    elif found is numpy_archive.FORMAT:
        parts = _datasets(path, numpy_archive.list_arrays(path))
    elif found is mojo.FORMAT:
        parts = _dojo_parts(path)
    elif found is ome_zarr.FORMAT:
        parts = _zarr_parts(path)
    else:
        parts = [] if found or not path.is_dir() else _volumes_beside(path, [])
    return parts if len(parts) > 1 or (parts and parts[0].location != location) else []


def series_among(files: Iterable[Path]) -> tuple[list[str], list[Path]]:
    """Return the locations of stacks that single sections among some files make, and the other files.

    Sections of one folder whose names differ in their numbers make a stack; a TIFF of several pages does not.
    """
    stacks, others = [], []
    alike: dict[object, list[Path]] = defaultdict(list)
    for file in files:
        picture = _section_of(file)
        if picture is None:
            others.append(file)
        else:
            alike[(file.parent, _alike(picture))].append(file)
    for sections in alike.values():
        folder = sections[0].parent
        every = picture_names(folder)
        chosen = {file.name for file in sections}
        for series in series_in([name for name in every if name in chosen]):
            if len(series.names) > 1 and are_numbered(series.names):
                stacks.append(_placed(folder, selection_of(series.names, every)))
            else:
                others += [folder / name for name in series.names]
    return stacks, others


def _section_of(file: Path) -> Picture | None:
    """Return what a picture's header says, None if it is no picture or a stack of pages."""
    try:
        if not file.name.lower().endswith(PICTURE_SUFFIXES) or not file.is_file():
            return None
        picture = look_at_picture(file)
    except (UniemError, OSError):
        return None
    return picture if picture.pages == 1 else None


def _placed(folder: Path, selection: str) -> str:
    return f"{folder}::{selection}" if selection else str(folder)


def _datasets(path: Path, found: dict[str, tuple[tuple[int, ...], str]]) -> list[Part]:
    if len(found) < 2:
        return []
    return [
        Part(f"{path}::{name}", name, shape, dtype, len(found) == 2 or place == 0)
        for place, (name, (shape, dtype)) in enumerate(found.items())
    ]


def _dojo_parts(path: Path) -> list[Part]:
    parts = []
    for name in mojo.PARTS:
        if (path / name).is_dir() and path.name not in mojo.PARTS:
            tiling = describe_tiling(path / name)
            parts.append(Part(f"{path}::{name}", name, tiling.size, "ids" if name == "ids" else "grey", True))
    return parts if len(parts) > 1 else []


def _zarr_parts(path: Path) -> list[Part]:
    from uniem.data.store import is_store, open_store

    inside = [path, *(path / "labels").glob("*")] if is_store(path) else sorted(path.iterdir())
    found = []
    for folder in inside:
        if folder.is_dir() and ome_zarr.probe(folder) and is_store(folder):
            volume = open_store(folder)
            name = folder.relative_to(path).as_posix() if folder != path else path.name
            place = f"{path}::{name}" if folder != path else str(path)
            found.append(Part(place, name, volume.shape, str(volume.dtype), True))
    return found


def _volumes_beside(folder: Path, known: Sequence[str]) -> list[Part]:
    """Return the files and folders in a folder that are volumes, those of names that are known left out."""
    parts = []
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.name[0] != "." and entry.name not in known)
    for name in names:
        path = folder / name
        try:
            found = format_of(path)
        except UniemError:
            continue
        if found is not None and found is not image_folder.FORMAT:
            parts.append(Part(str(path), name, is_usual=len(names) <= 2))
    return parts


def _stacks_in(folder: Path, is_thorough: bool, should_stop: Callable[[], bool]) -> list[Part]:
    with reading(folder):
        names = picture_names(folder)
        series = series_in(names)
        parts = [part for each in series for part in _parts_of(folder, each, names, is_thorough, should_stop)]
        parts += _volumes_beside(folder, names)
    most = max((part.shape[0] for part in parts if part.shape), default=0)
    usual = [part for part in parts if part.shape and 2 * part.shape[0] >= most]
    usual = usual if len(parts) <= MANY else usual[:1]
    return [replace(part, is_usual=part in usual) for part in parts]


def _parts_of(
    folder: Path, series: Series, names: Sequence[str], is_thorough: bool, should_stop: Callable[[], bool]
) -> list[Part]:
    """Return a series as one stack, or as several where its pictures differ or are stacks themselves."""
    count = len(series.names)
    step = 1 if is_thorough else max(1, (count - 1) // (SAMPLED_PICTURES - 1))
    looked = _look(folder, series.names[::step], should_stop)
    if step > 1 and (len({_alike(each) for each in looked}) > 1 or any(each.pages > 1 for each in looked)):
        looked = _look(folder, series.names, should_stop)
    if not looked:
        return []
    if len({_alike(each) for each in looked}) == 1 and looked[0].pages == 1:
        return [_part(folder, series.selection, looked[0], count)]
    groups: dict[object, list[Picture]] = defaultdict(list)
    for each in looked:
        groups[each.path if each.pages > 1 else _alike(each)].append(each)
    return [
        _part(folder, selection_of([each.path.name for each in group], names), group[0], len(group))
        if group[0].pages == 1
        else _stack(group[0])
        for group in groups.values()
    ]


def _look(folder: Path, names: Iterable[str], should_stop: Callable[[], bool]) -> list[Picture]:
    looked = []
    for name in names:
        if should_stop():
            break
        try:
            looked.append(look_at_picture(folder / name))
        except UniemError:
            continue  # opening the stack tells what is wrong with it
    return looked


def _alike(picture: Picture) -> tuple[int, int, str, bool, bool]:
    return (
        picture.height,
        picture.width,
        picture.dtype.kind,
        picture.samples >= 3,
        picture.pages > 1,
    )


def _part(folder: Path, selection: str, picture: Picture, count: int) -> Part:
    if count == 1:
        return _stack(picture)
    name = selection or f"all {count:,} pictures"
    name = name if len(name) < 60 else f"{count:,} pictures of {picture.height} × {picture.width}"
    shape = (count, picture.height, picture.width)
    return Part(_placed(folder, selection), name, shape, str(picture.dtype))


def _stack(picture: Picture) -> Part:
    shape = (picture.pages, picture.height, picture.width)
    return Part(str(picture.path), picture.path.name, shape, str(picture.dtype))
