"""A project: a folder whose `project.json` remembers what was open, where it is and how it was looked at."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import uniem
from uniem.data.location import is_web_address
from uniem.errors import UniemError
from uniem.file_lock import FileLock, note_of_holder

FILE_NAME = "project.json"
BACKUP_NAME = "project.backup.json"
DAMAGED_NAME = "project.damaged.json"
LOCK_NAME = "project.lock"
JOBS_NAME = "jobs"
PACKED_ENDING = ".uniem.zip"
VERSION = 1
_MARK = "uniem project"


class _Record(BaseModel):
    # What a later program added without raising the version is kept.
    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)


class LookRecord(_Record):
    """How a volume was drawn."""

    opacity: float = Field(1.0, ge=0, le=1, description="How much of what is below it hides.")
    contrast: tuple[float, float] | None = Field(None, description="Values drawn black and white, if chosen.")
    limits: tuple[float, float] = Field((0.0, 255.0), description="Between which they can be chosen.")
    colours: str = Field("", description="The colours of its values.")
    is_inverted: bool = Field(False, description="Whether black and white are swapped.")
    is_normalised: bool = Field(False, description="Whether each section has a contrast of its own.")
    is_drawn: bool = Field(True, description="Whether its layer was ticked.")


class ItemRecord(_Record):
    """Something that was open, and where it is."""

    name: str = Field(description="Its name in the lists.")
    location: str = Field(description="Place relative to the project's folder, or absolute, or an address.")
    elsewhere: str = Field("", description="Absolute place of what lies beside the folder, as it was last.")
    role: str = Field("", description="What operations take it for.")
    kind: str = Field("", description="What the numbers of a volume mean.")
    voxel_size: tuple[float, float, float] | None = Field(
        None, description="z, y, x in nm, where the user gave it because the file does not say it."
    )
    is_folder: bool = Field(False, description="Whether it is a folder rather than a file.")
    is_visible: bool = Field(False, description="Whether it is shown.")
    is_edited: bool = Field(False, description="Whether it was open for editing.")
    height: int | None = Field(None, description="Its place among what was shown; 0 is lowest.")
    slots: dict[int, int] = Field(default_factory=dict, description="Labels kept under number keys.")
    look: LookRecord | None = Field(None, description="How it was drawn when it was shown last.")


class CanvasRecord(_Record):
    """Where the canvas looked, and what was in the hand."""

    z: int = Field(0, description="The section in view.")
    y: float = Field(0.0, description="Row in the middle of the view, in voxels.")
    x: float = Field(0.0, description="Column in the middle of the view, in voxels.")
    scale: float = Field(1.0, gt=0, description="Screen pixels per voxel.")
    show_labels: bool = Field(True, description="Whether the labels are drawn.")
    outlines: bool = Field(False, description="Whether labels are drawn as outlines.")
    label: int = Field(1, ge=0, description="The label in hand.")
    brush_px: int = Field(24, ge=1, description="Diameter of the brush in voxels.")


class MarkerRecord(_Record):
    """A marker on a surface of the 3D view."""

    id: int = Field(ge=1, description="Its number, which no other marker ever has.")
    name: str = Field("", description="Its name.")
    parent: int = Field(0, description="The label of the object it sits on.")
    position_nm: tuple[float, float, float] = Field(description="z, y, x in nm.")
    radius_nm: float = Field(50.0, gt=0, description="Its radius in nm.")
    colour: tuple[int, int, int] = Field((255, 0, 0), description="Red, green and blue, 0 to 255.")
    class_name: str = Field("", description="What it marks.")
    visible: bool = Field(True, description="Whether it is drawn.")


class ProjectState(_Record):
    """Everything a project remembers."""

    format: Literal["uniem project"] = Field("uniem project", description="Tells the file from any other.")
    version: int = Field(VERSION, ge=1, description="Version of the layout of this file.")
    written_by: str = Field("", description="The program that wrote it.")
    folder: str = Field("", description="Where the project was when this was written.")
    items: tuple[ItemRecord, ...] = Field((), description="What was open, in its order.")
    canvas: CanvasRecord | None = Field(None, description="What the canvas showed.")
    markers: tuple[MarkerRecord, ...] = Field((), description="The markers of the 3D view, oldest first.")
    docks: str = Field("", description="Places of the docks, as Qt packs them, in base64.")
    parameters: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="The parameters used last, of each operation."
    )


class Damaged(UniemError):
    """A project file cannot be understood."""


class Project:
    """A project that is open; of two windows only the first may write its state."""

    def __init__(self, path: Path, state: ProjectState, notice: str = "") -> None:
        self.path = path
        self.state = state
        self.notice = notice
        self._lock = FileLock(path / LOCK_NAME)
        self._written = ""
        self.refusal = self._take_lock()

    @staticmethod
    def create(path: Path | str, state: ProjectState | None = None) -> Project:
        """Make a project in a folder that is empty or not there yet."""
        path = Path(path).expanduser().absolute()
        try:
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise UniemError(f"{path} is not empty.", "Choose a new folder for the project.")
            path.mkdir(parents=True, exist_ok=True)
            path = path.resolve()
            write_state(path / FILE_NAME, _signed(state or ProjectState(), path))
        except OSError as error:
            raise _cannot_write(path, error) from error
        return Project.open(path)

    @staticmethod
    def open(path: Path | str) -> Project:
        """Open a project by its folder or its file, by the version before where the file is damaged."""
        folder = project_folder(path)
        if folder is None:
            raise UniemError(
                f"{path} is no project.", f"Choose a folder that holds {FILE_NAME}, or a {PACKED_ENDING}."
            )
        try:
            state, notice = read_state(folder / FILE_NAME), ""
        except Damaged as error:
            state, notice = _before(folder, error)
        return Project(folder, state, notice)

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.path.name

    @property
    def is_writable(self) -> bool:
        """Whether this window keeps its state."""
        return not self.refusal

    @property
    def jobs(self) -> Path:
        """The folder of its jobs."""
        return self.path / JOBS_NAME

    def write(self, state: ProjectState) -> None:
        """Keep a state, in one move, and the one before as a backup; nothing is written twice."""
        if self.refusal:
            return
        state = _signed(state, self.path)
        if state == self.state and self._written:
            return
        try:
            if self._written:
                _replace_text(self.path / BACKUP_NAME, self._written)
            self._written = write_state(self.path / FILE_NAME, state)
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        self.state = state

    def close(self) -> None:
        """Let another window write it."""
        self._lock.release()

    def _take_lock(self) -> str:
        note = json.dumps({"process": os.getpid(), "host": socket.gethostname()})
        try:
            if self._lock.take(note):
                # A file that was read well is worth keeping as the version before.
                with contextlib.suppress(OSError, ValueError):
                    text = (self.path / FILE_NAME).read_text(encoding="utf-8")
                    self._written = text if not self.notice else ""
                return ""
        except OSError as error:
            return f"its folder cannot be written ({error.strerror})"
        return f"it is open in another window{_described(note_of_holder(self._lock.path))}"


def project_folder(path: Path | str) -> Path | None:
    """Return the folder of the project at a path, which may be its file; None where there is none."""
    if is_web_address(path):
        return None
    place = Path(path).expanduser()
    try:
        folder = place.parent if place.name in (FILE_NAME, BACKUP_NAME) else place
        files = (folder / FILE_NAME, folder / BACKUP_NAME)
        is_ours = folder.is_dir() and any(_is_marked(file) for file in files)
        return folder.resolve() if is_ours else None
    except OSError:
        return None


def is_packed(path: Path | str) -> bool:
    """Tell whether a path is a file that a project was packed into."""
    return not is_web_address(path) and str(path).lower().endswith(PACKED_ENDING) and Path(path).is_file()


def is_project(path: Path | str) -> bool:
    """Tell whether a path is a project: its folder, its file, or a packed one."""
    return is_packed(path) or project_folder(path) is not None


def read_state(file: Path) -> ProjectState:
    """Read what a project remembers; raise `Damaged` where it cannot be understood."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        version = content["version"]
        is_newer = isinstance(version, int) and version > VERSION
        if not is_newer:
            return ProjectState.model_validate(content)
    except FileNotFoundError as error:
        raise Damaged(f"There is no {file}.", f"Put {BACKUP_NAME} in its place.") from error
    except OSError as error:
        raise UniemError(f"{file} cannot be read: {error.strerror}.", "Check the rights.") from error
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise Damaged(
            f"The project file {file} is damaged.", f"Put {BACKUP_NAME} or a copy in its place."
        ) from error
    raise UniemError(
        f"{file} was written by a newer uniem: its layout is {version}, this program reads up to {VERSION}.",
        "Update uniem.",
    )


def write_state(file: Path, state: ProjectState) -> str:
    """Write what a project remembers, in one move, and return the text."""
    text = json.dumps(state.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
    _replace_text(file, text)
    return text


def stored_place(location: str, folder: Path | None) -> tuple[str, str]:
    """Return how a location is written down: relative to a folder if it can be, and its absolute place.

    The latter is empty where the first says it all. Slashes are written as /, so that it opens anywhere.
    """
    path, colons, dataset = location.partition("::")
    if is_web_address(location):
        return location, ""
    if os.name == "nt":
        # Locations are compared in small letters there; other systems will want the true ones.
        path = str(Path(path).resolve())
    absolute = Path(path).as_posix()
    if folder is None:
        return absolute + colons + dataset, ""
    try:
        common = Path(os.path.commonpath([folder, path]))
        relative = Path(os.path.relpath(path, folder)).as_posix() + colons + dataset
    except ValueError:  # another drive
        return absolute + colons + dataset, ""
    if common == folder:
        return relative, ""
    if common == Path(common.anchor):
        return absolute + colons + dataset, ""
    return relative, absolute + colons + dataset


def places_of(record: ItemRecord, folder: Path | None) -> list[str]:
    """Return where something may be, most likely first."""
    if is_web_address(record.location):
        return [record.location]
    found = []
    for text in (record.location, record.elsewhere):
        path, colons, dataset = text.replace("\\", "/").partition("::")
        if is_absolute(path):
            found.append(str(Path(path)) + colons + dataset)
        elif path and folder is not None:
            found.append(os.path.normpath(folder / path) + colons + dataset)
    return found


def find_place(record: ItemRecord, folder: Path | None) -> str | None:
    """Return where something is; None where it is missing."""
    for place in places_of(record, folder):
        if is_web_address(place) or Path(place.partition("::")[0]).exists():
            return place
    return None


def is_absolute(path: str) -> bool:
    """Tell whether a path is absolute on Windows or elsewhere."""
    return PurePosixPath(path).is_absolute() or bool(PureWindowsPath(path).drive)


def moved_place(missing: str, old: str, new: str) -> str | None:
    """Return where a missing location must be if what was at `old` was found at `new`; None if it is not.

    What lay in the same folder, or below the same moved folder, is looked for in the same place there.
    """
    path, colons, dataset = missing.replace("\\", "/").partition("::")
    was, now = (PurePosixPath(text.replace("\\", "/").partition("::")[0]) for text in (old, new))
    candidates = []
    while was.name and was.name == now.name:
        was, now = was.parent, now.parent
        candidates.append((was, now))
    candidates = candidates or [(was.parent, now.parent)]
    for before, after in candidates:
        if path.startswith(f"{str(before).rstrip('/')}/"):
            place = Path(after) / PurePosixPath(path).relative_to(before)
            if place.exists():
                return str(place) + colons + dataset
    return None


def _before(folder: Path, error: Damaged) -> tuple[ProjectState, str]:
    """Return the state before the damaged one, and what to tell about it."""
    try:
        state = read_state(folder / BACKUP_NAME)
    except Damaged:
        raise error from None
    with contextlib.suppress(OSError):
        (folder / FILE_NAME).replace(folder / DAMAGED_NAME)
    return state, (
        f"The project file was damaged; the version before it was opened. "
        f"The damaged one is kept as {DAMAGED_NAME}."
    )


def _signed(state: ProjectState, folder: Path) -> ProjectState:
    program = f"uniem {uniem.__version__}"
    return state.model_copy(update={"folder": str(folder), "written_by": program, "version": VERSION})


def _replace_text(file: Path, text: str) -> None:
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def _is_marked(file: Path) -> bool:
    """Tell a project's file, even a damaged one, from another program's of the same name."""
    try:
        with file.open("rb") as stream:
            return _MARK.encode() in stream.read(1024)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _cannot_write(path: Path, error: OSError) -> UniemError:
    return UniemError(
        f"The project cannot be written to {path}: {error.strerror}.", "Free some space, or check the rights."
    )


def _described(note: str | None) -> str:
    try:
        holder = json.loads(note or "{}")
    except ValueError:
        return ""
    return f" (process {holder['process']} on {holder['host']})" if {"process", "host"} <= set(holder) else ""
