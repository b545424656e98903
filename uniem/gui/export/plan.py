"""What an export will make: its formats, where it goes unless told otherwise, and what it is in words."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from uniem.data.formats import (
    FORMATS,
    Format,
    format_for,
    hdf5,
    image_folder,
    mojo,
    mojo_pyramid,
    numpy_archive,
    tiff_stack,
)
from uniem.data.palette import Colour
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.operations.convert import COLOUR_FORMATS, FORMAT_GROUPS, check_applicable, placed
from uniem.operations.convert_parameters import SAME, ConvertParameters
from uniem.operations.outputs import path_of

UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
# In an order in which people look for them, each with what they may know it by.
TITLES = {
    "a folder of PNG, TIFF or JPG sections": "Folder of sections (PNG, TIFF or JPG)",
    "a TIFF stack": "TIFF stack",
    "HDF5": "HDF5",
    "an .npy file": "NumPy array",
    "an .npz file": "NumPy archive",
    "OME-Zarr": "OME-Zarr",
    "MRC": "MRC",
    "NIfTI": "NIfTI",
    "a precomputed volume": "Neuroglancer precomputed",
    "a Dojo folder": "Dojo folder of UNI-EM",
}


@dataclass(frozen=True, slots=True)
class ExportForm:
    """A form in which a volume can be exported.

    Attributes
    ----------
    ending : str
        The usual end of its name; empty for a folder of sections.
    group : str
        The parameters of `convert` that are for it alone; empty where there are none.
    """

    title: str
    format: Format
    ending: str
    group: str

    @property
    def has_datasets(self) -> bool:
        """Tell whether a file of this form holds volumes by name."""
        return self.format in (hdf5.FORMAT, numpy_archive.FORMAT)

    @property
    def has_colours(self) -> bool:
        """Tell whether labels can be written in colour."""
        return self.format in COLOUR_FORMATS

    def is_added_to(self, location: str) -> bool:
        """Tell whether what is at a location already is added to rather than replaced."""
        return self.format.holds_several or (self.format is hdf5.FORMAT and "::" in location)

    @property
    def is_folder(self) -> bool:
        """Tell whether it is one folder rather than one file."""
        return not self.ending or self.ending in (".zarr", ".precomputed", ".mojo")


def forms() -> list[ExportForm]:
    """Return every form, the most usual ones first; a format without a place in that order comes last."""
    groups = {id(owner): group for group, owner in FORMAT_GROUPS.items()}
    order = list(TITLES)
    found = []
    for each in sorted(FORMATS, key=lambda one: order.index(one.title) if one.title in order else len(order)):
        ending = "" if each is image_folder.FORMAT else each.suffixes[0]
        title = TITLES.get(each.title, each.title)
        found.append(
            ExportForm(f"{title} ({ending})" if ending else title, each, ending, groups.get(id(each), ""))
        )
    return found


def with_ending(place: str, form: ExportForm) -> str:
    """Return a place with the ending of a form in the stead of any other known one."""
    path = Path(place)
    endings = sorted((ending for each in FORMATS for ending in each.suffixes), key=len, reverse=True)
    known = next((ending for ending in endings if path.name.lower().endswith(ending)), "")
    if known and known in form.format.suffixes and form.ending:
        return place
    return str(path.with_name(path.name[: len(path.name) - len(known)] + form.ending))


def outline(source: Volume, params: ConvertParameters, form: ExportForm) -> Volume:
    """Return a volume of the extent of the result, whose numbers are not to be read; raise what is wrong."""
    check_applicable(params, source.kind, form.format)
    return placed(source, source.kind, params)


def summary(source: Volume, params: ConvertParameters, form: ExportForm) -> str:
    """Return what will be made in one line: how many sections of which size, bits, bytes and names."""
    result = outline(source, params, form)
    depth, height, width = result.shape
    words, voxel_bytes = _bits(result, params, form)
    size = bytes_in_words(math.prod(result.shape) * voxel_bytes)
    packed = " before compression" if _is_compressed(result, params, form) else ""
    parts = [f"{depth:,} {'section' if depth == 1 else 'sections'} of {width} × {height}", words]
    parts.append(f"about {size}{packed}")
    if form.format is image_folder.FORMAT:
        files = params.sections
        names = [
            f"{files.prefix}{files.first_number + z:0{files.digits}d}.{files.file_type}"
            for z in (0, depth - 1)
        ]
        parts.append(f"named {names[0]} … {names[1]}" if depth > 1 else f"named {names[0]}")
    if result.voxel_size is not None:
        parts.append(f"voxels of {result.voxel_size}")
    return ", ".join(parts)


def shortage(place: str, needed: int) -> str:
    """Return a warning where a disk has less room than an export may need; empty where there is enough."""
    folder = path_of(place)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return ""  # the export itself will say what is wrong with the place
    return f"Only {bytes_in_words(free)} are free there." if free < needed else ""


def bytes_of(source: Volume, params: ConvertParameters, form: ExportForm) -> int:
    """Return how large a result is before compression."""
    result = outline(source, params, form)
    return math.prod(result.shape) * _bits(result, params, form)[1]


def bytes_in_words(count: int) -> str:
    """Return a number of bytes as people say it, as in 860 MB."""
    for unit, name in UNITS:
        if count >= unit:
            return f"{count / unit:.3g} {name}" if count < 999.5 * unit else f"{count / unit:,.0f} {name}"
    return f"{count} bytes"


def check_place(place: str, form: ExportForm) -> None:
    """Raise where a place does not name a result of a form."""
    if not place.strip():
        raise UniemError("Say where to.", "Choose a place with Browse…")
    named = format_for(place)
    if named is not form.format:
        raise UniemError(
            f"{path_of(place).name} is the name of {named.title}, not of {form.format.title}.",
            f"Let it end with {form.ending}." if form.ending else "Leave the ending off: it is a folder.",
        )


def ids_in_words(ids: Iterable[int]) -> str:
    """Return ids as `convert` takes them, as in 3,17,40-52."""
    runs: list[list[int]] = []
    for id in sorted(set(ids)):
        if runs and id == runs[-1][1] + 1:
            runs[-1][1] = id
        else:
            runs.append([id, id])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def colours_in_words(colours: Mapping[int, Colour]) -> str:
    """Return colours as `convert` takes them, as in 7=ff0000."""
    return ",".join(f"{id}={red:02x}{green:02x}{blue:02x}" for id, (red, green, blue) in colours.items())


def model_of(form: ExportForm) -> type[BaseModel] | None:
    """Return the parameters that are for a form alone, None where there are none."""
    return type(getattr(ConvertParameters(), form.group)) if form.group else None


def _bits(result: Volume, params: ConvertParameters, form: ExportForm) -> tuple[str, int]:
    """Return the type of the numbers in words, and the bytes of a voxel."""
    if params.colour:
        return "8-bit colour", 3
    dtype = result.dtype if params.dtype == SAME else np.dtype(params.dtype)
    if params.relabel and params.dtype == SAME:
        dtype = np.dtype(np.uint32)
    if form.format is image_folder.FORMAT and params.sections.file_type != "tif" and dtype.kind in "bui":
        dtype = np.dtype(np.uint8 if dtype.itemsize == 1 else np.uint16)
    elif form.format is mojo.FORMAT:
        dtype = mojo_pyramid.DTYPES["ids" if result.kind is Kind.LABELS else "images"]
    elif form.format.holds is not None:
        dtype = np.dtype(form.format.holds.get(dtype.name, dtype.name))
    return f"{8 * dtype.itemsize}-bit{' floats' if dtype.kind == 'f' else ''}", dtype.itemsize


def _is_compressed(result: Volume, params: ConvertParameters, form: ExportForm) -> bool:
    if form.format is tiff_stack.FORMAT:
        chosen = params.tiff.compression
        return chosen in ("lzw", "zlib") or (chosen == "by kind" and result.kind is Kind.LABELS)
    return form.is_folder or form.ending.endswith(".gz")
