"""What a project consists of on the disk: its data, its jobs and whatever else lies in its folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from uniem.data.location import is_web_address
from uniem.data.project import (
    BACKUP_NAME,
    DAMAGED_NAME,
    FILE_NAME,
    JOBS_NAME,
    LOCK_NAME,
    ItemRecord,
    ProjectState,
    find_place,
)
from uniem.errors import UniemError
from uniem.file_lock import note_of_holder

DATA_NAME = "data"
OTHER_FILES = "other files"
_OWN_FILES = {FILE_NAME, BACKUP_NAME, DAMAGED_NAME, LOCK_NAME}
# Locks belong to living programs, and SQLite makes the other two files anew.
_LOCKS = ("lock", "journal.lock")
_LEFT_BEHIND = ("-wal", "-shm", ".part")


@dataclass(frozen=True, slots=True)
class Part:
    """Something that can be packed with a project or left out.

    Attributes
    ----------
    name : str
        What it is called in lists; unique among the parts of a project.
    source : Path
        The file or folder that it is.
    place : str
        Where it goes, relative to the project, with / between names; "." is the project's folder itself.
    items : tuple of int
        Which of the project's items it holds, by their numbers in the list.
    is_outside : bool
        Whether it does not lie in the project's folder.
    """

    name: str
    source: Path
    place: str
    items: tuple[int, ...] = ()
    is_outside: bool = False


def parts_of(state: ProjectState, folder: Path | None) -> list[Part]:
    """Return the parts of a project, data first; what is missing or on the web is none."""
    numbers: dict[Path, list[int]] = {}
    for number, record in enumerate(state.items):
        place = find_place(record, folder)
        if place is not None and not is_web_address(place):
            numbers.setdefault(Path(place.partition("::")[0]), []).append(number)
    tops = [path for path in numbers if not any(parent in numbers for parent in path.parents)]
    parts: list[Part] = []
    for top in tops:
        inside = [
            number for path in numbers if path == top or top in path.parents for number in numbers[path]
        ]
        is_outside = folder is None or folder not in top.parents
        place = _free_place(top, folder, parts) if is_outside else top.relative_to(folder or top).as_posix()
        parts.append(Part(place, top, place, tuple(sorted(inside)), is_outside))
    if folder is not None:
        if (folder / JOBS_NAME).is_dir():
            parts.append(Part(JOBS_NAME, folder / JOBS_NAME, JOBS_NAME))
        parts.append(Part(OTHER_FILES, folder, "."))
    return parts


def files_of(part: Part, parts: Sequence[Part]) -> Iterator[tuple[Path, str]]:
    """Yield the files of a part and where each goes, without what belongs to other parts."""
    if part.source.is_file():
        for path in (part.source, *_companions(part)):
            yield path, str(PurePosixPath(part.place).with_name(path.name))
        return
    others = {other.source for other in parts if other is not part}
    others.update(path for other in parts if other is not part for path in _companions(other))
    if part.place == JOBS_NAME:
        others.update(job for job in part.source.iterdir() if _is_under_way(job))
    for path in _walk(part.source, others):
        is_own = part.place == "." and path.parent == part.source and path.name in _OWN_FILES
        if not is_own:
            yield path, str(PurePosixPath(part.place) / path.relative_to(part.source).as_posix())


def chosen(parts: Sequence[Part], left_out: Sequence[str]) -> list[Part]:
    """Return the parts without those of these names; raise where there is no part of a name."""
    known = [part.name for part in parts]
    if unknown := [name for name in left_out if name not in known]:
        raise UniemError(
            f"The project has no part named {unknown[0]}.", f"It has {', '.join(known) or 'none'}."
        )
    return [part for part in parts if part.name not in left_out]


def state_with(state: ProjectState, folder: Path | None, parts: Sequence[Part]) -> ProjectState:
    """Return the state with the places that its items have once these parts are in the project's folder.

    What is no part of it is named by its absolute place.
    """
    items = []
    for number, record in enumerate(state.items):
        part = next((part for part in parts if number in part.items), None)
        place = find_place(record, folder)
        items.append(record if place is None else _placed(record, place, part))
    return state.model_copy(update={"items": tuple(items)})


def _placed(record: ItemRecord, place: str, part: Part | None) -> ItemRecord:
    path, colons, dataset = place.partition("::")
    if is_web_address(place):
        location = place
    elif part is None:
        location = Path(path).as_posix() + colons + dataset
    else:
        within = Path(path).relative_to(part.source).as_posix()
        location = str(PurePosixPath(part.place) / within) + colons + dataset
    return record.model_copy(update={"location": location, "elsewhere": ""})


def _free_place(path: Path, folder: Path | None, parts: Sequence[Part]) -> str:
    taken = {part.place for part in parts}
    place, number = f"{DATA_NAME}/{path.name}", 2
    while place in taken or (folder is not None and (folder / place).exists()):
        place = f"{DATA_NAME}/{number}/{path.name}"
        number += 1
    return place


def _companions(part: Part) -> list[Path]:
    """Return what lies beside a file and belongs to it: its voxel size, or where it came from."""
    if not part.source.is_file():
        return []
    begins = part.source.name + "."
    beside = part.source.parent.glob("*.json")
    return sorted(path for path in beside if path.name.startswith(begins) and path.is_file())


def _walk(folder: Path, without: set[Path]) -> Iterator[Path]:
    for root, folders, names in os.walk(folder, onerror=_raise):
        here = Path(root)
        folders[:] = sorted(name for name in folders if here / name not in without and not _is_begun(name))
        for name in sorted(names):
            path = here / name
            if path not in without and name not in _LOCKS and not name.endswith(_LEFT_BEHIND):
                yield path


def _is_under_way(job: Path) -> bool:
    """Tell whether a job waits or runs; in a copy it would start again, or seem to have died."""
    is_launched = (job / "launched").exists()
    return job.is_dir() and (not is_launched or note_of_holder(job / "lock") is not None)


def _is_begun(name: str) -> bool:
    """Tell whether a folder is an output that a job has not finished."""
    return name.startswith(".") and ".part" in name


def _raise(error: OSError) -> None:
    raise error
