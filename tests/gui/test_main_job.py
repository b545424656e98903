"""The main job by mouse and key alone: drop, paint, undo, save, train, stop, try, label, mesh, measure, CSV."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QMouseEvent
from qtpy.QtWidgets import QApplication, QDialogButtonBox, QFileDialog, QLineEdit, QMenu, QWidget

from uniem.data.geometry import Box
from uniem.data.model_folder import ModelFolder
from uniem.data.phantom import DEFAULT_VOXEL_SIZE
from uniem.data.store import open_store
from uniem.data.volume import Kind
from uniem.demo import make_sample
from uniem.gui.canvas.view_model import Tool
from uniem.gui.forms.editors import NumberBox
from uniem.gui.main_window import MainWindow
from uniem.gui.panels.inference_panel import InferencePanel
from uniem.gui.panels.operation_panel import OperationPanel
from uniem.gui.panels.training_panel import TrainingPanel
from uniem.jobs.events import Ending
from uniem.jobs.queue import Job
from uniem.operations.operation import Role
from uniem.proofreading.journal import FILE_NAME, EntryKind, Journal
from uniem.workspace import OpenItem

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
Stack = tuple[Path, NDArray[np.uint8]]


@pytest.fixture(params=["phantom", "vnc"])
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Stack:
    """Return a TIFF stack and the mitochondria in its first section, (y, x) uint8."""
    if request.param == "vnc":
        data = request.getfixturevalue("shared_data")
        return data / "vnc_raw.tif", tifffile.imread(data / "vnc_mito.tif", key=0)
    make_sample(tmp_path / "sample", (6, 256, 256))
    image, truth = (open_store(tmp_path / "sample" / f"{name}.zarr") for name in ("image", "mitochondria"))
    size = DEFAULT_VOXEL_SIZE
    path = tmp_path / "stack.tif"
    tifffile.imwrite(
        path,
        np.array(image.read(Box.of_shape(image.shape))),
        imagej=True,
        resolution=(1 / size.x, 1 / size.y),
        metadata={"unit": "nm", "spacing": size.z, "axes": "ZYX"},
    )
    return path, (np.array(truth[0]) > 0).astype(np.uint8)


def thickest_two(mask: NDArray[np.uint8]) -> list[NDArray[np.bool_]]:
    """Return the two objects of a section that have the most room for a brush."""
    from scipy import ndimage

    parts, count = ndimage.label(mask, structure=np.ones((3, 3)))
    room = ndimage.maximum(ndimage.distance_transform_edt(mask), parts, range(1, count + 1))
    order = np.argsort(room)[::-1] + 1
    return [parts == order[0], parts == order[1]]


def drop(window: MainWindow, path: Path) -> None:
    """Drag a file over the window and let it go."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy = Qt.DropActions(Qt.DropAction.CopyAction)
    enter = QDragEnterEvent(QPoint(300, 300), copy, data, LEFT, NONE)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(300, 300), copy, data, LEFT, NONE))


def choose(window: MainWindow, qtbot: Any, *titles: str) -> None:
    """Click through the menus."""
    place: Any = window.menuBar()
    for title in titles:
        action = next(each for each in place.actions() if each.text().replace("&", "") == title)
        assert action.isEnabled(), title
        qtbot.mouseMove(place, place.actionGeometry(action).center())
        qtbot.mouseClick(place, LEFT, pos=place.actionGeometry(action).center())
        menu = action.menu()
        if isinstance(menu, QMenu):
            qtbot.waitUntil(menu.isVisible)
            place = menu


def press(window: MainWindow, qtbot: Any, key: Qt.Key) -> None:
    """Press a key with Ctrl, as a shortcut of the window."""
    # Without a window manager nothing makes a window active again after a menu.
    QApplication.setActiveWindow(window)
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window.canvas.view, key, Qt.KeyboardModifier.ControlModifier)


def stroke(window: MainWindow, mask: NDArray[np.bool_]) -> None:
    """Paint an object with one drag of the mouse, back and forth along its rows."""
    from scipy import ndimage

    view = window.canvas.view
    radius = window.canvas.model.hand.radius_px
    inside = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1] >= radius
    rows = [row for row in np.flatnonzero(inside.any(axis=1)) if row % 2 == 0]
    ends = [np.flatnonzero(inside[row])[[0, -1]] for row in rows]
    path = [(int(row), int(x)) for n, row in enumerate(rows) for x in (ends[n] if n % 2 else ends[n][::-1])]
    points = [view.place_of(*voxel) for voxel in path]
    for kind, point in [
        (QMouseEvent.Type.MouseButtonPress, points[0]),
        *((QMouseEvent.Type.MouseMove, point) for point in points),
        (QMouseEvent.Type.MouseButtonRelease, points[-1]),
    ]:
        button = Qt.MouseButton.NoButton if kind == QMouseEvent.Type.MouseMove else LEFT
        held = Qt.MouseButton.NoButton if kind == QMouseEvent.Type.MouseButtonRelease else LEFT
        QApplication.sendEvent(view.viewport(), QMouseEvent(kind, point, point, button, held, NONE))


def type_into(panel: OperationPanel, qtbot: Any, path: str, number: int) -> None:
    """Write a number into a field of a panel's form by keyboard."""
    box = panel.form.editor(path).findChild(NumberBox)
    line = box.findChild(QLineEdit)
    qtbot.keyClick(line, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(line, str(number))
    qtbot.keyClick(line, Qt.Key.Key_Tab)


def pick(widget: QWidget, qtbot: Any, text: str) -> None:
    """Choose an entry of a combo box by typing its name."""
    qtbot.keyClicks(widget, text)


def ended(qtbot: Any, job: Job | None) -> None:
    """Wait until a job is done, and see that it worked."""
    assert job is not None
    qtbot.waitUntil(lambda: job.status.ending is not None, timeout=120_000)
    assert job.status.ending is Ending.FINISHED, job.status.error


def newest(window: MainWindow, qtbot: Any, role: Role, count: int) -> OpenItem:
    """Wait for so many open items of a role; return the last."""
    qtbot.waitUntil(lambda: len(window.workspace.find(role)) >= count, timeout=20_000)
    return window.workspace.find(role)[-1]


def answer_file_dialog(path: Path) -> None:
    """Type a name into the next file dialog and accept it."""

    def type_name() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QFileDialog):
            QTimer.singleShot(20, type_name)
            return
        dialog.findChild(QLineEdit, "fileNameEdit").setText(str(path))
        buttons = dialog.findChild(QDialogButtonBox)
        buttons.button(QDialogButtonBox.StandardButton.Save).click()

    QTimer.singleShot(20, type_name)


def kinds_in(path: Path) -> list[EntryKind]:
    """Return what the journal of a label volume tells, in order."""
    journal = Journal.open(path / FILE_NAME)
    kinds = [entry.kind for entry in journal.entries()]
    journal.close()
    return kinds


def test_the_main_job_is_done_by_mouse_and_keys(
    window: MainWindow, stack: Stack, qtbot: Any, tmp_path: Path
) -> None:
    image, truth = stack
    painted, labels = paint_undo_redo_save(window, qtbot, image, thickest_two(truth))
    train_watch_stop(window, qtbot, labels)
    try_the_model_here(window, qtbot)
    objects = label(window, qtbot, labels, len(painted))
    mesh(window, qtbot, sizes=painted)
    measure(window, qtbot, objects, painted, tmp_path / "copy.csv")
    # What UNI-EM's first workflow does after its training: infer the stack, Binary, 3D Label, proofread.
    mask = cut_off(window, qtbot, infer_the_stack(window, qtbot))
    correct(window, qtbot, number_what_is_large(window, qtbot, mask))


def infer_the_stack(window: MainWindow, qtbot: Any) -> OpenItem:
    """Use the model from its card on all sections."""
    window.data.select(window.workspace.find(Role.MODEL)[-1])
    qtbot.waitUntil(window.data.card.isVisible)
    assert "F1" in window.data.card.facts["Held out"] and window.data.card.picture.has_picture
    qtbot.mouseClick(window.data.card.use, LEFT)
    panel = window.panels.shown
    assert isinstance(panel, InferencePanel)
    before = len(window.workspace.items)
    qtbot.mouseClick(panel.run_button, LEFT)
    ended(qtbot, panel.job)
    qtbot.waitUntil(lambda: len(window.workspace.items) > before, timeout=20_000)
    item = window.workspace.items[-1]
    assert item.noun.kind is Kind.PROBABILITY
    assert item.noun.shape == window.canvas.model.image.shape
    return item


def cut_off(window: MainWindow, qtbot: Any, map_: OpenItem) -> OpenItem:
    """Make a mask of a probability map, as Binary does."""
    choose(window, qtbot, "Segment", "Labels", "Threshold…")
    panel = window.panels.shown
    panel.inputs["image"].choose(map_.location)
    values = np.array(map_.noun.read(Box.of_shape(map_.noun.shape)))
    # A network that was stopped at once is sure of nothing: half of what it says is taken.
    level = min(int(np.median(values)), int(values.max()) - 1)
    panel.form.set_values({"level": level})
    qtbot.mouseClick(panel.run_button, LEFT)
    ended(qtbot, panel.job)
    mask = newest(window, qtbot, Role.LABELS, 3)
    assert np.array_equal(np.array(mask.noun.read(Box.of_shape(values.shape))) > 0, values > level)
    return mask


def number_what_is_large(window: MainWindow, qtbot: Any, mask: OpenItem) -> OpenItem:
    """Number the parts of a mask, as 3D Label does, without those that are too small to mean anything."""
    choose(window, qtbot, "Segment", "Labels", "Label…")
    panel = window.panels.shown
    panel.inputs["image"].choose(mask.location)
    panel.form.set_values({"min_size_voxels": 20})
    qtbot.mouseClick(panel.run_button, LEFT)
    ended(qtbot, panel.job)
    objects = newest(window, qtbot, Role.LABELS, 4)
    sizes = np.unique(np.array(objects.noun.read(Box.of_shape(objects.noun.shape))), return_counts=True)[1]
    assert len(sizes) > 1 and min(sizes) >= 20
    return objects


def correct(window: MainWindow, qtbot: Any, objects: OpenItem) -> None:
    """Erase a part of an object by mouse, and save."""
    window.sessions.edit(objects)
    session = window.sessions.session
    qtbot.waitUntil(lambda: session is not None and session.objects.is_counted, timeout=20_000)
    whole = np.array(session.volume.read(Box.of_shape(session.volume.shape)))
    z = int(np.argmax((whole > 0).sum(axis=(1, 2))))
    window.canvas.model.go_to(z)
    view = window.canvas.view
    qtbot.keyClick(view, Qt.Key.Key_E)
    assert window.canvas.model.hand.tool is Tool.ERASER
    y, x = np.argwhere(whole[z])[len(np.argwhere(whole[z])) // 2]
    qtbot.mouseClick(view.viewport(), LEFT, pos=view.place_of(int(y), int(x)).toPoint())
    qtbot.waitUntil(lambda: session.volume[z][y, x] == 0)
    press(window, qtbot, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: window.sessions.unsaved == 0)


def paint_undo_redo_save(
    window: MainWindow, qtbot: Any, image: Path, mitochondria: list[NDArray[np.bool_]]
) -> tuple[list[int], OpenItem]:
    """Paint two mitochondria, and see every step in the canvas, the journal and the store."""
    drop(window, image)
    qtbot.waitUntil(lambda: window.canvas.view.image_section is not None)
    assert window.canvas.model.image.source.endswith(image.name)
    choose(window, qtbot, "File", "New labels from image")
    session = window.sessions.session
    view = window.canvas.view
    # On a section that is still being read nothing is painted, and that is said.
    qtbot.waitUntil(lambda: session.objects.is_counted and view.item.overlay.section is not None)
    qtbot.keyClick(view, Qt.Key.Key_V)
    assert window.canvas.model.hand.tool is Tool.NAVIGATE
    qtbot.keyClick(view, Qt.Key.Key_B)
    assert window.canvas.model.hand.tool is Tool.BRUSH
    while window.canvas.model.hand.brush_px > 5:
        qtbot.keyClick(view, Qt.Key.Key_BracketLeft)

    sizes = []
    for mask in mitochondria:
        before = session.objects[1].voxels
        stroke(window, mask)
        hit = np.array(session.volume[0]) == 1
        assert (hit & mask).sum() > 0.5 * mask.sum()
        sizes.append(session.objects[1].voxels - before)
    assert window.sessions.unsaved == 2
    both = np.array(session.volume[0])
    assert (both[~np.logical_or(*mitochondria)]).sum() < 0.1 * both.sum()

    press(window, qtbot, Qt.Key.Key_Z)
    assert session.objects[1].voxels == sizes[0]
    press(window, qtbot, Qt.Key.Key_Y)
    assert np.array_equal(session.volume[0], both)
    strokes = [EntryKind.APPLY, EntryKind.APPLY, EntryKind.UNDO, EntryKind.REDO]
    assert [kind for kind in kinds_in(session.path) if kind in strokes] == strokes
    press(window, qtbot, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: window.sessions.unsaved == 0)
    assert kinds_in(session.path)[-1] is EntryKind.CHECKPOINT
    stored = open_store(session.path)
    assert np.array_equal(stored[0], both)
    assert session.can_undo, "saving must not cost the history"
    return sizes, window.sessions.item


def train_watch_stop(window: MainWindow, qtbot: Any, labels: OpenItem) -> None:
    """Start a training from its panel, see a curve and a picture, and stop it: the model stays."""
    choose(window, qtbot, "Segment", "2D CNN", "Train 2D…")
    panel = window.panels.shown
    assert isinstance(panel, TrainingPanel)
    assert panel.inputs["labels"].location == labels.location
    tiny = {"network.depth": 1, "network.base_features": 4, "patch_size": 32, "batch_size": 2}
    qtbot.mouseClick(panel.setup.modes["Advanced"], LEFT)
    for path, number in {**tiny, "steps": 90_000, "validate_every": 5, "validation_windows": 2}.items():
        panel.setup.search.clear()
        qtbot.keyClicks(panel.setup.search, path.rpartition(".")[2].replace("_", " "))
        assert panel.form.editor(path).isVisible()
        type_into(panel, qtbot, path, number)
    assert panel.parameters().network.base_features == 4
    qtbot.mouseClick(panel.run_button, LEFT)
    job = panel.job
    assert job is not None
    qtbot.waitUntil(lambda: {"loss", "val_loss"} <= set(panel.curves.names), timeout=120_000)
    qtbot.waitUntil(lambda: len(job.status.metrics["val_loss"]) > 1, timeout=60_000)
    qtbot.waitUntil(lambda: bool(job.status.previews), timeout=60_000)
    qtbot.mouseClick(panel.progress.cancel, LEFT)
    qtbot.waitUntil(lambda: job.status.ending is not None, timeout=60_000)
    assert job.status.ending is Ending.CANCELLED
    model = newest(window, qtbot, Role.MODEL, 1)
    assert ModelFolder.is_model(Path(model.location))


def try_the_model_here(window: MainWindow, qtbot: Any) -> None:
    """Infer on the section in view; the result lies over it."""
    choose(window, qtbot, "Segment", "2D CNN", "Infer 2D…")
    panel = window.panels.shown
    assert isinstance(panel, InferencePanel)
    before = window.canvas.model.labels
    qtbot.mouseClick(panel.try_button, LEFT)
    ended(qtbot, panel.job)
    qtbot.waitUntil(lambda: window.canvas.model.labels is not before)
    trial = window.canvas.model.labels
    assert trial.shape == window.canvas.model.image.shape
    map_ = open_store(Path(next(iter(panel.job.status.outputs.values()))))
    assert map_.shape[0] == 1
    assert trial[0].any() == bool((np.array(map_[0]) > 127).any())


def label(window: MainWindow, qtbot: Any, labels: OpenItem, count: int) -> OpenItem:
    """Number the connected components of what was painted."""
    choose(window, qtbot, "Segment", "Labels", "Label…")
    panel = window.panels.shown
    pick(panel.inputs["image"].combo, qtbot, labels.name)
    assert panel.inputs["image"].location == labels.location
    qtbot.mouseClick(panel.run_button, LEFT)
    ended(qtbot, panel.job)
    objects = newest(window, qtbot, Role.LABELS, 2)
    assert sorted(np.unique(objects.noun[0])) == list(range(count + 1))
    assert window.showing.labels_item is objects
    return objects


def mesh(window: MainWindow, qtbot: Any, sizes: list[int]) -> None:
    """Show the objects in 3D, listed and drawn."""
    choose(window, qtbot, "Annotate", "Show meshes of all labels")
    qtbot.waitUntil(
        lambda: window.annotator is not None and len(window.annotator.objects) == len(sizes), timeout=120_000
    )
    assert window.layout_of_docks.docks["annotator"].isVisible()
    assert all(len(item.mesh.faces) > 20 for item in window.annotator.objects)
    shown = window.workspace.find(Role.MESHES)[-1]
    assert len(list(Path(shown.location).glob("*.ply"))) == len(sizes)


def measure(window: MainWindow, qtbot: Any, objects: OpenItem, sizes: list[int], copy: Path) -> None:
    """Measure the objects, see the table, and put it into a CSV file."""
    choose(window, qtbot, "Annotate", "Measure…")
    panel = window.panels.shown
    assert panel.inputs["labels"].location == objects.location
    qtbot.mouseClick(panel.run_button, LEFT)
    ended(qtbot, panel.job)
    table = newest(window, qtbot, Role.TABLE, 1)
    qtbot.waitUntil(lambda: window.table.view.model() is not None)
    assert window.table.view.model().rowCount() == len(sizes)
    answer_file_dialog(copy)
    qtbot.mouseClick(window.table.save_button, LEFT)
    with copy.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(int(row["voxels"]) for row in rows) == sorted(sizes)
    voxel = np.prod(objects.noun.voxel_size)
    for row in rows:
        assert float(row["volume_nm3"]) == pytest.approx(int(row["voxels"]) * voxel, rel=1e-6)
    assert copy.read_bytes() == Path(table.location).read_bytes()
