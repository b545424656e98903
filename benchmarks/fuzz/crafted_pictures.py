"""TIFF files, pictures and folders of pictures made by hand."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz.making import (
    DTYPES,
    HUGE,
    LAUGHS,
    Maker,
    deflated_zeros,
    each_of,
    given,
    huge,
    written,
)
from benchmarks.fuzz.samples import grey
from benchmarks.fuzz.trial import Target

TIFF_TAGS = {
    256: 56,
    257: 40,
    258: 8,
    259: 1,
    262: 1,
    273: 8,
    277: 1,
    278: 40,
    279: 56 * 40,
}


def tiny_tiff(path: Path, changes: dict[int, Any], content: bytes | None = None, following: int = 0) -> Path:
    """Write a classic TIFF of one page with chosen tags; a value of bytes is ASCII, None leaves it out."""
    content = grey()[0].tobytes() if content is None else content
    tags = {**TIFF_TAGS, 279: len(content), **changes}
    tags = {tag: value for tag, value in sorted(tags.items()) if value is not None}
    start = 8 + len(content)
    extra = b""
    entries = b""
    after = start + 2 + 12 * len(tags) + 4
    for tag, value in tags.items():
        if isinstance(value, bytes):
            entries += struct.pack("<HHII", tag, 2, len(value), after + len(extra))
            extra += value
        else:
            entries += struct.pack("<HHII", tag, 4, 1, value)
    link = following if following >= 0 else start
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", link)
    path.write_bytes(b"II*\0" + struct.pack("<I", start) + content + directory + extra)
    return path


def _tiff_tags(folder: Path, changes: dict[int, Any]) -> Target:
    return huge(tiny_tiff(folder / "a.tif", changes))


def _tiff_bomb(folder: Path, edge: int) -> Target:
    packed = deflated_zeros(min(edge * edge, 1 << 34))
    return huge(tiny_tiff(folder / "a.tif", {256: edge, 257: edge, 278: edge, 259: 8}, packed))


def _tiff_text(folder: Path, text: str) -> Target:
    return huge(tiny_tiff(folder / "a.tif", {270: text.encode() + b"\0"}))


def _tiff_dtype(folder: Path, dtype: str) -> Target:
    import tifffile

    tifffile.imwrite(folder / "a.tif", np.ones((2, 30, 20), dtype))
    return Target(f"{folder}/a.tif")


def _tiff_many_pages(folder: Path) -> Target:
    page = struct.pack("<H", len(TIFF_TAGS)) + b"".join(
        struct.pack("<HHII", tag, 4, 1, value) for tag, value in TIFF_TAGS.items()
    )
    content = bytearray(b"II*\0" + struct.pack("<I", 8 + 2240) + grey()[0].tobytes())
    for _ in range(30_000):
        content += page + struct.pack("<I", len(content) + len(page) + 4)
    content[-4:] = bytes(4)
    (folder / "a.tif").write_bytes(content)
    return huge(folder / "a.tif")


OME = (
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="P:0" '
    'DimensionOrder="XYZCT" Type="uint8" SizeX="{x}" SizeY="40" SizeZ="{z}" SizeC="1" SizeT="1" '
    'PhysicalSizeX="{s}" PhysicalSizeY="{s}" PhysicalSizeZ="{s}"><TiffData{data}/></Pixels></Image></OME>'
)
TIFF_TEXTS = [
    OME.format(x=56, z=1, s="NaN", data=""),
    OME.format(x=56, z=HUGE, s="INF", data=""),
    OME.format(x=HUGE, z=6, s="-1", data=""),
    OME.format(x=56, z="x", s="1e999", data=' IFD="-5" PlaneCount="99999999"'),
    OME.format(x=56, z=2, s="0", data=' FirstZ="-7"'),
    OME.format(x=56, z=2, s="1", data='><UUID FileName="../../../../etc/passwd">u</UUID></TiffData'),
    "<OME",
    LAUGHS,
    "ImageJ=1.54f\nimages=1000000000\nslices=1000000000\nunit=nm\nspacing=nan\n",
    "ImageJ=1.54f\nimages=-3\nslices=-3\nframes=0\nspacing=inf\nunit=um\n",
    "ImageJ=1.54f\nimages=abc\nslices=1e9\n",
    "ImageJ=1.54f\nimages=1\nhyperstack=true\nchannels=0\nslices=1\nmin=nan\n",
    '{"shape": [1000000000, 1000000000, 1000000000]}',
    '{"shape": [-1, 40, 56]}',
    '{"shape": []}',
    '{"shape": "x", "uniem": {"voxel_size_nm": [NaN, 1, 1], "kind": [1]}}',
    '{"uniem": 5}',
    '{"uniem": {"voxel_size_nm": {"z": 1}, "kind": "pudding"}}',
    "[" * 50_000,
    "SCANIMAGE.SI.x = 3",
    "<MetaData>" * 1000,
]
TIFF: dict[str, Maker] = {
    **each_of(
        "tags",
        [
            {256: 4_000_000_000},
            {257: 4_000_000_000},
            {256: 4_000_000_000, 257: 4_000_000_000, 278: 2**32 - 1},
            {256: 0},
            {257: 0},
            {258: 0},
            {258: 7},
            {258: 4_000_000_000},
            {258: 128},
            {277: 0},
            {277: 65535},
            {277: 4_000_000_000},
            {278: 0},
            {278: 2**32 - 1},
            {279: 2**32 - 1},
            {279: 0},
            {273: 2**32 - 2},
            {259: 60_000},
            {259: 5},
            {259: 7},
            {259: 8},
            {259: 34712},
            {259: 50000},
            {259: 34887},
            {259: 6},
            {262: 6},
            {262: 3},
            {262: 2, 277: 3},
            {262: 9999},
            {317: 2},
            {317: 3},
            {317: 99},
            {256: None},
            {257: None},
            {273: None},
            {279: None},
            {258: None},
            {262: None},
            {278: None},
            {322: 0, 323: 0, 324: 8, 325: 9},
            {322: 2**31, 323: 2**31, 324: 8, 325: 2240},
            {322: 16, 323: 16, 324: 8, 325: 256},
            {339: 5},
            {339: 6},
            {339: 99},
            {284: 2, 277: 3},
            {282: 0, 283: 0},
            {254: 1},
            {254: 4},
            {32997: 2**31},
            {32997: 0},
            {330: 8},
            {330: 2**31},
        ],
        _tiff_tags,
    ),
    **each_of("bomb of edge", [8192, 60_000, 400_000], _tiff_bomb),
    **{f"text {i}": given(_tiff_text, t) for i, t in enumerate(TIFF_TEXTS)},
    **each_of("of", [*DTYPES[:7], "int64", "uint64"], _tiff_dtype),
    "page after itself": lambda folder: huge(tiny_tiff(folder / "a.tif", {}, following=-1)),
    "page outside": lambda folder: huge(tiny_tiff(folder / "a.tif", {}, following=2**32 - 1)),
    "30,000 pages": _tiff_many_pages,
}


def png(
    width: int, height: int, depth: int = 8, colour: int = 0, raw: bytes = b"", packed: bytes = b""
) -> bytes:
    """Return a PNG whose header may say what its data do not."""

    def part(name: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = packed or zlib.compress(raw)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", body) + part(b"IEND", b"")


def _png_of(pixels: Any) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.png_encode(pixels))


def _png_header(folder: Path, header: Any) -> Target:
    width, height, depth, colour = (*header, 8, 0)[:4] if len(header) == 2 else (*header, 0)[:4]
    return written(folder / "a.png", png(width, height, depth, colour, bytes(100_000)))


def _png_bomb(folder: Path, edge: int) -> Target:
    return written(folder / "a.png", png(edge, edge, packed=deflated_zeros(min(edge * (edge + 1), 1 << 35))))


def _jpeg_header(folder: Path, size: tuple[int, int, int]) -> Target:
    import imagecodecs

    content = bytearray(imagecodecs.jpeg8_encode(grey()[0]))
    at = content.index(b"\xff\xc0") + 5
    content[at : at + 5] = struct.pack(">HHB", *size)
    return written(folder / "a.jpg", bytes(content))


def _folder_of(folder: Path, files: dict[str, bytes], **more: Any) -> Target:
    (folder / "s").mkdir()
    for name, content in files.items():
        (folder / "s" / name).write_bytes(content)
    return huge(folder / "s", **more)


def _mixed(folder: Path, which: str) -> Target:
    import imagecodecs
    import tifffile

    section = grey()[0]
    other: dict[str, bytes] = {
        "size": _png_of(section[:30]),
        "depth": _png_of(section.astype(np.uint16)),
        "colour": _png_of(np.stack([section] * 3, -1)),
        "alpha": _png_of(np.stack([section] * 4, -1)),
        "jpg": bytes(imagecodecs.jpeg8_encode(section)),
        "text": b"not a picture",
        "nothing": b"",
        "half": _png_of(section)[:700],
    }
    stack = io.BytesIO()
    tifffile.imwrite(stack, grey() if which == "stack" else section.astype(np.float32))
    content = other.get(which, stack.getvalue())
    name = "2.png" if which in other else "2.tif"
    return _folder_of(folder, {"1.png": _png_of(section), name: content})


def _strange_folder(folder: Path, which: str) -> Target:

    target = _folder_of(folder, {"1.png": _png_of(grey()[0])})
    place = folder / "s"
    if which == "loop":
        (place / "2.png").symlink_to(place / "3.png")
        (place / "3.png").symlink_to(place / "2.png")
    elif which == "dangling":
        (place / "2.png").symlink_to("/nowhere/at/all.png")
    elif which == "fifo":
        os.mkfifo(place / "2.png")
    elif which == "folder":
        (place / "2.png").mkdir()
    elif which == "zero":
        (place / "2.png").symlink_to("/dev/zero")
    elif which == "hidden":
        (place / "._1.png").write_bytes(b"Mac OS")
        (place / "Thumbs.db").write_bytes(b"Windows")
    elif which == "numbers":
        for name in ("9" * 200, "²", "٣", "1" * 4400):
            if len(name) < 240:
                (place / f"{name}.png").write_bytes((place / "1.png").read_bytes())
    return target


def _record(folder: Path, text: str) -> Target:

    return _folder_of(folder, {"1.png": _png_of(grey()[0]), "volume.json": text.encode()}, must_open=True)


RECORDS = [
    "",
    "[]",
    "null",
    "{",
    '{"voxel_size_nm": [NaN, 1, 1], "kind": {}}',
    '{"voxel_size_nm": 5, "kind": 5}',
    '{"voxel_size_nm": ["8", "8", "8"]}',
    '{"voxel_size_nm": [1e999, 1, 1]}',
    "[" * 10**5,
    "\0",
    '{"kind": ["image"], "voxel_size_nm": {"a": 1, "b": 2, "c": 3}}',
    '{"voxel_size_nm": [1' + "0" * 400 + ",1,1]}",
]
PICTURES: dict[str, Maker] = {
    **each_of(
        "png header",
        [
            (2**31 - 1, 2**31 - 1),
            (2**32 - 1, 5),
            (0, 5),
            (5, 0),
            (10**6, 10**6),
            (30_000, 30_000, 16, 6),
            (56, 40, 8, 3),
            (56, 40, 1),
            (56, 40, 2),
            (56, 40, 16, 4),
            (56, 40, 8, 4),
            (56, 40, 3),
            (56, 40, 8, 5),
        ],
        _png_header,
    ),
    **each_of("png bomb of edge", [1000, 30_000, 65_000, 200_000], _png_bomb),
    **each_of(
        "jpeg header",
        [(65_500, 65_500, 3), (0, 56, 3), (40, 0, 1), (65_535, 65_535, 1), (40, 56, 255)],
        _jpeg_header,
    ),
    **each_of(
        "folder with another",
        ["size", "depth", "colour", "alpha", "jpg", "text", "nothing", "half", "stack", "float"],
        _mixed,
    ),
    **each_of(
        "folder with", ["loop", "dangling", "fifo", "folder", "zero", "hidden", "numbers"], _strange_folder
    ),
    **{f"record {i}": given(_record, t) for i, t in enumerate(RECORDS)},
    "5,000 files": lambda folder: _folder_of(
        folder, {f"{i}.png": png(9, 9, raw=bytes(90)) for i in range(5000)}
    ),
    "8,000 others": lambda folder: _folder_of(folder, {f"{i}.txt": b"" for i in range(8000)}),
}
