"""What is said of objects in the table: class, confidence, note, and when they were edited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit

from tests.gui.proofreading.conftest import select
from tests.gui.proofreading.test_object_edits import choose, type_in
from uniem.data.table import read_csv
from uniem.gui.canvas.view_model import Only
from uniem.gui.main_window import MainWindow
from uniem.gui.tables.column_model import plain_number
from uniem.gui.tables.csv_preview import CsvPreview
from uniem.gui.tables.object_model import BOX, CLASS, EDITED, ID, NOTE, SURE, VOLUME, VOXELS


def cell(window: MainWindow, label: int, column: int) -> str:
    model = window.objects.model
    return model.data(model.index(model.row_of(label), column), Qt.DisplayRole)


def type_into(window: MainWindow, label: int, column: int, text: str) -> None:
    """Double-click a cell and type, as hands do."""
    table, model = window.objects.table, window.objects.model
    index = model.index(model.row_of(label), column)
    table.scrollTo(index)
    place = table.visualRect(index).center()
    QTest.mouseClick(table.viewport(), Qt.LeftButton, Qt.NoModifier, place)
    QTest.mouseDClick(table.viewport(), Qt.LeftButton, Qt.NoModifier, place)
    (editor,) = (each for each in table.viewport().findChildren(QLineEdit) if each.isVisible())
    editor.selectAll()
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    # The text is handed over by the event loop.
    QApplication.processEvents()


@pytest.mark.parametrize(("column", "typed"), [(CLASS, "axon"), (SURE, "80"), (NOTE, "check the end")])
def test_cells_are_typed_in_and_undone(proofreading: MainWindow, column: int, typed: str) -> None:
    type_into(proofreading, 7, column, typed)
    assert cell(proofreading, 7, column) == typed
    assert cell(proofreading, 7, EDITED) and not cell(proofreading, 5, EDITED)
    proofreading.action_set["undo"].trigger()
    assert cell(proofreading, 7, column) == ""


def test_a_confidence_beyond_100_is_refused(proofreading: MainWindow) -> None:
    type_into(proofreading, 7, SURE, "120")
    assert cell(proofreading, 7, SURE) == "" and "120" in proofreading.message.text
    type_into(proofreading, 7, SURE, "very")
    assert cell(proofreading, 7, SURE) == "" and "very" in proofreading.message.text


def test_several_objects_get_a_class_in_one_step_and_are_found_by_it(
    proofreading: MainWindow, qtbot: Any
) -> None:
    select(proofreading, 6, 8)
    type_in("glia")
    choose(proofreading, "Class…")
    assert [cell(proofreading, label, CLASS) for label in (5, 6, 7, 8)] == ["", "glia", "", "glia"]
    assert len(proofreading.sessions.session.timeline.edits()) == 1
    proofreading.objects.filter.setText("GLI")
    model = proofreading.objects.model
    assert [model.label(row) for row in range(model.rowCount())] == [6, 8]


def test_columns_sort_with_those_of_which_nothing_is_said_at_one_end(proofreading: MainWindow) -> None:
    model, table = proofreading.objects.model, proofreading.objects.table
    model.say(SURE, "30", [8])
    model.say(SURE, "9", [6])
    model.say(CLASS, "Axon", [7])
    for column, order in ((SURE, [5, 7, 6, 8]), (CLASS, [5, 6, 8, 7]), (EDITED, [5, 8, 6, 7])):
        table.sortByColumn(column, Qt.SortOrder.AscendingOrder)
        assert [model.label(row) for row in range(4)] == order
    table.sortByColumn(ID, Qt.SortOrder.AscendingOrder)


def test_csv_tells_all_that_the_table_knows(proofreading: MainWindow, tmp_path: Path) -> None:
    model = proofreading.objects.model
    model.say(CLASS, "axon", [7])
    model.say(SURE, "80", [7])
    proofreading.objects.export(tmp_path / "objects.csv")
    row = next(row for row in read_csv(tmp_path / "objects.csv").records() if row["id"] == 7)
    assert (row["class"], row["confidence"], row["voxels"]) == ("axon", 80, 6 * 30 * 19)
    assert [row[name] for name in ("z0", "y0", "x1")] == [0, 10, 60] and row["edited"]


@pytest.mark.parametrize("is_wanted", [True, False])
def test_csv_is_taken_in_after_a_look_in_one_step(
    proofreading: MainWindow, tmp_path: Path, is_wanted: bool
) -> None:
    path = tmp_path / "said.csv"
    path.write_text("id,class,note,voxels\n6,glia,small,1\n7,,,2\n", "utf-8")
    seen: list[str] = []

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, CsvPreview):
            QTimer.singleShot(20, answer)
            return
        seen.extend(dialog.table.item(row, 3).text() for row in range(dialog.table.rowCount()))
        buttons = dialog.buttons
        buttons.button(buttons.Apply if is_wanted else buttons.Cancel).click()

    QTimer.singleShot(20, answer)
    proofreading.objects.take_csv(path)
    assert seen == ["glia", "small"]
    assert cell(proofreading, 6, CLASS) == ("glia" if is_wanted else "")
    assert len(proofreading.sessions.session.timeline.edits()) == int(is_wanted)


def test_a_wrong_csv_changes_nothing_and_says_why(proofreading: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "said.csv"
    path.write_text("id,class\n99,glia\n", "utf-8")
    proofreading.objects.take_csv(path)
    assert "no object 99" in proofreading.message.text


def test_solo_draws_only_what_is_selected(proofreading: MainWindow) -> None:
    select(proofreading, 6, 8)
    choose(proofreading, "Show only these, or all again")
    assert proofreading.canvas.model.display.only is Only.SELECTED
    assert proofreading.canvas.model.selected == {6, 8}
    choose(proofreading, "Show only these, or all again")
    assert proofreading.canvas.model.display.only is Only.ALL


def test_what_is_selected_stays_so_when_rows_move_or_go(proofreading: MainWindow) -> None:
    view = proofreading.objects
    select(proofreading, 6, 8)
    view.table.sortByColumn(VOXELS, Qt.SortOrder.DescendingOrder)
    assert sorted(view.selected) == [6, 8] and proofreading.canvas.model.selected == {6, 8}
    view.filter.setText("8")
    assert view.selected == [8] and proofreading.canvas.model.selected == {8}
    view.filter.clear()
    view.table.selectAll()
    view.table.sortByColumn(ID, Qt.SortOrder.AscendingOrder)
    assert view.selected == [5, 6, 7, 8]


def test_the_box_and_the_exact_volume_are_told(proofreading: MainWindow) -> None:
    model = proofreading.objects.model
    assert cell(proofreading, 6, BOX) == "2–2, 40–41, 20–23"
    tip = model.data(model.index(model.row_of(6), VOLUME), Qt.ItemDataRole.ToolTipRole)
    assert tip == "5,120 nm³"


def test_small_volumes_are_told_without_powers_of_ten() -> None:
    told = [plain_number(value) for value in (0, 0.00001, 0.0000263, 0.7868, 12.34, 1234.5, 5e9)]
    assert told == ["0", "0.00001", "0.0000263", "0.787", "12.3", "1,234", "5,000,000,000"]
