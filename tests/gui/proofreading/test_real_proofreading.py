"""A machine segmentation of real neurons, corrected by mouse: each correction brings it nearer to the truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QPoint, Qt

from benchmarks.fib25_errors import CUT_IN_TWO, LINE, SIDES, THREE, Place
from benchmarks.proofreading_oracle import Oracle
from benchmarks.real_proofreading import NAMES, make_labels
from tests.gui.canvas.hand_events import LEFT, HandEvents
from tests.gui.test_window import drop
from uniem.data.geometry import Box
from uniem.gui.main_window import MainWindow


class Proofreader:
    """Someone at the window who clicks and draws at voxels, and knows the score."""

    def __init__(self, window: MainWindow, truth: np.ndarray, qtbot: Any) -> None:
        self.window, self.qtbot = window, qtbot
        self.hand = HandEvents(window.canvas)
        self._oracle = Oracle(truth)

    def labels(self) -> np.ndarray:
        session = self.window.sessions.session
        assert session is not None
        return session.volume.read(Box.of_shape(session.volume.shape))

    def bits(self) -> float:
        return self._oracle.score(self.labels()).total

    def edits(self) -> int:
        session = self.window.sessions.session
        assert session is not None
        return len(session.timeline.edits())

    def at(self, place: Place) -> QPoint:
        """Go to the section of a place, and say where in the view the place is then."""
        self.window.canvas.model.go_to(place[0])
        self.hand.settle()
        return self.window.canvas.view.place_of(*place[1:]).toPoint()

    def click(self, place: Place, button: Qt.MouseButton = LEFT) -> None:
        at = self.at(place)
        self.hand.go_over(self.window.canvas.view, at)
        self.hand.draw([at], button)
        self.hand.settle()


@pytest.fixture
def proofreader(window: MainWindow, shared_data: Path, tmp_path: Path, qtbot: Any) -> Iterator[Proofreader]:
    raw, segmentation, neurons = (shared_data / name for name in NAMES)
    make_labels(segmentation, tmp_path / "ffn.zarr")
    window.resize(1360, 850)
    drop(window, raw)
    drop(window, tmp_path / "ffn.zarr")
    window.sessions.edit(window.workspace.at(tmp_path / "ffn.zarr"))
    qtbot.waitUntil(
        lambda: window.sessions.session is not None and window.sessions.session.objects.is_counted,
        timeout=30_000,
    )
    qtbot.waitUntil(lambda: window.canvas.view.item.overlay.section is not None, timeout=30_000)
    window.canvas.view.fit()
    yield Proofreader(window, tifffile.imread(neurons), qtbot)


def test_merges_and_splits_by_mouse_bring_real_neurons_nearer_to_the_truth(proofreader: Proofreader) -> None:
    bits, edits = [proofreader.bits()], proofreader.edits()
    first = proofreader.labels()
    merge_what_was_cut(proofreader, bits)
    split_by_a_line(proofreader, bits)
    split_by_marks(proofreader, bits)
    assert bits == sorted(bits, reverse=True) and len(set(bits)) == len(bits) == 6
    assert bits[0] - bits[-1] > 0.16 and proofreader.edits() == edits + 5
    for _ in range(5):
        proofreader.window.action_set["undo"].trigger()
        proofreader.hand.settle()
    np.testing.assert_array_equal(proofreader.labels(), first)


def merge_what_was_cut(proofreader: Proofreader, bits: list[float]) -> None:
    proofreader.hand.key(Qt.Key.Key_M)
    for stays, joins in CUT_IN_TWO:
        proofreader.click(stays)
        proofreader.click(joins)
        proofreader.hand.key(Qt.Key.Key_Escape)
        labels = proofreader.labels()
        assert labels[stays] == labels[joins]
        bits.append(proofreader.bits())


def split_by_a_line(proofreader: Proofreader, bits: list[float]) -> None:
    window, hand = proofreader.window, proofreader.hand
    hand.key(Qt.Key.Key_C)
    window.canvas.run("scope")
    start, end = (proofreader.at(place) for place in LINE)
    hand.go_over(window.canvas.view, start)
    hand.draw([start, (start + end) / 2, end])
    hand.settle()
    assert window.canvas.hand_tools.proposal.edit is not None
    hand.key(Qt.Key.Key_Return)
    hand.settle()
    labels = proofreader.labels()
    assert labels[SIDES[0]] != labels[SIDES[1]]
    bits.append(proofreader.bits())


def split_by_marks(proofreader: Proofreader, bits: list[float]) -> None:
    window, hand = proofreader.window, proofreader.hand
    hand.key(Qt.Key.Key_K)
    for key, places in zip((Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3), THREE, strict=True):
        hand.key(key)
        for place in places:
            proofreader.click(place)
    assert window.canvas.hand_tools.proposal.edit is not None
    hand.key(Qt.Key.Key_Return)
    hand.settle()
    labels = proofreader.labels()
    assert len({int(labels[places[0]]) for places in THREE}) == 3
    bits.append(proofreader.bits())
