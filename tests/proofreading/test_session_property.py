"""Random edits, undo, redo, saves, reverts, kills and torn saves leave what a simple model says."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proofreading.edited import carry_out
from uniem.data.geometry import Box, VoxelSize
from uniem.data.held_array import HeldLevels
from uniem.data.store import create_store
from uniem.data.volume import Kind
from uniem.proofreading import applying as applying_module
from uniem.proofreading import edits as edits_module
from uniem.proofreading import grid as grid_module
from uniem.proofreading import saving as saving_module
from uniem.proofreading.compaction import compact_history
from uniem.proofreading.edits import Edit, Relabelling
from uniem.proofreading.live_volume import LiveVolume
from uniem.proofreading.objects import ObjectTable
from uniem.proofreading.saving import Saving
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.timeline import PastState
from uniem.proofreading.tools.brush import Stroke, paint
from uniem.proofreading.tools.fields import lock, rename, unlock
from uniem.proofreading.tools.plane import Plane
from uniem.proofreading.tools.protect import Protect
from uniem.proofreading.tools.split import split_pieces
from uniem.proofreading.tools.whole_objects import merge_objects

SHAPE = (4, 40, 50)
Lists = tuple[list[int], list[int]]
State = tuple[np.ndarray, dict[int, tuple[str, bool]]]


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture(autouse=True, scope="module")
def _small_blocks() -> Iterator[None]:
    """Let a small volume have many blocks, large strokes be written later, and saves be in portions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid_module, "_BLOCK_SHAPE", (3, 16, 20))
        patch.setattr(edits_module, "LARGE", 600)
        patch.setattr(applying_module, "_MOST_WAITING", 3)
        patch.setattr(saving_module, "_PORTION_BYTES", 2 * 2 * 16 * 16 * 4)
        yield


class Model:
    """What a session should be: whole copies of everything after each edit, by the edit's id."""

    def __init__(self) -> None:
        self.states: dict[int, State] = {0: (np.zeros(SHAPE, np.uint32), {})}
        self.lines: dict[int, list[int]] = {0: []}
        self.undo: list[int] = []
        self.redo: list[int] = []
        self.saved: Lists = ([], [])

    @property
    def now(self) -> State:
        return self.states[self.undo[-1] if self.undo else 0]

    def apply(self, edit: int, state: State) -> None:
        self.states[edit] = state
        self.undo.append(edit)
        self.lines[edit] = list(self.undo)
        self.redo.clear()

    def step(self, source: list[int], target: list[int]) -> None:
        if source:
            target.append(source.pop())

    def go_to(self, edit: int) -> None:
        line, ahead = self.lines[edit], self.undo + self.redo[::-1]
        self.undo = list(line)
        self.redo = ahead[len(line) :][::-1] if ahead[: len(line)] == line else []

    def lists(self) -> Lists:
        return (list(self.undo), list(self.redo))

    def compacted(self, kept: list[int], numbers: list[int]) -> Model:
        """Return the model of a history in which only some edits are left, under other numbers."""
        new, known = Model(), dict(zip([0, *kept], [0, *numbers], strict=True))
        for edit in kept:
            before = [each for each in self.lines[edit][:-1] if each in known and each < edit]
            new.go_to(known[before[-1]] if before else 0)
            new.apply(known[edit], self.states[edit])
        new.go_to(known[self.undo[-1]] if self.undo else 0)
        new.saved = new.lists()
        return new

    def revert(self) -> None:
        self.undo, self.redo = list(self.saved[0]), list(self.saved[1])


class Pair:
    """A session and its model, driven together."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.numbers = folder, itertools.count()
        path = folder / "start" / "labels.zarr"
        create_store(path, SHAPE, "uint32", VoxelSize(50, 5, 5), Kind.LABELS, (2, 16, 16))
        self.model, self.session = Model(), ProofreadingSession.open(path, "tester")
        self.labels_given: set[int] = set()
        self.labels_painted: set[int] = set()
        self.named: set[int] = set()
        self.saving: Saving | None = None
        # What can be undone and redone in what the save under way holds, and the files before it began.
        self.leaving: Lists = ([], [])
        self.before = path

    def apply(self, edit: Edit, array: np.ndarray, fields: dict[int, tuple[str, bool]]) -> None:
        self.session.apply(edit)
        self.model.apply(self.session.timeline.position, (array, fields))

    def paint(self, label: int, plane: Plane, points: list[tuple[int, int, int]], radius: float) -> None:
        locked = self.session.objects.locked()
        if label in locked:
            return
        stroke = Stroke(tuple((float(z), float(y), float(x)) for z, y, x in points), radius, plane)
        edit = paint(self.session.volume, stroke, label, Protect(locked=locked))
        if edit is None:
            return
        array = self.model.now[0].copy()
        for patch in edit.patches:
            array[patch.box.slices][patch.selection()] = label
        self.apply(edit, array, self.model.now[1])
        self.labels_painted.add(label)

    def relabel(self, pairs: dict[int, int]) -> None:
        """Merge, delete and exchange whole objects, all at once."""
        if not self.session.objects.is_counted:
            return
        before, fields = self.model.now
        array = before.copy()
        for source, target in pairs.items():
            array[before == source] = target
        self.apply(Edit("Relabel", (Relabelling(tuple(pairs.items())),)), array, fields)
        self.labels_painted |= {*pairs.values()}

    def merge(self, into: int, others: list[int]) -> None:
        if not self.session.objects.is_counted or into in self.session.objects.locked():
            return
        edit = merge_objects(self.session.objects, into, others)
        if edit is not None:
            array, spared = self.model.now[0].copy(), [0, *self.session.objects.locked()]
            array[np.isin(array, others) & ~np.isin(array, spared)] = into
            self.apply(edit, array, self.model.now[1])

    def split(self, label: int) -> None:
        """Give each piece of an object but the largest a fresh label."""
        table = self.session.objects
        if not table.is_counted or label in table.locked() or label not in table:
            return
        box = table[label].box
        assert box is not None
        fresh: list[int] = []

        def new_label() -> int:
            fresh.append(self.session.next_label())
            assert fresh[-1] not in self.labels_given | self.labels_painted
            return fresh[-1]

        edit = split_pieces(self.session.volume, label, box, new_label)
        self.labels_given.update(fresh)
        if edit is not None:
            self.apply(edit, carry_out(self.model.now[0], edit), self.model.now[1])

    def go_to(self, number: int) -> None:
        edit = sorted(self.model.states)[number % len(self.model.states)]
        self.session.go_to(edit)
        self.model.go_to(edit)

    def restore_inside(self, number: int, start: tuple[int, int, int]) -> None:
        edit = sorted(self.model.states)[number % len(self.model.states)]
        box = Box(start, SHAPE)
        was = self.model.states[edit][0][box.slices]
        made = self.session.timeline.restore_inside(box, edit)
        array = self.model.now[0].copy()
        assert (made is None) == np.array_equal(array[box.slices], was)
        if made is not None:
            array[box.slices] = was
            self.apply(made, array, self.model.now[1])

    def write_a_little(self) -> None:
        for _ in zip(range(2), self.session.write_steps(), strict=False):
            pass

    def change_field(self, label: int, name: str) -> None:
        table = self.session.objects
        fields = dict(self.model.now[1])
        old_name, old_lock = fields.get(label, ("", False))
        if name == "lock":
            edit, new = lock(table, [label]), (old_name, True)
        elif name == "unlock":
            edit, new = unlock(table, [label]), (old_name, False)
        else:
            edit, new = rename(table, label, name), (name, old_lock)
        assert (edit is None) == (new == (old_name, old_lock))
        if edit is not None:
            self.apply(edit, self.model.now[0], fields | {label: new})

    def undo(self) -> None:
        assert (self.session.undo() is None) == (not self.model.undo)
        self.model.step(self.model.undo, self.model.redo)

    def redo(self) -> None:
        assert (self.session.redo() is None) == (not self.model.redo)
        self.model.step(self.model.redo, self.model.undo)

    def save(self) -> None:
        self.session.save("kept")
        self._take_saved()
        self.model.saved = self.model.lists()
        self.named.add(self.session.timeline.position)

    def begin_saving(self, steps: int) -> None:
        """Begin a save that goes on while the following edits are made."""
        self.session.finish_saving()
        self._take_saved()
        self.before = self._copied()
        self.saving = self.session.begin_saving()
        self.save_on(steps)

    def save_on(self, steps: int) -> None:
        real = LiveVolume.set_apart

        def set_apart(volume: LiveVolume) -> bool:
            is_all = real(volume)
            if is_all:
                self.leaving = self.model.lists()
            return is_all

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LiveVolume, "set_apart", set_apart)
            for _ in range(steps if self.saving is not None else 0):
                assert self.saving is not None
                self.saving.go_on()
                self._wait_for_the_disk()
        self._take_saved()

    def revert(self) -> None:
        self.save_on(10_000)
        self.session.revert()
        self.model.revert()

    def compact(self) -> None:
        """Shorten the history: only named saves, and what follows the last of them, stay."""
        self.save()
        line = self.model.undo
        first = max((i for i, edit in enumerate(line, 1) if edit in self.named), default=0)
        kept = sorted((self.named | set(line[first:])) - {0})
        self.session.close()
        compact_history(self.session.path)
        self.session = ProofreadingSession.open(self.session.path)
        numbers = [edit.id for edit in self.session.timeline.edits()]
        self.model = self.model.compacted(kept, numbers)
        self.named = {dict(zip([0, *kept], [0, *numbers], strict=True))[edit] for edit in self.named}

    def count(self) -> None:
        self.session.objects.scan()

    def count_a_little(self) -> None:
        for _ in zip(range(3), self.session.objects.scan_steps(), strict=False):
            pass

    def new_label(self) -> None:
        if self.session.objects.is_counted:
            label = self.session.next_label()
            assert label not in self.labels_given
            assert label not in self.labels_painted
            self.labels_given.add(label)

    def reopen(self) -> None:
        self.save_on(10_000)
        self._go_on_with(self.session.path)

    def kill(self, seed: int = 0) -> None:
        """Go on with the files as they are at this moment, a save under way done in part."""
        path = self._copied()
        if self.saving is not None:
            _mix(self.before / "0", path / "0", np.random.default_rng(seed))
            self.saving = None
        self._go_on_with(path)

    def _wait_for_the_disk(self) -> None:
        if self.saving is not None and self.saving.writing is not None:
            wait([self.saving.writing])

    def _take_saved(self) -> None:
        if self.saving is not None and self.saving.is_over:
            self.saving, self.model.saved = None, self.leaving

    def _go_on_with(self, path: Path) -> None:
        edited = dict(self.session.objects.edited)
        edits = self.session.timeline.edits()
        self.session.close()
        self.session = ProofreadingSession.open(path)
        assert self.session.objects.edited == edited
        assert self.session.timeline.edits() == edits

    def kill_while_saving(self, seed: int, after_attributes: bool, portions: int) -> None:
        """Go on with some chunks of the save and without others."""
        self.save_on(10_000)
        before = self._copied()
        real_write, left = HeldLevels.write_apart, [portions]

        def write(held: HeldLevels, tell: object) -> None:
            real_write(held)
            left[0] -= 1
            if left[0] < 0 or not self.session.unwritten_blocks:
                raise Killed

        def keep(*_: object) -> None:
            raise Killed

        with pytest.MonkeyPatch.context() as patch:
            if after_attributes:
                patch.setattr(ObjectTable, "keep", keep)
            else:
                patch.setattr(HeldLevels, "write_apart", write)
            with pytest.raises(Killed):
                self.session.save()
        self.check()
        path = self._copied()
        if not after_attributes:
            _mix(before / "0", path / "0", np.random.default_rng(seed))
        self._go_on_with(path)

    def check(self) -> None:
        session, (array, fields) = self.session, self.model.now
        assert np.array_equal(session.volume.read(Box.of_shape(SHAPE)), array)
        assert (session.can_undo, session.can_redo) == (bool(self.model.undo), bool(self.model.redo))
        table = session.objects
        for label in range(1, 6):
            found = table.fields_of(label)
            assert (found.name, found.locked) == fields.get(label, ("", False))
        if table.is_counted:
            _check_table(table, array)
        listed = session.timeline.edits()
        assert [edit.id for edit in listed if edit.state is PastState.DONE] == self.model.undo
        assert [edit.id for edit in listed if edit.state is PastState.UNDONE] == self.model.redo[::-1]
        assert {edit.id for edit in listed} == self.model.states.keys() - {0}

    def check_to_the_bottom(self) -> None:
        """Undo everything, then redo everything."""
        self.count()
        while self.session.can_undo or self.model.undo:
            self.undo()
            self.check()
        while self.session.can_redo or self.model.redo:
            self.redo()
        self.check()
        self.save()
        assert self.session.unsaved_edits == 0
        self.reopen()
        self.check()

    def _copied(self) -> Path:
        self._wait_for_the_disk()
        target = self.folder / str(next(self.numbers)) / "labels.zarr"
        shutil.copytree(self.session.path, target)
        return target


def _mix(before: Path, after: Path, rng: np.random.Generator) -> None:
    """Put some files of an array back to what they were, or were not, before the save."""
    for file in sorted(p for p in after.rglob("*") if p.is_file() and p.name != "zarr.json"):
        if rng.random() < 0.5:
            old = before / file.relative_to(after)
            shutil.copyfile(old, file) if old.exists() else file.unlink()


def _check_table(table: ObjectTable, array: np.ndarray) -> None:
    labels = [label for label in np.unique(array).tolist() if label]
    assert list(table) == labels
    columns = table.columns()
    for i, label in enumerate(labels):
        places = np.argwhere(array == label)
        start, stop = places.min(axis=0).tolist(), (places.max(axis=0) + 1).tolist()
        found = table[label]
        assert found.voxels == len(places) == columns.voxels[i]
        assert found.box == Box(tuple(start), tuple(stop))
        assert (columns.start[i].tolist(), columns.stop[i].tolist()) == (start, stop)
        inside = np.zeros(SHAPE, bool)
        for box in table.boxes_of(label):
            inside[box.slices] = True
        assert inside[array == label].all()


POINTS = st.lists(st.tuples(*[st.integers(0, n - 1) for n in SHAPE]), min_size=1, max_size=3)
PAINT = st.tuples(
    st.just("paint"), st.integers(0, 5), st.sampled_from(list(Plane)), POINTS, st.sampled_from([0.5, 4, 12])
)
FIELD = st.tuples(
    st.just("change_field"), st.integers(1, 5), st.sampled_from(["", "soma", "axon", "lock", "unlock"])
)
TORN = st.tuples(st.just("kill_while_saving"), st.integers(0, 9), st.booleans(), st.integers(0, 3))
LABEL = st.integers(1, 5)
RELABEL = st.tuples(
    st.just("relabel"),
    st.dictionaries(LABEL, st.integers(0, 5), min_size=1, max_size=3).filter(
        lambda pairs: all(source != target for source, target in pairs.items())
    ),
)
MERGE = st.tuples(st.just("merge"), LABEL, st.lists(LABEL, max_size=4))
SPLIT = st.tuples(st.just("split"), LABEL)
GO_TO = st.tuples(st.just("go_to"), st.integers(0, 30))
CORNER = st.tuples(*[st.integers(0, n - 1) for n in SHAPE])
RESTORE = st.tuples(st.just("restore_inside"), st.integers(0, 30), CORNER)
PLAIN = ["undo", "redo", "save", "revert", "count_a_little", "new_label", "reopen", "write_a_little"]
ONCE = st.one_of(st.tuples(st.sampled_from(PLAIN)), st.just(("compact",)))
KILL = st.tuples(st.just("kill"), st.integers(0, 9))
SAVING = st.tuples(st.sampled_from(["begin_saving", "begin_saving", "save_on"]), st.integers(1, 12))
BIG = st.one_of(RELABEL, MERGE, SPLIT)
STEP = st.one_of(
    PAINT, PAINT, PAINT, BIG, BIG, FIELD, TORN, KILL, SAVING, ONCE, st.just(("undo",)), GO_TO, RESTORE
)
START = st.sampled_from([[], [("count",)], [("count",)]])
STEPS = st.builds(lambda start, rest: start + rest, START, st.lists(STEP, min_size=5, max_size=30))
MANY_STEPS = st.builds(lambda start, rest: start + rest, START, st.lists(STEP, min_size=10, max_size=80))


def play(steps: list[tuple]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder))
        try:
            for name, *arguments in steps:
                getattr(pair, name)(*arguments)
                pair.check()
            pair.check_to_the_bottom()
        finally:
            pair.session.close()


@given(STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_sequence_leaves_what_the_model_says(steps: list[tuple]) -> None:
    play(steps)


def test_a_merge_is_undone_under_a_large_stroke_that_waits_too() -> None:
    far = ("paint", 1, Plane.XY, [(0, 0, 0), (0, 0, 34)], 12)
    merge = ("relabel", {1: 2})
    play(
        [("count",), ("paint", 1, Plane.XY, [(0, 0, 0)], 0.5), merge, far, ("undo",), ("undo",), ("reopen",)]
    )
    play([("count",), ("paint", 1, Plane.XY, [(0, 0, 0)], 0.5), merge, far, ("go_to", 0), ("reopen",)])


@pytest.mark.slow
@given(MANY_STEPS)
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
def test_many_long_sequences_leave_what_the_model_says(steps: list[tuple]) -> None:
    play(steps)
