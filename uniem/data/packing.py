"""Packing a project into one file or another folder, and unpacking it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Protocol

from uniem.data.project import FILE_NAME, ProjectState, project_folder, read_state
from uniem.data.project_parts import Part, chosen, files_of, parts_of, state_with
from uniem.errors import UniemError
from uniem.progress import Context

BLOCK = 1 << 20
ATTEMPTS = 5
# Only text gets smaller; voxels are compressed already, or hardly can be.
_SQUEEZED = {".csv", ".json", ".jsonl", ".obj", ".svg", ".swc", ".txt", ".xml"}
_STORE_FILES = ("zarr.json", ".zattrs")
_JOURNAL = ".sqlite"


class Target(Protocol):
    """Where a project is copied to."""

    def put(self, source: Path, place: str, progress: Progress) -> None:
        """Add a file under a name relative to the project."""

    def put_text(self, text: str, place: str) -> None:
        """Add a text."""

    def mark(self) -> int:
        """Return the state to which `rewind` can go back."""

    def rewind(self, mark: int) -> None:
        """Forget what was added since a mark."""


class Progress:
    """How many bytes have been copied, told to a context, which may cancel."""

    def __init__(self, context: Context, total: int, label: str) -> None:
        self._context, self._total, self._label = context, max(1, total), label
        self.done = 0

    def add(self, count: int) -> None:
        """Count bytes; raise `Cancelled` if the caller asked to end."""
        self._context.check_cancelled()
        self.done += count
        # Files may grow while they are copied.
        self._context.progress(min(self.done, self._total) >> 10, self._total >> 10, self._label)


def pack_project(
    project: Path, target: Path, left_out: Sequence[str] = (), context: Context | None = None
) -> None:
    """Copy a project with all its data to a zip file, or to a folder where the target has no such ending.

    `project` may also be the file of a session that is no project yet; `left_out` names parts as `parts_of`
    does. What is left out is named by where it is here. Unsaved edits travel too. The target must not exist
    yet; its caller moves it into place.
    """
    context = context or Context()
    folder = project_folder(project)
    if folder is None and not project.is_file():
        raise UniemError(f"{project} is no project.", f"Choose a folder that holds {FILE_NAME}.")
    state = read_state(folder / FILE_NAME if folder else project)
    everything = parts_of(state, folder)
    parts = chosen(everything, left_out)
    files = {part.name: list(files_of(part, everything)) for part in parts}
    total = sum(_size(path) for each in files.values() for path, _ in each)
    progress = Progress(context, total, "KiB copied")
    with _opened(target) as sink:
        sink.put_text(_text_of(state_with(state, folder, parts)), FILE_NAME)
        for part in parts:
            _put_part(sink, part, files[part.name], everything, progress)


def unpack_project(packed: Path, folder: Path, context: Context | None = None) -> None:
    """Unpack a project into a folder that is not there yet; raise for a file that would write elsewhere."""
    context = context or Context()
    try:
        with zipfile.ZipFile(packed) as archive:
            members = _checked_members(archive, packed)
            total = sum(member.file_size for member in members)
            _check_room(folder, total)
            progress = Progress(context, total, "KiB unpacked")
            for member in members:
                _extract(archive, member, folder / member.filename, progress)
    # zipfile raises the last two for flipped bits that read as an unknown compression or a password.
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise UniemError(
            f"{packed} is damaged: {str(error) or 'it ends too early'}.", "Have it packed or copied again."
        ) from error


def _put_part(
    sink: Target, part: Part, files: list[tuple[Path, str]], parts: Sequence[Part], progress: Progress
) -> None:
    """Copy a part; again where its labels were saved meanwhile, for chunks and journal belong together."""
    for attempt in range(ATTEMPTS):
        mark, before = sink.mark(), _save_marks(files)
        # Databases last: a save that has begun by then stands in the journal, and is repeated from it.
        for source, place in sorted(files, key=lambda file: file[0].suffix == _JOURNAL):
            _put_file(sink, source, place, progress)
        if _save_marks(files) == before:
            return
        sink.rewind(mark)
        if attempt < ATTEMPTS - 1:
            files = list(files_of(part, parts))
    raise UniemError(
        f"{part.source} was saved again and again while it was copied.", "Pause, and pack again."
    )


def _put_file(sink: Target, source: Path, place: str, progress: Progress) -> None:
    if source.suffix != _JOURNAL:
        sink.put(source, place, progress)
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / source.name
        copy_database(source, copy)
        sink.put(copy, place, progress)


def copy_database(source: Path, target: Path) -> None:
    """Copy an SQLite database as it is now, with what is only in its log yet, though it may be in use."""
    for how in ("mode=ro", "immutable=1"):  # where the folder is read-only, a log cannot be opened
        try:
            with (
                contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?{how}", uri=True)) as old,
                contextlib.closing(sqlite3.connect(target)) as new,
            ):
                old.backup(new)
            return
        except sqlite3.OperationalError:
            target.unlink(missing_ok=True)
        except sqlite3.DatabaseError as error:
            raise UniemError(f"The journal {source} is damaged: {error}.", "Leave its labels out.") from error
    raise UniemError(f"The journal {source} cannot be read.", "Close what uses it, or leave its labels out.")


def _save_marks(files: list[tuple[Path, str]]) -> list[bytes]:
    """Return what every save changes in the stores among the files."""
    found = []
    for path, _ in files:
        if path.name in _STORE_FILES and (path.parent / f"journal{_JOURNAL}").exists():
            found.append(path.read_bytes())
    return found


class _Zip:
    """A zip file being written."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def put(self, source: Path, place: str, progress: Progress) -> None:
        info = zipfile.ZipInfo.from_file(source, place, strict_timestamps=False)
        is_text = source.suffix.lower() in _SQUEEZED
        info.compress_type = zipfile.ZIP_DEFLATED if is_text else zipfile.ZIP_STORED
        # A file may have grown beyond 4 GiB since its size was looked up.
        with source.open("rb") as stream, self._archive.open(info, "w", force_zip64=True) as out:
            _pour(stream, out, progress)

    def put_text(self, text: str, place: str) -> None:
        self._archive.writestr(place, text, zipfile.ZIP_DEFLATED)

    def mark(self) -> int:
        return len(self._archive.filelist)

    def rewind(self, mark: int) -> None:
        dropped = self._archive.filelist[mark:]
        if dropped and self._archive.fp is not None:
            self._archive.start_dir = dropped[0].header_offset
            self._archive.fp.seek(self._archive.start_dir)
            self._archive.fp.truncate()
        for info in dropped:
            self._archive.NameToInfo.pop(info.filename, None)
        del self._archive.filelist[mark:]


class _Folder:
    """A folder being filled."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: list[Path] = []

    def put(self, source: Path, place: str, progress: Progress) -> None:
        path = self._folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        self._written.append(path)
        with source.open("rb") as stream, path.open("wb") as out:
            _pour(stream, out, progress)

    def put_text(self, text: str, place: str) -> None:
        (self._folder / place).write_text(text, encoding="utf-8")

    def mark(self) -> int:
        return len(self._written)

    def rewind(self, mark: int) -> None:
        for path in self._written[mark:]:
            path.unlink(missing_ok=True)
        del self._written[mark:]


@contextlib.contextmanager
def _opened(target: Path) -> Iterator[Target]:
    if target.suffix.lower() == ".zip":
        with zipfile.ZipFile(target, "x", allowZip64=True) as archive:
            yield _Zip(archive)
    else:
        target.mkdir(parents=True)
        yield _Folder(target)


def _pour(stream: IO[bytes], out: IO[bytes], progress: Progress) -> None:
    while block := stream.read(BLOCK):
        out.write(block)
        progress.add(len(block))


def _checked_members(archive: zipfile.ZipFile, packed: Path) -> list[zipfile.ZipInfo]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    names = [member.filename for member in members]
    if FILE_NAME not in names:
        raise UniemError(f"{packed} is no packed project: it holds no {FILE_NAME}.", "Choose another file.")
    for member in members:
        is_link = stat.S_ISLNK(member.external_attr >> 16)
        if is_link or not _is_inside(member.filename):
            raise UniemError(
                f"{packed} was not unpacked: {member.filename} would be written outside of the project.",
                "Do not trust this file; ask whoever made it.",
            )
    if len(set(names)) < len(names):
        raise UniemError(f"{packed} holds a file twice.", "Have it packed again.")
    return members


def _is_inside(name: str) -> bool:
    """Tell whether a name stays in its folder, read as Windows or as any other system would."""
    windows, others = PureWindowsPath(name), PurePosixPath(name)
    is_rooted = bool(windows.drive or windows.root) or others.is_absolute()
    is_stream = os.name == "nt" and ":" in name
    return bool(name) and not is_rooted and not is_stream and ".." not in windows.parts


def _check_room(folder: Path, total: int) -> None:
    free = shutil.disk_usage(folder.parent).free
    if total > free:
        raise UniemError(
            f"Unpacking needs {total / 1e9:.1f} GB; {folder.parent} has {free / 1e9:.1f} GB free.",
            "Free some space, or choose another disk.",
        )


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, progress: Progress) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as stream, path.open("xb") as out:
        _pour(stream, out, progress)


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def _text_of(state: ProjectState) -> str:
    return state.model_dump_json(indent=1) + "\n"
