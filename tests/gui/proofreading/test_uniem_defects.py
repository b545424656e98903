"""What went wrong in UNI-EM's window, tried in this one; the rest is in tests/proofreading."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from qtpy.QtCore import Qt

from tests.gui.proofreading.conftest import SHAPE, scene, voxels
from tests.gui.test_window import paint, wait_until_opened
from uniem.data.geometry import Box
from uniem.data.store import open_store
from uniem.gui.app import make_window
from uniem.gui.main_window import MainWindow

LOCKED = 6


def paint_one(window: MainWindow, qtbot: Any) -> np.ndarray:
    """Paint a stroke of label 7 over background, and return what must be there then."""
    window.canvas.run("brush")
    window.canvas.model.hand.set_brush(5)
    window.canvas.model.hand.label = 7
    before = window.sessions.unsaved
    paint(window, qtbot, (80, 10), (80, 30))
    assert window.sessions.unsaved == before + 1
    return voxels(window)


def test_after_locking_an_object_all_edits_still_arrive(
    proofreading: MainWindow, answer: Callable[[str], list[str]], qtbot: Any
) -> None:
    """UNI-EM defect 13: locking cut the connection, and edits after it silently went nowhere."""
    model = proofreading.objects.model
    cell = model.index(model.row_of(8), LOCKED)
    assert model.setData(cell, Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    painted = paint_one(proofreading, qtbot)
    assert (painted != scene()).any()
    path = proofreading.sessions.session.path
    answer("Keep for next time")
    assert proofreading.close()
    again = make_window()
    again.show()
    again.opening.open([str(path)])
    wait_until_opened(again)
    again.sessions.edit(again.workspace.items[0])
    try:
        np.testing.assert_array_equal(voxels(again), painted)
        assert again.sessions.session.objects.locked() == {8}
    finally:
        again.sessions.end()
        again.close()


def test_closing_with_unsaved_edits_asks_and_loses_nothing(
    proofreading: MainWindow, answer: Callable[[str], list[str]], qtbot: Any
) -> None:
    """UNI-EM defect 20: closing the window threw unsaved edits away without a question."""
    painted = paint_one(proofreading, qtbot)
    path = proofreading.sessions.session.path
    asked = answer("Cancel")
    assert not proofreading.close() and proofreading.isVisible()
    assert asked[0].endswith("1 edit.")
    np.testing.assert_array_equal(voxels(proofreading), painted)
    answer("Save")
    assert proofreading.close()
    np.testing.assert_array_equal(open_store(path).read(Box.of_shape(SHAPE)), painted)
