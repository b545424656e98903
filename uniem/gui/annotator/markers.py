"""Markers on surfaces: their record, their set, and the CSV they travel in."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from psygnal import Signal

from uniem.data.geometry import VoxelSize
from uniem.data.palette import Colour
from uniem.data.table import Cell, Table, write_csv
from uniem.errors import UniemError

Point = tuple[float, float, float]

COLUMNS = ("Act", "ID", "Name", "Parent ID", "Radius", "R", "G", "B", "X", "Y", "Z")
NM_COLUMNS = ("Radius nm", "X nm", "Y nm", "Z nm", "Class")
COLUMNS_HELP = (
    "X, Y, Z and Radius are in voxels (the radius in voxels along x); "
    "the columns that end in nm hold the same in nm."
)


@dataclass(frozen=True, slots=True)
class Marker:
    """A ball on a surface; position in nm as z, y, x; parent is the label of the object it sits on."""

    id: int
    name: str
    parent: int
    position_nm: Point
    radius_nm: float = 50.0
    colour: Colour = (255, 0, 0)
    class_name: str = ""
    visible: bool = True


class MarkerSet:
    """Keep the markers in order and emit `changed` after each change; ids are never used twice."""

    changed = Signal()

    def __init__(self) -> None:
        self._markers: tuple[Marker, ...] = ()
        self._last_id = 0

    def __len__(self) -> int:
        return len(self._markers)

    def __iter__(self) -> Iterator[Marker]:
        return iter(self._markers)

    @property
    def all(self) -> tuple[Marker, ...]:
        """The markers, oldest first."""
        return self._markers

    def put(self, markers: tuple[Marker, ...]) -> None:
        """Replace all markers; keeping the old tuple is enough to undo this."""
        self._markers = markers
        self._last_id = max([self._last_id, *(marker.id for marker in markers)])
        self.changed.emit()

    def new_id(self) -> int:
        """Return an id that no marker ever had."""
        self._last_id += 1
        return self._last_id

    def next_number(self, prefix: str) -> int:
        """Return the running number after the highest one in use behind this prefix."""
        tails = (marker.name[len(prefix) :] for marker in self._markers if marker.name.startswith(prefix))
        return max((int(tail) for tail in tails if tail.isdecimal()), default=0) + 1


@dataclass(frozen=True, slots=True)
class MarkerImport:
    """What a CSV gave: the markers, and one line for each row that was left out."""

    markers: tuple[Marker, ...]
    skipped: tuple[str, ...]


def write_markers(path: Path, markers: Iterable[Marker], voxel_size: VoxelSize) -> int:
    """Write markers as CSV and return how many; lengths in voxels, then in nm, then the class."""
    rows = [_to_row(marker, voxel_size) for marker in markers]
    if not rows:
        raise UniemError("There are no markers to write.", "Place one with the marker tool first.")
    write_csv(Table(COLUMNS + NM_COLUMNS, tuple(rows)), path)
    return len(rows)


def read_markers(path: Path, voxel_size: VoxelSize, present: MarkerSet) -> MarkerImport:
    """Read markers from CSV, leaving out and reporting what cannot be read or is there already.

    Columns in nm win over those in voxels, so a table moves between data of different voxel size. A marker is
    there already when one of the same name is within 0.01 nm. An id in use gives way to a new one.
    """
    reader = _open_table(path)
    markers: list[Marker] = []
    skipped: list[str] = []
    places = {_place(marker) for marker in present}
    taken = {marker.id for marker in present}
    for row in reader:
        line = f"line {reader.line_num}"
        try:
            marker = _from_row(row, voxel_size)
        except ValueError as error:
            skipped.append(f"{line}: {error}")
            continue
        if _place(marker) in places:
            skipped.append(f"{line}: '{marker.name}' is there already")
            continue
        if marker.id in taken or marker.id < 1:
            marker = replace(marker, id=_free_id(present, taken))
        places.add(_place(marker))
        taken.add(marker.id)
        markers.append(marker)
    return MarkerImport(tuple(markers), tuple(skipped))


def _open_table(path: Path) -> csv.DictReader[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UniemError(f"Cannot read {path}: {error}.", "Choose a CSV file in UTF-8.") from error
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    names = set(reader.fieldnames or ())
    missing = [n for n in ("Name", "X", "Y", "Z") if n not in names and f"{n} nm" not in names]
    if missing:
        raise UniemError(
            f"{path.name} is not a table of markers: no column {', '.join(missing)}.",
            f"The columns are {', '.join(COLUMNS)}.",
        )
    return reader


def _to_row(marker: Marker, voxel_size: VoxelSize) -> tuple[Cell, ...]:
    z, y, x = marker.position_nm
    return (
        int(marker.visible),
        marker.id,
        marker.name,
        marker.parent,
        marker.radius_nm / voxel_size.x,
        *marker.colour,
        x / voxel_size.x,
        y / voxel_size.y,
        z / voxel_size.z,
        marker.radius_nm,
        x,
        y,
        z,
        marker.class_name,
    )


def _from_row(row: Mapping[str, str | None], voxel_size: VoxelSize) -> Marker:
    red, green, blue = (_integer(row, key, default) for key, default in (("R", 255), ("G", 0), ("B", 0)))
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise ValueError(f"colour {red}, {green}, {blue} is not within 0 to 255")
    radius = _length(row, "Radius", voxel_size.x) if _filled(row, "Radius") else 50.0
    if radius <= 0:
        raise ValueError(f"Radius {radius:g} is not positive")
    axes = (("Z", voxel_size.z), ("Y", voxel_size.y), ("X", voxel_size.x))
    z, y, x = (_length(row, key, size) for key, size in axes)
    return Marker(
        id=_integer(row, "ID", 0),
        name=(row.get("Name") or "").strip(),
        parent=_integer(row, "Parent ID", 0),
        position_nm=(z, y, x),
        radius_nm=radius,
        colour=(red, green, blue),
        class_name=(row.get("Class") or "").strip(),
        visible=(row.get("Act") or "1").strip().lower() not in ("0", "false", "no"),
    )


def _filled(row: Mapping[str, str | None], key: str) -> bool:
    return bool((row.get(f"{key} nm") or row.get(key) or "").strip())


def _length(row: Mapping[str, str | None], key: str, voxel_nm: float) -> float:
    in_nm = (row.get(f"{key} nm") or "").strip()
    text = in_nm or (row.get(key) or "").strip()
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{key} '{text}' is not a number") from None
    if not math.isfinite(value):
        raise ValueError(f"{key} '{text}' is not finite")
    return value if in_nm else value * voxel_nm


def _integer(row: Mapping[str, str | None], key: str, default: int) -> int:
    text = (row.get(key) or "").strip()
    try:
        return int(text) if text else default
    except ValueError:
        raise ValueError(f"{key} '{text}' is not a whole number") from None


def _place(marker: Marker) -> tuple[str, Point]:
    z, y, x = (round(value, 2) for value in marker.position_nm)
    return marker.name, (z, y, x)


def _free_id(present: MarkerSet, taken: set[int]) -> int:
    while (new := present.new_id()) in taken:
        pass
    return new
