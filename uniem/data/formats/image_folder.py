"""Folders of PNG, TIFF or JPG pictures, one per section in natural order; also one such picture."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats.files import reading, replacing
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
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

PICTURE_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
RECORD = "volume.json"


def natural_order(path: Path) -> list[tuple[int, str]]:
    """Return a key that sorts z2 before z10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def probe(path: Path) -> bool:
    """Tell whether a folder holds pictures, or a file is a PNG or JPG."""
    if path.is_dir():
        return next(_pictures_in(path), None) is not None
    with path.open("rb") as file:
        return file.read(3) in (b"\x89PN", b"\xff\xd8\xff")


def read(path: Path, dataset: str | None, kind: Kind | None) -> Volume:
    """Open the pictures of a folder as sections, or one picture; they are decoded when they are asked for."""
    if dataset:
        raise UniemError(f"{path} holds pictures, not a dataset '{dataset}'.", f"Leave off ::{dataset}.")
    files = sorted(_pictures_in(path), key=natural_order) if path.is_dir() else [path]
    with reading(path):
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
    return settle(volume, path, None, kind or described_kind(record))


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
) -> None:
    """Write one picture per section into a new folder, and `volume.json` with voxel size and kind.

    Names are `prefix` and a number that begins with `first`, with at least `digits` digits; `file_type` is
    png or tif. A voxel that does not fit into `bits`, 8 or 16, is an error, never wrapped. By default PNG
    has 8 bits for uint8 and booleans and else 16; TIFF keeps the data type of the volume.
    """
    if dataset:
        raise UniemError(f"A folder of sections holds no dataset '{dataset}'.", f"Leave off ::{dataset}.")
    _check_options(prefix, first, digits, file_type, bits)
    dtype = _stored_dtype(volume, file_type, bits)
    with replacing(path) as part:
        part.mkdir()
        for number, section in enumerate(sections(volume, context, "writing"), first):
            name = f"{prefix}{number:0{digits}d}.{file_type}"
            _write_picture(part / name, _fitted(section, dtype, volume, number - first), file_type)
        (part / RECORD).write_text(json.dumps(describe(volume), indent=1), "utf-8")


def _pictures_in(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".") and path.is_file():
            yield path


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
        return json.loads((path / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _check_options(prefix: str, first: int, digits: int, file_type: str, bits: int | None) -> None:
    if file_type not in ("png", "tif"):
        raise UniemError(f"Sections cannot be written as '{file_type}'.", "Use png or tif.")
    if bits not in (None, 8, 16):
        raise UniemError(f"Sections cannot have {bits} bits.", "Use 8 or 16.")
    if "/" in prefix or "\\" in prefix or prefix.startswith("."):
        raise UniemError(f"'{prefix}' cannot begin a file's name.", "Use letters, digits, - and _.")
    if first < 0 or not 1 <= digits <= 12:
        raise UniemError(f"Numbers from {first} with {digits} digits cannot be used.", "Use 1 to 12 digits.")


def _stored_dtype(volume: Volume, file_type: str, bits: int | None) -> np.dtype[Any]:
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
        path.write_bytes(imagecodecs.png_encode(section, level=1))
    else:
        tifffile.imwrite(path, section, photometric="minisblack", metadata=None, compression="zlib")


FORMAT = Format("a folder of PNG, TIFF or JPG sections", (*PICTURE_SUFFIXES,), probe, read, write)
