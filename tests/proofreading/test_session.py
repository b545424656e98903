"""One session: locks, checkpoints, changes behind its back, failed saves, labels, signals, the pyramid."""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from uniem.data.geometry import Box, VoxelSize
from uniem.data.held_array import PIECE
from uniem.data.pyramid import downsample
from uniem.data.store import create_store, open_store
from uniem.data.volume import Kind
from uniem.errors import UniemError
from uniem.proofreading.carrying_over import make_edits_again
from uniem.proofreading.checkpoint import VolumeChanged
from uniem.proofreading.edits import Edit
from uniem.proofreading.journal import FILE_NAME, EntryKind, Journal, JournalDamaged, Sync
from uniem.proofreading.live_volume import EditDoesNotFit
from uniem.proofreading.lock import InUse
from uniem.proofreading.opening import set_history_aside
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, paint
from uniem.proofreading.tools.fields import hide, lock, recolour, rename, show
from uniem.proofreading.tools.whole_objects import merge_objects

Make = Callable[..., Path]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def opened() -> Iterator[Callable[..., ProofreadingSession]]:
    sessions: list[ProofreadingSession] = []

    def open_session(path: Path, *arguments: object) -> ProofreadingSession:
        sessions.append(ProofreadingSession.open(path, *arguments))  # type: ignore[arg-type]
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


Open = Callable[..., ProofreadingSession]


def dab(session: ProofreadingSession, z: int, y: int, x: int, label: int, radius: float = 10) -> Edit:
    edit = paint(session.volume, Stroke(((float(z), float(y), float(x)),), radius), label)
    assert edit is not None
    session.apply(edit)
    return edit


def whole(session: ProofreadingSession) -> np.ndarray:
    return session.volume.read(Box.of_shape(session.volume.shape)).copy()


def test_undo_and_redo_go_across_saves_and_restarts(new_labels: Make, opened: Open) -> None:
    path = new_labels()
    session = opened(path, "Ada")
    dab(session, 1, 50, 50, 7)
    session.save("first")
    dab(session, 1, 55, 50, 8)
    after = whole(session)
    session.close()
    session = opened(path)
    assert (session.recovered_edits, session.unsaved_edits) == (1, 1)
    assert np.array_equal(whole(session), after)
    assert (session.undo_title, session.can_redo) == ("Paint 8", False)
    assert session.undo() is not None
    assert session.undo() is not None
    assert session.undo() is None
    assert not whole(session).any()
    assert (session.redo_title, session.can_undo) == ("Paint 7", False)
    session.close()
    session = opened(path)
    assert session.redo() is not None
    assert session.redo() is not None
    assert np.array_equal(whole(session), after)
    session.save()
    session.close()
    assert np.array_equal(open_store(path)[:], after)
    assert opened(path).recovered_edits == 0


def test_the_journal_tells_who_did_what_when(new_labels: Make, opened: Open) -> None:
    path = new_labels()
    session = opened(path, "Ada", Sync.FULL)
    dab(session, 1, 50, 50, 7)
    session.undo()
    session.save("half way")
    session.close()
    journal = Journal.open(path / FILE_NAME)
    entries = list(journal.entries())
    journal.close()
    kinds = [EntryKind.CHECKPOINT, EntryKind.APPLY, EntryKind.UNDO, EntryKind.SAVING, EntryKind.CHECKPOINT]
    assert [entry.kind for entry in entries] == kinds
    assert {entry.author for entry in entries} == {"Ada"}
    assert [entry.time for entry in entries] == sorted(entry.time for entry in entries)
    assert (entries[1].title, entries[-1].title, entries[-1].ref) == ("Paint 7", "half way", 1)


def test_the_unsaved_count_is_the_distance_from_what_is_saved(new_labels: Make, opened: Open) -> None:
    session = opened(new_labels())
    for x in (20, 60, 100):
        dab(session, 0, 50, x, 3)
    assert session.unsaved_edits == 3
    session.save()
    assert session.unsaved_edits == 0
    session.undo()
    session.undo()
    assert session.unsaved_edits == 2
    session.redo()
    assert session.unsaved_edits == 1
    dab(session, 0, 200, 200, 4)
    assert session.unsaved_edits == 2
    session.revert()
    assert (session.unsaved_edits, session.undo_title, session.can_redo) == (0, "Paint 3", False)


def test_a_second_writer_is_told_who_edits_and_may_look(new_labels: Make, opened: Open) -> None:
    path = new_labels()
    session = opened(path, "Ada")
    with pytest.raises(InUse, match=r"being edited by Ada in process \d+"):
        ProofreadingSession.open(path, "Ben")
    code = f"import sys; from pathlib import Path; from uniem.proofreading.session import ProofreadingSession as S; S.open(Path({str(path)!r}))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert other.returncode != 0
    assert "being edited by Ada" in other.stderr
    assert open_store(path)[0].shape == (600, 560)
    session.close()
    opened(path, "Ben")


def test_only_labels_in_a_store_are_edited(tmp_path: Path, new_labels: Make) -> None:
    create_store(tmp_path / "image.zarr", (1, 8, 8), "uint8", None, Kind.IMAGE)
    with pytest.raises(UniemError, match="holds image as uint8, not labels"):
        ProofreadingSession.open(tmp_path / "image.zarr")
    with pytest.raises(UniemError, match="is not an OME-Zarr volume"):
        ProofreadingSession.open(tmp_path / "nothing.zarr")
    with pytest.raises(UniemError, match="is being edited"):
        session = ProofreadingSession.open(new_labels())
        try:
            session.volume[0] = np.ones((600, 560), np.uint32)
        finally:
            session.close()


def test_an_edit_made_for_other_labels_changes_nothing(new_labels: Make, opened: Open) -> None:
    session = opened(new_labels())
    stroke = Stroke(((0.0, 50.0, 50.0),), 5)
    first, second = paint(session.volume, stroke, 1), paint(session.volume, stroke, 2)
    assert first is not None
    assert second is not None
    session.apply(first)
    before = whole(session)
    with pytest.raises(EditDoesNotFit, match="made for other labels"):
        session.apply(second)
    assert np.array_equal(whole(session), before)
    assert session.undo_title == "Paint 1"


def test_voxels_changed_elsewhere_are_noticed_and_the_choice_is_named(new_labels: Make, opened: Open) -> None:
    path = new_labels()
    session = opened(path)
    dab(session, 1, 50, 50, 7)
    session.save()
    session.apply(rename(session.objects, 7, "soma") or Edit("", ()))
    dab(session, 1, 90, 50, 8)
    session.close()
    open_store(path, writable=True)[5] = np.full((600, 560), 3, np.uint32)
    with pytest.raises(VolumeChanged, match=r"changed outside its history.*set its history aside.*2 edits"):
        ProofreadingSession.open(path)
    with pytest.raises(VolumeChanged) as raised:
        ProofreadingSession.open(path)
    assert raised.value.unsaved == 2
    aside = set_history_aside(path)
    assert aside is not None
    assert aside.exists()
    session = opened(path)
    expected = np.zeros((6, 600, 560), np.uint32)
    expected[5] = 3
    assert np.array_equal(whole(session)[5], expected[5])
    assert whole(session)[1, 90, 50] == 0
    assert session.objects.fields_of(7).name == "soma"
    session.objects.scan()
    assert list(session.objects) == [3, 7]
    assert make_edits_again(session, aside) == 1
    assert whole(session)[1, 90, 50] == 8
    assert (session.undo_title, session.unsaved_edits) == ("Paint 8", 2)
    session.undo()
    assert np.array_equal(whole(session)[5], expected[5])


def test_merges_and_undone_merges_are_made_again_on_changed_voxels(new_labels: Make, opened: Open) -> None:
    labels = np.arange(1, 5, dtype=np.uint32).reshape(2, 1, 2).repeat(100, 1).repeat(50, 2)
    path = new_labels(labels=labels)
    session = opened(path)
    session.objects.scan()
    session.apply(merge_objects(session.objects, 1, [2]) or Edit("", ()))
    session.save()
    session.undo()
    session.apply(merge_objects(session.objects, 3, [4]) or Edit("", ()))
    session.close()
    open_store(path, writable=True)[0:1, 0:10, 0:10] = np.full((1, 10, 10), 9, np.uint32)
    with pytest.raises(VolumeChanged):
        ProofreadingSession.open(path)
    aside = set_history_aside(path)
    assert aside is not None
    session = opened(path)
    session.objects.scan()
    assert make_edits_again(session, aside) == 2
    expected = labels.copy()
    expected[labels == 4] = 3
    expected[0, :10, :10] = 9
    assert np.array_equal(whole(session), expected)


def test_voxels_changed_under_an_unsaved_edit_are_noticed(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "large.zarr"
    create_store(path, (40, 400, 400), "uint32", None, Kind.LABELS, (1, 100, 100))
    session = opened(path)
    dab(session, 33, 150, 150, 8)
    session.close()
    open_store(path, writable=True)[33:34, 145:155, 145:155] = np.full((1, 10, 10), 3, np.uint32)
    with pytest.raises(VolumeChanged, match="changed outside its history"):
        ProofreadingSession.open(path)


def test_an_older_copy_of_the_volume_is_noticed(new_labels: Make, opened: Open) -> None:
    path = new_labels()
    session = opened(path)
    copy = path.with_name("copy.zarr")
    shutil.copytree(path, copy)
    dab(session, 1, 50, 50, 7)
    session.save()
    session.close()
    shutil.copyfile(path / FILE_NAME, copy / FILE_NAME)
    for suffix in ("-wal", "-shm"):
        (copy / (FILE_NAME + suffix)).unlink(missing_ok=True)
    with pytest.raises(VolumeChanged, match="saved 0 times, the journal tells of 1"):
        ProofreadingSession.open(copy)


def test_a_missing_or_foreign_journal_is_noticed(new_labels: Make, opened: Open) -> None:
    first, second = new_labels("a.zarr"), new_labels("b.zarr")
    for path in (first, second):
        opened(path).close()
    shutil.copyfile(first / FILE_NAME, second / FILE_NAME)
    with pytest.raises(VolumeChanged, match="belongs to another volume"):
        ProofreadingSession.open(second)
    (first / FILE_NAME).unlink()
    with pytest.raises(VolumeChanged, match="is missing"):
        ProofreadingSession.open(first)
    assert set_history_aside(first) is None
    opened(first)


def test_a_damaged_journal_is_told_and_can_be_set_aside(new_labels: Make, opened: Open) -> None:
    path = new_labels()
    opened(path).close()
    (path / FILE_NAME).write_bytes(b"not a database at all" * 100)
    with pytest.raises(JournalDamaged, match="is damaged"):
        ProofreadingSession.open(path)
    assert set_history_aside(path) is not None
    opened(path)


def test_a_torn_last_row_costs_that_row_only(new_labels: Make, opened: Open, tmp_path: Path) -> None:
    session = opened(new_labels())
    for x in (30, 60, 90):
        dab(session, 0, 50, x, 3)
    torn = tmp_path / "torn.zarr"
    shutil.copytree(session.path, torn)
    wal = torn / (FILE_NAME + "-wal")
    wal.write_bytes(wal.read_bytes()[:-2000])
    session.undo()
    recovered = opened(torn)
    assert recovered.recovered_edits == 2
    assert np.array_equal(whole(recovered), whole(session))


def test_a_save_that_fails_loses_nothing_and_can_be_repeated(new_labels: Make, opened: Open) -> None:
    path = new_labels()
    session = opened(path)
    dab(session, 1, 50, 50, 7)
    session.save()
    dab(session, 3, 300, 300, 8)
    after = whole(session)
    # A file in place of a folder of chunks: the next commit cannot make its chunk.
    blocker = path / "0" / "c" / "1"
    assert not blocker.exists()
    blocker.write_text("in the way")
    with pytest.raises(UniemError, match="Cannot save"):
        session.save()
    assert np.array_equal(whole(session), after)
    assert session.unsaved_edits == 1
    blocker.unlink()
    session.save()
    session.close()
    assert np.array_equal(open_store(path)[:], after)


def test_a_journal_on_a_full_disk_refuses_the_edit_and_keeps_the_volume(
    new_labels: Make, opened: Open
) -> None:
    session = opened(new_labels())
    dab(session, 1, 50, 50, 7)
    before = whole(session)
    connection: sqlite3.Connection = session._journal._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(UniemError, match="cannot be written: database or disk is full"):
        for i in range(200):
            dab(session, 2, 10 + 2 * i, 50, 1 + i % 9)
            before = whole(session)
    assert np.array_equal(whole(session), before)
    connection.execute("PRAGMA max_page_count=1000000")
    dab(session, 3, 500, 500, 9)


def test_new_labels_never_come_twice(new_labels: Make, opened: Open) -> None:
    labels = np.zeros((2, 64, 64), np.uint32)
    labels[0, :5] = 41
    path = new_labels(labels=labels)
    session = opened(path)
    with pytest.raises(UniemError, match="still being counted"):
        session.next_label()
    session.objects.scan()
    assert session.next_label() == 42
    assert session.next_label() == 43
    dab(session, 1, 30, 30, 100)
    session.undo()
    assert session.next_label() > 100
    session.close()
    assert opened(path).next_label() > 101


def test_the_last_label_is_told(tmp_path: Path, opened: Open) -> None:
    create_store(tmp_path / "a.zarr", (1, 8, 8), "uint8", None, Kind.LABELS)[0] = np.full(
        (8, 8), 255, np.uint8
    )
    session = opened(tmp_path / "a.zarr")
    session.objects.scan()
    with pytest.raises(UniemError, match="used all labels that uint8 can hold"):
        session.next_label()


def test_fields_are_edits(new_labels: Make, opened: Open) -> None:
    path = new_labels()
    session = opened(path)
    table = session.objects
    told: list[frozenset[int]] = []
    table.changed.connect(told.append)
    for make in (
        lambda: rename(table, 3, " axon "),
        lambda: recolour(table, [3, 4], (1, 2, 3)),
        lambda: lock(table, [3]),
        lambda: hide(table, [4, 5]),
        lambda: show(table, [5]),
    ):
        edit = make()
        assert edit is not None
        session.apply(edit)
    assert lock(table, [3]) is None
    assert (table.locked(), table.hidden()) == ({3}, {4})
    assert told == [{3}, {3, 4}, {3}, {4, 5}, {5}]
    session.undo()
    assert table.hidden() == {4, 5}
    session.save()
    session.close()
    fields = opened(path).objects.fields_of(3)
    assert (fields.name, fields.colour, fields.locked, fields.visible) == ("axon", (1, 2, 3), True, True)


def test_signals_come_last_and_a_failing_listener_loses_nothing(new_labels: Make, opened: Open) -> None:
    session = opened(new_labels())
    seen: list[tuple[Box, frozenset[int], int, bool]] = []

    def listen(box: Box, labels: frozenset[int]) -> None:
        seen.append((box, labels, session.volume.read(box).max(), session.can_undo))
        raise RuntimeError("a view failed")

    session.changed.connect(listen)
    with pytest.raises(Exception, match="a view failed"):
        dab(session, 1, 50, 60, 7)
    assert seen == [(Box((1, 40, 50), (2, 61, 71)), {7}, 7, True)]
    session.changed.disconnect(listen)
    assert session.undo() is not None
    assert not whole(session).any()


def test_every_level_of_the_pyramid_shows_unsaved_edits(new_labels: Make, opened: Open) -> None:
    path = new_labels()
    session = opened(path)
    assert len(session.volume.levels) == 2
    dab(session, 2, 100, 100, 7, 30)
    dab(session, 2, 500, 500, 8, 30)

    def expected() -> np.ndarray:
        return downsample(whole(session), (1, 2, 2), is_labels=True)

    level = session.volume.levels[1]
    assert np.array_equal(level.read(Box.of_shape(level.shape)), expected())
    session.undo()
    assert np.array_equal(level.read(Box.of_shape(level.shape)), expected())
    dab(session, 3, 100, 300, 9)
    session.save()
    saved = open_store(path).levels[1]
    assert np.array_equal(saved.read(Box.of_shape(saved.shape)), expected())
    session.undo()
    session.revert()
    assert np.array_equal(level.read(Box.of_shape(level.shape)), expected())
    session.close()
    session = opened(path)
    dab(session, 1, 300, 300, 5)
    session.close()
    session = opened(path)
    level = session.volume.levels[1]
    assert level.read(Box((1, 150, 150), (2, 151, 151))) == 5
    assert list(session.write_steps())
    assert np.array_equal(level.read(Box.of_shape(level.shape)), expected())


def test_pending_memory_grows_with_edits_and_ends_with_a_save(new_labels: Make, opened: Open) -> None:
    session = opened(new_labels())
    assert session.pending_bytes == 0
    dab(session, 1, 30, 30, 7, 10)
    assert 0 < session.pending_bytes <= 4 * math.prod(PIECE) * 4
    session.save()
    assert session.pending_bytes == 0


def test_counting_lets_edits_come_between_and_is_kept(new_labels: Make, opened: Open) -> None:
    labels = (
        np.random.default_rng(0).integers(0, 5, (6, 10, 10)).repeat(60, 1).repeat(56, 2).astype(np.uint32)
    )
    path = new_labels(labels=labels)
    session = opened(path)
    steps = session.objects.scan_steps()
    for y in (30, 290, 590):
        next(steps)
        dab(session, 0, y, 280, 77)
    assert list(steps)[-1] == 1
    ids, voxels = np.unique(whole(session), return_counts=True)
    assert session.objects.columns().ids.tolist() == ids[1:].tolist()
    assert session.objects.columns().voxels.tolist() == voxels[1:].tolist()
    session.undo()
    session.close()
    session = opened(path)
    assert session.objects.is_counted
    ids, voxels = np.unique(whole(session), return_counts=True)
    assert session.objects.columns().voxels.tolist() == voxels[1:].tolist()


def test_many_recovered_edits_leave_exact_counts(new_labels: Make, opened: Open) -> None:
    path = new_labels(shape=(1, 600, 560))
    session = opened(path)
    session.objects.scan()
    rng = np.random.default_rng(1)
    for _ in range(200):
        y, x = rng.integers(0, 200, 2)
        if edit := paint(session.volume, Stroke(((0.0, float(y), float(x)),), 9), int(rng.integers(0, 9))):
            session.apply(edit)
    before = session.objects.columns()
    session.close()
    after = opened(path).objects.columns()
    for name in ("ids", "voxels", "start", "stop"):
        assert np.array_equal(getattr(before, name), getattr(after, name))


def test_kill_9_loses_nothing_but_the_last_edit() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "crash.py"), "--kills", "10"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    counts = json.loads(ended.stdout)
    assert counts["edits"] > 0
    assert counts["recovered"] > 0
    assert (counts["lost_beyond_last_edit"], counts["corrupt"], counts["wrong_tables"]) == (0, 0, 0)


@pytest.mark.parametrize("voxel_size", [VoxelSize(50, 5, 5), None])
def test_wider_labels_work_too(tmp_path: Path, opened: Open, voxel_size: VoxelSize | None) -> None:
    create_store(tmp_path / "a.zarr", (2, 90, 90), "uint64", voxel_size, Kind.LABELS)
    session = opened(tmp_path / "a.zarr")
    session.objects.scan()
    dab(session, 1, 40, 40, 2**40)
    dab(session, 1, 45, 40, 5)
    session.close()
    session = opened(tmp_path / "a.zarr")
    assert list(session.objects) == [5, 2**40]
    assert session.objects[2**40].voxels == np.count_nonzero(whole(session) == 2**40)
