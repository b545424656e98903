"""Merging by real clicks and strokes in all planes: at once, sparing what is locked, one undo step each."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt

from tests.gui.canvas.hand.conftest import RIGHT, Hands
from tests.gui.canvas.hand.test_brush_options import voxels
from uniem.data.geometry import Box
from uniem.gui.canvas.view_model import Tool
from uniem.proofreading.edits import Edit, Patch
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools import fields
from uniem.proofreading.tools.plane import Plane
from uniem.proofreading.tools.whole_objects import delete_objects

# Columns along x that reach through all sections, with background between them.
COLUMNS = {11: (20, 80), 12: (100, 140), 13: (160, 200), 14: (220, 300)}


@pytest.fixture
def objects(hands: Hands, session: ProofreadingSession) -> Hands:
    shape = session.volume.shape
    before = np.zeros(shape, np.uint32)
    after = before.copy()
    for label, (start, stop) in COLUMNS.items():
        after[:, 40:200, start:stop] = label
    patch = Patch.of((0, 0, 0), np.ones(shape, np.bool_), before, after)
    assert patch is not None
    session.apply(Edit("Columns", (patch,)))
    for _ in session.write_steps():
        pass
    hands.qtbot.waitUntil(lambda: hands.view.is_complete)
    hands.qtbot.waitUntil(lambda: hands.view.item.overlay.label_at(100, 50) == 11)
    hands.key(Qt.Key.Key_M)
    assert hands.canvas.model.hand.tool is Tool.MERGE
    return hands


def merged(*labels: int, into: int, session: ProofreadingSession) -> np.ndarray:
    array = np.zeros(session.volume.shape, np.uint32)
    for label, (start, stop) in COLUMNS.items():
        array[:, 40:200, start:stop] = into if label in labels else label
    return array


def test_what_is_clicked_joins_the_master_in_all_sections(
    objects: Hands, session: ProofreadingSession
) -> None:
    told: list[str] = []
    objects.canvas.painting.message.connect(told.append)
    objects.click((100, 50))
    assert objects.canvas.model.hand.label == 11 and objects.view.preview_item.preview is not None
    count = len(session.timeline.edits())
    objects.click((100, 120))
    np.testing.assert_array_equal(voxels(session), merged(12, into=11, session=session))
    assert told[-1] == "Merged 12 into 11." and len(session.timeline.edits()) == count + 1
    objects.click((10, 10))
    objects.click((100, 60))
    assert len(session.timeline.edits()) == count + 1


def test_a_stroke_joins_all_it_touches_but_what_is_locked_in_one_step(
    objects: Hands, session: ProofreadingSession
) -> None:
    told: list[str] = []
    objects.canvas.painting.message.connect(told.append)
    locking = fields.lock(session.objects, [13])
    assert locking is not None
    session.apply(locking)
    objects.click((100, 50))
    objects.drag([(100, 60), (90, 150), (110, 250)])
    np.testing.assert_array_equal(voxels(session), merged(12, 14, into=11, session=session))
    assert told[-1] == "Merged 12, 14 into 11. 13 is locked and stays as it is."
    objects.canvas.painting.undo()
    np.testing.assert_array_equal(voxels(session), merged(into=11, session=session))


def test_nothing_joins_an_object_that_is_gone(objects: Hands, session: ProofreadingSession) -> None:
    told: list[str] = []
    objects.canvas.message.connect(told.append)
    objects.click((100, 50))
    deleting = delete_objects(session.objects, [11])
    assert deleting is not None
    session.apply(deleting)
    objects.qtbot.waitUntil(lambda: objects.view.item.overlay.label_at(100, 50) == 0)
    before = voxels(session)
    objects.click((100, 120))
    np.testing.assert_array_equal(voxels(session), before)
    assert "11 is gone" in told[-1] and objects.canvas.hand_tools.merging.master == 0
    objects.click((100, 120))
    assert objects.canvas.hand_tools.merging.master == 12


def test_right_click_and_escape_let_the_master_go_and_menus_open_without_one(
    objects: Hands, session: ProofreadingSession
) -> None:
    asked: list[QPoint] = []
    objects.canvas.menu_wanted.connect(lambda voxel, place: asked.append(place))
    for let_go in (lambda: objects.drag([(100, 120)], RIGHT), lambda: objects.key(Qt.Key.Key_Escape)):
        objects.click((100, 50))
        let_go()
        assert objects.canvas.hand_tools.merging.master == 0
        objects.click((100, 120))
        assert objects.canvas.hand_tools.merging.master == 12 and not asked
        objects.key(Qt.Key.Key_Escape)
    objects.drag([(100, 120)], RIGHT)
    assert len(asked) == 1
    np.testing.assert_array_equal(voxels(session), merged(into=11, session=session))


def test_neither_background_nor_a_locked_object_becomes_master(
    objects: Hands, session: ProofreadingSession
) -> None:
    told: list[str] = []
    objects.canvas.message.connect(told.append)
    objects.click((10, 10))
    assert "Click an object" in told[-1]
    locking = fields.lock(session.objects, [12])
    assert locking is not None
    session.apply(locking)
    objects.click((100, 120))
    assert "locked" in told[-1] and objects.canvas.hand_tools.merging.master == 0


@pytest.mark.parametrize("plane", [Plane.XZ, Plane.YZ])
def test_the_master_is_the_same_in_every_plane(
    qtbot: QtBot, objects: Hands, session: ProofreadingSession, plane: Plane
) -> None:
    objects.click((100, 50))
    other = Hands(qtbot, objects.canvas, plane)
    objects.canvas.model.move_to((10, 100, 120))
    qtbot.waitUntil(lambda: other.view.is_complete)
    place = (12, 120) if plane is Plane.XZ else (100, 12)
    qtbot.waitUntil(lambda: other.view.item.overlay.label_at(*place) == 12)
    other.click(place)
    np.testing.assert_array_equal(voxels(session), merged(12, into=11, session=session))
    assert session.volume.read(Box((29, 50, 110), (30, 51, 111))).item() == 11
