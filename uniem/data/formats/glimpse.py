"""A glimpse of a folder before it is opened: what it is, and pictures of a few sections."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats import image_folder, open_volume
from uniem.data.formats.contents import Part, format_of, parts_at
from uniem.data.formats.picture_series import picture_names, selected
from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.location import split_location
from uniem.data.mesh import MESH_SUFFIXES
from uniem.data.model_folder import ModelFolder
from uniem.data.palette import colours_of
from uniem.data.project import is_project
from uniem.data.volume import Kind, Volume

# Of a section without a pyramid no more than this many voxels a side are read.
LONGEST_EDGE = 4096


@dataclass(frozen=True, slots=True)
class Contents:
    """What a folder is: the format's title, and the volumes in it; without any title it is in no format."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Glimpse:
    """Facts of a volume, and RGB pictures, (y, x, 3) uint8, of its first, middle and last section."""

    shape: Triple
    dtype: str
    voxel_size: VoxelSize | None
    kind: Kind
    pictures: tuple[tuple[int, NDArray[np.uint8]], ...]


def contents_of(folder: Path, should_stop: Callable[[], bool] = lambda: False) -> Contents:
    """Return what a folder holds; a folder of one volume has one part, itself; of other things none."""
    if title := _other_than_volumes(folder):
        return Contents(title, ())
    found = format_of(folder)
    parts = parts_at(str(folder), should_stop=should_stop)
    if not parts and found is not None:
        parts = [Part(str(folder), folder.name, is_usual=True)]
    title = "a folder of several volumes" if len(parts) > 1 and found in (None, image_folder.FORMAT) else ""
    title = title or (found.title if found else "")
    return Contents(title, tuple(parts))


def _other_than_volumes(folder: Path) -> str:
    """Return what a folder is that may well have pictures and stores in it, but is opened as a whole."""
    if is_project(folder):
        return "a project"
    if ModelFolder.is_model(folder):
        return "a trained network"
    try:
        names = [each.name.lower() for each in folder.iterdir()]
    except OSError:
        return ""  # looking for volumes tells why
    return "meshes" if any(name.endswith(MESH_SUFFIXES) for name in names) else ""


def glimpse(location: str, edge_px: int) -> Glimpse:
    """Look at a volume: a few sections only, however many there are; pictures are at most so wide or high."""
    path, selection = split_location(location)
    if path.is_dir() and format_of(path) is image_folder.FORMAT:
        names = picture_names(path)
        names = selected(names, selection) if selection else names
        few = [names[z] for z in _few(len(names))]
        shown = open_volume(f"{path}::{'|'.join(few)}")
        # Sections of the whole, numbered as there.
        numbers = dict(enumerate(_few(len(names))))
        seen = _glimpse_of(shown, range(len(few)), edge_px)
        pictures = tuple((numbers[z], picture) for z, picture in seen.pictures)
        return replace(seen, shape=(len(names), *shown.shape[1:]), pictures=pictures)
    volume = open_volume(location)
    return _glimpse_of(volume, _few(volume.shape[0]), edge_px)


def _glimpse_of(volume: Volume, places: Any, edge_px: int) -> Glimpse:
    pictures = tuple((z, _picture(volume, z, edge_px)) for z in places)
    return Glimpse(volume.shape, str(volume.dtype), volume.voxel_size, volume.kind, pictures)


def _few(count: int) -> list[int]:
    return sorted({0, (count - 1) // 2, count - 1})


def _picture(volume: Volume, z: int, edge_px: int) -> NDArray[np.uint8]:
    level = next((each for each in reversed(volume.levels) if max(each.shape[1:]) >= edge_px), volume)
    depth, height, width = level.shape
    section = min(z * depth // volume.shape[0], depth - 1)
    tall, wide = min(height, LONGEST_EDGE), min(width, LONGEST_EDGE)
    top, left = (height - tall) // 2, (width - wide) // 2
    pixels = level.read(Box((section, top, left), (section + 1, top + tall, left + wide)))[0]
    step = max(1, math.ceil(max(pixels.shape) / edge_px))
    if volume.kind is Kind.LABELS:
        few = pixels[::step, ::step]
        coloured: NDArray[np.uint8] = colours_of(few.ravel().astype(np.uint64)).reshape(*few.shape, 3)
        return coloured
    return _grey(_shrunk(pixels, step))


def _shrunk(pixels: NDArray[Any], step: int) -> NDArray[np.float32]:
    """Return the means of squares of pixels; a rim that fills no square is left out."""
    height, width = (max(1, n // step) for n in pixels.shape)
    whole = pixels[: height * step, : width * step].astype(np.float32)
    rows, columns = whole.shape[0] // height, whole.shape[1] // width
    means: NDArray[np.float32] = whole.reshape(height, rows, width, columns).mean((1, 3))
    return means


def _grey(pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
    low, high = np.nanpercentile(pixels, [0.5, 99.5])
    scaled = np.nan_to_num((pixels - low) * (255.0 / max(float(high - low), 1e-9)))
    grey = np.clip(scaled, 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)
