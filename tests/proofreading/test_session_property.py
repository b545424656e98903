"""Random edits, undo, redo, saves, reverts, kills and torn saves leave what a simple model says."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import StoredVolume, create_store
from uniem.data.volume import Kind
from uniem.proofreading import objects as objects_module
from uniem.proofreading.objects import ObjectTable
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, paint
from uniem.proofreading.tools.fields import lock, rename, unlock
from uniem.proofreading.tools.plane import Plane
from uniem.proofreading.tools.protect import Protect

SHAPE = (4, 40, 50)
State = tuple[np.ndarray, dict[int, tuple[str, bool]]]


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture(autouse=True, scope="module")
def _small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects_module, "_BLOCK_SHAPE", (3, 16, 20))
        yield


class Model:
    """What a session should be, as whole copies of everything."""

    def __init__(self) -> None:
        self.now: State = (np.zeros(SHAPE, np.uint32), {})
        self.undo: list[State] = []
        self.redo: list[State] = []
        self.saved = (self.now, list(self.undo), list(self.redo))

    def apply(self, state: State) -> None:
        self.undo.append(self.now)
        self.redo.clear()
        self.now = state

    def step(self, source: list[State], target: list[State]) -> None:
        if source:
            target.append(self.now)
            self.now = source.pop()

    def save(self) -> None:
        self.saved = (self.now, list(self.undo), list(self.redo))

    def revert(self) -> None:
        self.now, self.undo, self.redo = self.saved[0], list(self.saved[1]), list(self.saved[2])


class Pair:
    """A session and its model, driven together."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.numbers = folder, itertools.count()
        path = folder / "start" / "labels.zarr"
        create_store(path, SHAPE, "uint32", VoxelSize(50, 5, 5), Kind.LABELS, (2, 16, 16))
        self.model, self.session = Model(), ProofreadingSession.open(path, "tester")
        self.labels_given: set[int] = set()
        self.labels_painted: set[int] = set()

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
        self.session.apply(edit)
        self.model.apply((array, self.model.now[1]))
        self.labels_painted.add(label)

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
            self.session.apply(edit)
            self.model.apply((self.model.now[0], fields | {label: new}))

    def undo(self) -> None:
        assert (self.session.undo() is None) == (not self.model.undo)
        self.model.step(self.model.undo, self.model.redo)

    def redo(self) -> None:
        assert (self.session.redo() is None) == (not self.model.redo)
        self.model.step(self.model.redo, self.model.undo)

    def save(self) -> None:
        self.session.save("kept")
        self.model.save()

    def revert(self) -> None:
        self.session.revert()
        self.model.revert()

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
        path = self.session.path
        self.session.close()
        self.session = ProofreadingSession.open(path)

    def kill(self) -> None:
        """Go on with the files as they are at this moment."""
        path = self._copied()
        self.session.close()
        self.session = ProofreadingSession.open(path)

    def kill_while_saving(self, seed: int, after_attributes: bool) -> None:
        """Go on with some chunks of the save and without others."""
        before = self._copied()
        real_commit = StoredVolume.commit

        def commit(store: StoredVolume) -> None:
            real_commit(store)
            raise Killed

        def keep(*_: object) -> None:
            raise Killed

        with pytest.MonkeyPatch.context() as patch:
            if after_attributes:
                patch.setattr(ObjectTable, "keep", keep)
            else:
                patch.setattr(StoredVolume, "commit", commit)
            with pytest.raises(Killed):
                self.session.save()
        self.check()
        path = self._copied()
        if not after_attributes:
            _mix(before / "0", path / "0", np.random.default_rng(seed))
        self.session.close()
        self.session = ProofreadingSession.open(path)

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
TORN = st.tuples(st.just("kill_while_saving"), st.integers(0, 9), st.booleans())
PLAIN = ["undo", "redo", "save", "revert", "count", "count_a_little", "new_label", "reopen", "kill"]
STEP = st.one_of(PAINT, PAINT, PAINT, FIELD, TORN, st.tuples(st.sampled_from(PLAIN)), st.just(("undo",)))


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


@given(st.lists(STEP, min_size=5, max_size=30))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_sequence_leaves_what_the_model_says(steps: list[tuple]) -> None:
    play(steps)


@pytest.mark.slow
@given(st.lists(STEP, min_size=10, max_size=80))
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
def test_many_long_sequences_leave_what_the_model_says(steps: list[tuple]) -> None:
    play(steps)
