"""Volumes in files of many formats: `open_volume` and `export_volume` are the doors."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from uniem.data.formats import (
    hdf5,
    image_folder,
    mojo,
    mrc,
    nifti,
    numpy_archive,
    numpy_file,
    ome_zarr,
    precomputed,
    tiff_stack,
)
from uniem.data.formats.files import check_regular, reading, writing
from uniem.data.formats.format import Format
from uniem.data.formats.held import as_held
from uniem.data.formats.web import open_address
from uniem.data.location import is_web_address, split_location
from uniem.data.volume import Kind, Volume
from uniem.data.voxel_sizes import with_recorded_size
from uniem.errors import UniemError
from uniem.progress import Context

__all__ = [
    "FORMATS",
    "Format",
    "endings",
    "export_volume",
    "format_for",
    "open_volume",
    "split_location",
]

FORMATS: tuple[Format, ...] = (
    ome_zarr.FORMAT,
    tiff_stack.FORMAT,
    hdf5.FORMAT,
    numpy_file.FORMAT,
    numpy_archive.FORMAT,
    mrc.FORMAT,
    nifti.FORMAT,
    precomputed.FORMAT,
    mojo.FORMAT,
    image_folder.FORMAT,
)


def open_volume(location: str | Path, kind: Kind | None = None) -> Volume:
    """Open a volume without loading it, from `PATH` or `PATH::dataset`, whatever the format.

    Parameters
    ----------
    location : str or Path
        A TIFF stack, an HDF5, NPY, NPZ, MRC or NIfTI file, an OME-Zarr or precomputed folder or its web
        address (http, https or s3), a Dojo folder (`::images` or `::ids`), a folder of PNG, TIFF or JPG
        sections, or a picture.
    kind : Kind, optional
        What the numbers mean; if None, what the file says, else a guess. A colour file opened as labels gets
        one id for each colour, otherwise it is turned into grey.
    """
    if is_web_address(location):
        return with_recorded_size(open_address(str(location), kind))
    path, dataset = split_location(location)
    check_regular(path)
    with reading(path):
        for each in FORMATS:
            if each.probe(path):
                return with_recorded_size(each.read(path, dataset, kind))
    raise _unknown(path)


def export_volume(
    volume: Volume, location: str | Path, context: Context | None = None, **options: Any
) -> None:
    """Write a volume to a file or folder whose format follows from its suffix.

    `.tif`, `.h5` and `.npz` (`::dataset`), `.npy`, `.mrc`, `.nii`, `.nii.gz`, `.zarr` and `.precomputed` are
    files of that format; a name without suffix, or one that ends with a slash, is a folder of sections. The
    voxel size and the kind go along. Nothing half-written remains. The options are the format's own:
    `compression` for TIFF; `version` (0.4 or 0.5) for OME-Zarr; `prefix`, `first`, `digits`, `file_type` and
    `bits` for sections; `segments` for the labels of a Dojo folder, `.mojo`, which takes images and labels in
    turn.
    """
    path, dataset = split_location(location)
    chosen = format_for(location)
    known = [p.name for p in inspect.signature(chosen.write).parameters.values() if p.kind == p.KEYWORD_ONLY]
    if unknown := sorted(set(options) - set(known)):
        hint = f"It knows {', '.join(known)}." if known else "It has no options."
        raise UniemError(f"{chosen.title} has no option {', '.join(unknown)}.", hint)
    if volume.source and volume.source == _source(path, dataset):
        raise UniemError(f"{path} is the file that is being read.", "Choose another name for the result.")
    if min(volume.shape) < 1:
        raise UniemError(
            f"A volume of shape {volume.shape} holds no voxel.", "Take at least one voxel along z, y and x."
        )
    held = as_held(volume, chosen.holds, chosen.title)
    with writing(path):
        chosen.write(held, path, dataset, context or Context(), **options)


def _source(path: Path, dataset: str | None) -> str:
    return f"{path}::{dataset}" if dataset else str(path)


def format_for(location: str | Path) -> Format:
    """Return the format that the name of a file or folder to be written asks for; raise if there is none."""
    if is_web_address(location):
        raise UniemError(f"{location} cannot be written to.", "Write to a folder here, then upload it.")
    path, _ = split_location(location)
    if str(location).endswith(("/", "\\")) or not path.suffix:
        return image_folder.FORMAT
    for each in FORMATS:
        if path.name.lower().endswith(each.suffixes) and each is not image_folder.FORMAT:
            return each
    raise UniemError(
        f"No known format ends with {path.suffix} ({path}).",
        f"Use {', '.join(_known_suffixes())}, or end the path with / for a folder of sections.",
    )


def endings() -> tuple[str, ...]:
    """Return every ending of a name by which a volume can be known, longest first."""
    found = {suffix for each in FORMATS for suffix in each.suffixes}
    return tuple(sorted(found, key=lambda suffix: (-len(suffix), suffix)))


def _known_suffixes() -> list[str]:
    return [each.suffixes[0] for each in FORMATS if each is not image_folder.FORMAT]


def _quoted(start: bytes) -> str:
    """Return the first bytes of a file as text where they are some, else as numbers."""
    text = start.decode("utf-8", errors="ignore").split("\n")[0].strip()
    return f'"{text}"' if text.isprintable() and text else start.hex(" ")


def _unknown(path: Path) -> UniemError:
    if path.is_dir():
        found = sorted(p.name for p in path.iterdir())
        inside = (
            f"it holds {', '.join(found[:5])}{' …' if len(found) > 5 else ''}" if found else "it is empty"
        )
        return UniemError(
            f"There is no volume in the folder {path}: {inside}.",
            "Looked for PNG, TIFF or JPG sections, for zarr.json or .zattrs of an OME-Zarr image, "
            "for info of a precomputed volume, and for images or ids of a Dojo folder.",
        )
    with path.open("rb") as file:
        start = file.read(16)
    titles = [each.title for each in FORMATS if path.name.lower().endswith(each.suffixes)]
    begins = f"it begins with {_quoted(start)}" if start else "it is empty"
    if titles:
        return UniemError(
            f"{path} is named {path.suffix} but is not {titles[0]}: {begins}.",
            "Perhaps a download failed or the file was renamed; get or save it again.",
        )
    looked = ", ".join(each.title for each in FORMATS)
    return UniemError(f"{path} is in no known format: {begins}.", f"Looked for {looked}.")
