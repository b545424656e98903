"""What is open, and what is remembered from one start to the next."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psygnal import Signal

from uniem import paths
from uniem.data.formats import open_volume, split_location
from uniem.data.location import is_web_address, name_of_location, normalised_location
from uniem.data.mesh import MESH_SUFFIXES, Mesh, read_meshes
from uniem.data.model_folder import ModelFolder
from uniem.data.project import is_project
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.operations.operation import Role

logger = logging.getLogger(__name__)

Noun = Volume | ModelFolder | list[Mesh] | Path
RECENT_LOCATIONS = 20
RECENT_PROJECTS = 10


@dataclass(eq=False, slots=True)
class OpenItem:
    """Something that is open; only the workspace changes it, and says so.

    Attributes
    ----------
    location : str
        Its absolute `PATH` or `PATH::dataset`; empty if it is only in memory.
    noun : Volume, ModelFolder, list of Mesh, or Path
        The thing itself; a Path is a table's file.
    is_read_only : bool
        Whether it is shown as somebody else edits it.
    """

    id: int
    name: str
    role: Role
    location: str
    noun: Noun
    is_modified: bool = False
    is_visible: bool = True
    is_read_only: bool = False


class Workspace:
    """The open volumes, models, meshes and tables, in the order of opening.

    Signals are emitted after the state has changed.
    """

    added = Signal(OpenItem)
    changed = Signal(OpenItem)
    removed = Signal(OpenItem)

    def __init__(self) -> None:
        self._items: list[OpenItem] = []
        self._ids = itertools.count(1)

    @property
    def items(self) -> tuple[OpenItem, ...]:
        """All that is open."""
        return tuple(self._items)

    def open(self, location: str | Path, kind: Kind | None = None) -> OpenItem:
        """Open what stands at a location, or return the item that is open already.

        `kind` tells what the numbers of a volume mean; None: what the file says, or a guess.
        """
        place = normalised_location(location)
        if item := self.at(place):
            return item
        noun = read_noun(place, kind)
        return self.add(noun, location=place)

    def add(self, noun: Noun, name: str = "", location: str = "", role: Role | None = None) -> OpenItem:
        """Add something that is open already; its name is made unique."""
        if location:
            location = normalised_location(location)
            if item := self.at(location):
                return item
        name = self._unique(name or _name_of(noun, location))
        item = OpenItem(next(self._ids), name, role or role_of(noun), location, noun)
        self._items.append(item)
        self.added.emit(item)
        return item

    def close(self, item: OpenItem) -> None:
        """Forget an item; its files stay."""
        if item in self._items:
            self._items.remove(item)
            self.removed.emit(item)

    def reload(self, item: OpenItem) -> None:
        """Read an item's files anew, because an operation has replaced them."""
        if item.location:
            kind = item.noun.kind if isinstance(item.noun, Volume) else None
            item.noun, item.is_read_only = read_noun(item.location, kind), False
            self.changed.emit(item)

    def show_as_edited(self, item: OpenItem, noun: Noun) -> None:
        """Let an item stand for its files as they are seen where they are edited, until it is reloaded."""
        item.noun, item.is_read_only = noun, True
        self.changed.emit(item)

    def move(self, item: OpenItem, location: str | Path) -> None:
        """Let an item stand for an equal thing at another location, such as a copy; it keeps its name."""
        place = normalised_location(location)
        kind = item.noun.kind if isinstance(item.noun, Volume) else None
        noun = read_noun(place, kind)
        if (known := self.at(place)) is not None and known is not item:
            self.close(known)
        item.location, item.noun, item.role = place, noun, role_of(noun)
        self.changed.emit(item)

    def at(self, location: str | Path) -> OpenItem | None:
        """Return the item that was opened from a location, or None."""
        place = normalised_location(location)
        return next((item for item in self._items if item.location == place), None)

    def find(self, role: Role) -> list[OpenItem]:
        """Return the items that fit a role, in the order of opening; every volume fits `Role.VOLUME`."""
        if role is Role.VOLUME:
            return [item for item in self._items if item.role.is_volume]
        return [item for item in self._items if item.role is role]

    def rename(self, item: OpenItem, name: str) -> None:
        """Give an item another name in the lists, made unique; its file keeps its own."""
        unique = self._unique(name.strip(), item)
        if name.strip() and unique != item.name:
            item.name = unique
            self.changed.emit(item)

    def set_visible(self, item: OpenItem, is_visible: bool) -> None:
        """Show or hide an item."""
        if is_visible != item.is_visible:
            item.is_visible = is_visible
            self.changed.emit(item)

    def set_modified(self, item: OpenItem, is_modified: bool) -> None:
        """Note whether an item has changes that are not saved."""
        if is_modified != item.is_modified:
            item.is_modified = is_modified
            self.changed.emit(item)

    def set_kind(self, item: OpenItem, kind: Kind) -> None:
        """Say what the numbers of a volume mean, when the guess was wrong; an opened file is opened anew."""
        if not isinstance(item.noun, Volume):
            raise UniemError(f"{item.name} is no volume.", "Choose a volume.")
        if item.noun.kind is kind:
            return
        if item.location:
            item.noun = open_volume(item.location, kind)
        else:
            item.noun.kind = kind
        item.role = role_of(item.noun)
        self.changed.emit(item)

    def _unique(self, name: str, owner: OpenItem | None = None) -> str:
        taken = {item.name for item in self._items if item is not owner}
        candidates = itertools.chain([name], (f"{name} ({n})" for n in itertools.count(2)))
        return next(candidate for candidate in candidates if candidate not in taken)


def read_noun(location: str, kind: Kind | None = None) -> Noun:
    """Open a model, meshes, a table or a volume: whatever stands at a location."""
    if is_web_address(location):
        return open_volume(location, kind)
    if is_project(location):
        raise UniemError(f"{location} is a project.", "Open it with File › Open project….")
    path, dataset = split_location(location)
    if dataset is None and ModelFolder.is_model(path):
        return ModelFolder.open(path)
    if dataset is None and _has_meshes(path):
        return read_meshes(path)
    if path.suffix.lower() == ".csv" and path.is_file():
        return path
    return open_volume(location, kind)


def role_of(noun: Noun) -> Role:
    """Return the role that a noun plays in operations."""
    if isinstance(noun, Volume):
        return Role.LABELS if noun.kind is Kind.LABELS else Role.IMAGE
    if isinstance(noun, ModelFolder):
        return Role.MODEL
    return Role.MESHES if isinstance(noun, list) else Role.TABLE


def _has_meshes(path: Path) -> bool:
    if path.is_file():
        return path.suffix.lower() in MESH_SUFFIXES
    if not path.is_dir() or (path / "zarr.json").exists():
        return False
    return any(entry.suffix.lower() in MESH_SUFFIXES for entry in path.iterdir())


def _name_of(noun: Noun, location: str) -> str:
    if location:
        return name_of_location(location)
    if isinstance(noun, Volume):
        return noun.name or noun.kind.value
    if isinstance(noun, ModelFolder):
        return noun.path.name
    return noun.name if isinstance(noun, Path) else "meshes"


class Settings:
    """Values remembered from one start to the next, in a JSON file.

    `set` changes memory only; `save` writes the file, in one move. A damaged file is put aside.
    """

    changed = Signal(str)

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or paths.settings_file()
        self._values = self._read()
        self._is_dirty = False

    def get(self, key: str, default: Any = None) -> Any:
        """Return a remembered value."""
        return self._values.get(key, default)

    def set(self, key: str, value: Any) -> None:
        """Remember a JSON value; nothing happens if it is remembered already."""
        value = json.loads(json.dumps(value))
        if key in self._values and self._values[key] == value:
            return
        self._values[key] = value
        self._is_dirty = True
        self.changed.emit(key)

    def under(self, prefix: str) -> dict[str, Any]:
        """Return the values whose keys begin in a way, by the rest of their keys."""
        return {key.removeprefix(prefix): v for key, v in self._values.items() if key.startswith(prefix)}

    @property
    def recent_locations(self) -> tuple[str, ...]:
        """The locations opened last, newest first, at most twenty."""
        found = self.get("recent_locations", [])
        return tuple(str(text) for text in found) if isinstance(found, list) else ()

    def add_recent(self, location: str | Path) -> None:
        """Remember that a location was opened."""
        place = normalised_location(location)
        others = [other for other in self.recent_locations if other != place]
        self.set("recent_locations", [place, *others][:RECENT_LOCATIONS])

    @property
    def recent_projects(self) -> tuple[str, ...]:
        """The folders of the projects opened last, newest first."""
        found = self.get("recent_projects", [])
        return tuple(str(text) for text in found) if isinstance(found, list) else ()

    def add_recent_project(self, folder: Path) -> None:
        """Remember that a project was opened."""
        others = [other for other in self.recent_projects if other != str(folder)]
        self.set("recent_projects", [str(folder), *others][:RECENT_PROJECTS])

    def forget_recent_project(self, folder: str) -> None:
        """Forget a project that is gone."""
        self.set("recent_projects", [other for other in self.recent_projects if other != folder])

    def save(self) -> None:
        """Write the file, if anything changed; raise where that is impossible."""
        if not self._is_dirty:
            return
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(self._values, indent=1, ensure_ascii=False), encoding="utf-8")
            part.replace(self.path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise UniemError(
                f"The settings cannot be written to {self.path}: {error.strerror}.",
                "Free some space, or set UNIEM_HOME to another folder.",
            ) from error
        self._is_dirty = False

    def _read(self) -> dict[str, Any]:
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
            if isinstance(values, dict):
                return values
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            pass
        aside = self.path.with_name(self.path.name + ".damaged")
        with contextlib.suppress(OSError):
            self.path.replace(aside)
        logger.warning("The settings %s were damaged; they were put aside as %s.", self.path, aside.name)
        return {}
