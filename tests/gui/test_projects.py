"""Projects in a real window: kept as things happen, moved, damaged, missing, packed, in two windows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QDialog, QMenu

from tests.gui.test_window import drop, paint
from uniem import paths
from uniem.data.geometry import Box
from uniem.data.project import BACKUP_NAME, FILE_NAME
from uniem.data.volume import Kind
from uniem.gui.app import make_window
from uniem.gui.main_window import MainWindow
from uniem.gui.projects.dialogs import MissingDialog, PackDialog, PlaceDialog
from uniem.gui.projects.transfer import TransferDialog
from uniem.jobs.events import Ending

Answer = Callable[[str], list[str]]


@pytest.fixture
def windows(qtbot: Any, home: Path) -> Iterator[Callable[[], MainWindow]]:
    """Make windows; at the end, stop their jobs and close them."""
    made: list[MainWindow] = []

    def make() -> MainWindow:
        window = make_window()
        window.queue.grace_s = 2.0
        window.show()
        qtbot.waitExposed(window)
        made.append(window)
        return window

    yield make
    for window in made:
        window.queue.stop_all()
        window.sessions.end()
        window.close()
        window.deleteLater()
    QApplication.processEvents()
    paths.use_project_folder(None)


def settle(window: MainWindow, qtbot: Any, count: int) -> None:
    """Wait until so many items are open and the section in view is drawn."""
    qtbot.waitUntil(
        lambda: len(window.workspace.items) == count and not window.opening.is_busy, timeout=20_000
    )
    qtbot.waitUntil(lambda: window.canvas.view.image_section is not None, timeout=20_000)
    QApplication.processEvents()


def opened(window: MainWindow, path: Path, qtbot: Any, count: int) -> MainWindow:
    window.opening.open([str(path)])
    qtbot.waitUntil(lambda: window.projects.is_open, timeout=20_000)
    settle(window, qtbot, count)
    return window


def whole(window: MainWindow) -> np.ndarray:
    volume = window.sessions.session.volume
    return volume.read(Box.of_shape(volume.shape)).copy()


@pytest.fixture
def study(tmp_path: Path, stack: Path) -> Path:
    """Return a folder with an image in it, in which projects are made."""
    (tmp_path / "study").mkdir()
    shutil.move(stack, tmp_path / "study" / stack.name)
    return tmp_path / "study"


@pytest.fixture
def worked(windows: Callable[[], MainWindow], study: Path, qtbot: Any) -> MainWindow:
    """Make a project, add an image, paint labels in it, and look at a place."""
    window = windows()
    window.projects.create(study / "mito")
    drop(window, study / "stack.tif")
    settle(window, qtbot, 1)
    window.action_set["new-labels"].trigger()
    qtbot.waitUntil(lambda: window.sessions.session.objects.is_counted)
    window.canvas.model.hand.set_brush(6)
    window.canvas.model.go_to(3)
    settle(window, qtbot, 2)
    paint(window, qtbot, (40, 40), (40, 60))
    assert window.sessions.save_now()
    paint(window, qtbot, (60, 40), (60, 60))
    window.workspace.rename(window.workspace.items[0], "ミトコンドリア raw")
    window.canvas.toolbar.opacity.setValue(80)
    window.canvas.toolbar.contrast.setValue((33.0, 144.0))
    window.canvas.view.zoom(3.0)
    window.canvas.view.look_at(5.0, 5.0)
    window.settings.set("parameters/gaussian", {"sigma": 2.5})
    window.layout_of_docks.docks["log"].hide()
    return window


def facts(window: MainWindow) -> dict[str, Any]:
    model, camera = window.canvas.model, window.canvas.view.camera
    window.projects.keep()
    state = window.projects.project.state
    return {
        "names": [item.name for item in window.workspace.items],
        "roles": [item.role for item in window.workspace.items],
        "shown": [item.is_visible for item in window.workspace.items],
        "edited": window.workspace.items.index(window.sessions.item),
        "unsaved": window.sessions.unsaved,
        "place": (model.z, camera.row, camera.column, camera.scale),
        "look": (state.canvas, [item.look for item in state.items]),
        "brush": (model.hand.brush_px, model.hand.label),
        "log": window.layout_of_docks.docks["log"].isHidden(),
        "sigma": window.panels.open("gaussian").form.values()["sigma"],
    }


def test_a_moved_project_opens_as_it_was(
    worked: MainWindow, windows: Callable[[], MainWindow], study: Path, qtbot: Any, answer: Answer
) -> None:
    labels = Path(worked.sessions.session.path)
    assert labels.parent == study / "mito"
    assert worked.windowTitle() == "mito – uniem"
    before, voxels = facts(worked), whole(worked)
    answer("Keep for next time")
    assert worked.close()
    assert paths.work_folder() != study / "mito"
    study.rename(study.with_name("moved"))
    shutil.move(study.with_name("moved") / "mito", study.with_name("moved") / "別の名前")
    # The parameters come from the project, not from the settings of this user.
    settings = paths.settings_file()
    settings.write_text(json.dumps({"theme": "light"}))
    again = opened(windows(), study.with_name("moved") / "別の名前", qtbot, 2)
    assert again.windowTitle() == "別の名前 – uniem"
    assert facts(again) == before
    assert np.array_equal(whole(again), voxels)
    assert before["unsaved"] == 1 and before["place"][0] == 3
    assert "144.0" in str(before["look"]) and "0.8" in str(before["look"])


def test_layers_and_number_keys_come_back(
    worked: MainWindow, windows: Callable[[], MainWindow], study: Path, qtbot: Any, answer: Answer
) -> None:
    image, labels = worked.workspace.items
    second, truth = study / "second.tif", study / "truth.tif"
    shutil.copy(study / "stack.tif", second)
    tifffile.imwrite(truth, np.ones(image.noun.shape, np.uint16))
    added = [worked.workspace.open(second), worked.workspace.open(truth, Kind.LABELS)]
    for item in added:
        worked.showing.add(item)
    worked.showing.put_in_order([added[0], image, added[1], labels])
    worked.showing.layer_of(added[1]).is_visible = False
    worked.showing.layer_of(added[0]).opacity = 0.3
    hand = worked.canvas.model.hand
    hand.label = 77
    hand.pin(4)
    before = [(layer.name, layer.is_visible, layer.opacity) for layer in worked.canvas.model.layers]
    answer("Keep for next time")
    assert worked.close()
    again = opened(windows(), study / "mito", qtbot, 4)
    qtbot.waitUntil(lambda: again.sessions.session is not None, timeout=20_000)
    assert before == [(layer.name, layer.is_visible, layer.opacity) for layer in again.canvas.model.layers]
    assert [name for name, *_ in before] == ["second.tif", "ミトコンドリア raw", "truth.tif", labels.name]
    assert again.canvas.model.hand.slots == {4: 77}
    again.action_set["new-labels"].trigger()
    assert again.canvas.model.hand.slots == {}
    again.sessions.edit(next(item for item in again.workspace.items if item.name == labels.name))
    assert again.canvas.model.hand.slots == {4: 77}


def test_the_state_is_written_by_itself(worked: MainWindow, study: Path, qtbot: Any) -> None:
    def kept() -> Any:
        return json.loads((study / "mito" / FILE_NAME).read_text("utf-8"))

    qtbot.waitUntil(lambda: '"opacity": 0.8' in json.dumps(kept()))
    worked.canvas.model.go_to(5)
    qtbot.waitUntil(lambda: kept()["canvas"]["z"] == 5)
    assert [item["location"] for item in kept()["items"]] == ["../stack.tif", "stack-labels.zarr"]


def test_jobs_belong_to_their_project(
    worked: MainWindow, windows: Callable[[], MainWindow], study: Path, qtbot: Any, answer: Answer
) -> None:
    panel = worked.panels.open("gaussian")
    panel.form.set_values({"sigma": 1.0})
    job = panel.run()
    qtbot.waitUntil(lambda: job.status.ending is Ending.FINISHED, timeout=60_000)
    qtbot.waitUntil(lambda: len(worked.workspace.items) == 3, timeout=20_000)
    assert job.folder.path.parent == study / "mito" / "jobs"
    worked.projects.close_project()
    assert worked.queue.jobs == [] and worked.workspace.items == ()
    assert worked.windowTitle() == "uniem"
    (study / "mito").rename(study / "moved")
    opened(worked, study / "moved" / FILE_NAME, qtbot, 3)
    found = worked.queue.jobs[0]
    qtbot.waitUntil(lambda: bool(found.status.outputs), timeout=20_000)
    assert Path(found.status.outputs["result"]).parent == study / "moved"
    worked.results.open_results(found)
    assert len(worked.workspace.items) == 3


def test_a_damaged_project_opens_by_the_version_before(
    worked: MainWindow, windows: Callable[[], MainWindow], study: Path, qtbot: Any
) -> None:
    worked.projects.keep()
    worked.canvas.model.go_to(1)
    worked.projects.close_project()
    (study / "mito" / FILE_NAME).write_text('{"format": "uniem project", "ver')
    opened(worked, study / "mito", qtbot, 2)
    assert "damaged" in worked.message.text
    assert (study / "mito" / BACKUP_NAME).exists()


def test_missing_data_are_listed_located_together_and_never_dropped(
    worked: MainWindow, study: Path, discs: Path, tmp_path: Path, qtbot: Any
) -> None:
    shutil.copy(discs, study / "discs.tif")
    drop(worked, study / "discs.tif")
    settle(worked, qtbot, 3)
    worked.projects.close_project()
    (tmp_path / "disk").mkdir()
    for name in ("stack.tif", "discs.tif"):
        shutil.move(study / name, tmp_path / "disk" / name)
    worked.opening.open([str(study / "mito")])
    qtbot.waitUntil(lambda: worked.projects.has_missing, timeout=20_000)
    dialog = worked.projects.missing._dialog
    assert isinstance(dialog, MissingDialog) and dialog.list.topLevelItemCount() == 2
    dialog.leave.click()
    worked.canvas.model.hand.label = 9
    worked.projects.keep()
    names = [item["name"] for item in json.loads((study / "mito" / FILE_NAME).read_text("utf-8"))["items"]]
    assert names == ["ミトコンドリア raw", "stack-labels.zarr", "discs.tif"]
    worked.action_set["missing-data"].trigger()
    first = worked.projects.missing.entries[0]
    worked.projects.missing.locate(first, str(tmp_path / "disk" / "stack.tif"))
    qtbot.waitUntil(lambda: not worked.projects.has_missing, timeout=20_000)
    assert {item.name for item in worked.workspace.items} == set(names)
    worked.projects.close_project()
    opened(worked, study / "mito", qtbot, 3)
    assert not worked.projects.has_missing


def test_a_project_is_packed_and_unpacked_with_what_is_not_saved(
    worked: MainWindow, study: Path, tmp_path: Path, qtbot: Any
) -> None:
    before, voxels = facts(worked), whole(worked)
    job = worked.projects.pack(tmp_path / "for you.zip")
    qtbot.waitUntil(lambda: job.status.ending is not None, timeout=60_000)
    assert job.status.ending is Ending.FINISHED, job.status.error
    packed = tmp_path / "for you.uniem.zip"
    assert packed.exists()
    worked.projects.unpack(packed, tmp_path / "colleague" / "got")
    assert worked.findChildren(TransferDialog)
    qtbot.waitUntil(lambda: worked.windowTitle() == "got – uniem", timeout=60_000)
    settle(worked, qtbot, 2)
    assert facts(worked) == before
    assert np.array_equal(whole(worked), voxels)
    got = tmp_path / "colleague" / "got"
    assert all(got in Path(item.location).parents for item in worked.workspace.items)
    # The job that packed it was running then, and would seem to have died.
    assert [job.status.ending for job in worked.queue.jobs] == []


def test_a_second_window_looks_on(
    worked: MainWindow, windows: Callable[[], MainWindow], study: Path, qtbot: Any
) -> None:
    worked.projects.keep()
    second = windows()
    second.opening.open([str(study / "mito")])
    qtbot.waitUntil(lambda: second.projects.is_open and len(second.workspace.items) == 2, timeout=20_000)
    assert "only for looking" in second.windowTitle()
    written = (study / "mito" / FILE_NAME).read_bytes()
    second.canvas.model.go_to(0)
    second.projects.keep()
    assert (study / "mito" / FILE_NAME).read_bytes() == written
    second.close()


def test_without_a_project_the_last_session_is_taken_up_again(
    windows: Callable[[], MainWindow], study: Path, discs: Path, qtbot: Any
) -> None:
    first = windows()
    drop(first, study / "stack.tif", discs)
    settle(first, qtbot, 2)
    first.canvas.model.go_to(4)
    first.close()
    second = windows()
    assert second.projects.has_last
    second.projects.offer_last()
    assert "stack.tif" in second.message.text
    second.action_set["open-last"].trigger()
    settle(second, qtbot, 2)
    assert second.canvas.model.z == 4
    assert [item.is_visible for item in second.workspace.items] == [True, True]


def test_a_session_becomes_a_project_with_its_labels(
    windows: Callable[[], MainWindow], study: Path, qtbot: Any
) -> None:
    window = windows()
    drop(window, study / "stack.tif")
    settle(window, qtbot, 1)
    window.action_set["new-labels"].trigger()
    settle(window, qtbot, 2)
    window.canvas.model.hand.set_brush(6)
    paint(window, qtbot, (40, 40), (40, 60))
    voxels = whole(window)

    def fill_in() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, PlaceDialog) and dialog.parts is not None
        assert dialog.parts.left_out == ["data/stack.tif"]
        dialog.name.setText("from session")
        dialog.where.setText(str(study))
        dialog.accept()

    QTimer.singleShot(100, fill_in)
    window.action_set["save-project"].trigger()
    qtbot.waitUntil(lambda: window.projects.is_open, timeout=60_000)
    settle(window, qtbot, 2)
    qtbot.waitUntil(lambda: window.sessions.session is not None)
    assert np.array_equal(whole(window), voxels)
    assert window.sessions.session.path == study / "from session" / "data" / "stack-labels.zarr"
    assert window.workspace.items[0].location == str(study / "stack.tif")


def test_names_that_cannot_be_are_refused(windows: Callable[[], MainWindow], study: Path, qtbot: Any) -> None:
    dialog = PlaceDialog("New project", "", "study", str(study.parent), windows())
    ok = dialog.buttons.button(dialog.buttons.Ok)
    for name, is_right in (("study", False), ("", False), ("..", False), ("a/b", False), ("新", True)):
        dialog.name.setText(name)
        assert ok.isEnabled() is is_right
    dialog.deleteLater()


def test_recent_projects_stand_apart_and_gone_ones_say_so(
    worked: MainWindow, study: Path, qtbot: Any
) -> None:
    worked.projects.close_project()
    menu = QMenu()
    worked.opening.fill_recent(menu)
    worked.projects.add_recent(menu)
    texts = [action.text() for action in menu.actions()]
    assert texts[0] == "Projects" and texts[1].startswith("mito ") and texts[2] == "Data"
    shutil.move(study / "mito", study / "away")
    menu.actions()[1].trigger()
    assert "is no project" in worked.message.text
    assert worked.settings.recent_projects == ()


def test_what_is_packed_is_shown_with_sizes(worked: MainWindow, tmp_path: Path, qtbot: Any) -> None:
    seen: list[str] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, PackDialog)
        qtbot.waitUntil(lambda: dialog.parts.is_counted)
        for row in range(dialog.parts.topLevelItemCount()):
            item = dialog.parts.topLevelItem(row)
            seen.append(f"{item.text(0)}: {item.text(1)}")
        dialog.done(int(QDialog.Rejected))

    QTimer.singleShot(200, look)
    worked.action_set["pack-project"].trigger()
    assert seen[0].startswith("data/stack.tif: ") and seen[1].startswith("stack-labels.zarr: ")
    assert not seen[0].endswith(": 0 bytes")


def test_a_copy_of_a_project_stands_by_itself(worked: MainWindow, study: Path, qtbot: Any) -> None:
    before, voxels = facts(worked), whole(worked)
    worked.projects.save_to(study / "copy", ["data/stack.tif"])
    qtbot.waitUntil(lambda: worked.windowTitle() == "copy – uniem", timeout=60_000)
    settle(worked, qtbot, 2)
    assert facts(worked) == before
    assert worked.sessions.session.path == study / "copy" / "stack-labels.zarr"
    assert worked.workspace.items[0].location == str(study / "stack.tif")
    worked.action_set["undo"].trigger()
    assert not np.array_equal(whole(worked), voxels)
    worked.projects.close_project()
    opened(worked, study / "mito", qtbot, 2)
    assert np.array_equal(whole(worked), voxels)


def test_unpacking_can_be_cancelled_and_a_bad_file_says_why(
    windows: Callable[[], MainWindow], tmp_path: Path, qtbot: Any
) -> None:
    window = windows()
    (tmp_path / "bad.uniem.zip").write_bytes(b"PK\x03\x04 not really")
    window.projects.unpack(tmp_path / "bad.uniem.zip", tmp_path / "got")
    qtbot.waitUntil(lambda: "damaged" in window.message.text, timeout=60_000)
    window.message.hide()
    window.projects.unpack(tmp_path / "bad.uniem.zip", tmp_path / "got")
    window.findChildren(TransferDialog)[-1].progress.cancel.click()
    qtbot.waitUntil(lambda: window.queue.jobs[-1].status.ending is Ending.CANCELLED, timeout=60_000)
    assert not (tmp_path / "got").exists() and not window.projects.is_open
    assert window.message.text == ""
