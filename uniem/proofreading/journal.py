"""The journal of a volume's edits: an append-only SQLite log beside its arrays."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from uniem.errors import UniemError
from uniem.proofreading.edits import Edit

FILE_NAME = "journal.sqlite"
_FORMAT = 2
_REFUSED = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}
_SCHEMA = """
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, ref INTEGER, title TEXT NOT NULL,
    details TEXT, author TEXT NOT NULL, time REAL NOT NULL
);
CREATE TABLE edits (entry INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE snapshots (name TEXT PRIMARY KEY, entry INTEGER NOT NULL, content BLOB NOT NULL);
"""
# What large edits changed, found when they were written, and how the object table stood before.
_SCHEMA_2 = """
CREATE TABLE parts (
    entry INTEGER NOT NULL, block INTEGER NOT NULL, content BLOB NOT NULL, PRIMARY KEY (entry, block)
) WITHOUT ROWID;
CREATE TABLE places (entry INTEGER PRIMARY KEY, content BLOB NOT NULL);
"""
_MOST_LISTED = 8
# Rows asked for at a time.
_MOST_ASKED = 500


class Sync(StrEnum):
    """How soon a row is forced to the disk itself."""

    NORMAL = "normal"
    """A crash of the program loses nothing; a power cut may cost the strokes since the last save."""
    FULL = "full"
    """A power cut costs at most one stroke; each row takes some milliseconds."""


class EntryKind(StrEnum):
    """What a row of the journal says."""

    APPLY = "apply"
    UNDO = "undo"
    REDO = "redo"
    SAVING = "saving"
    CHECKPOINT = "checkpoint"
    REVERT = "revert"
    GO_TO = "go to"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row.

    `ref` is the edit undone or redone, the edit gone to (0: before all), the checkpoint's number, or the
    checkpoint reverted to. `details` are the box and some objects of an edit, or the samples of a checkpoint.
    """

    id: int
    kind: EntryKind
    ref: int
    title: str
    details: Any
    author: str
    time: float


class JournalDamaged(UniemError):
    """The journal cannot be read."""


class Journal:
    """Append rows and read them back; rows are never changed, only snapshots derived from them are."""

    def __init__(self, connection: sqlite3.Connection, path: Path, author: str, sync: Sync) -> None:
        self._connection = connection
        self._author = author
        self._sync = sync
        self.path = path
        connection.execute(f"PRAGMA synchronous={sync.value}")
        last = connection.execute("SELECT max(id) FROM entries").fetchone()[0]
        self.last_id = int(last or 0)

    @staticmethod
    def create(path: Path, author: str = "", sync: Sync = Sync.NORMAL) -> Journal:
        """Make an empty journal where none is; it appears complete or not at all."""
        part = path.with_name(path.name + ".part")
        part.unlink(missing_ok=True)
        with _told(path):
            connection = sqlite3.connect(part, isolation_level=None)
            connection.executescript(_SCHEMA + _SCHEMA_2)
            facts = {"format": _FORMAT, "id": uuid.uuid4().hex}
            rows = [(key, json.dumps(value)) for key, value in facts.items()]
            connection.executemany("INSERT INTO facts VALUES (?, ?)", rows)
            connection.close()
            part.rename(path)
        return Journal.open(path, author, sync)

    @staticmethod
    def open(path: Path, author: str = "", sync: Sync = Sync.NORMAL) -> Journal:
        """Open a journal, whatever way its last writer ended."""
        with _told(path):
            connection = sqlite3.connect(path, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                journal = Journal(connection, path, author, sync)
                version = journal._upgraded()
            except BaseException:
                connection.close()
                raise
        if version != _FORMAT:
            journal.close()
            raise JournalDamaged(
                f"{path} has format {version}, this program reads format {_FORMAT}.", "Update the program."
            )
        return journal

    @staticmethod
    def copy_in_memory(path: Path) -> Journal:
        """Open a copy that holds still while it is read; the file may be in use, and is not written."""
        with _told(path):
            copy = sqlite3.connect(":memory:", isolation_level=None)
            original = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
            try:
                original.backup(copy)
            finally:
                original.close()
            journal = Journal(copy, path, "", Sync.NORMAL)
            journal._upgraded()
        return journal

    def _upgraded(self) -> Any:
        """Return the format, after bringing that of earlier versions up to date."""
        if (version := self.fact("format")) != 1:
            return version
        self._connection.executescript(f"BEGIN;{_SCHEMA_2}REPLACE INTO facts VALUES ('format', '2');COMMIT;")
        return _FORMAT

    def set_sync(self, sync: Sync) -> None:
        """Force rows to the disk sooner or later from now on."""
        self._sync = sync
        self._connection.execute(f"PRAGMA synchronous={sync.value}")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @property
    def id(self) -> str:
        """The name that tells this journal from every other."""
        return str(self.fact("id"))

    def fact(self, key: str) -> Any:
        """Return a remembered value, or None."""
        row = self._connection.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else None

    def remember(self, key: str, value: Any) -> None:
        """Keep a value that JSON can hold."""
        with _told(self.path):
            self._connection.execute("REPLACE INTO facts VALUES (?, ?)", (key, json.dumps(value)))

    def append_edit(self, edit: Edit, places: bytes | None = None, like: Entry | None = None) -> Entry:
        """Record an edit that is about to be applied, and how the objects it concerns stand before it.

        With `like` it was made when that entry was, by its author.
        """
        with self.together():
            if like is None:
                entry = self.append(EntryKind.APPLY, title=edit.title, details=_summary(edit))
            else:
                known = replace(like, id=self.last_id + 1, title=edit.title, details=_summary(edit))
                entry = self.append_row(known)
            self._connection.execute("INSERT INTO edits VALUES (?, ?)", (entry.id, edit.to_bytes()))
            if places is not None:
                self._connection.execute("INSERT INTO places VALUES (?, ?)", (entry.id, places))
        return entry

    def append(self, kind: EntryKind, ref: int = 0, title: str = "", details: Any = None) -> Entry:
        """Record what is about to happen, or a checkpoint that was reached."""
        return self.append_row(Entry(self.last_id + 1, kind, ref, title, details, self._author, time.time()))

    def append_row(self, entry: Entry) -> Entry:
        """Record a row as it is; its number must be the next."""
        details = json.dumps(entry.details)
        row = (entry.id, entry.kind.value, entry.ref, entry.title, details, entry.author, entry.time)
        with _told(self.path):
            self._connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        self.last_id = entry.id
        return entry

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make all rows written inside appear at once or not at all; it may be nested."""
        is_inside = self._connection.in_transaction
        if is_inside:
            yield
            return
        before = self.last_id
        with _told(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self.last_id = before
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def durably(self) -> Iterator[None]:
        """Force the rows written inside, and all earlier ones, to the disk itself."""
        self._connection.execute("PRAGMA synchronous=full")
        try:
            yield
        finally:
            self._connection.execute(f"PRAGMA synchronous={self._sync.value}")

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield the rows after one, in order, without the contents of their edits."""
        query = "SELECT id, kind, ref, title, details, author, time FROM entries WHERE id > ? ORDER BY id"
        with _told(self.path):
            for id_, kind, ref, title, details, author, when in self._connection.execute(query, (after,)):
                yield Entry(id_, EntryKind(kind), ref, title, json.loads(details), author, when)

    def edit(self, entry_id: int) -> Edit:
        """Return the edit that an `APPLY` row recorded."""
        with _told(self.path):
            query = "SELECT content FROM edits WHERE entry = ?"
            row = self._connection.execute(query, (entry_id,)).fetchone()
        if row is None:
            raise JournalDamaged(f"{self.path} lacks the edit of row {entry_id}.", "Copy the volume again.")
        return Edit.from_bytes(row[0])

    def edits(self, entry_ids: Sequence[int]) -> dict[int, Edit]:
        """Return the edits that some `APPLY` rows recorded, faster than one by one."""
        found: dict[int, Edit] = {}
        with _told(self.path):
            for first in range(0, len(entry_ids), _MOST_ASKED):
                some = entry_ids[first : first + _MOST_ASKED]
                query = f"SELECT entry, content FROM edits WHERE entry IN ({','.join(map(str, some))})"
                for entry, content in self._connection.execute(query):
                    found[entry] = Edit.from_bytes(content)
        if missing := set(entry_ids) - found.keys():
            raise JournalDamaged(
                f"{self.path} lacks the edit of row {min(missing)}.", "Copy the volume again."
            )
        return found

    def places(self, entry_id: int) -> bytes | None:
        """Return how the objects that an edit concerns stood before it, if that was kept."""
        query = "SELECT content FROM places WHERE entry = ?"
        row = self._connection.execute(query, (entry_id,)).fetchone()
        return bytes(row[0]) if row else None

    def put_part(self, entry_id: int, block: int, content: bytes) -> None:
        """Keep which voxels of a block a relabelling changed; the same again changes nothing."""
        with _told(self.path):
            row = (entry_id, block, content)
            self._connection.execute("REPLACE INTO parts VALUES (?, ?, ?)", row)

    def parts(self, entry_id: int) -> dict[int, bytes]:
        """Return which voxels of each block a relabelling changed, as far as it was written."""
        query = "SELECT block, content FROM parts WHERE entry = ?"
        with _told(self.path):
            return dict(self._connection.execute(query, (entry_id,)))

    def copy_facts(self, other: Journal) -> None:
        """Remember what another journal remembers, its name too: this one is to take its place."""
        for key, value in other._connection.execute("SELECT key, value FROM facts"):
            self._connection.execute("REPLACE INTO facts VALUES (?, ?)", (key, value))

    def copy_edit(self, other: Journal, entry_id: int, number: int) -> None:
        """Take over the content of an edit from another journal, under a number of this one."""
        for table in ("edits", "places"):
            query = f"SELECT ?, content FROM {table} WHERE entry = ?"
            rows = other._connection.execute(query, (number, entry_id))
            self._connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)
        for block, content in other.parts(entry_id).items():
            self.put_part(number, block, content)

    def copy_snapshots(self, other: Journal) -> None:
        """Take over what another journal keeps of its end; this one ends likewise."""
        rows = other._connection.execute("SELECT name, ?, content FROM snapshots", (self.last_id,))
        self._connection.executemany("REPLACE INTO snapshots VALUES (?, ?, ?)", rows)

    def put_snapshot(self, name: str, entry: int, content: bytes) -> None:
        """Keep bytes derived from the rows up to an entry, in place of the earlier ones of that name."""
        with _told(self.path):
            self._connection.execute("REPLACE INTO snapshots VALUES (?, ?, ?)", (name, entry, content))

    def snapshot(self, name: str) -> tuple[int, bytes] | None:
        """Return the entry and the bytes of a snapshot, or None."""
        query = "SELECT entry, content FROM snapshots WHERE name = ?"
        row = self._connection.execute(query, (name,)).fetchone()
        return (row[0], row[1]) if row else None


def last_row(path: Path) -> int:
    """Return the number of the last row of a journal that may be in use; nothing is written."""
    address = f"{path.resolve().as_uri()}?mode=ro"
    with _told(path), contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
        return int(connection.execute("SELECT max(id) FROM entries").fetchone()[0] or 0)


def _summary(edit: Edit) -> dict[str, Any]:
    """Return what a list of edits shows of one, so that it need not be decoded."""
    labels = sorted(edit.labels)
    return {"box": [*edit.box.start, *edit.box.stop], "labels": labels[:_MOST_LISTED], "count": len(labels)}


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say what went wrong in the user's terms."""
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as error:
        if isinstance(error, OSError) or getattr(error, "sqlite_errorcode", 0) & 0xFF in _REFUSED:
            raise UniemError(
                f"The journal {path} cannot be written: {error}.",
                "Check the disk's free space and rights; nothing of the edit was kept.",
            ) from error
        raise JournalDamaged(
            f"The journal {path} is damaged: {error}.",
            "Restore the volume from a copy, or set the journal aside and keep the voxels as saved last.",
        ) from error
