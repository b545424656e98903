"""Where an operation writes: nothing is seen at the final place until it is complete."""

from __future__ import annotations

import glob
import json
import logging
import shutil
import uuid
from pathlib import Path
from typing import Any

from numpy.typing import DTypeLike

from uniem import paths
from uniem.data.formats import export_volume, format_for
from uniem.data.formats.files import write_bytes
from uniem.data.geometry import Triple, VoxelSize
from uniem.data.importing import folder_of_import, import_volume
from uniem.data.location import is_web_address
from uniem.data.provenance import FILE_NAME, Provenance
from uniem.data.store import StoredVolume, create_store, open_store
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.progress import Context

logger = logging.getLogger(__name__)


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


def unfinished(path: Path) -> Path | None:
    """Return the folder in which a job is making what will stand at a path; None where there is none.

    It is the job's own: others may copy files that are complete, and must expect that it goes away.
    """
    found = sorted(path.parent.glob(f".{glob.escape(path.stem)}.??????.part{glob.escape(path.suffix)}"))
    return max(found, key=lambda part: part.stat().st_mtime, default=None)


def path_of(location: str) -> Path:
    """Return the file or folder of a location `PATH` or `PATH::dataset`."""
    return Path(location.partition("::")[0])


class VolumeOutput:
    """A volume still to be made: the body creates it, to fill it, or has another copied into it.

    The `token`, six letters or digits, is in the name under which it is made.
    """

    def __init__(self, location: str, kind: Kind, token: str = "") -> None:
        self.location = location
        self.kind = kind
        path = path_of(location)
        token = token or new_token()
        # What computed it, where the body says so.
        self.device = ""
        self._is_store = path.suffix == ".zarr"
        self._part = path.with_name(f".{path.name}.{token}.part.zarr")
        # The ending names the format, so the part keeps it; without one it is a folder of sections.
        self._exported = path.with_name(f".{token}-{path.name}")
        self._store: StoredVolume | None = None
        self._is_exported = False

    def create(
        self, shape: Triple, dtype: DTypeLike, voxel_size: VoxelSize | None, kind: Kind | None = None
    ) -> Volume:
        """Make the volume, all zeros, and return it for writing."""
        return create_store(self._part, shape, dtype, voxel_size, kind or self.kind)

    def create_like(self, image: Volume, dtype: DTypeLike | None = None, kind: Kind | None = None) -> Volume:
        """Make the volume with an image's shape and voxel size, and its dtype and kind by default."""
        if kind is None and self.kind is Kind.IMAGE:
            kind = image.kind
        return self.create(image.shape, dtype or image.dtype, image.voxel_size, kind)

    def copy_from(self, source: Volume, context: Context, **options: Any) -> None:
        """Make the volume a copy of another, slab by slab, with no store in between where it is none.

        The voxel size and the kind go along. The options are those of the format, as of `export_volume`.
        A copy into a store goes on where an earlier one of the same source to this place was killed.
        """
        if self._is_store:
            folder = folder_of_import(path_of(self.location))
            self._store = import_volume(source, folder, context, **options)
        else:
            self._export(source, context, **options)
            self._is_exported = True

    def publish(self, provenance: Provenance, context: Context) -> None:
        """Bring the finished volume to its place, with pyramid or in the format asked for."""
        path = path_of(self.location)
        if self._is_store:
            store = self._store or open_store(self._part, writable=True)
            if self._store is None:
                store.build_pyramid(context)
            store.update_attributes(provenance=provenance.to_attributes())
            store.rename(path.name)
            _replace(store.path, path)
            self.discard()
            return
        if not self._is_exported:
            self._export(open_store(self._part), context)
        if not self._is_shared:
            self._place_exported(path)
        _record(provenance, path)
        self.discard()

    def discard(self) -> None:
        """Remove what was begun."""
        shutil.rmtree(self._part, ignore_errors=True)
        if self._store is not None:
            _remove(folder_of_import(path_of(self.location)))
        for begun in (self._exported, *self._companions()):
            _remove(begun)

    @property
    def _is_shared(self) -> bool:
        """Tell whether the volume goes into a file or folder beside others, which is never replaced whole."""
        return "::" in self.location or format_for(self.location).holds_several

    def _export(self, volume: Volume, context: Context, **options: Any) -> None:
        slash = "/" if self.location.endswith(("/", "\\")) else ""
        place = self.location if self._is_shared else f"{self._exported}{slash}"
        export_volume(volume, place, context, **options)

    def _companions(self) -> list[Path]:
        """Return the files beside an exported one; an NPY file, for one, cannot hold a voxel size."""
        return list(self._exported.parent.glob(f"{glob.escape(self._exported.name)}.*"))

    def _place_exported(self, path: Path) -> None:
        for companion in self._companions():
            companion.replace(path.with_name(path.name + companion.name.removeprefix(self._exported.name)))
        _replace(self._exported, path)


class PathOutput:
    """A file or folder still to be made: the body writes to `path`, which is then renamed to its place.

    The `token`, six letters or digits, is in the name of `path`.
    """

    def __init__(self, location: str, token: str = "") -> None:
        self.final = Path(location)
        name = f".{self.final.stem}.{token or new_token()}.part{self.final.suffix}"
        self.path = self.final.with_name(name)
        self.is_usable = False
        self.device = ""

    def mark_usable(self) -> None:
        """Tell that what is there is worth keeping even if the run is cancelled or fails from now on."""
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

    def keep(self, provenance: Provenance) -> Path:
        """Bring what an interrupted run made to its place, or beside what stands there; return where."""
        beside = self.final.with_name(f"{self.final.stem}-unfinished{self.final.suffix}")
        place = paths.unused(beside) if self.final.exists() else self.final
        try:
            if self.path.is_dir():
                _record(provenance, self.path)
        except OSError as error:
            # The disk may be full, which is what interrupted the run.
            logger.warning("Where %s came from could not be noted: %s", place, error)
        self.path.replace(place)
        return place

    def discard(self) -> None:
        """Remove what was begun."""
        _remove(self.path)


def new_token() -> str:
    """Return six letters and digits that mark what one run makes while it is unfinished."""
    return uuid.uuid4().hex[:6]


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
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
