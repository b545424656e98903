"""Voxel sizes that the user gave for volumes whose files do not say them, and which are never written to.

They are kept in a file of the user's own, by location, so that the window, the command line and the jobs all
see them.
"""

from __future__ import annotations

import contextlib
import json
import logging
from pathlib import Path
from typing import Any

from uniem import paths
from uniem.data.geometry import VoxelSize
from uniem.data.location import normalised_location
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.file_lock import FileLock

logger = logging.getLogger(__name__)

FILE_NAME = "voxel-sizes.json"
PATIENCE_S = 3.0


def recorded_voxel_size(volume: Volume) -> VoxelSize | None:
    """Return the voxel size that was given for a volume; None if there is none, or its shape has changed."""
    record = _read(_file()).get(normalised_location(volume.source)) if volume.source else None
    if not isinstance(record, dict) or record.get("shape") != list(volume.shape):
        return None
    try:
        return VoxelSize(*(float(edge) for edge in record["nm"]))
    except (KeyError, TypeError, ValueError):
        return None


def record_voxel_size(volume: Volume, size: VoxelSize | None) -> None:
    """Keep the voxel size of a volume by its source; None forgets it, so that the file's own counts again."""
    place = normalised_location(volume.source)
    file = _file()
    lock = FileLock(file.with_name(f"{FILE_NAME}.lock"))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not lock.take("", PATIENCE_S):
            raise UniemError(f"{file} is being written by another program.", "Try again.")
        records = _read(file)
        records.pop(place, None)
        if size is not None:
            records[place] = {"nm": list(size), "shape": list(volume.shape)}
        part = file.with_name(f".{FILE_NAME}.part")
        part.write_text(json.dumps(records, indent=1, ensure_ascii=False), encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise UniemError(
            f"The voxel size cannot be kept in {file}: {error.strerror}.",
            "Free some space, or set UNIEM_HOME to another folder.",
        ) from error
    finally:
        lock.release()


def with_recorded_size(volume: Volume) -> Volume:
    """Return a volume with the voxel size that the user gave for it, if there is one."""
    volume.voxel_size = recorded_voxel_size(volume) or volume.voxel_size
    return volume


def _file() -> Path:
    return paths.user_data() / FILE_NAME


def _read(file: Path) -> dict[str, Any]:
    try:
        records = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(records, dict):
            return records
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        logger.warning("The voxel sizes in %s cannot be read: %s.", file, error)
    aside = file.with_name(f"{FILE_NAME}.damaged")
    with contextlib.suppress(OSError):
        file.replace(aside)
    return {}
