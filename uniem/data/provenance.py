"""Where a result came from: the operation, its parameters and inputs, and a fingerprint of volumes."""

from __future__ import annotations

import hashlib
import json
import platform
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

import uniem
from uniem.data.formats.files import reading, write_bytes
from uniem.data.geometry import Box
from uniem.data.volume import Volume
from uniem.errors import UniemError

FILE_NAME = "provenance.json"
SAMPLED_SECTIONS = 8
SAMPLED_WINDOWS = 3
WINDOW = 64


class InputRecord(BaseModel):
    """An input as it was when it was read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    location: str
    fingerprint: str = ""


def _host() -> str:
    return f"{platform.system()} {platform.release()}, Python {platform.python_version()}"


class Provenance(BaseModel):
    """What made a result, with enough to make it again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operation: str
    version: int
    parameters: dict[str, JsonValue] = {}
    inputs: dict[str, InputRecord] = {}
    uniem_version: str = uniem.__version__
    seed: int | None = None
    device: str = ""
    started: datetime
    ended: datetime | None = None
    host_platform: str = _host()

    def to_attributes(self) -> dict[str, Any]:
        """Return it as plain JSON values, for the attributes of a Zarr group."""
        return self.model_dump(mode="json")

    @staticmethod
    def of_attributes(attributes: Any) -> Provenance:
        """Read what `to_attributes` returned."""
        return _validated(attributes, "The record of provenance")

    def write(self, folder: Path) -> None:
        """Write `provenance.json` into a folder."""
        write_bytes(
            folder / FILE_NAME, json.dumps(self.to_attributes(), indent=1, ensure_ascii=False).encode()
        )

    @staticmethod
    def read(folder: Path) -> Provenance:
        """Read `provenance.json` from a folder."""
        path = folder / FILE_NAME
        with reading(path):
            content = path.read_bytes()
        try:
            return _validated(json.loads(content), str(path))
        except ValueError as error:
            raise UniemError(
                f"{path} is not JSON: {error}.", "The result can be used, but not run again."
            ) from error


def fingerprint(volume: Volume) -> str:
    """Return a short hash of shape, data type and sampled voxels, in bounded time.

    It reads windows of 64 x 64 voxels, 3 x 3 of them spread over each of up to 8 sections spread over the
    volume, so a small volume is hashed whole and a large one by 288 kB. Two volumes with the same
    fingerprint are of the same shape and very likely the same data; an edit between the windows goes
    unnoticed.
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{volume.shape} {volume.dtype.str}".encode())
    for z in _spread(volume.shape[0], SAMPLED_SECTIONS, 1):
        for y in _spread(volume.shape[1], SAMPLED_WINDOWS, WINDOW):
            for x in _spread(volume.shape[2], SAMPLED_WINDOWS, WINDOW):
                stop = (z + 1, min(y + WINDOW, volume.shape[1]), min(x + WINDOW, volume.shape[2]))
                digest.update(np.ascontiguousarray(volume.read(Box((z, y, x), stop))).tobytes())
    return f"sampled-1:{digest.hexdigest()}"


def _spread(length: int, count: int, width: int) -> list[int]:
    """Return the starts of up to `count` windows, the first and the last at the ends."""
    last = max(0, length - width)
    return sorted({round(i * last / max(1, count - 1)) for i in range(count)})


def _validated(content: Any, what: str) -> Provenance:
    try:
        return Provenance.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UniemError(
            f"{what} is not valid: {where}: {first['msg']}.", "It may be from another version of uniem."
        ) from error
