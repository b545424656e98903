"""Splitting by lines and by marks, with real events in all planes: previewed, chosen, refined, undone."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from tests.gui.canvas.hand.conftest import RIGHT, Hands
from tests.gui.canvas.hand.test_brush_options import voxels
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.hand.options import Reach
from uniem.gui.canvas.view_model import Tool
from uniem.proofreading.edits import Edit, Patch
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.plane import Plane

DUMBBELL, OTHER = 40, 1
# Across the bridge, in the row and column of each view.
ACROSS = {
    Plane.XY: [(95, 150), (165, 150)],
    Plane.XZ: [(2, 150), (28, 150)],
    Plane.YZ: [(128, 2), (128, 28)],
}


def dumbbell(session: ProofreadingSession) -> np.ndarray:
    """Return two blocks with a bridge between them at x = 150, the right one larger, and another object."""
    array = np.zeros(session.volume.shape, np.uint32)
    array[5:25, 70:190, 40:130] = DUMBBELL
    array[5:25, 70:190, 170:300] = DUMBBELL
    array[10:20, 118:138, 130:170] = DUMBBELL
    array[:, 210:240, 20:300] = OTHER
    return array


@pytest.fixture
def scene(hands: Hands, session: ProofreadingSession) -> Hands:
    after = dumbbell(session)
    patch = Patch.of((0, 0, 0), np.ones(after.shape, np.bool_), np.zeros_like(after), after)
    assert patch is not None
    session.apply(Edit("Dumbbell", (patch,)))
    for _ in session.write_steps():
        pass
    hands.canvas.model.hand.label = OTHER
    hands.canvas.model.hand.options.cut_on_image = False
    hands.canvas.model.move_to((15, 128, 150))
    hands.qtbot.waitUntil(lambda: hands.view.is_complete)
    hands.qtbot.waitUntil(lambda: hands.view.item.overlay.label_at(128, 60) == DUMBBELL)
    return hands


def proposed(hands: Hands) -> Edit:
    hands.settle()
    edit = hands.canvas.hand_tools.proposal.edit
    assert edit is not None
    return edit


def count(session: ProofreadingSession) -> int:
    return len(session.timeline.edits())


def test_a_line_cuts_one_section_and_the_larger_part_keeps_the_label(
    scene: Hands, session: ProofreadingSession
) -> None:
    before = voxels(session)
    scene.key(Qt.Key.Key_C)
    scene.drag(ACROSS[Plane.XY])
    proposed(scene)
    assert scene.view.preview_item.preview is not None and count(session) == 1
    assert scene.canvas.hand_tools.work_bar.text.text().startswith(f"Split {DUMBBELL}")
    scene.key(Qt.Key.Key_Return)
    after = voxels(session)
    assert count(session) == 2
    (new,) = set(np.unique(after)) - {0, OTHER, DUMBBELL}
    assert new == 41 and set(np.argwhere(after == new)[:, 0]) == {15}
    assert after[15, 128, 60] == new and after[15, 128, 290] == DUMBBELL
    assert ((after > 0) == (before > 0)).all()
    scene.canvas.painting.undo()
    np.testing.assert_array_equal(voxels(session), before)


def test_the_part_that_is_clicked_keeps_the_label(scene: Hands, session: ProofreadingSession) -> None:
    scene.key(Qt.Key.Key_C)
    scene.drag(ACROSS[Plane.XY])
    proposed(scene)
    scene.click((128, 60))
    proposed(scene)
    scene.key(Qt.Key.Key_Return)
    after = voxels(session)
    assert after[15, 128, 60] == DUMBBELL and after[15, 128, 290] == 41
    assert (after[14] == dumbbell(session)[14]).all() and (after[:, 220] == dumbbell(session)[:, 220]).all()


def test_escape_and_the_other_button_forget_the_split(scene: Hands, session: ProofreadingSession) -> None:
    scene.key(Qt.Key.Key_C)
    for forget in (
        lambda: scene.key(Qt.Key.Key_Escape),
        lambda: scene.drag([(20, 20), (30, 30)], RIGHT),
    ):
        scene.drag(ACROSS[Plane.XY])
        proposed(scene)
        forget()
        assert scene.canvas.hand_tools.proposal.edit is None
        assert scene.view.preview_item.preview is None
    scene.key(Qt.Key.Key_Return)
    np.testing.assert_array_equal(voxels(session), dumbbell(session))
    assert session.next_label() == 41


def test_a_line_that_cuts_nothing_says_so(scene: Hands, session: ProofreadingSession) -> None:
    told: list[str] = []
    scene.canvas.message.connect(told.append)
    scene.key(Qt.Key.Key_C)
    scene.drag([(100, 50), (120, 60)])
    scene.settle()
    assert "does not cut object 40" in told[-1]
    scene.drag([(10, 10), (20, 60)])
    assert "right across an object" in told[-1]
    assert scene.canvas.hand_tools.proposal.edit is None


@pytest.mark.parametrize("plane", list(Plane))
def test_a_line_in_any_plane_cuts_through_the_whole_object(
    qtbot: QtBot, scene: Hands, session: ProofreadingSession, plane: Plane
) -> None:
    hands = Hands(qtbot, scene.canvas, plane)
    qtbot.waitUntil(lambda: hands.view.is_complete)
    hands.key(Qt.Key.Key_C)
    scene.canvas.model.hand.options.split_reach = Reach.VOLUME
    if plane is Plane.YZ:
        # Here the section itself lies across the bridge, and a line cuts that in two.
        scene.canvas.model.hand.options.split_reach = Reach.SECTION
    hands.drag(ACROSS[plane])
    proposed(hands)
    hands.key(Qt.Key.Key_Return)
    after = voxels(session)
    if plane is Plane.YZ:
        assert set(np.unique(after[:, :, 150])) == {0, OTHER, DUMBBELL, 41}
        assert 41 not in np.unique(np.delete(after, 150, axis=2))
    else:
        assert (after[5:25, 70:190, 40:125] == 41).all()
        assert (after[5:25, 70:190, 175:300] == DUMBBELL).all()
        assert ((after == 41) | (after == DUMBBELL)).sum() == (dumbbell(session) == DUMBBELL).sum()


def test_marks_with_both_buttons_split_in_3d_and_are_refined(
    scene: Hands, session: ProofreadingSession
) -> None:
    scene.key(Qt.Key.Key_K)
    assert scene.canvas.model.hand.tool is Tool.SEEDS
    scene.drag([(100, 60), (150, 90)])
    assert scene.canvas.hand_tools.proposal.edit is None
    scene.key(Qt.Key.Key_Return)
    scene.drag([(128, 250)], RIGHT)
    proposed(scene)
    preview = scene.view.preview_item.preview
    assert preview is not None and len(preview.marks) == 2 and preview.tint is not None
    scene.canvas.model.go_to(12)
    scene.drag([(90, 200), (90, 280)], RIGHT)
    proposed(scene)
    scene.key(Qt.Key.Key_Backspace)
    proposed(scene)
    assert len(scene.canvas.hand_tools.splitting.strokes) == 2
    scene.key(Qt.Key.Key_Return)
    after = voxels(session)
    assert (after[5:25, 70:190, 40:125] == DUMBBELL).all() and (after[5:25, 70:190, 175:300] == 41).all()
    assert not scene.canvas.hand_tools.splitting.strokes and count(session) == 2


def test_number_keys_mark_three_parts_and_labels_in_hand_stay(
    scene: Hands, session: ProofreadingSession
) -> None:
    scene.key(Qt.Key.Key_K)
    for key, at in ((Qt.Key.Key_1, (130, 60)), (Qt.Key.Key_2, (130, 200)), (Qt.Key.Key_3, (130, 290))):
        scene.key(key)
        scene.click(at)
    proposed(scene)
    scene.key(Qt.Key.Key_Return)
    after = voxels(session)
    assert [after[15, 130, x] for x in (60, 200, 290)] == [DUMBBELL, 41, 42]
    assert scene.canvas.model.hand.label == OTHER
    scene.key(Qt.Key.Key_B)
    scene.key(Qt.Key.Key_3)
    assert scene.canvas.model.hand.label == 3


def test_escape_forgets_the_proposal_then_the_marks(scene: Hands, session: ProofreadingSession) -> None:
    scene.key(Qt.Key.Key_K)
    scene.click((100, 60))
    scene.drag([(128, 250)], RIGHT)
    proposed(scene)
    scene.key(Qt.Key.Key_Escape)
    assert scene.canvas.hand_tools.proposal.edit is None and scene.canvas.hand_tools.splitting.strokes
    scene.key(Qt.Key.Key_Escape)
    assert not scene.canvas.hand_tools.splitting.strokes and scene.view.preview_item.preview is None
    np.testing.assert_array_equal(voxels(session), dumbbell(session))


def test_marks_in_another_view_count_too(qtbot: QtBot, scene: Hands, painting_canvas: Canvas) -> None:
    scene.key(Qt.Key.Key_K)
    scene.click((100, 60))
    other = Hands(qtbot, painting_canvas, Plane.XZ)
    painting_canvas.model.move_to((15, 100, 150))
    qtbot.waitUntil(lambda: other.view.is_complete)
    other.drag([(15, 250)], RIGHT)
    proposed(other)
    preview = other.view.preview_item.preview
    assert preview is not None and preview.tint is not None and len(preview.marks) == 2
