"""Journals that earlier versions wrote are still read."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np

from uniem.data.geometry import Box
from uniem.data.store import open_store
from uniem.proofreading.checkpoint import fingerprint
from uniem.proofreading.edits import Edit, Patch
from uniem.proofreading.journal import FILE_NAME, Journal
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.timeline import PastState
from uniem.proofreading.tools.whole_objects import merge_objects
from uniem.proofreading.viewing import view_edited

WHOLE = Box((0, 0, 0), (6, 600, 560))
# As the first version made it: without the tables of large edits.
FORMAT_1 = """
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, ref INTEGER, title TEXT NOT NULL,
    details TEXT, author TEXT NOT NULL, time REAL NOT NULL
);
CREATE TABLE edits (entry INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE snapshots (name TEXT PRIMARY KEY, entry INTEGER NOT NULL, content BLOB NOT NULL);
"""


def squares() -> np.ndarray:
    labels = np.zeros(WHOLE.shape, np.uint32)
    labels[:, 100:200, 100:200] = 5
    labels[:, 300:400, 300:400] = 6
    return labels


def journal_of_format_1(path: Path) -> np.ndarray:
    """Write one with a saved state, a stroke, a stroke undone, and no details; return the voxels seen."""
    store, voxels = open_store(path, writable=True), squares()
    name = uuid.uuid4().hex
    store.update_attributes(journal={"id": name, "checkpoint": 0, "next_label": 9})
    expected = voxels.copy()
    strokes = []
    for z, label in ((1, 7), (2, 8)):
        selection = np.zeros((1, 40, 40), bool)
        selection[0, 5:30, 5:30] = True
        before = voxels[z : z + 1, 90:130, 90:130]
        strokes.append(Edit(f"Paint {label}", (Patch.of((z, 90, 90), selection, before, label),)))
    expected[1, 95:120, 95:120] = 7
    rows = [
        (1, "checkpoint", 0, "", json.dumps({"samples": fingerprint(store)}), "Ada", 1.0e9),
        (2, "apply", 0, strokes[0].title, "null", "Ada", 1.1e9),
        (3, "apply", 0, strokes[1].title, "null", "Ada", 1.2e9),
        (4, "undo", 3, strokes[1].title, "null", "Ada", 1.3e9),
    ]
    connection = sqlite3.connect(path / FILE_NAME)
    with connection:
        connection.executescript(FORMAT_1)
        facts = {"format": 1, "id": name, "next_label": 9}
        connection.executemany(
            "INSERT INTO facts VALUES (?, ?)", [(k, json.dumps(v)) for k, v in facts.items()]
        )
        connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        contents = [(row, stroke.to_bytes()) for row, stroke in zip((2, 3), strokes, strict=True)]
        connection.executemany("INSERT INTO edits VALUES (?, ?)", contents)
    connection.close()
    return expected


def test_a_journal_of_format_1_goes_on_as_one_of_today(new_labels: Callable[..., Path]) -> None:
    path = new_labels(labels=squares())
    expected = journal_of_format_1(path)
    seen = view_edited(path)
    assert seen is not None and seen.unsaved == 1
    np.testing.assert_array_equal(seen.volume.read(WHOLE), expected)
    session = ProofreadingSession.open(path, "Bob")
    try:
        assert (session.recovered_edits, session.unsaved_edits) == (3, 1)
        np.testing.assert_array_equal(session.volume.read(WHOLE), expected)
        first, second = session.timeline.edits()
        assert (first.state, first.author, first.labels) == (PastState.DONE, "Ada", (5, 7))
        assert second.state is PastState.UNDONE and not second.box.is_empty
        session.objects.scan()
        assert session.objects[7].voxels == 25 * 25
        assert session.next_label() == 9
        merge = merge_objects(session.objects, 5, [6])
        assert merge is not None
        session.apply(merge)
        session.save("merged")
        session.go_to(second.id)
        assert session.volume.read(Box((2, 100, 100), (3, 101, 101))).item() == 8
        session.go_to(0)
        np.testing.assert_array_equal(session.volume.read(WHOLE), squares())
    finally:
        session.close()
    journal = Journal.open(path / FILE_NAME)
    assert journal.fact("format") == 2
    journal.close()
    again = ProofreadingSession.open(path)
    np.testing.assert_array_equal(again.volume.read(WHOLE), squares())
    again.close()
