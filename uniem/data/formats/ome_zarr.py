"""OME-Zarr folders: the working store seen as a format.

The voxel size is in nanometres, in every level's transformation; integer labels are marked as labels
(`image-label`), and what only this suite knows is under `uniem` among the attributes.
"""

from __future__ import annotations

from pathlib import Path

from uniem.data.formats.files import replacing
from uniem.data.formats.format import Format
from uniem.data.store import STORED_AS
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

MARKERS = ("zarr.json", ".zattrs", ".zgroup")


def probe(path: Path) -> bool:
    """Tell whether a folder holds a Zarr group."""
    return path.is_dir() and any((path / marker).is_file() for marker in MARKERS)


def read(path: Path, dataset: str | None, kind: Kind | None) -> Volume:
    """Open an OME-Zarr image, or the one that a group holds under the name `dataset`."""
    from uniem.data.store import is_store, open_store

    folder = path / dataset if dataset else path
    if not (probe(folder) and is_store(folder)):
        inside = sorted(p.name for p in path.iterdir() if probe(p) and is_store(p))
        hint = f"Choose one of {', '.join(f'{path}::{name}' for name in inside)}." if inside else ""
        raise UniemError(
            f"{folder} is not an OME-Zarr image.", hint or "Open the folder that holds its zarr.json."
        )
    volume = open_store(folder)
    volume.kind = kind or volume.kind
    if dataset:
        volume.source = f"{path}::{dataset}"
    return volume


def write(volume: Volume, path: Path, dataset: str | None, context: Context, *, version: str = "0.5") -> None:
    """Copy a volume into a new OME-Zarr 0.5 or 0.4 with a pyramid, block by block."""
    from uniem.data.importing import copy_volume
    from uniem.data.store import create_store

    if dataset:
        raise UniemError(
            f"An OME-Zarr is written whole, not as '{dataset}'.", f"Write to {path / dataset} instead."
        )
    with replacing(path) as part:
        store = create_store(
            part, volume.shape, volume.dtype, volume.voxel_size, volume.kind, version=version
        )
        copy_volume(volume, store, context)
        store.rename(path.name)
        del store


FORMAT = Format("OME-Zarr", (".zarr",), probe, read, write, STORED_AS)
