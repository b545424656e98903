"""Where an operation writes: nothing is seen at the final place until it is complete."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

from numpy.typing import DTypeLike

from uniem.data.formats import export_volume, format_for
from uniem.data.formats.files import write_bytes
from uniem.data.geometry import Triple, VoxelSize
from uniem.data.location import is_web_address
from uniem.data.provenance import FILE_NAME, Provenance
from uniem.data.store import create_store, open_store
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context


def check_target(location: str, overwrite: bool) -> None:
    """Raise if an output cannot be put at a location: something is there, or its folder cannot be written."""
    if is_web_address(location):
        raise UniemError(f"{location} cannot be written to.", "Write to a folder here, then upload it.")
    path = path_of(location)
    if path.exists() and not overwrite and "::" not in location:
        raise UniemError(f"{path} already exists.", "Choose another name, or say --overwrite to replace it.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        probe = path.parent / f".uniem-{uuid.uuid4().hex}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UniemError(
            f"Cannot write into {path.parent}: {reason}.", "Choose a folder you may write to."
        ) from error


def path_of(location: str) -> Path:
    """Return the file or folder of a location `PATH` or `PATH::dataset`."""
    return Path(location.partition("::")[0])


class VolumeOutput:
    """A volume still to be made; the body creates it once its shape and dtype are known."""

    def __init__(self, location: str, kind: Kind) -> None:
        self.location = location
        self.kind = kind
        path = path_of(location)
        self._is_store = path.suffix == ".zarr"
        self._part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:6]}.part.zarr")
        self._volume: Volume | None = None

    def create(
        self, shape: Triple, dtype: DTypeLike, voxel_size: VoxelSize | None, kind: Kind | None = None
    ) -> Volume:
        """Make the volume, all zeros, and return it for writing."""
        self._volume = create_store(self._part, shape, dtype, voxel_size, kind or self.kind)
        return self._volume

    def create_like(self, image: Volume, dtype: DTypeLike | None = None, kind: Kind | None = None) -> Volume:
        """Make the volume with an image's shape and voxel size, and its dtype and kind by default."""
        if kind is None and self.kind is Kind.IMAGE:
            kind = image.kind
        return self.create(image.shape, dtype or image.dtype, image.voxel_size, kind)

    def publish(self, provenance: Provenance, context: Context) -> None:
        """Bring the finished volume to its place, with pyramid or in the format asked for."""
        store = open_store(self._part, writable=True)
        path = path_of(self.location)
        if self._is_store:
            store.build_pyramid(context)
            store.update_attributes(provenance=provenance.to_attributes())
            store.rename(path.name)
            _replace(self._part, path)
            return
        store.name = path.name
        self._export(store, path, context)
        _record(provenance, path)
        self.discard()

    def _export(self, store: Volume, path: Path, context: Context) -> None:
        # A folder of images and ids together is added to, never replaced whole.
        if "::" in self.location or format_for(self.location).holds_several:
            export_volume(store, self.location, context)
            return
        # The ending names the format, so the part keeps it; without one it is a folder of sections.
        part = path.with_name(f".{uuid.uuid4().hex[:6]}-{path.name}")
        export_volume(store, part, context)
        # NPY files cannot hold a voxel size, so a companion file does.
        for companion in path.parent.glob(f"{part.name}.*"):
            companion.replace(path.with_name(path.name + companion.name.removeprefix(part.name)))
        _replace(part, path)

    def discard(self) -> None:
        """Remove what was begun."""
        shutil.rmtree(self._part, ignore_errors=True)


class PathOutput:
    """A file or folder still to be made: the body writes to `path`, which is then renamed to its place."""

    def __init__(self, location: str) -> None:
        self.final = Path(location)
        self.path = self.final.with_name(f".{self.final.stem}.{uuid.uuid4().hex[:6]}.part{self.final.suffix}")
        self.is_usable = False

    def mark_usable(self) -> None:
        """Tell that what is there is worth keeping even if the run is cancelled now."""
        self.is_usable = True

    def publish(self, provenance: Provenance, context: Context) -> None:
        """Bring the finished file or folder to its place."""
        if not self.path.exists():
            raise UniemError(f"The operation made no {self.final.name}.")
        if self.path.is_dir():
            _record(provenance, self.path)
        _replace(self.path, self.final)
        if self.final.is_file():
            _record(provenance, self.final)

    def discard(self) -> None:
        """Remove what was begun."""
        if self.path.is_dir():
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            self.path.unlink(missing_ok=True)


def _record(provenance: Provenance, path: Path) -> None:
    """Write where a result came from: into its folder, or beside its file."""
    place = path / FILE_NAME if path.is_dir() else path.with_name(f"{path.name}.{FILE_NAME}")
    place.unlink(missing_ok=True)
    write_bytes(place, json.dumps(provenance.to_attributes(), indent=1).encode())


def _replace(part: Path, final: Path) -> None:
    """Rename a finished part to its place; what was there is removed only once the new one stands."""
    old = final.with_name(f".{final.name}.{uuid.uuid4().hex[:6]}.old")
    if final.exists():
        final.replace(old)
    part.replace(final)
    if old.is_dir():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink(missing_ok=True)
