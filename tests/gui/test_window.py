"""The main window: dropping, painting, running, saving, asking before anything is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QEventLoop, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDropEvent, QMouseEvent
from qtpy.QtWidgets import QApplication, QLabel

from uniem.data.geometry import Box, VoxelSize
from uniem.gui.app import make_window
from uniem.gui.canvas.view_model import Tool
from uniem.gui.elided_label import ElidedLabel
from uniem.gui.main_window import MainWindow
from uniem.jobs.events import Ending
from uniem.operations.operation import Role

Answer = Callable[[str], list[str]]


def drop(window: MainWindow, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(50, 50), Qt.DropActions(Qt.DropAction.CopyAction), data, Qt.LeftButton, Qt.NoModifier
    )
    window.dropEvent(event)
    wait_until_opened(window)


def wait_until_opened(window: MainWindow) -> None:
    """Let the window open what it was given."""
    loop = QEventLoop()
    clock = QTimer()
    clock.timeout.connect(lambda: None if window.opening.is_busy else loop.quit())
    clock.start(5)
    loop.exec_()


def paint(window: MainWindow, qtbot: Any, *places: tuple[int, int]) -> None:
    """Draw a stroke with the mouse through voxels (y, x) of the section in view."""
    view = window.canvas.view
    # On a section that is still being read nothing is painted, and that is said.
    qtbot.waitUntil(lambda: view.item.overlay.section is not None)
    points = [view.place_of(y, x) for y, x in places]
    kinds = [QMouseEvent.MouseButtonPress] + [QMouseEvent.MouseMove] * (len(points) - 1)
    for kind, point in zip(kinds, points, strict=True):
        button = Qt.LeftButton if kind == QMouseEvent.MouseButtonPress else Qt.NoButton
        event = QMouseEvent(kind, point, point, button, Qt.LeftButton, Qt.NoModifier)
        QApplication.sendEvent(view.viewport(), event)
    release = QMouseEvent(
        QMouseEvent.MouseButtonRelease, points[-1], points[-1], Qt.LeftButton, Qt.NoButton, Qt.NoModifier
    )
    QApplication.sendEvent(view.viewport(), release)


@pytest.fixture
def painted(window: MainWindow, stack: Path, qtbot: Any) -> MainWindow:
    drop(window, stack)
    qtbot.waitUntil(lambda: window.canvas.view.image_section is not None)
    window.action_set["new-labels"].trigger()
    qtbot.waitUntil(lambda: window.sessions.session.objects.is_counted)
    window.canvas.model.hand.set_brush(6)
    paint(window, qtbot, (40, 40), (40, 60))
    assert window.sessions.unsaved == 1
    return window


def test_several_files_are_opened_by_dropping_them(
    window: MainWindow, stack: Path, discs: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "notes.tif"
    wrong.write_text("no image")
    drop(window, discs, stack, wrong)
    assert [item.role for item in window.workspace.items] == [Role.LABELS, Role.IMAGE]
    assert window.canvas.model.image.source.endswith("stack.tif")
    assert window.canvas.model.labels is not None
    assert "notes.tif" in window.message.text
    assert [Path(place).name for place in window.settings.recent_locations] == ["stack.tif", "discs.tif"]


def test_painting_is_undone_redone_and_saved(painted: MainWindow, qtbot: Any) -> None:
    session = painted.sessions.session
    voxels = session.objects[1].voxels
    assert voxels > 100
    painted.action_set["undo"].trigger()
    assert session.objects[1].voxels == 0
    assert painted.action_set["redo"].isEnabled()
    painted.action_set["redo"].trigger()
    painted.action_set["save"].trigger()
    qtbot.waitUntil(lambda: painted.sessions.unsaved == 0)
    item = painted.workspace.at(session.path)
    assert not item.is_modified
    assert int((np.array(item.noun.read(Box.of_shape(item.noun.shape))) == 1).sum()) == voxels


def test_edits_kept_unsaved_come_back(painted: MainWindow, answer: Answer, qtbot: Any) -> None:
    path = painted.sessions.session.path
    answer("Keep for next time")
    assert painted.close()
    again = make_window()
    again.show()
    again.opening.open([str(path)])
    wait_until_opened(again)
    again.sessions.edit(again.workspace.items[0])
    assert again.sessions.unsaved == 1
    assert "Recovered 1 edit " in again.message.text
    again.sessions.end()
    again.close()


def test_a_filter_runs_from_its_panel_and_its_result_is_shown(
    window: MainWindow, stack: Path, qtbot: Any
) -> None:
    drop(window, stack)
    panel = window.panels.open("gaussian")
    panel.form.set_values({"sigma": "wide"})
    assert panel.run() is None
    panel.form.set_values({"sigma": 1.5})
    job = panel.run()
    qtbot.waitUntil(lambda: job.status.ending is not None, timeout=60_000)
    assert job.status.ending is Ending.FINISHED, job.status.error
    qtbot.waitUntil(lambda: len(window.workspace.items) == 2)
    result = window.workspace.items[1]
    assert result.noun.voxel_size == VoxelSize(40, 4, 4)
    assert window.showing.image_item is result
    assert window.settings.get("parameters/gaussian")["sigma"] == 1.5
    assert panel.outputs["result"].location.endswith("stack-gaussian-2.zarr")


def test_a_preview_appears_and_follows_the_parameters(window: MainWindow, stack: Path, qtbot: Any) -> None:
    drop(window, stack)
    qtbot.waitUntil(lambda: window.canvas.view.image_section is not None)
    panel = window.panels.open("threshold")
    panel.preview_button.click()
    qtbot.waitUntil(lambda: panel.curtain.has_picture)
    seen = panel.curtain.grab().toImage()
    panel.form.set_values({"level": 250.0})
    panel.form.changed.emit()
    qtbot.waitUntil(lambda: panel.curtain.grab().toImage() != seen)


def test_labels_in_a_file_are_imported_before_they_are_edited(
    window: MainWindow, discs: Path, qtbot: Any
) -> None:
    drop(window, discs)
    before = discs.read_bytes()
    window.sessions.edit(window.workspace.items[0])
    qtbot.waitUntil(lambda: window.sessions.session is not None, timeout=60_000)
    qtbot.waitUntil(lambda: window.objects.model.rowCount() == 2)
    assert list(window.sessions.session.objects) == [3, 700]
    assert discs.read_bytes() == before


def test_names_and_locks_in_the_object_table_can_be_undone(
    window: MainWindow, discs: Path, qtbot: Any, tmp_path: Path
) -> None:
    test_labels_in_a_file_are_imported_before_they_are_edited(window, discs, qtbot)
    model, objects = window.objects.model, window.sessions.session.objects
    row = model.row_of(700)
    model.setData(model.index(row, 3), "mito", Qt.EditRole)
    model.setData(model.index(row, 6), Qt.Checked, Qt.CheckStateRole)
    assert objects.fields_of(700).name == "mito"
    assert objects.locked() == {700}
    window.action_set["undo"].trigger()
    assert objects.locked() == frozenset()
    window.objects.filter.setText("mit")
    assert [model.label(row) for row in range(model.rowCount())] == [700]
    window.objects.export(tmp_path / "objects.csv")
    assert "700,mito" in (tmp_path / "objects.csv").read_text()
    places: list[tuple[float, float, float]] = []
    window.objects.jump_wanted.connect(lambda *place: places.append(place))
    window.objects.table.doubleClicked.emit(model.index(0, 2))
    z, y, x = (int(edge) for edge in places[0])
    assert window.sessions.session.volume[z][y, x] == 700


def test_meshes_and_measurements_are_shown(window: MainWindow, discs: Path, qtbot: Any) -> None:
    drop(window, discs)
    window.action_set["mesh-all"].trigger()
    panel = window.panels.open("measure")
    assert panel.run() is not None
    qtbot.waitUntil(lambda: len(window.workspace.items) == 3, timeout=90_000)
    assert {item.role for item in window.workspace.items} == {Role.LABELS, Role.MESHES, Role.TABLE}
    assert len(window.annotator.objects) == 2
    assert window.table.view.model().rowCount() == 2


def test_closing_with_a_running_job_asks(window: MainWindow, stack: Path, answer: Answer) -> None:
    drop(window, stack)
    assert window.panels.open("gaussian").run() is not None
    asked = answer("Cancel")
    assert not window.close()
    assert "jobs" in asked[0]
    assert window.queue.is_busy
    answer("Stop them")
    assert window.close()
    assert not window.queue.is_busy


def test_a_result_is_run_again_as_it_was(window: MainWindow, stack: Path, qtbot: Any) -> None:
    test_a_filter_runs_from_its_panel_and_its_result_is_shown(window, stack, qtbot)
    panel = window.panels.open("gaussian")
    panel.form.reset()
    window.items.run_again(window.workspace.items[1])
    assert panel.form.values()["sigma"] == 1.5
    assert panel.inputs["image"].location == window.workspace.items[0].location


def test_the_palette_finds_actions_by_other_words(window: MainWindow, qtbot: Any) -> None:
    window.show_palette()
    palette = QApplication.activePopupWidget()
    qtbot.keyClicks(palette.line, "quit exit")
    assert palette.list.topLevelItem(0).text(0) == "Quit"
    palette.line.setText("font large")
    size = window.appearance.font_size
    qtbot.keyClick(palette.line, Qt.Key_Return)
    qtbot.waitUntil(lambda: window.appearance.font_size == size + 1)


def test_a_click_in_the_palette_does_it_once_after_the_click(window: MainWindow, qtbot: Any) -> None:
    window.show_palette()
    palette = QApplication.activePopupWidget()
    palette.line.setText("font large")
    size = window.appearance.font_size
    place = palette.list.visualItemRect(palette.list.topLevelItem(0)).center()
    # Where one click activates, Qt tells of both.
    palette.list.itemClicked.connect(lambda: palette.list.itemActivated.emit(palette.list.currentItem(), 0))
    qtbot.mouseClick(palette.list.viewport(), Qt.LeftButton, pos=place)
    assert not palette.isVisible() and window.appearance.font_size == size
    qtbot.waitUntil(lambda: window.appearance.font_size > size)
    QApplication.processEvents()
    assert window.appearance.font_size == size + 1


def test_every_action_finds_what_it_calls(window: MainWindow) -> None:
    for action, _ in window.action_set.found():
        for name in (action.call.partition(":")[0], action.state, action.needs):
            if name:
                window.action_set.look_up(name)


def test_theme_and_layout_are_remembered(window: MainWindow, home: Path, qtbot: Any) -> None:
    window.action_set["theme-light"].trigger()
    window.layout_of_docks.docks["jobs"].hide()
    window.close()
    kept = json.loads((home / "settings.json").read_text())
    assert kept["theme"] == "light"
    again = make_window()
    again.show()
    assert again.appearance.is_light
    assert not again.layout_of_docks.docks["jobs"].isVisible()
    again.close()


def test_a_missing_voxel_size_is_given_and_kept(window: MainWindow, tmp_path: Path, qtbot: Any) -> None:
    np.save(tmp_path / "bare.npy", np.random.default_rng(0).integers(0, 255, (3, 40, 50), np.uint8))
    drop(window, tmp_path / "bare.npy")
    window.voxel_sizes.set(window.workspace.items[0], VoxelSize(50, 4, 4))
    window.workspace.close(window.workspace.items[0])
    drop(window, tmp_path / "bare.npy")
    assert [item.noun.voxel_size for item in window.workspace.items] == [VoxelSize(50, 4, 4)]


def test_closing_leaves_no_listeners(stack: Path, qtbot: Any) -> None:
    window = make_window()
    window.show()
    drop(window, stack)
    window.panels.open("gaussian")
    workspace, queue = window.workspace, window.queue
    assert window.close()
    for signal in (workspace.added, workspace.changed, workspace.removed, queue.added, queue.changed):
        assert len(signal) == 0


def test_the_window_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from uniem.gui import app\n"
        "application = app.make_application()\n"
        "window = app.make_window()\n"
        "window.show()\n"
        "application.processEvents()\n"
        "heavy = {'tensorflow', 'keras', 'vtkmodules', 'scipy', 'skimage', 'cv2'} & set(sys.modules)\n"
        "window.close()\n"
        "sys.exit(', '.join(heavy) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_the_mouse_tells_where_it_is(window: MainWindow, stack: Path, qtbot: Any) -> None:
    drop(window, stack)
    qtbot.waitUntil(lambda: window.canvas.view.image_section is not None)
    place = window.canvas.view.place_of(20, 30).toPoint()
    qtbot.mouseMove(window.canvas.view.viewport(), place + QPoint(1, 0))
    event = QMouseEvent(QMouseEvent.MouseMove, QPointF(place), Qt.NoButton, Qt.NoButton, Qt.NoModifier)
    QApplication.sendEvent(window.canvas.view.viewport(), event)
    assert "y 20  x 30" in window.status.place.text()
    assert "nm)" in window.status.place.text()


def test_a_training_is_watched_and_stopped_and_tried(
    window: MainWindow, stack: Path, discs: Path, qtbot: Any
) -> None:
    drop(window, stack, discs)
    qtbot.waitUntil(lambda: window.canvas.view.image_section is not None)
    panel = window.panels.open("train-2d")
    network = {"kind": "unet", "depth": 1, "base_features": 4}
    panel.form.set_values({"patch_size": 32, "batch_size": 2, "steps": 100_000, "network": network})
    job = panel.run()
    assert job is not None, panel.findChildren(QLabel)[-1].text()
    qtbot.waitUntil(lambda: "val_loss" in panel.curves.names, timeout=120_000)
    qtbot.waitUntil(lambda: bool(job.status.previews), timeout=60_000)
    panel.progress.cancel.click()
    qtbot.waitUntil(lambda: job.status.ending is not None, timeout=60_000)
    assert job.status.ending is Ending.CANCELLED
    qtbot.waitUntil(lambda: window.workspace.find(Role.MODEL) != [])
    inference = window.panels.open("infer-2d")
    trial = inference.try_here()
    qtbot.waitUntil(lambda: trial.status.ending is not None, timeout=120_000)
    assert trial.status.ending is Ending.FINISHED, trial.status.error
    qtbot.waitUntil(lambda: window.canvas.model.labels.name == "result.zarr")
    assert window.canvas.model.labels.shape == window.canvas.model.image.shape


def test_a_panel_opened_again_takes_the_labels_that_are_shown(
    window: MainWindow, stack: Path, discs: Path, tmp_path: Path, qtbot: Any
) -> None:
    drop(window, stack, discs)
    panel = window.panels.open("measure")
    assert panel.inputs["labels"].location == str(discs)
    other = tmp_path / "other.tif"
    other.write_bytes(discs.read_bytes())
    drop(window, other)
    assert panel.inputs["labels"].location == str(discs)
    assert window.panels.open("measure").inputs["labels"].location == str(other)
    combo = panel.inputs["labels"].combo
    qtbot.keyClicks(combo, "discs")
    assert window.panels.open("measure").inputs["labels"].location == str(discs)


def test_a_message_moves_nothing_under_the_mouse(window: MainWindow, stack: Path, qtbot: Any) -> None:
    drop(window, stack)
    qtbot.waitUntil(lambda: window.canvas.view.image_section is not None)
    window.message.hide()
    QApplication.processEvents()
    before = window.canvas.view.mapToGlobal(window.canvas.view.place_of(20, 30).toPoint())
    window.message.show_error("Something went wrong.")
    QApplication.processEvents()
    assert window.message.isVisible()
    assert window.message.width() == window.canvas.view.width()
    assert window.canvas.view.mapToGlobal(window.canvas.view.place_of(20, 30).toPoint()) == before


def test_the_brush_comes_back_with_the_labels(painted: MainWindow, qtbot: Any) -> None:
    item = painted.sessions.item
    painted.showing.hide(item)
    assert painted.canvas.model.hand.tool is Tool.NAVIGATE
    painted.showing.show(item)
    assert painted.canvas.model.hand.tool is Tool.BRUSH


def test_a_line_too_long_is_cut_with_dots_and_told_by_its_tooltip(qtbot: Any) -> None:
    label = ElidedLabel("Left: paint · Right: erase · Middle: move")
    qtbot.addWidget(label)
    label.resize(label.sizeHint())
    whole = label.grab().toImage()
    label.resize(label.width() // 2, label.height())
    cut = label.grab().toImage()
    assert label.toolTip() == label.text()
    assert cut != whole.copy(cut.rect())


def test_meshes_of_other_labels_do_not_take_the_counts_of_those_edited(
    window: MainWindow, stack: Path, discs: Path, qtbot: Any
) -> None:
    drop(window, stack)
    window.action_set["new-labels"].trigger()
    qtbot.waitUntil(lambda: window.sessions.session.objects.is_counted)
    window.canvas.model.hand.label = 3
    paint(window, qtbot, (40, 40), (40, 60))
    drop(window, discs)
    window.action_set["mesh-all"].trigger()
    qtbot.waitUntil(lambda: bool(window.workspace.find(Role.MESHES)), timeout=90_000)
    assert {item.label: item.voxels for item in window.annotator.objects} == {3: None, 700: None}


def test_the_window_fits_a_small_screen(window: MainWindow, stack: Path, qtbot: Any) -> None:
    drop(window, stack)
    for id in ("train-2d", "infer-2d", "threshold"):
        window.panels.open(id)
        QApplication.processEvents()
        assert window.minimumSizeHint().width() <= 1280
        assert window.minimumSizeHint().height() <= 760
    window.show_annotator()
    QApplication.processEvents()
    assert window.minimumSizeHint().width() <= 1280
    assert window.minimumSizeHint().height() <= 760
