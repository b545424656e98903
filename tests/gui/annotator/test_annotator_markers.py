"""Markers placed by the mouse, edited in the table, undone by keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtWidgets import QApplication, QMessageBox

from tests.gui.annotator.shapes import ball
from tests.gui.annotator.test_annotator_view import is_like, pixel, show
from uniem.data.geometry import VoxelSize
from uniem.gui.annotator.annotator import MeshAnnotator
from uniem.gui.tables import marker_table

LEFT = Qt.MouseButton.LeftButton
BLUE = (40, 60, 230)


def place_one(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    """Show a blue ball and click a marker onto its middle."""
    show(annotator, qtbot, ball(7, colour=BLUE, name="soma"))
    qtbot.keyClick(annotator.view, Qt.Key.Key_M)
    qtbot.mouseClick(annotator.view, LEFT, pos=annotator.view.rect().center())


def test_a_click_with_the_tool_places_a_marker_on_the_surface(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    place_one(annotator, qtbot)
    (marker,) = annotator.markers
    assert (marker.name, marker.parent, marker.colour) == ("Marker1", 7, (255, 0, 0))
    assert marker.position_nm == pytest.approx((300, 500, 500), abs=6)
    assert is_like(pixel(annotator, annotator.view.rect().center()), (240, 20, 20))
    assert annotator.marker_panel.number.value() == 2
    assert annotator.marker_panel.selected_ids() == [marker.id]


def test_without_the_tool_or_beside_surfaces_no_marker_is_placed(
    annotator: MeshAnnotator, qtbot: QtBot
) -> None:
    show(annotator, qtbot, ball(7))
    qtbot.mouseClick(annotator.view, LEFT, pos=annotator.view.rect().center())
    annotator.marker_panel.tool.setChecked(True)
    qtbot.mouseClick(annotator.view, LEFT, pos=QPoint(5, 5))
    assert len(annotator.markers) == 0
    qtbot.keyClick(annotator.view, Qt.Key.Key_Escape)
    assert not annotator.marker_panel.tool.isChecked()


def test_a_click_on_a_marker_selects_it(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    place_one(annotator, qtbot)
    annotator.marker_panel.tool.setChecked(False)
    annotator.marker_panel.table.clearSelection()
    with qtbot.waitSignal(annotator.object_picked) as picked:
        qtbot.mouseClick(annotator.view, LEFT, pos=annotator.view.rect().center())
    assert picked.args[0] == 7
    assert annotator.marker_panel.selected_ids() == [1]
    assert "Marker1 on soma" in annotator.readout.text()


def test_keys_undo_and_redo_placing_and_deleting(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    place_one(annotator, qtbot)
    before = annotator.markers.all
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(annotator.view, Qt.Key.Key_Z, control)
    assert len(annotator.markers) == 0
    qtbot.keyClick(annotator.view, Qt.Key.Key_Y, control)
    assert annotator.markers.all == before
    annotator.marker_panel.select(1)
    qtbot.keyClick(annotator.marker_panel.table, Qt.Key.Key_Delete)
    assert len(annotator.markers) == 0
    qtbot.keyClick(annotator.marker_panel.table, Qt.Key.Key_Z, control)
    assert annotator.markers.all == before


def test_edits_in_the_table_reach_the_view_and_can_be_undone(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    place_one(annotator, qtbot)
    model = annotator.marker_panel.model
    for column, value in (
        (marker_table.NAME, "spine"),
        (marker_table.CLASS, "PSD"),
        (marker_table.RADIUS, 75.5),
    ):
        assert model.setData(model.index(0, column), value)
    assert not model.setData(model.index(0, marker_table.RADIUS), -1.0)
    (marker,) = annotator.markers
    assert (marker.name, marker.class_name, marker.radius_nm) == ("spine", "PSD", 75.5)
    model.setData(
        model.index(0, marker_table.VISIBLE), Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole
    )
    assert is_like(pixel(annotator, annotator.view.rect().center()), BLUE)
    control = Qt.KeyboardModifier.ControlModifier
    for _ in range(4):
        qtbot.keyClick(annotator.view, Qt.Key.Key_Z, control)
    (marker,) = annotator.markers
    assert (marker.name, marker.class_name, marker.visible) == ("Marker1", "", True)


def test_placed_markers_travel_through_csv(annotator: MeshAnnotator, qtbot: QtBot, tmp_path: Path) -> None:
    place_one(annotator, qtbot)
    annotator.set_voxel_size(VoxelSize(50, 4.6, 4.6))
    before = annotator.markers.all
    path = tmp_path / "markers.csv"
    assert annotator.marker_panel.export_csv(path) == 1
    assert annotator.marker_panel.import_csv(path).markers == ()
    qtbot.keyClick(annotator.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    result = annotator.marker_panel.import_csv(path)
    # The first id was used, so it stays with the marker only if no other has it.
    assert result.markers == before
    assert annotator.markers.all == before


@pytest.mark.parametrize(("button", "left"), [("Yes", 0), ("No", 1)])
def test_clearing_asks_first(annotator: MeshAnnotator, qtbot: QtBot, button: str, left: int) -> None:
    place_one(annotator, qtbot)

    def answer() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        qtbot.mouseClick(box.button(getattr(QMessageBox.StandardButton, button)), LEFT)

    QTimer.singleShot(200, answer)
    qtbot.mouseClick(annotator.marker_panel.clear_button, LEFT)
    assert len(annotator.markers) == left
