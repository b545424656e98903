"""What is done with a prepared file, and what counts as good."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.formats import export_volume, open_volume
from uniem.data.geometry import Box
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError

LARGEST_SECTION_BYTES = 64 << 20
HASHED_BYTES = 8 << 20


class Wrong(Exception):
    """Tell what a case did that it must not do."""


@dataclass
class Target:
    """A prepared file and what to do with it.

    Attributes
    ----------
    location : str
        What to open.
    noun : str
        volume, mesh, table or model.
    expected : array or None
        The voxels it must yield; reading may then not be refused.
    must_open : bool
        Whether a refusal is wrong: strange, but nothing is missing.
    is_huge : bool
        Whether it is too large to be converted.
    meanwhile : callable or None
        What happens to the file once the first section has been read.
    export_to : str or None
        Where to write what was read.
    before_export : callable or None
        What happens to the place of the export after the volume was opened.
    forbidden : Path or None
        A file that must not come into being: what a pickle would make if it were unpacked.
    """

    location: str
    noun: str = "volume"
    expected: NDArray[Any] | None = None
    must_open: bool = False
    is_huge: bool = False
    meanwhile: Callable[[], None] | None = None
    export_to: str | None = None
    before_export: Callable[[], None] | None = None
    forbidden: Path | None = None


def judge(target: Target, folder: Path, rng: random.Random, is_typed: bool) -> str:
    """Open and read a target, or export it, by functions or by the command line; return how it ended.

    `opened` and `refused` are good. Anything else is raised: `Wrong`, or what should have been caught.
    """
    is_touched = target.meanwhile or target.before_export
    before = {} if is_touched else fingerprints(folder)
    try:
        is_typed = is_typed and _can_be_typed(target)
        outcome = _type(target, folder, rng) if is_typed else _open(target, rng)
    except UniemError as error:
        _check_words(error)
        if target.expected is not None or target.must_open:
            raise Wrong(f"refused what is whole: {error}") from error
        outcome = f"refused: {error}"
    if target.forbidden and target.forbidden.exists():
        raise Wrong("the pickle in the file was run")
    for name, mark in before.items():
        if fingerprints_of(Path(name)) != mark:
            raise Wrong(f"changed the input {name}")
    return outcome


def _can_be_typed(target: Target) -> bool:
    return target.noun == "volume" and not target.meanwhile and not target.export_to


def _check_words(error: UniemError) -> None:
    if not error.message.strip() or not error.hint.strip():
        raise Wrong(f"a message without words or hint: {error.message!r}, {error.hint!r}")
    if error.message.startswith("<") or "Traceback" in str(error) or "object at 0x" in str(error):
        raise Wrong(f"a message for programmers: {error}")


def _open(target: Target, rng: random.Random) -> str:
    if target.noun == "mesh":
        return _open_mesh(target)
    if target.noun == "table":
        from uniem.data.table import read_csv, write_csv

        table = read_csv(Path(target.location))
        again = Path(target.location).with_name("again.csv")
        write_csv(table, again)
        if read_csv(again).columns != table.columns:
            raise Wrong("the table is another one after it was written")
        again.unlink()
        return "opened"
    if target.noun == "model":
        from uniem.data.model_folder import ModelFolder

        str(ModelFolder.open(target.location).record.voxel_size_nm)
        return "opened"
    return _open_volume(target, rng)


def _open_mesh(target: Target) -> str:
    from uniem.data.mesh import read_meshes

    for mesh in read_meshes(Path(target.location)):
        if mesh.faces.size and int(mesh.faces.max()) >= len(mesh.vertices):
            raise Wrong("a face of a vertex that is not there")
        _ = mesh.shown_colour
    return "opened"


def _open_volume(target: Target, rng: random.Random) -> str:
    kind = None if target.expected is not None else rng.choice([None, None, None, *Kind])
    volume = open_volume(target.location, kind)
    if target.export_to:
        return _export(volume, target)
    if target.meanwhile:
        _read_box(volume, _small(volume, 0))
        target.meanwhile()
    _read_parts(volume)
    for level in volume.levels[1:]:
        _read_parts(level)
    if target.expected is not None:
        _compare(volume, target.expected)
    if volume.voxel_size is not None and not all(0 < edge < float("inf") for edge in volume.voxel_size):
        raise Wrong(f"the voxel size is {volume.voxel_size}")
    str(volume)
    return "opened"


def _read_parts(volume: Volume) -> None:
    depth, height, width = volume.shape
    if min(volume.shape) < 1:
        raise Wrong(f"a volume without voxels, {volume.shape}")
    is_large = height * width * volume.dtype.itemsize > LARGEST_SECTION_BYTES
    for z in sorted({0, depth // 2, depth - 1}):
        box = _small(volume, z) if is_large else Box.section(z, volume.shape)
        _read_box(volume, box)
    corner = (depth - 1, height - 1, width - 1)
    _read_box(volume, Box((max(0, depth - 4), max(0, height - 9), max(0, width - 9)), volume.shape))
    _read_box(volume, Box(corner, volume.shape))


def _small(volume: Volume, z: int) -> Box:
    return Box((z, 0, 0), (z + 1, min(16, volume.shape[1]), min(16, volume.shape[2])))


def _read_box(volume: Volume, box: Box) -> None:
    array = volume.read(box)
    if array.shape != box.shape or array.dtype != volume.dtype:
        raise Wrong(f"{box} of {volume} came as {array.shape}, {array.dtype}")


def _compare(volume: Volume, expected: NDArray[Any]) -> None:
    found = volume.read(Box.of_shape(volume.shape))
    if found.shape != expected.shape or not np.array_equal(
        found, expected, equal_nan=found.dtype.kind == "f"
    ):
        raise Wrong("the voxels are others")


def _export(volume: Volume, target: Target) -> str:
    assert target.export_to is not None
    place = Path(target.export_to.partition("::")[0])
    if target.before_export:
        target.before_export()
    before = _around(place)
    try:
        export_volume(volume, target.export_to)
    except UniemError as error:
        _check_words(error)
        if left := _around(place) - before:
            raise Wrong(f"after '{error}' there is {sorted(left)[0]}") from error
        if gone := before - _around(place):
            raise Wrong(f"after '{error}' {sorted(gone)[0]} is gone or changed") from error
        return f"refused: {error}"
    again = open_volume(target.export_to, volume.kind)
    _compare(again, volume.read(Box.of_shape(volume.shape)))
    if parts := [path for path, _ in _around(place) if path.endswith(".part")]:
        raise Wrong(f"left {parts[0]}")
    return "exported"


def _around(place: Path) -> set[tuple[str, str]]:
    """Return everything in the folder of a file with its content, and the folder, if they are there."""
    if not place.parent.is_dir():
        return set()
    return set(fingerprints(place.parent, with_times=False).items())


def fingerprints(folder: Path, with_times: bool = True) -> dict[str, str]:
    """Return what tells the content of every file below a folder, without following links."""
    found = {}
    for root, folders, files in os.walk(folder):
        for name in itertools.chain(folders, files):
            path = os.path.join(root, name)  # noqa: PTH118 - names may be longer than pathlib asks about
            found[path] = fingerprints_of(Path(path), with_times)
    return found


def fingerprints_of(path: Path, with_times: bool = True) -> str:
    """Return what tells whether a file or folder has changed."""
    try:
        status = path.lstat()
        if path.is_symlink():
            return f"link {path.readlink()}"
        if not path.is_file():
            return f"{status.st_mode}"
        if status.st_size > HASHED_BYTES:
            return f"{status.st_size} {status.st_mtime_ns}"
        time = status.st_mtime_ns if with_times else 0
        return f"{status.st_size} {time} {hashlib.sha1(path.read_bytes()).hexdigest()}"
    except PermissionError:
        return "not to be read"
    except OSError as error:
        return type(error).__name__


def _type(target: Target, folder: Path, rng: random.Random) -> str:
    """Do the same by the command line; return how it ended."""
    from uniem.cli import main

    names = ["a.tif", "a.zarr", "a.npy", "a.h5"] + ["a.mrc", "sections"] * (not target.must_open)
    out = folder.with_name(folder.name + "-typed") / rng.choice(names)
    command = ["convert", target.location, str(out)]
    if target.is_huge or rng.random() < 0.5:
        command = ["info", target.location]
    with _caught() as said:
        code = main(command)
    text = said.getvalue().encode("utf-8", "backslashreplace").decode()
    if "Traceback" in text or code not in (0, 2) or (code == 2 and not text.strip()):
        raise Wrong(f"uniem {command[0]} ended with {code} and said {text!r}")
    left = {path.name for path in out.parent.iterdir()}
    allowed = {out.name, f"{out.name}.json"} if code == 0 else set()
    if left - allowed - {f"{out.name}.provenance.json"}:
        raise Wrong(f"uniem {command[0]} ended with {code} and left {sorted(left)}")
    if code == 2 and (target.expected is not None or target.must_open):
        raise Wrong(f"uniem {command[0]} refused what is whole: {text!r}")
    return "opened" if code == 0 else f"refused: {text}"


@contextmanager
def _caught() -> Iterator[io.StringIO]:
    said, kept = io.StringIO(), (sys.stdout, sys.stderr)
    sys.stdout, sys.stderr = io.StringIO(), said
    try:
        yield said
    finally:
        sys.stdout, sys.stderr = kept
