"""Typed rows, such as objects, markers and scores, and their CSV files."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uniem.data.formats.files import check_regular, reading, write_bytes
from uniem.errors import UniemError

Cell = int | float | str | bool | None
CellType = type[int] | type[float] | type[str] | type[bool]
NAMES: dict[CellType, str] = {int: "whole number", float: "number", bool: "true or false", str: "text"}
MAX_INT_DIGITS = 300


@dataclass(frozen=True)
class Table:
    """Named columns and rows of numbers, text, booleans and None for an empty cell."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "rows", tuple(tuple(row) for row in self.rows))
        if len(set(self.columns)) != len(self.columns):
            raise UniemError(
                f"Two columns have the same name: {', '.join(self.columns)}.", "Rename one of them."
            )
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.columns):
                raise UniemError(
                    f"Row {number} has {len(row)} cells, and there are {len(self.columns)} columns.",
                    "Give every row one cell per column.",
                )

    @staticmethod
    def of_records(records: Iterable[Mapping[str, Cell]], columns: Sequence[str] | None = None) -> Table:
        """Make a table of dictionaries; missing cells are None."""
        listed = list(records)
        names = tuple(columns or dict.fromkeys(name for record in listed for name in record))
        return Table(names, tuple(tuple(record.get(name) for name in names) for record in listed))

    def records(self) -> list[dict[str, Cell]]:
        """Return the rows as dictionaries."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def column(self, name: str) -> list[Cell]:
        """Return the cells of a column."""
        if name not in self.columns:
            raise UniemError(f"There is no column '{name}'.", f"There are {', '.join(self.columns)}.")
        index = self.columns.index(name)
        return [row[index] for row in self.rows]


def write_csv(table: Table, path: Path, byte_order_mark: bool = False) -> None:
    """Write a table as UTF-8 with a header; every number reads back exactly.

    A byte order mark makes Excel show names in other scripts than Latin.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(table.columns)
    writer.writerows([_written(cell) for cell in row] for row in table.rows)
    write_bytes(path, text.getvalue().encode("utf-8-sig" if byte_order_mark else "utf-8"))


def read_csv(
    path: Path,
    types: Mapping[str, CellType] | None = None,
    where_there: Mapping[str, CellType] | None = None,
) -> Table:
    """Read a table; commas, semicolons and tabs are told apart by the header.

    Parameters
    ----------
    path : Path
        A CSV file in UTF-8, with or without a byte order mark.
    types : mapping, optional
        The columns that must be there, and what their cells must be; an empty cell is None, or '' for text.
    where_there : mapping, optional
        The same of columns that may be missing. Other columns, or all of them, get the narrowest type that
        fits every cell.
    """
    header, lines = _lines_of(path)
    if missing := [name for name in types or {} if name not in header]:
        raise UniemError(
            f"{path} has no column {', '.join(missing)}; it has {', '.join(header)}.",
            "Add or rename the column.",
        )
    for number, cells in lines:
        if len(cells) != len(header):
            raise UniemError(
                f"Line {number} of {path} has {len(cells)} cells, and the header has {len(header)}.",
                "Give every line one cell per column.",
            )
    known = {**(where_there or {}), **(types or {})}
    columns = [_parsed_column(path, name, i, lines, known.get(name)) for i, name in enumerate(header)]
    return Table(tuple(header), tuple(zip(*columns, strict=True)))


def _lines_of(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    check_regular(path)
    with reading(path):
        content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UniemError(f"{path} is not text in UTF-8: {error}.", "Save it as CSV in UTF-8.") from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as error:
        raise UniemError(
            f"Line {reader.line_num} of {path} is not CSV: {error}.", "Check its quotes."
        ) from error
    if not lines:
        raise UniemError(f"{path} is empty.", "It must begin with a line of column names.")
    return lines[0][1], lines[1:]


def _parsed_column(
    path: Path, name: str, index: int, lines: list[tuple[int, list[str]]], expected: CellType | None
) -> list[Cell]:
    texts = [cells[index] for _, cells in lines]
    if expected is None:
        guesses = (_all_parsed(texts, kind) for kind in (int, bool, float, str))
        return next(cells for cells in guesses if cells is not None)
    column: list[Cell] = []
    for number, cells in lines:
        try:
            column.append(_parsed(cells[index], expected))
        except ValueError as error:
            raise UniemError(
                f"Line {number} of {path}: '{cells[index]}' in column '{name}' is not a {NAMES[expected]}.",
                "Correct the cell, or leave it empty.",
            ) from error
    return column


def _all_parsed(texts: list[str], kind: CellType) -> list[Cell] | None:
    """Return the cells read as one type, or None if one of them is not of that type."""
    try:
        cells = [_parsed(text, kind) for text in texts]
    except ValueError:
        return None
    if kind in (int, float) and any(re.match(r"[+-]?0\d|\+", text.strip()) for text in texts):
        return None  # codes such as 007 are text
    return cells


def _parsed(text: str, kind: CellType) -> Cell:
    if kind is str:
        return text
    if not text.strip():
        return None
    if kind is bool:
        return _parsed_bool(text)
    if len(text) > MAX_INT_DIGITS:
        raise ValueError(text)
    parse: Callable[[str], Any] = kind
    number: Cell = parse(text)
    return number


def _parsed_bool(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered not in ("true", "false"):
        raise ValueError(text)
    return lowered == "true"


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    # NumPy's numbers print as np.float64(1.5) in repr, so they become Python's first.
    value = getattr(cell, "item", lambda: cell)()
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else repr(value)
