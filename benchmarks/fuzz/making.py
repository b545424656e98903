"""What files made by hand have in common: absurd numbers, bombs, and how a case is made."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.fuzz.trial import Target

Maker = Callable[[Path], Target]
HUGE = 10**9
DTYPES = (
    "complex64",
    "complex128",
    "float16",
    ">u2",
    ">f4",
    ">i8",
    "bool",
    "S5",
    "U3",
    "M8[s]",
    "longdouble",
)
SIZES_NM = (float("nan"), float("inf"), -4.0, 0.0, 1e-300, 1e300)


def huge(location: Path | str, **more: Any) -> Target:
    return Target(str(location), is_huge=True, **more)


def given(make: Callable[[Path, Any], Target], value: Any) -> Maker:
    """Return what makes a case of one value."""
    return lambda folder: make(folder, value)


def each_of(name: str, values: Any, make: Callable[[Path, Any], Target]) -> dict[str, Maker]:
    """Return one case per value."""
    return {f"{name} {str(v)[:40]}": given(make, v) for v in values}


BOMB_PIECE = 1 << 24


def deflated_zeros(size: int) -> bytes:
    """Return a zlib stream of so many zeros, one piece again and again; its checksum is wrong."""
    packer = zlib.compressobj(9)
    head = packer.compress(bytes(BOMB_PIECE)) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(BOMB_PIECE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + piece * (size // BOMB_PIECE - 1) + packer.flush()


def written(path: Path, content: bytes, **more: Any) -> Target:
    path.write_bytes(content)
    return huge(path, **more)


ENTITIES = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
LAUGHS = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">{ENTITIES}]><OME>&a9;</OME>'
