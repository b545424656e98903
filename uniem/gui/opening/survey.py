"""What the things that a user named are, found out and opened in a thread, without touching the window."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from uniem.data.formats.contents import Part, parts_at, series_among
from uniem.data.location import is_web_address, normalised_location, read_location
from uniem.data.mesh import MESH_SUFFIXES
from uniem.data.model_folder import ModelFolder
from uniem.data.project import is_project
from uniem.errors import UniemError
from uniem.workspace import Noun, read_noun

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """A place that holds several volumes, among which the user must choose."""

    location: str
    parts: tuple[Part, ...]


@dataclass(slots=True)
class Found:
    """What came of opening several things; a noun of None is open already."""

    opened: list[tuple[str, Noun | None]] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    projects: list[Path] = field(default_factory=list)
    problems: list[UniemError] = field(default_factory=list)


def survey(texts: Sequence[str], is_open: frozenset[str], should_stop: Callable[[], bool]) -> Found:
    """Open what a user typed, dropped or pasted; the problem of one thing keeps no other from being opened.

    Single sections of one folder become one stack. `is_open` are the locations that are open already.
    """
    found = Found()
    for location in _arranged(texts, found):
        if should_stop():
            break
        try:
            _open_one(location, is_open, should_stop, found)
        except UniemError as error:
            logger.warning("%s", error)
            found.problems.append(error)
    return found


def _arranged(texts: Sequence[str], found: Found) -> list[str]:
    """Return the locations that texts mean, each once, sections put together."""
    locations: dict[str, None] = {}
    for text in texts:
        try:
            locations[read_location(text)] = None
        except UniemError as error:
            found.problems.append(error)
    files = [place for place in locations if not is_web_address(place) and "::" not in place]
    stacks, others = series_among(map(Path, files)) if len(files) > 1 else ([], list(map(Path, files)))
    together = [place for place in locations if place in {str(path) for path in others} or place not in files]
    return [*stacks, *together]


def _open_one(location: str, is_open: frozenset[str], should_stop: Callable[[], bool], found: Found) -> None:
    place = normalised_location(location)
    if place in is_open:
        found.opened.append((place, None))
    elif not is_web_address(place) and is_project(place):
        found.projects.append(Path(place))
    elif parts := _parts(place, should_stop):
        found.choices.append(Choice(place, tuple(parts)))
    else:
        found.opened += _read(place, should_stop, found)


def _parts(place: str, should_stop: Callable[[], bool], is_thorough: bool = False) -> list[Part]:
    path = Path(place)
    if is_web_address(place) or not path.exists() or path.suffix.lower() in (".csv", *MESH_SUFFIXES):
        return []
    if path.is_dir() and (ModelFolder.is_model(path) or _holds_meshes(path)):
        return []
    try:
        return parts_at(place, is_thorough, should_stop)
    except UniemError:
        return []  # opening it tells why


def _holds_meshes(folder: Path) -> bool:
    try:
        return any(each.suffix.lower() in MESH_SUFFIXES for each in folder.iterdir())
    except OSError:
        return False


def _read(place: str, should_stop: Callable[[], bool], found: Found) -> list[tuple[str, Noun | None]]:
    try:
        return [(place, read_noun(place))]
    except UniemError:
        # A few of many sections may be of another size than those that were looked at.
        if parts := _parts(place, should_stop, is_thorough=True):
            found.choices.append(Choice(place, tuple(parts)))
            return []
        raise
