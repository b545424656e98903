"""What changes between the beginning of a gesture and its end: locks, and the volume that is edited."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from tests.gui.canvas.conftest import VOXEL_SIZE
from tests.gui.canvas.hand.conftest import Hands
from tests.gui.canvas.hand.test_between_sections import paint_two
from tests.gui.canvas.hand.test_brush_options import voxels
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools import fields

CORNERS = [(40, 40), (40, 200), (160, 200), (160, 40)]


@pytest.fixture
def told(hands: Hands) -> list[str]:
    words: list[str] = []
    hands.canvas.message.connect(words.append)
    return words


def lock(session: ProofreadingSession, label: int) -> None:
    edit = fields.lock(session.objects, [label])
    assert edit is not None
    session.apply(edit)


def paint_other(hands: Hands) -> None:
    """Paint some of object 9, then take 7 into the hand again."""
    hand = hands.canvas.model.hand
    hand.label = 9
    hands.drag([(100, 100), (100, 140)])
    hand.label = 7


def test_what_is_proposed_for_an_object_is_not_made_once_it_is_locked(
    hands: Hands, session: ProofreadingSession, told: list[str]
) -> None:
    paint_two(hands)
    hands.key(Qt.Key.Key_I)
    hands.settle()
    before = voxels(session)
    lock(session, 7)
    hands.key(Qt.Key.Key_Return)
    np.testing.assert_array_equal(voxels(session), before)
    assert "Object 7 is locked" in told[-1]


@pytest.mark.parametrize("tool", [Qt.Key.Key_B, Qt.Key.Key_W, Qt.Key.Key_T])
def test_what_is_locked_while_a_shape_is_drawn_is_spared(
    hands: Hands, session: ProofreadingSession, tool: Qt.Key
) -> None:
    paint_other(hands)
    before = voxels(session)
    hands.key(tool)
    hands.canvas.model.hand.brush_px = 40
    hands.drag(CORNERS if tool == Qt.Key.Key_T else [(100, 60), (100, 180)], is_released=False)
    lock(session, 9)
    hands.release((100, 180))
    after = voxels(session)
    np.testing.assert_array_equal(after == 9, before == 9)
    assert np.count_nonzero(after == 7) > 0


@pytest.mark.parametrize("tool", [Qt.Key.Key_B, Qt.Key.Key_T])
def test_a_gesture_begun_on_other_labels_is_forgotten_with_them(
    qtbot: QtBot, hands: Hands, image: ArrayVolume, tmp_path: Path, tool: Qt.Key
) -> None:
    create_store(tmp_path / "other.zarr", (30, 256, 320), np.uint32, VOXEL_SIZE, Kind.LABELS)
    hands.key(tool)
    if tool == Qt.Key.Key_T:
        for corner in CORNERS:
            hands.click(corner)
    else:
        hands.drag(CORNERS, is_released=False)
    other = ProofreadingSession.open(tmp_path / "other.zarr")
    try:
        other.objects.scan()
        hands.canvas.edit_labels(image, other)
        qtbot.waitUntil(lambda: hands.view.is_complete)
        hands.release(CORNERS[-1])
        hands.key(Qt.Key.Key_Return)
        assert not other.can_undo and not voxels(other).any()
    finally:
        hands.canvas.show_volumes(image)
        other.close()
