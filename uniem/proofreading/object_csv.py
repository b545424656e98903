"""The object table as CSV: written out, and read back as changes that are looked at before they are made."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from uniem.data.geometry import Box
from uniem.data.table import Cell, Table, read_csv
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.proofreading.edits import Edit, FieldChange, FieldValue
from uniem.proofreading.objects import ObjectTable, SegmentedObject

# The columns that can be read back, and the fields they are.
FIELDS = {
    "name": "name",
    "class": "class_name",
    "colour": "colour",
    "visible": "visible",
    "locked": "locked",
    "confidence": "confidence",
    "note": "note",
}
# What people write is text whatever it looks like: a name 1_2 is no number.
_WRITTEN = ("name", "class", "colour", "note")
MEASURED = ("voxels", "volume_nm3", "z0", "y0", "x0", "z1", "y1", "x1", "edited")
COLUMNS = ("id", *FIELDS, *MEASURED)


@dataclass(frozen=True)
class TableChange:
    """What a CSV file would change.

    Attributes
    ----------
    changes : tuple[FieldChange, ...]
        Each field that differs, as it is and as it becomes.
    rows : int
        How many rows the file has.
    ignored : tuple[str, ...]
        Its columns that cannot be changed, such as sizes, or that mean nothing here.
    """

    changes: tuple[FieldChange, ...]
    rows: int
    ignored: tuple[str, ...]

    def edit(self, source: str) -> Edit | None:
        """Return the one edit that makes all changes; None if there are none."""
        return Edit(f"Take fields from {source}", tuple(self.changes)) if self.changes else None


def table_of(objects: ObjectTable, volume: Volume, labels: Iterable[int] | None = None) -> Table:
    """Return a table of some objects, or of all, for a CSV file; boxes are half-open, in voxels."""
    chosen = objects if labels is None else labels
    return Table(COLUMNS, tuple(_row(objects[label], volume) for label in chosen))


def read_changes(path: Path, objects: ObjectTable) -> TableChange:
    """Read what a CSV file says of objects; columns that are missing change nothing.

    Raises `UniemError`, naming the row, if an id is no object here or comes twice, or a cell makes no sense.
    """
    table = read_csv(path, {"id": int}, dict.fromkeys(_WRITTEN, str))
    chosen = [name for name in table.columns if name in FIELDS]
    if not chosen:
        raise UniemError(f"{path} has no column to take in.", f"There can be {', '.join(FIELDS)}.")
    changes, seen = list[FieldChange](), set[int]()
    for number, record in enumerate(table.records(), 1):
        label = record["id"]
        place = f"Row {number} of {path}"
        if (
            not isinstance(label, int)
            or label in seen
            or (label not in objects and label not in objects.said)
        ):
            raise UniemError(
                f"{place}: {'there are two rows for' if label in seen else 'there is no'} object {label}.",
                "Correct the id, or remove the row.",
            )
        seen.add(label)
        said = objects.fields_of(label)
        for name in chosen:
            before, after = getattr(said, FIELDS[name]), _parsed(name, record[name], place)
            if before != after:
                changes.append(FieldChange(label, FIELDS[name], before, after))
    ignored = tuple(name for name in table.columns if name not in FIELDS and name != "id")
    return TableChange(tuple(changes), len(table.rows), ignored)


def _row(found: SegmentedObject, volume: Volume) -> tuple[Cell, ...]:
    said, size = found.fields, volume.voxel_size
    colour = "#{:02x}{:02x}{:02x}".format(*said.colour) if said.colour is not None else ""
    box = found.box or Box((0, 0, 0), (0, 0, 0))
    edited = None
    if found.edited is not None:
        edited = datetime.datetime.fromtimestamp(found.edited, datetime.UTC).isoformat(timespec="seconds")
    fields = (said.name, said.class_name, colour, said.visible, said.locked, said.confidence, said.note)
    volume_nm3 = found.voxels * size.volume_nm3 if size else None
    return (found.id, *fields, found.voxels, volume_nm3, *box.start, *box.stop, edited)


def _parsed(name: str, cell: Cell, place: str) -> FieldValue:
    """Return a cell as the value of a field; raise if it is none."""
    parsed: FieldValue = None
    if name in ("name", "class", "note"):
        return str(cell).strip()
    if name == "colour":
        return _colour(cell, place)
    if name == "confidence":
        is_right = cell in (None, "") or (type(cell) is int and 0 <= cell <= 100)
        parsed = cell if type(cell) is int else None
        expected = "a whole number from 0 to 100, or nothing"
    else:
        is_right, expected = isinstance(cell, bool), "true or false"
        parsed = cell is True
    if not is_right:
        raise UniemError(f"{place}: '{cell}' in column '{name}' is not {expected}.", "Correct the cell.")
    return parsed


def _colour(cell: Cell, place: str) -> tuple[int, int, int] | None:
    text = str(cell).strip()
    if not text:
        return None
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise UniemError(
            f"{place}: '{text}' in column 'colour' is no colour.", "Write #rrggbb, or leave it empty."
        )
    return (int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16))
