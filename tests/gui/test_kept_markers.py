"""Markers of the 3D view: kept with the project or the session, and never carried into another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QApplication

from tests.gui.test_projects import opened, settle, study, windows
from uniem.gui.annotator.markers import Marker
from uniem.gui.main_window import MainWindow

__all__ = ["study", "windows"]
MARKERS = (
    Marker(3, "Marker1", 7, (40.0, 12.5, 100.0)),
    Marker(5, "シナプス", 9, (80.0, 1.5, 2.0), 33.0, (1, 2, 3), "synapse", False),
)


def test_markers_are_kept_with_a_project_and_left_behind_with_it(
    windows: Callable[[], MainWindow], study: Path, stack: Path, qtbot: Any
) -> None:
    window = windows()
    window.projects.create(study / "project")
    window.opening.open([str(study / stack.name)])
    settle(window, qtbot, 1)
    window.show_annotator()
    QApplication.processEvents()
    for marker in MARKERS:
        window.annotator._history.add([marker])
    window.projects.close_project()
    assert not len(window.markers) and not window.annotator._history.undo()
    assert not len(window.markers)
    window.close()
    again = opened(windows(), study / "project", qtbot, 1)
    qtbot.waitUntil(lambda: len(again.markers) == 2)
    assert again.markers.all == MARKERS and again.markers.new_id() == 6
    again.show_annotator()
    assert again.annotator.marker_panel.model.rowCount() == 2


def test_markers_come_back_with_the_last_session(
    windows: Callable[[], MainWindow], study: Path, stack: Path, qtbot: Any
) -> None:
    window = windows()
    window.opening.open([str(study / stack.name)])
    settle(window, qtbot, 1)
    window.markers.put(MARKERS)
    window.close()
    again = windows()
    assert not len(again.markers)
    again.projects.open_last()
    settle(again, qtbot, 1)
    assert again.markers.all == MARKERS
