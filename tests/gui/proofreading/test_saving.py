"""Saving in the window: strokes, failures and the end of the session while a save is under way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.gui.proofreading.conftest import SHAPE, voxels
from tests.gui.test_window import paint
from uniem.data.geometry import Box
from uniem.data.held_array import HeldLevels
from uniem.data.store import open_store
from uniem.gui.canvas.view_model import Tool
from uniem.gui.main_window import MainWindow
from uniem.gui.proofreading.saving import SavingBar
from uniem.proofreading.session import ProofreadingSession

WHOLE = Box.of_shape(SHAPE)


@pytest.fixture
def edited(proofreading: MainWindow, qtbot: Any) -> MainWindow:
    proofreading.canvas.model.hand.tool = Tool.BRUSH
    proofreading.canvas.model.hand.set_brush(6)
    proofreading.canvas.model.hand.label = 9
    paint(proofreading, qtbot, (45, 45), (45, 60))
    assert proofreading.sessions.unsaved == 1
    return proofreading


@pytest.fixture
def slow_disk() -> Iterator[threading.Event]:
    """Let no save reach the disk before the event is set."""
    ready, real = threading.Event(), HeldLevels.write_apart

    def write(held: HeldLevels, *tell: Any) -> None:
        assert ready.wait(60)
        real(held, *tell)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HeldLevels, "write_apart", write)
        yield ready
        ready.set()


def test_painting_goes_on_while_a_save_is_under_way(
    edited: MainWindow, slow_disk: threading.Event, qtbot: Any
) -> None:
    session, saving, first = edited.sessions.session, edited.sessions.saving, voxels(edited)
    bar = edited.findChild(SavingBar)
    edited.action_set["save"].trigger()
    qtbot.waitUntil(lambda: bar.isVisible() and "Saving objects.zarr" in bar.label.text())
    paint(edited, qtbot, (75, 75), (80, 80))
    assert edited.sessions.unsaved == 2
    second = voxels(edited)
    assert not np.array_equal(first, second)
    edited.action_set["undo"].trigger()
    np.testing.assert_array_equal(voxels(edited), first)
    edited.action_set["redo"].trigger()
    slow_disk.set()
    qtbot.waitUntil(lambda: not saving.is_busy)
    assert bar.isHidden() and "Saved 1 edit" in edited.message.text
    np.testing.assert_array_equal(open_store(session.path).read(WHOLE), first)
    np.testing.assert_array_equal(voxels(edited), second)
    assert edited.sessions.unsaved == 1
    assert edited.sessions.save_now()
    np.testing.assert_array_equal(open_store(session.path).read(WHOLE), second)


def test_a_session_that_ends_waits_for_its_save(
    edited: MainWindow, slow_disk: threading.Event, qtbot: Any
) -> None:
    path, first = edited.sessions.session.path, voxels(edited)
    edited.sessions.save()
    paint(edited, qtbot, (75, 75), (80, 80))
    second = voxels(edited)
    threading.Timer(0.2, slow_disk.set).start()
    edited.sessions.end()
    np.testing.assert_array_equal(open_store(path).read(WHOLE), first)
    again = ProofreadingSession.open(path)
    assert again.recovered_edits == 1
    np.testing.assert_array_equal(again.volume.read(WHOLE), second)
    again.close()


def test_an_autosave_waits_for_the_end_of_the_stroke_in_any_view(edited: MainWindow, qtbot: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(edited.canvas), "is_stroking", property(lambda canvas: True))
        patch.setattr("uniem.gui.sessions.AGAIN_MS", 1)
        edited.sessions._save_by_itself()
        assert not edited.sessions.saving.is_busy
    qtbot.waitUntil(lambda: edited.sessions.unsaved == 0)


def test_a_save_that_fails_is_told_and_tried_again(edited: MainWindow, qtbot: Any) -> None:
    path, now = edited.sessions.session.path, voxels(edited)
    # A file in place of the folder of chunks.
    chunks = path / "0" / "c"
    chunks.rename(path / "aside")
    chunks.write_bytes(b"")
    edited.action_set["save"].trigger()
    qtbot.waitUntil(lambda: "Cannot save" in edited.message.text)
    assert edited.sessions.unsaved == 1
    np.testing.assert_array_equal(voxels(edited)[1], now[1])
    chunks.unlink()
    (path / "aside").rename(chunks)
    assert edited.sessions.save_now()
    np.testing.assert_array_equal(open_store(path).read(WHOLE), now)
