"""Merges of any size, the timeline and views of a session elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from uniem.data.geometry import Box
from uniem.data.store import open_store
from uniem.errors import UniemError
from uniem.proofreading.compaction import compact_history
from uniem.proofreading.edits import Edit, Relabelling
from uniem.proofreading.journal import FILE_NAME
from uniem.proofreading.live_volume import EditDoesNotFit
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.timeline import PastState
from uniem.proofreading.tools.brush import Stroke, paint
from uniem.proofreading.tools.fields import lock, rename
from uniem.proofreading.tools.whole_objects import delete_objects, merge_objects, relabel_object
from uniem.proofreading.viewing import view_edited

Make = Callable[..., Path]
WHOLE = Box((0, 0, 0), (6, 600, 560))


@pytest.fixture
def session(new_labels: Make) -> Iterator[ProofreadingSession]:
    """Return a session on 60 objects in columns, counted."""
    columns = np.arange(1, 61, dtype=np.uint32).reshape(1, 6, 10).repeat(6, 0).repeat(100, 1).repeat(56, 2)
    opened = ProofreadingSession.open(new_labels(labels=columns), "Ada")
    opened.objects.scan()
    yield opened
    opened.close()


def whole(session: ProofreadingSession) -> np.ndarray:
    return session.volume.read(WHOLE).copy()


def apply(session: ProofreadingSession, edit: Edit | None) -> None:
    assert edit is not None
    session.apply(edit)


def dab(session: ProofreadingSession, y: int, x: int, label: int) -> None:
    apply(session, paint(session.volume, Stroke(((1.0, float(y), float(x)),), 20), label))


def test_a_merge_is_seen_at_once_by_every_reader_and_written_later(session: ProofreadingSession) -> None:
    before = whole(session)
    told: list[tuple[Box, frozenset[int]]] = []
    session.changed.connect(lambda box, labels: told.append((box, labels)))
    apply(session, merge_objects(session.objects, 1, [2, 15, 0, 1, 999]))
    expected = np.where(np.isin(before, [2, 15]), 1, before)
    assert session.unwritten_blocks
    assert np.array_equal(whole(session), expected)
    level = session.volume.levels[1]
    coarse = level.read(Box.of_shape(level.shape))
    assert np.array_equal(coarse, expected[:, ::2, ::2])
    assert session.objects[1].voxels == np.count_nonzero(expected == 1)
    assert 2 not in session.objects
    assert told == [(Box((0, 0, 56), (6, 200, 280)), frozenset({1, 2, 15}))]
    assert list(session.write_steps())
    assert not session.unwritten_blocks
    assert np.array_equal(level.read(Box.of_shape(level.shape)), coarse)
    session.save("merged")
    assert np.array_equal(open_store(session.path)[:], expected)
    session.undo()
    assert np.array_equal(whole(session), before)
    assert session.objects[2].voxels == np.count_nonzero(before == 2)


def test_a_stroke_after_a_merge_keeps_its_label(session: ProofreadingSession) -> None:
    before = whole(session)
    apply(session, merge_objects(session.objects, 1, [2]))
    dab(session, 50, 20, 2)
    seen = whole(session)
    assert 2 in seen[1]
    session.save()
    assert np.array_equal(open_store(session.path)[:], seen)
    session.undo()
    session.undo()
    assert np.array_equal(whole(session), before)


def test_exchange_deletion_and_relabelling_of_whole_objects(session: ProofreadingSession) -> None:
    before = whole(session)
    session.apply(Edit("Exchange", (Relabelling(((3, 4), (4, 3))),)))
    apply(session, delete_objects(session.objects, [5, 777]))
    apply(session, relabel_object(session.objects, 6, 500))
    expected = before.copy()
    expected[before == 3], expected[before == 4] = 4, 3
    expected[before == 5], expected[before == 6] = 0, 500
    assert np.array_equal(whole(session), expected)
    assert session.next_label() > 500
    assert delete_objects(session.objects, [5]) is None
    apply(session, lock(session.objects, [7]))
    for make in (
        lambda: merge_objects(session.objects, 7, [8]),
        lambda: delete_objects(session.objects, [7]),
        lambda: relabel_object(session.objects, 8, 7),
    ):
        with pytest.raises(UniemError, match="7 is locked"):
            make()
    assert merge_objects(session.objects, 8, [7]) is None
    with pytest.raises(EditDoesNotFit, match="does not fit"):
        session.apply(Edit("Too large", (Relabelling(((8, 2**40),)),)))


def test_a_merge_waits_for_the_objects_to_be_counted(new_labels: Make) -> None:
    session = ProofreadingSession.open(new_labels())
    try:
        with pytest.raises(UniemError, match="still being counted"):
            session.apply(Edit("Merge", (Relabelling(((1, 2),)),)))
        assert not session.can_undo
    finally:
        session.close()


def test_the_timeline_lists_branches_and_goes_to_any_point(session: ProofreadingSession) -> None:
    states = [whole(session)]
    for x in (100, 200):
        dab(session, 300, x, 7)
        states.append(whole(session))
    session.save("two dabs")
    session.undo()
    apply(session, merge_objects(session.objects, 1, [2]))
    states.append(whole(session))
    first, second, merged = session.timeline.edits()
    assert [each.state for each in (first, second, merged)] == [
        PastState.DONE,
        PastState.LEFT,
        PastState.DONE,
    ]
    assert (second.author, second.title, second.saves) == ("Ada", "Paint 7", ("two dabs",))
    assert (merged.labels, merged.count, merged.box) == ((1, 2), 2, Box((0, 0, 56), (6, 100, 112)))
    assert second.time >= first.time
    for edit, state in ((second.id, 2), (0, 0), (merged.id, 3), (first.id, 1)):
        session.go_to(edit)
        assert np.array_equal(whole(session), states[state])
    assert session.redo_title == merged.title
    difference = session.timeline.compare(second.id, merged.id)
    assert difference.labels >= {1, 2, 7}
    assert [step.is_done for step in difference.edits] == [False, True]
    with pytest.raises(UniemError, match="has no edit 999"):
        session.go_to(999)


def test_edits_inside_a_box_are_taken_back_alone(session: ProofreadingSession) -> None:
    before = whole(session)
    dab(session, 300, 100, 7)
    dab(session, 300, 400, 7)
    apply(session, merge_objects(session.objects, 1, [2]))
    now, box = whole(session), Box((0, 0, 0), (6, 600, 200))
    edit = session.timeline.restore_inside(box, 0)
    apply(session, edit)
    expected = now.copy()
    expected[box.slices] = before[box.slices]
    assert np.array_equal(whole(session), expected)
    session.undo()
    assert np.array_equal(whole(session), now)


def test_a_view_shows_unsaved_edits_and_says_who_edits(session: ProofreadingSession) -> None:
    dab(session, 300, 100, 7)
    session.save()
    dab(session, 300, 400, 7)
    apply(session, merge_objects(session.objects, 1, [2]))
    apply(session, rename(session.objects, 1, "soma"))
    view = view_edited(session.path)
    assert view is not None
    assert np.array_equal(view.volume.read(WHOLE), whole(session))
    assert view.objects.fields_of(1).name == "soma"
    assert view.objects[1].voxels == session.objects[1].voxels
    assert f"being edited by Ada in process {os.getpid()}" in view.notice
    assert "3 edits that are not saved" in view.notice
    assert view.is_current
    with pytest.raises(UniemError, match="being edited"):
        view.volume[0] = np.zeros((600, 560), np.uint32)
    session.save()
    assert not view.is_current
    again = view_edited(session.path)
    assert again is not None
    assert again.unsaved == 0
    assert view_edited(session.path.with_name("nothing.zarr")) is None


def test_a_history_is_compacted_to_its_named_saves(session: ProofreadingSession) -> None:
    states = {"": whole(session)}

    def save(name: str) -> None:
        session.save(name)
        states[name] = whole(session)

    dab(session, 300, 100, 7)
    apply(session, rename(session.objects, 1, "soma"))
    apply(session, merge_objects(session.objects, 1, [2]))
    session.save()
    dab(session, 300, 110, 8)
    save("first")
    dab(session, 100, 300, 9)
    save("left")
    session.undo()
    apply(session, merge_objects(session.objects, 3, [4, 5]))
    dab(session, 500, 500, 9)
    save("second")
    dab(session, 10, 500, 9)
    apply(session, merge_objects(session.objects, 10, [20]))
    session.undo()
    states["now"] = whole(session)
    path, times, columns = (
        session.path,
        [each.time for each in session.timeline.edits()],
        session.objects.columns(),
    )
    next_label = session.next_label()
    session.close()
    with pytest.raises(UniemError, match="not saved"):
        compact_history(path)
    again = ProofreadingSession.open(path)
    again.save()
    again.close()
    found = compact_history(path)
    assert (found.edits_before, found.edits) == (9, 4)
    again = ProofreadingSession.open(path)
    assert [each.title for each in again.timeline.edits()] == ["4 edits", "Paint 9", "2 edits", "Paint 9"]
    assert {each.time for each in again.timeline.edits()} <= set(times)
    assert np.array_equal(whole(again), states["now"])
    assert np.array_equal(again.objects.columns().voxels, columns.voxels)
    assert again.unsaved_edits == 0
    assert again.objects.fields_of(1).name == "soma"
    assert again.next_label() > next_label
    for name, _, edit in again.timeline.saves():
        again.go_to(edit)
        assert not name or np.array_equal(whole(again), states[name])
    again.go_to(0)
    assert np.array_equal(whole(again), states[""])
    assert again.objects.fields_of(1).name == ""
    again.close()
    with pytest.raises(UniemError, match="not saved"):
        compact_history(path)


def test_counts_kept_now_and_then_need_not_be_made_again(session: ProofreadingSession) -> None:
    for i in range(60):
        dab(session, 20 + 9 * i, 100, 7)
    path, columns = session.path, session.objects.columns()
    last = session.timeline.position
    session.close()
    again = ProofreadingSession.open(path)
    assert again.objects.kept_at == last
    for name in ("ids", "voxels", "start", "stop"):
        assert np.array_equal(getattr(again.objects.columns(), name), getattr(columns, name))
    again.close()
    assert (path / FILE_NAME).exists()
