"""Folders of PNG, TIFF or JPG pictures, one per section in natural order; also one such picture."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats.files import PARSER_ERRORS, read_record, reading, replacing
from uniem.data.formats.format import (
    Format,
    SectionVolume,
    describe,
    described_kind,
    described_voxel_size,
    flatten_colours,
    sections,
    settle,
)
from uniem.data.formats.picture import Picture, decode_picture, look_at_picture
from uniem.data.formats.picture_series import (
    PICTURE_SUFFIXES,
    is_picture,
    picture_names,
    selected,
    series_in,
)
from uniem.data.palette import Colour, painted
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

RECORD = "volume.json"
WRITTEN_TYPES = ("png", "tif", "jpg")
JPEG_QUALITY = 95
# What the names of files cannot have on one system or another.
FORBIDDEN = frozenset('/\\:*?"<>|')


def probe(path: Path) -> bool:
    """Tell whether a folder holds pictures, or a file is a PNG or JPG."""
    if path.is_dir():
        with os.scandir(path) as entries:
            return any(is_picture(entry) for entry in entries)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(3) in (b"\x89PN", b"\xff\xd8\xff")


def read(path: Path, dataset: str | None, kind: Kind | None) -> Volume:
    """Open the pictures of a folder as sections, or one picture; they are decoded when they are asked for.

    `dataset` selects some pictures of a folder, see `picture_series`.
    """
    with reading(path):
        files = _files_of(path, dataset)
        pictures = [look_at_picture(file) for file in files]
    first = pictures[0]
    _check_sizes(first, pictures)
    is_coded = kind == Kind.LABELS and first.samples >= 3 and first.dtype == np.uint8
    dtype = np.dtype(np.uint32) if is_coded else max((p.dtype for p in pictures), key=lambda d: d.itemsize)

    def decode(z: int) -> NDArray[Any]:
        with reading(files[z]):
            pixels = flatten_colours(decode_picture(files[z]), kind)
        if pixels.shape != (first.height, first.width):
            found = Picture(files[z], pixels.shape[0], pixels.shape[1], first.dtype, first.samples)
            raise _different(first, found)
        return pixels

    record = _record_in(path)
    volume = SectionVolume(
        (len(files), first.height, first.width), dtype, decode, described_voxel_size(record)
    )
    return settle(volume, path, dataset, kind or described_kind(record))


def write(
    volume: Volume,
    path: Path,
    dataset: str | None,
    context: Context,
    *,
    prefix: str = "",
    first: int = 0,
    digits: int = 4,
    file_type: str = "png",
    bits: int | None = None,
    colours: Mapping[int, Colour] | None = None,
) -> None:
    """Write one picture per section into a new folder, and `volume.json` with voxel size and kind.

    Names are `prefix` and a number that begins with `first`, with at least `digits` digits; `file_type` is
    png, tif, or jpg, which changes grey values a little and so takes 8-bit images only. A voxel that does
    not fit into `bits`, 8 or 16, is an error, never wrapped. By default PNG has 8 bits for uint8 and booleans
    and else 16; TIFF keeps the data type of the volume. With `colours`, which may be empty, labels become
    8-bit RGB in the colours of the palette, or in those given.
    """
    if dataset:
        raise UniemError(f"A folder of sections holds no dataset '{dataset}'.", f"Leave off ::{dataset}.")
    _check_options(prefix, first, digits, file_type, bits)
    _check_colours(volume, file_type, bits, colours is not None)
    dtype = None if colours is not None else stored_dtype(volume, file_type, bits)
    with replacing(path) as part:
        part.mkdir()
        for number, section in enumerate(sections(volume, context, "writing"), first):
            name = f"{prefix}{number:0{digits}d}.{file_type}"
            if dtype is None:
                pixels: NDArray[Any] = painted(section, colours)
            else:
                pixels = _fitted(section, dtype, volume, number - first)
            _write_picture(part / name, pixels, file_type)
        # Pictures in colour are no labels: their ids are gone.
        record = describe(volume) if dtype is not None else {**describe(volume), "kind": str(Kind.IMAGE)}
        (part / RECORD).write_text(json.dumps(record, indent=1), "utf-8")


def _files_of(path: Path, selection: str | None) -> list[Path]:
    if not path.is_dir():
        if selection:
            raise UniemError(
                f"{path} is a picture, not a dataset '{selection}'.", f"Leave off ::{selection}."
            )
        return [path]
    names = picture_names(path)
    chosen = selected(names, selection) if selection else names
    if not chosen:
        known = ", ".join(each.selection for each in series_in(names)[:5] if each.selection)
        raise UniemError(
            f"None of the {len(names)} pictures in {path} is called '{selection}'.",
            f"Leave off ::{selection} for all of them, or choose, for example: {known or names[0]}.",
        )
    return [path / name for name in chosen]


def _check_sizes(first: Picture, pictures: list[Picture]) -> None:
    for other in pictures:
        if (other.height, other.width) != (first.height, first.width):
            raise _different(first, other)
        if other.pages > 1 and len(pictures) > 1:
            raise UniemError(
                f"{other.path} is a stack of {other.pages} sections among {len(pictures)} pictures.",
                "Open the stack by itself, or keep single sections only in the folder.",
            )
        if (other.samples >= 3) != (first.samples >= 3) or other.dtype.kind != first.dtype.kind:
            raise _different(first, other)


def _different(first: Picture, other: Picture) -> UniemError:
    return UniemError(
        f"Sections in {first.path.parent} differ: {first.path.name} is {first}, "
        f"{other.path.name} is {other}.",
        "Crop, pad or convert them alike, or move the odd one out of the folder.",
    )


def _record_in(path: Path) -> Any:
    try:
        return read_record(path / RECORD)
    except (OSError, *PARSER_ERRORS):
        return None


def _check_options(prefix: str, first: int, digits: int, file_type: str, bits: int | None) -> None:
    if file_type not in WRITTEN_TYPES:
        raise UniemError(f"Sections cannot be written as '{file_type}'.", f"Use {', '.join(WRITTEN_TYPES)}.")
    if bits not in (None, 8, 16):
        raise UniemError(f"Sections cannot have {bits} bits.", "Use 8 or 16.")
    if prefix.startswith(".") or any(each in FORBIDDEN or not each.isprintable() for each in prefix):
        raise UniemError(f"'{prefix}' cannot begin a file's name.", "Use letters, digits, - and _.")
    if first < 0 or not 1 <= digits <= 12:
        raise UniemError(f"Numbers from {first} with {digits} digits cannot be used.", "Use 1 to 12 digits.")


def _check_colours(volume: Volume, file_type: str, bits: int | None, is_coloured: bool) -> None:
    name = volume.name or "The volume"
    if is_coloured and bits == 16:
        raise UniemError("Pictures in the colours of labels have 8 bits, not 16.", "Leave the bits off.")
    if is_coloured and volume.dtype.kind not in "bui":
        raise UniemError(f"{name} is {volume.dtype}; only labels have colours.", "Write it in grey.")
    if file_type != "jpg":
        return
    if volume.kind == Kind.LABELS or is_coloured:
        raise UniemError(f"{name} has labels, whose ids JPG would change.", "Use png or tif.")
    if bits == 16 or volume.dtype != np.uint8:
        raise UniemError(
            f"{name} is {volume.dtype}; JPG pictures have 8 bits.",
            "Convert it to uint8, with a range of grey values, or use png or tif.",
        )


def stored_dtype(volume: Volume, file_type: str, bits: int | None) -> np.dtype[Any]:
    """Return the data type of the pictures that hold a volume; raise where there is none."""
    is_small = volume.dtype.kind == "b" or volume.dtype == np.uint8
    if volume.dtype.kind == "f" and (file_type == "png" or bits):
        raise UniemError(
            f"{volume.name or 'The volume'} is {volume.dtype}; {bits or 16}-bit pictures hold whole numbers.",
            "Convert it to uint8 or uint16 with a range first, or write TIFF sections of any depth.",
        )
    if bits:
        return np.dtype(f"uint{bits}")
    if file_type == "tif" and volume.dtype.kind != "b":
        return volume.dtype
    return np.dtype(np.uint8) if is_small else np.dtype(np.uint16)


def _fitted(section: NDArray[Any], dtype: np.dtype[Any], volume: Volume, z: int) -> NDArray[Any]:
    if section.dtype == dtype:
        return section
    limits = np.iinfo(dtype)
    low, high = int(section.min()), int(section.max())
    if low < limits.min or high > limits.max:
        what = "label ids" if volume.kind == Kind.LABELS else "values"
        raise UniemError(
            f"Section {z} of {volume.name or 'the volume'} has {what} from {low} to {high}; "
            f"{limits.bits}-bit pictures hold {limits.min} to {limits.max}.",
            "Write a TIFF stack, HDF5 or Zarr, relabel the objects, or convert with a range first.",
        )
    return section.astype(dtype)


def _write_picture(path: Path, section: NDArray[Any], file_type: str) -> None:
    import imagecodecs
    import tifffile

    if file_type == "png":
        room = section.nbytes * 2 + 4096  # the codec expects too little of narrow pictures
        path.write_bytes(imagecodecs.png_encode(section, level=1, out=room))
    elif file_type == "jpg":
        path.write_bytes(imagecodecs.jpeg8_encode(section, level=JPEG_QUALITY))
    else:
        photometric: Any = "rgb" if section.ndim == 3 else "minisblack"
        tifffile.imwrite(path, section, photometric=photometric, metadata=None, compression="zlib")


FORMAT = Format("a folder of PNG, TIFF or JPG sections", (*PICTURE_SUFFIXES,), probe, read, write)
