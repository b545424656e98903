"""Five hundred mixed gestures by real events leave exactly the voxels that a plain model predicts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

from tests.gui.canvas.gesture_parts import LABELS
from tests.gui.canvas.gesture_script import GestureScript, hand_of
from tests.gui.canvas.hand_events import HandEvents
from tests.gui.canvas.plain_model import PlainModel
from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind
from uniem.gui.canvas.canvas import Canvas
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.protect import Over

SHAPE, CHUNK = (26, 150, 170), (8, 64, 64)
VOXEL_SIZE = VoxelSize(45.0, 6.0, 5.0)
WHOLE = Box.of_shape(SHAPE)
GESTURES = int(os.environ.get("UNIEM_GESTURES", "500"))
# More scripts than the usual one: UNIEM_GESTURE_SEEDS=20 runs seeds 0 to 19.
SEEDS = range(int(os.environ.get("UNIEM_GESTURE_SEEDS", "1")))
REOPENED_AFTER = (0.35, 0.7)


class Bench:
    """A canvas that edits a store, which can be closed and opened again."""

    def __init__(self, canvas: Canvas, path: Path, image: ArrayVolume) -> None:
        self.canvas, self.image, self._path = canvas, image, path
        self.session = self._open()
        for keys, slot in (("Ctrl+Z", canvas.painting.undo), ("Ctrl+Y", canvas.painting.redo)):
            QShortcut(QKeySequence(keys), canvas).activated.connect(slot)

    def reopen(self) -> None:
        """Close the session as a window does, and open its labels again."""
        self.canvas.show_volumes(self.image)
        self.session.close()
        self.session = self._open()

    def labels(self) -> NDArray[np.uint32]:
        """Return all voxels, as they are edited."""
        return self.session.volume.read(WHOLE)

    def _open(self) -> ProofreadingSession:
        session = ProofreadingSession.open(self._path, "tester")
        session.objects.scan()
        self.canvas.edit_labels(self.image, session)
        return session


@pytest.fixture
def bench(canvas: Canvas, qtbot: QtBot, tmp_path: Path) -> Iterator[Bench]:
    path, random = tmp_path / "labels.zarr", np.random.default_rng(7)
    store = create_store(path, SHAPE, np.uint32, VOXEL_SIZE, Kind.LABELS, CHUNK)
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    labels = np.zeros(SHAPE, np.uint32)
    for label in LABELS:
        cz, cy, cx = random.integers(0, SHAPE)
        labels[((z - cz) * 6) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 < random.integers(200, 1200)] = label
    store.write(WHOLE, labels)
    gray = (100 + 60 * np.sin(x / 9) * np.cos(y / 7) + 3 * z).astype(np.uint8)
    made = Bench(canvas, path, ArrayVolume(gray, VOXEL_SIZE, name="image"))
    canvas.activateWindow()
    qtbot.waitActive(canvas)
    yield made
    canvas.show_volumes(made.image)
    made.session.close()


def check(bench: Bench, model: PlainModel, when: str) -> None:
    """Fail, with the first voxels that differ, unless the voxels are those of the model."""
    found = bench.labels()
    if not np.array_equal(found, model.labels):
        places = np.argwhere(found != model.labels)
        listed = [
            f"{tuple(place)}: {found[tuple(place)]}, not {model.labels[tuple(place)]}"
            for place in places[:8].tolist()
        ]
        pytest.fail(f"{when}: {len(places)} voxels differ: {'; '.join(listed)}", pytrace=False)


def check_hand(bench: Bench, model: PlainModel, when: str) -> None:
    """Fail unless the hand holds what the model's does, at the same place."""
    found = hand_of(bench.canvas)
    expected = {name: getattr(model, name) for name in found}
    assert found == expected, when


def check_picture(bench: Bench, script: GestureScript, when: str) -> None:
    """Fail unless the views show the labels of the model."""
    for view in bench.canvas.grid.views:
        section = view.item.overlay.section
        if not view.isVisible() or not bench.canvas.model.display.labels_are_drawn:
            continue
        assert section is not None and section.position == view.position, when
        shape = view.axes.shape(SHAPE)
        for row, column in script.random.integers(0, shape, (40, 2)).tolist():
            place = view.axes.zyx(view.position, row, column)
            top, left, bottom, right = view.view_box()
            if top <= row < bottom and left <= column < right and section.factors == (1, 1):
                shown = view.item.overlay.label_at(row, column)
                assert shown == script.model.labels[place], f"{when}: {view.axes.plane} shows {place}"


@pytest.mark.parametrize("seed", SEEDS)
def test_gestures_leave_the_voxels_of_a_plain_model(bench: Bench, seed: int) -> None:
    canvas, start = bench.canvas, bench.labels().copy()
    model = PlainModel(start.copy(), bench.image.array, VOXEL_SIZE, canvas.model.position)
    script = GestureScript(canvas, bench.session, model, seed)
    reopened_after = {int(GESTURES * share) for share in REOPENED_AFTER}
    for number in range(GESTURES):
        gesture = script.make_one()
        when = f"seed {seed}, gesture {number}, {gesture}"
        check(bench, model, when)
        check_hand(bench, model, when)
        check_picture(bench, script, when)
        if number in reopened_after:
            bench.reopen()
            script.session = bench.session
            check(bench, model, f"seed {seed}, opened again after gesture {number}")
    assert len(model.done) + len(model.undone) > GESTURES / 12
    check_history(bench, model, start, seed)


def test_pressing_the_pen_harder_without_moving_it_widens_the_dab(bench: Bench) -> None:
    canvas = bench.canvas
    model = PlainModel(bench.labels().copy(), bench.image.array, VOXEL_SIZE, canvas.model.position)
    hand = HandEvents(canvas)
    hand.settle()
    hand.key(Qt.Key.Key_B)
    canvas.model.hand.options.uses_pressure = model.uses_pressure = True
    at = canvas.view.place_of(40, 60).toPoint()
    hand.pen([at, at, at], [0.1, 0.9, 0.2])
    model.paint(model.stroke([(0, 40, 60)], [model.radius(0.9)], across=0), begun_on=0)
    check(bench, model, "a pen at rest")


def test_what_is_done_before_a_section_is_read_is_done_to_that_section(bench: Bench) -> None:
    canvas, labels = bench.canvas, bench.labels()
    model = PlainModel(labels.copy(), bench.image.array, VOXEL_SIZE, (20, *canvas.model.position[1:]))
    row, column = np.argwhere((labels[0] > 0) & (labels[20] > 0) & (labels[0] != labels[20]))[0].tolist()
    hand = HandEvents(canvas)
    hand.settle()
    # As on a disk that does not answer.
    canvas.reader.close()
    for _ in range(2):
        hand.key(Qt.Key.Key_PageUp)
    at = canvas.view.place_of(row, column).toPoint()
    hand.go_over(canvas.view, at)
    assert canvas.model.hovered is not None
    assert canvas.model.hovered.label is None
    hand.key(Qt.Key.Key_B)
    for _ in range(2):
        hand.key(Qt.Key.Key_P)
    model.over, begun_on = Over.SELECTED, int(labels[20, row, column])
    hand.draw([at])
    model.paint(model.stroke([(20, row, column)], [model.radius(1.0)], across=0), begun_on)
    assert model.done
    check(bench, model, "a dab inside one label")


def check_history(bench: Bench, model: PlainModel, start: NDArray[np.uint32], seed: int) -> None:
    """Undo everything, redo everything, and do it again in a session that was closed meanwhile."""
    while model.undone:
        bench.canvas.painting.redo()
        model.redo()
    check(bench, model, f"seed {seed}, all redone")
    end, count = model.labels.copy(), len(model.done)
    for way in ("at once", "after it was closed"):
        undone = 0
        while bench.session.can_undo:
            bench.canvas.painting.undo()
            undone += 1
        assert undone == count
        assert not bench.session.objects.locked()
        np.testing.assert_array_equal(bench.labels(), start, f"seed {seed}, all undone {way}")
        while bench.session.can_redo:
            bench.canvas.painting.redo()
        np.testing.assert_array_equal(bench.labels(), end, f"seed {seed}, all redone {way}")
        assert bench.session.objects.locked() == model.locked
        bench.reopen()
        np.testing.assert_array_equal(bench.labels(), end, f"seed {seed}, opened again, {way}")
    bench.session.save()
    bench.reopen()
    np.testing.assert_array_equal(bench.labels(), end, f"seed {seed}, saved and opened again")
