from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPointF

from tests.gui.test_main_job import answer_file_dialog
from tests.gui.test_window import drop, paint
from uniem import paths
from uniem.data.formats import open_volume
from uniem.data.geometry import VoxelSize
from uniem.data.store import StoredVolume, create_store, open_store
from uniem.data.volume import Kind
from uniem.gui.main_window import MainWindow
from uniem.gui.sessions import CANCEL, CONSENT, COPY, IN_PLACE
from uniem.jobs import queue
from uniem.jobs.events import Ending, Phase
from uniem.workspace import OpenItem

Answer = Callable[[str], list[str]]


def digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def opened(window: MainWindow, qtbot: Any, path: Path) -> OpenItem:
    drop(window, path)
    qtbot.waitUntil(lambda: window.canvas.model.depth > 0)
    item = window.workspace.items[-1]
    window.data.select(item)
    return item


def look_closely(window: MainWindow) -> tuple[Any, ...]:
    """Choose a place, a zoom and a contrast, and return them."""
    canvas = window.canvas
    canvas.model.go_to(3)
    canvas.view.camera = replace(canvas.view.camera, row=30.0, column=50.0, scale=5.0)
    canvas.view.zoom(1.0, QPointF(canvas.view.viewport().rect().center()))
    canvas.model.display.low, canvas.model.display.high = 41.0, 163.0
    return look_of(window)


def look_of(window: MainWindow) -> tuple[Any, ...]:
    model, camera = window.canvas.model, window.canvas.view.camera
    return (model.z, camera.row, camera.column, camera.scale, model.display.low, model.display.high)


def is_stored(item: OpenItem) -> bool:
    return isinstance(item.noun, StoredVolume)


def test_an_image_is_seen_at_once_and_from_the_store_when_imported(
    window: MainWindow, stack: Path, qtbot: Any
) -> None:
    item = opened(window, qtbot, stack)
    qtbot.waitUntil(lambda: window.canvas.view.image_section is not None)
    look = look_closely(window)
    voxels = open_volume(stack)[:]
    answer_file_dialog(paths.work_folder() / "chosen.zarr")
    window.action_set.refresh()
    window.action_set["import-store"].trigger()
    qtbot.waitUntil(lambda: is_stored(item), timeout=60_000)
    qtbot.waitUntil(lambda: window.canvas.view.image_section is not None)
    qtbot.wait(100)
    assert item.location == str(paths.work_folder() / "chosen.zarr")
    assert window.canvas.model.image is item.noun and item.is_visible and item.name == stack.name
    assert look_of(window) == look
    assert isinstance(item.noun, StoredVolume)
    assert np.array_equal(item.noun[:], voxels) and item.noun.voxel_size == VoxelSize(40, 4, 4)
    window.action_set.refresh()
    assert not window.action_set["import-store"].isEnabled()


def test_a_lost_import_is_taken_up_by_retry(window: MainWindow, stack: Path, qtbot: Any) -> None:
    item = opened(window, qtbot, stack)
    window.imports.begin(item, paths.work_folder() / "again.zarr")
    job = window.queue.jobs[-1]
    qtbot.waitUntil(lambda: job.worker is not None)
    job.kill()
    qtbot.waitUntil(lambda: job.status.phase is Phase.ENDED)
    assert job.status.ending is Ending.LOST and "Retry" in window.message.label.text()
    window.jobs.select(job)
    window.jobs.actions_by_id["again"].trigger()
    assert "goes on where it stopped" in window.message.text
    qtbot.waitUntil(lambda: is_stored(item), timeout=60_000)
    assert item.location == str(paths.work_folder() / "again.zarr")


def test_an_item_that_was_closed_meanwhile_stays_closed(window: MainWindow, stack: Path, qtbot: Any) -> None:
    item = opened(window, qtbot, stack)
    window.imports.begin(item, paths.work_folder() / "closed.zarr")
    window.items.close(item)
    job = window.queue.jobs[-1]
    qtbot.waitUntil(lambda: job.status.phase is Phase.ENDED, timeout=60_000)
    assert open_store(paths.work_folder() / "closed.zarr").shape == (6, 96, 96)
    assert window.workspace.items == ()


def test_labels_in_a_file_are_edited_in_place_of_the_file(
    window: MainWindow, stack: Path, discs: Path, qtbot: Any
) -> None:
    opened(window, qtbot, stack)
    item = opened(window, qtbot, discs)
    qtbot.waitUntil(lambda: window.canvas.view.image_section is not None)
    look = look_closely(window)
    before = discs.read_bytes()
    window.sessions.edit(item)
    window.sessions.edit(item)
    qtbot.waitUntil(lambda: window.sessions.session is not None, timeout=60_000)
    qtbot.wait(100)
    assert len(window.queue.jobs) == 1 and len(window.workspace.items) == 2
    assert window.sessions.item is item and is_stored(item)
    assert look_of(window) == look and discs.read_bytes() == before


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let jobs end in the order in which they were asked for."""
    monkeypatch.setitem(queue.SLOTS, "cpu", 1)


@pytest.mark.usefixtures("one_by_one")
def test_an_import_that_ends_after_the_labels_are_edited_leaves_them_open(
    window: MainWindow, stack: Path, discs: Path, qtbot: Any
) -> None:
    opened(window, qtbot, stack)
    item = opened(window, qtbot, discs)
    window.sessions.edit(item)
    window.imports.begin(item, paths.work_folder() / "other.zarr")
    qtbot.waitUntil(lambda: all(job.status.phase is Phase.ENDED for job in window.queue.jobs), timeout=60_000)
    session = window.sessions.session
    assert session is not None and item.location == str(session.path)
    window.canvas.model.hand.label = 5
    window.canvas.run("brush")
    qtbot.waitUntil(lambda: session.objects.is_counted)
    qtbot.waitUntil(lambda: window.canvas.view.item.overlay.section is not None)
    paint(window, qtbot, (45, 45), (45, 60))
    assert session.unsaved_edits == 1 and item.is_modified


@pytest.mark.usefixtures("one_by_one")
def test_labels_are_edited_in_their_copy_also_where_another_import_ended_first(
    window: MainWindow, discs: Path, qtbot: Any
) -> None:
    item = opened(window, qtbot, discs)
    window.imports.begin(item, paths.work_folder() / "other.zarr")
    window.sessions.edit(item)
    qtbot.waitUntil(lambda: window.sessions.session is not None, timeout=60_000)
    assert item.location == str(paths.work_folder() / "other.zarr")
    assert window.sessions.session.path == paths.work_folder() / "discs-edit.zarr"
    assert window.sessions.item in window.workspace.items and window.sessions.item is not item


def test_labels_with_a_very_long_name_are_edited(window: MainWindow, discs: Path, qtbot: Any) -> None:
    path = discs.rename(discs.with_name("x" * 250 + ".tif"))
    window.sessions.edit(opened(window, qtbot, path))
    qtbot.waitUntil(lambda: window.sessions.session is not None, timeout=60_000)
    assert window.sessions.session.path.parent == paths.work_folder()


@pytest.fixture
def foreign(tmp_path: Path) -> Callable[..., Path]:
    """Write a label store as another program would, without our own attributes."""

    def write(dtype: str = "uint16", version: str = "0.5") -> Path:
        path = tmp_path / f"foreign-{dtype}.zarr"
        labels = np.zeros((6, 96, 96), dtype)
        labels[:, 10:40, 10:40], labels[:, 50:90, 20:60] = 5, 9
        create_store(path, labels.shape, dtype, VoxelSize(40, 4, 4), Kind.LABELS, version=version)[:] = labels
        file = path / ("zarr.json" if version == "0.5" else ".zattrs")
        content = json.loads(file.read_text())
        attributes = content["attributes"] if version == "0.5" else content
        del attributes["uniem"]
        attributes.setdefault("ome", {})["image-label"] = {}
        if version == "0.4":
            attributes["image-label"] = attributes.pop("ome")["image-label"]
        file.write_text(json.dumps(content))
        return path

    return write


@pytest.mark.parametrize("version", ["0.5", "0.4"])
def test_labels_of_another_program_are_edited_in_place_only_with_consent(
    window: MainWindow, foreign: Callable[..., Path], qtbot: Any, answer: Answer, version: str
) -> None:
    path = foreign(version=version)
    before = digest(path)
    item = opened(window, qtbot, path)
    asked = answer(CANCEL)
    window.sessions.edit(item)
    assert "not made by uniem" in asked[0] and window.sessions.session is None
    assert digest(path) == before
    answer(IN_PLACE)
    window.sessions.edit(item)
    assert window.sessions.session is not None and window.sessions.session.path == path
    assert open_store(path).attributes[CONSENT] is True and open_store(path).kind is Kind.LABELS
    window.canvas.model.hand.label = 5
    qtbot.waitUntil(lambda: window.sessions.session.objects.is_counted)
    window.sessions.end()
    window.sessions.edit(item)
    assert window.sessions.session is not None


def test_a_copy_of_labels_of_another_program_is_edited(
    window: MainWindow, foreign: Callable[..., Path], qtbot: Any, answer: Answer
) -> None:
    path = foreign()
    before = digest(path)
    item = opened(window, qtbot, path)
    answer(COPY)
    window.sessions.edit(item)
    qtbot.waitUntil(lambda: window.sessions.session is not None, timeout=60_000)
    qtbot.waitUntil(lambda: window.sessions.session.objects.is_counted)
    window.canvas.model.hand.label = 5
    window.canvas.run("brush")
    qtbot.waitUntil(lambda: window.canvas.view.item.overlay.section is not None)
    paint(window, qtbot, (45, 45), (45, 60))
    assert window.sessions.unsaved == 1
    assert window.sessions.save_now() and digest(path) == before
    copy = window.sessions.session.path
    assert copy.parent == paths.work_folder() and item.location == str(copy)
    assert open_store(copy).dtype == np.uint32 and open_store(copy)[0].max() == 9


def test_signed_labels_are_copied_without_a_question(
    window: MainWindow, foreign: Callable[..., Path], qtbot: Any
) -> None:
    path = foreign("int32")
    before = digest(path)
    window.sessions.edit(opened(window, qtbot, path))
    qtbot.waitUntil(lambda: window.sessions.session is not None, timeout=60_000)
    assert window.sessions.session.path != path and digest(path) == before
