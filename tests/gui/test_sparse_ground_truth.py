"""Sparse ground truth begun from the menu of a real window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from tests.gui.test_window import drop
from uniem.data.geometry import Box
from uniem.gui.main_window import MainWindow


def test_background_is_painted_as_a_class(window: MainWindow, stack: Path, qtbot: Any) -> None:
    drop(window, stack)
    qtbot.waitUntil(lambda: window.showing.has_image)
    window.action_set["new-sparse-labels"].trigger()
    session, canvas = window.sessions.session, window.canvas
    assert session is not None
    assert session.objects.fields_of(1).name == "background"
    assert canvas.model.hand.label == 2 and canvas.model.hand.slots[1] == 1
    qtbot.waitUntil(lambda: canvas.view.item.overlay.section is not None and session.objects.is_counted)

    canvas.view.setFocus()
    QTest.keyClick(canvas.view, Qt.Key.Key_1)
    place = canvas.view.place_of(40, 40).toPoint()
    QTest.mouseClick(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert session.volume.read(Box((0, 40, 40), (1, 41, 41)))[0, 0, 0] == 1
    canvas.painting.new_label()
    assert canvas.model.hand.label == 2
