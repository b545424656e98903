"""The table of objects: measures, sorting, filtering, selection, visibility, CSV, many rows."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtTest import QAbstractItemModelTester

from tests.gui.annotator.shapes import ball
from tests.gui.annotator.test_annotator_view import show
from uniem.errors import UniemError
from uniem.gui.annotator.annotator import MeshAnnotator
from uniem.gui.annotator.object_panel import ObjectPanel
from uniem.gui.annotator.objects import COLUMNS, MeshObjects
from uniem.gui.tables import mesh_table
from uniem.gui.tables.mesh_table import MeshTableModel

LEFT = Qt.MouseButton.LeftButton
ASCENDING, DESCENDING = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


def three() -> MeshObjects:
    objects = MeshObjects()
    objects.add(
        [
            ball(10, radius_nm=100, name="Axon"),
            ball(2, radius_nm=300, name="dendrite"),
            ball(33, radius_nm=200),
        ]
    )
    objects.set_voxels({10: 5, 2: 3, 99: 1})
    return objects


def names(model: MeshTableModel) -> list[str]:
    return [model.index(row, mesh_table.NAME).data() for row in range(model.rowCount())]


@pytest.mark.parametrize(
    ("column", "order", "labels"),
    [
        (mesh_table.ID, ASCENDING, [2, 10, 33]),
        (mesh_table.ID, DESCENDING, [33, 10, 2]),
        (mesh_table.NAME, ASCENDING, [10, 2, 33]),
        (mesh_table.VOXELS, DESCENDING, [10, 2, 33]),
        (mesh_table.VOLUME, ASCENDING, [10, 33, 2]),
        (mesh_table.AREA, DESCENDING, [2, 33, 10]),
    ],
)
def test_rows_sort_by_any_column(qtbot: QtBot, column: int, order: Qt.SortOrder, labels: list[int]) -> None:
    model = MeshTableModel(three())
    model.sort(column, order)
    assert model.labels() == labels


def test_the_model_keeps_qts_rules(qtbot: QtBot) -> None:
    objects = three()
    model = MeshTableModel(objects)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.set_filter("dend")
    assert names(model) == ["dendrite"]
    model.set_filter("3")
    assert model.labels() == [33]
    model.set_filter("")
    objects.show_only([2])
    objects.remove([10])
    model.sort(mesh_table.VOLUME, DESCENDING)
    assert model.labels() == [2, 33]
    assert tester.model() is model


def test_measures_are_those_of_a_ball(qtbot: QtBot) -> None:
    objects = three()
    objects.measure([2])
    item = objects[2]
    assert item.volume_nm3 == pytest.approx(4 / 3 * math.pi * 300**3, rel=0.02)
    assert item.area_nm2 == pytest.approx(4 * math.pi * 300**2, rel=0.02)


def test_cells_edit_name_opacity_and_visibility(qtbot: QtBot) -> None:
    objects = three()
    model = MeshTableModel(objects)
    assert model.setData(model.index(0, mesh_table.NAME), " soma ")
    assert not model.setData(model.index(0, mesh_table.NAME), "  ")
    assert model.setData(model.index(0, mesh_table.OPACITY), 40)
    visible = model.index(0, mesh_table.VISIBLE)
    assert model.setData(visible, Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    assert (objects[2].name, objects[2].opacity, objects[2].visible) == ("soma", 0.4, False)
    assert model.index(0, mesh_table.OPACITY).data() == "40%"
    assert model.index(2, mesh_table.VOXELS).data() == "–"


def test_selection_survives_sorting_and_filtering(qtbot: QtBot) -> None:
    panel = ObjectPanel(three())
    qtbot.addWidget(panel)
    panel.show()
    with qtbot.waitSignal(panel.selection_changed) as told:
        panel.select((33, 2))
    assert told.args == [(33, 2)]
    panel.table.sortByColumn(mesh_table.VOLUME, DESCENDING)
    rows = [index.row() for index in panel.table.selectionModel().selectedRows()]
    assert sorted(panel.model.label_at(row) for row in rows) == [2, 33]
    panel.filter.setText("dend")
    assert panel.selected == (33, 2)
    panel.filter.clear()
    assert len(panel.table.selectionModel().selectedRows()) == 2
    panel.show_only_selected()
    assert "2 shown" in panel.summary.text()
    panel.show_all()
    panel.hide_selected()
    assert "1 shown" in panel.summary.text()


def test_a_check_box_click_hides_and_a_double_click_centres(annotator: MeshAnnotator, qtbot: QtBot) -> None:
    show(annotator, qtbot, ball(1), ball(2, (500.0, 500.0, 4000.0)))
    table = annotator.object_panel.table
    box = table.visualRect(annotator.object_panel.model.index(0, mesh_table.VISIBLE))
    qtbot.mouseClick(table.viewport(), LEFT, pos=box.center())
    assert not annotator.objects[1].visible
    cell = table.visualRect(annotator.object_panel.model.index(1, mesh_table.ID)).center()
    qtbot.mouseClick(table.viewport(), LEFT, pos=cell)
    qtbot.mouseDClick(table.viewport(), LEFT, pos=cell)
    scene = annotator.view._scene
    assert scene is not None
    assert scene.view.camera.GetFocalPoint() == pytest.approx((4000, 500, 500), abs=5)


def test_the_csv_has_the_rows_of_the_table_with_measures(qtbot: QtBot, tmp_path: Path) -> None:
    objects = three()
    panel = ObjectPanel(objects)
    qtbot.addWidget(panel)
    panel.table.sortByColumn(mesh_table.NAME, ASCENDING)
    objects.set_field([2], "visible", False)
    objects.set_field([2], "colour", (1, 2, 3))
    assert panel.export_csv(tmp_path / "objects.csv") == 3
    with (tmp_path / "objects.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    assert tuple(header) == COLUMNS
    assert [row[1] for row in rows] == ["10", "2", "33"]
    assert rows[1][:4] == ["0", "2", "dendrite", "3"] and rows[1][6:] == ["1", "2", "3"]
    assert rows[2][3] == ""
    assert float(rows[1][4]) == objects[2].volume_nm3
    panel.filter.setText("axon")
    assert panel.export_csv(tmp_path / "objects.csv") == 1
    panel.filter.setText("nothing like it")
    with pytest.raises(UniemError, match="no objects"):
        panel.export_csv(tmp_path / "objects.csv")


def test_ten_thousand_rows_sort_filter_and_select(qtbot: QtBot) -> None:
    mesh = ball(1, rings=6)
    objects = MeshObjects()
    panel = ObjectPanel(objects)
    qtbot.addWidget(panel)
    panel.show()
    from dataclasses import replace

    objects.add(replace(mesh, label=label, name=f"object {label % 97}") for label in range(1, 10_001))
    panel.table.sortByColumn(mesh_table.NAME, DESCENDING)
    panel.filter.setText("object 96")
    assert panel.model.rowCount() == 103
    panel.filter.clear()
    panel.table.selectAll()
    assert len(panel.selected) == 10_000
    panel.hide_selected()
    assert not any(item.visible for item in objects)
    qtbot.waitUntil(lambda: all(item.volume_nm3 is not None for item in objects), timeout=20_000)
