"""What is said of objects: kept with the time, going with them to new labels, and as CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from uniem.data.table import read_csv, write_csv
from uniem.errors import UniemError
from uniem.proofreading.edits import Edit
from uniem.proofreading.object_csv import read_changes, table_of
from uniem.proofreading.objects import Fields
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.fields import annotate, classify, rate, rename
from uniem.proofreading.tools.whole_objects import delete_objects, relabel_object

Make = Callable[..., Path]


@pytest.fixture
def session(new_labels: Make) -> Iterator[ProofreadingSession]:
    """Return a session on 60 objects in columns, counted."""
    columns = np.arange(1, 61, dtype=np.uint32).reshape(1, 6, 10).repeat(6, 0).repeat(100, 1).repeat(56, 2)
    opened = ProofreadingSession.open(new_labels(labels=columns), "Ada")
    opened.objects.scan()
    yield opened
    opened.close()


def apply(session: ProofreadingSession, edit: Edit | None) -> None:
    assert edit is not None
    session.apply(edit)


def test_what_is_said_of_objects_is_kept_with_the_time(
    new_labels: Make, session: ProofreadingSession
) -> None:
    table = session.objects
    apply(session, classify(table, [3, 4], " axon "))
    apply(session, rate(table, [3], 80))
    apply(session, annotate(table, [3], "check the tip"))
    with pytest.raises(UniemError, match="no confidence"):
        rate(table, [3], 101)
    found = table[3]
    assert (found.fields.class_name, found.fields.confidence, found.fields.note) == (
        "axon",
        80,
        "check the tip",
    )
    assert found.edited is not None
    assert table[5].edited is None
    path = session.path
    session.close()
    again = ProofreadingSession.open(path)
    assert again.objects[3] == found
    again.close()


def test_what_is_said_of_an_object_goes_with_it_to_its_new_label(session: ProofreadingSession) -> None:
    table = session.objects
    apply(session, rename(table, 3, "soma"))
    apply(session, annotate(table, [3], "check the tip"))
    apply(session, rename(table, 5, "gone"))
    apply(session, delete_objects(table, [5]))
    said = table.fields_of(3)
    apply(session, relabel_object(table, 3, 500))
    assert table.fields_of(500) == said and table.fields_of(3) == Fields()
    # What was said of an object that is gone is not said of this one.
    apply(session, relabel_object(table, 500, 5))
    assert table.fields_of(5) == said
    # One that is there keeps what is said of it.
    apply(session, relabel_object(table, 5, 4))
    assert table.fields_of(4) == Fields()
    path = session.path
    session.close()
    again = ProofreadingSession.open(path)
    for label, name in ((5, "soma"), (500, "soma"), (3, "soma")):
        again.undo()
        assert again.objects.fields_of(label).name == name
    assert again.objects.fields_of(5).name == "gone"
    again.close()


def test_the_table_goes_out_and_comes_back_as_one_edit(session: ProofreadingSession, tmp_path: Path) -> None:
    file = tmp_path / "objects.csv"
    apply(session, rename(session.objects, 3, 'Ångström, "soma"'))
    write_csv(table_of(session.objects, session.volume), file)
    assert read_changes(file, session.objects).changes == ()
    row = read_csv(file).records()[2]
    assert (row["id"], row["voxels"], row["volume_nm3"]) == (3, 33600, 33600 * 1250.0)
    text = file.read_text("utf-8")
    file.write_text(text.replace("\n4,,,,", "\n4,glia,astrocyte,#ff0010,"), "utf-8")
    found = read_changes(file, session.objects)
    assert (found.rows, {change.field for change in found.changes}) == (60, {"name", "class_name", "colour"})
    assert "voxels" in found.ignored
    apply(session, found.edit(file.name))
    fields = session.objects.fields_of(4)
    assert (fields.name, fields.class_name, fields.colour) == ("glia", "astrocyte", (255, 0, 16))
    session.undo()
    assert session.objects.fields_of(4).name == ""


@pytest.mark.parametrize("name", ["1_2", "1.50", "1e3", "nan", "True", "-0", " 7 ", "007", "12"])
def test_names_that_look_like_numbers_come_back_as_they_were(
    session: ProofreadingSession, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "objects.csv"
    apply(session, rename(session.objects, 3, name))
    apply(session, annotate(session.objects, [3], name))
    write_csv(table_of(session.objects, session.volume), file)
    assert read_changes(file, session.objects).changes == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,name\n1,a\n1,b\n", "two rows for object 1"),
        ("id,name\n777,a\n", "no object 777"),
        ("id,confidence\n1,120\n", "whole number from 0 to 100"),
        ("id,locked\n1,perhaps\n", "true or false"),
        ("id,colour\n1,red\n", "is no colour"),
        ("id,voxels\n1,3\n", "no column to take in"),
        ("name\na\n", "no column id"),
    ],
)
def test_a_table_that_makes_no_sense_changes_nothing(
    session: ProofreadingSession, tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "objects.csv"
    file.write_text(text)
    with pytest.raises(UniemError, match=message):
        read_changes(file, session.objects)
