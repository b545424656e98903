"""Single PNG, JPG and TIFF pictures: their size from the first bytes, their pixels when needed."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats.files import PARSER_ERRORS
from uniem.data.formats.tiff_stack import MAGIC, page_dtype, page_pixels
from uniem.data.limits import check_piece
from uniem.errors import UniemError

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
JPEG_END = b"\xff\xd9"
PNG_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Picture:
    """What the header of a picture says."""

    path: Path
    height: int
    width: int
    dtype: np.dtype[Any]
    samples: int = 1
    pages: int = 1

    def __str__(self) -> str:
        colours = f", {self.samples} samples" if self.samples > 1 else ""
        return f"{self.height} × {self.width} (y, x, {self.dtype}{colours})"


def look_at_picture(path: Path) -> Picture:
    """Return size and type of a picture without decoding it."""
    with path.open("rb") as file:
        start = file.read(4)
        if start not in MAGIC:
            return _look_at(path, file)
    return _look_at_tiff(path)


def _look_at(path: Path, file: BinaryIO) -> Picture:
    """Read the header of a PNG or JPG; raise if it says what its length cannot hold."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    start = file.read(32)
    if start.startswith(PNG_MAGIC) and len(start) >= 26:
        width, height, depth, colour = struct.unpack(">IIBB", start[16:26])
        samples = PNG_SAMPLES.get(colour, 1)
        picture = Picture(path, height, width, _unsigned(16 if depth == 16 else 8), samples)
    elif start.startswith(JPEG_MAGIC):
        picture = _look_at_jpeg(path, file)
    else:
        raise UniemError(
            f"{path} is no picture: it begins with {start[:16]!r}.", "Save it again or move it away."
        )
    if min(picture.height, picture.width) < 1:
        raise UniemError(f"{path} has no pixels.", "Copy or save it again.")
    check_piece(picture.height * picture.width * picture.samples * picture.dtype.itemsize, size, path)
    return picture


def decode_picture(path: Path) -> NDArray[Any]:
    """Return the pixels of a picture, (y, x) or (y, x, samples); a palette is turned into its colours."""
    import imagecodecs

    content = path.read_bytes()
    if content[:4] in MAGIC:
        return _decode_tiff(path)
    _look_at(path, io.BytesIO(content))
    try:
        if content.startswith(PNG_MAGIC):
            return np.asarray(imagecodecs.png_decode(content))
        if JPEG_END not in content[-4096:]:  # the decoder would fill the missing rows with grey
            raise UniemError(f"{path} is cut short.", "Copy or save it again.")
        return np.asarray(imagecodecs.jpeg8_decode(content))
    except PARSER_ERRORS as error:
        raise UniemError(f"{path} is damaged: {error}.", "Copy or save it again.") from error


def _look_at_jpeg(path: Path, file: BinaryIO) -> Picture:
    file.seek(2)
    while len(head := file.read(4)) == 4 and head[0] == 0xFF:
        marker, length = head[1], int.from_bytes(head[2:], "big")
        if marker == 0xFF:
            file.seek(-3, 1)
            continue
        if marker in JPEG_FRAMES:
            depth, height, width, samples = struct.unpack(">BHHB", file.read(6).ljust(6, b"\0"))
            return Picture(path, height, width, _unsigned(depth), samples)
        file.seek(length - 2, 1)
    raise UniemError(f"{path} is cut short.", "Copy or save it again.")


def _look_at_tiff(path: Path) -> Picture:
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            page: Any = tiff.pages[0]
            dtype = page_dtype(page, path, None)
            size = (page.imagelength, page.imagewidth)
            return Picture(path, *size, dtype, page.samplesperpixel, len(tiff.pages))
    except (tifffile.TiffFileError, *PARSER_ERRORS) as error:
        raise UniemError(f"{path} is damaged: {error}.", "Copy or save it again.") from error


def _decode_tiff(path: Path) -> NDArray[Any]:
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            return page_pixels(tiff.pages[0], path)
    except (tifffile.TiffFileError, *PARSER_ERRORS) as error:
        raise UniemError(f"{path} is damaged: {error}.", "Copy or save it again.") from error


def _unsigned(bits: int) -> np.dtype[Any]:
    return np.dtype(np.uint16 if bits > 8 else np.uint8)
