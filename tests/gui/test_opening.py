"""Opening anything: dropped, pasted, by address, several at once, wrong ones among them."""

from __future__ import annotations

import functools
import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import imagecodecs
import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QApplication

from uniem.data.formats import export_volume
from uniem.data.formats.mojo import MojoSegment
from uniem.data.geometry import VoxelSize
from uniem.data.volume import ArrayVolume, Kind
from uniem.gui.main_window import MainWindow
from uniem.gui.opening.address_dialog import AddressDialog
from uniem.gui.opening.folder_chooser import FolderChooser
from uniem.gui.opening.part_chooser import PartDialog
from uniem.operations.operation import Role

RNG = np.random.default_rng(4)
IMAGE = RNG.integers(0, 255, (6, 40, 50), np.uint8)


def drop(window: MainWindow, *urls: QUrl | Path) -> None:
    data = QMimeData()
    data.setUrls([url if isinstance(url, QUrl) else QUrl.fromLocalFile(str(url)) for url in urls])
    action = Qt.DropActions(Qt.DropAction.CopyAction)
    window.dropEvent(QDropEvent(QPointF(9, 9), action, data, Qt.LeftButton, Qt.NoModifier))


def wait(window: MainWindow, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not window.opening.is_busy, timeout=20_000)


def write_sections(folder: Path, prefix: str, shape: tuple[int, int, int] = (12, 40, 50)) -> list[Path]:
    folder.mkdir(exist_ok=True)
    files = [folder / f"{prefix}{z}.png" for z in range(shape[0])]
    for z, file in enumerate(files):
        file.write_bytes(imagecodecs.png_encode(np.full(shape[1:], z, np.uint8)))
    return files


def shapes(window: MainWindow) -> list[tuple[int, ...]]:
    return [item.noun.shape for item in window.workspace.items]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Serve a folder with an OME-Zarr in it, slowly."""
    folder = tmp_path / "served"
    export_volume(ArrayVolume(IMAGE, VoxelSize(40, 4, 4)), folder / "a.zarr")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(0.05)
            super().do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=web.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{web.server_address[1]}"
    web.shutdown()
    web.server_close()


def test_sections_dropped_together_are_one_stack(window: MainWindow, tmp_path: Path, qtbot: Any) -> None:
    files = write_sections(tmp_path / "sections", "s_")
    drop(window, *reversed(files))
    wait(window, qtbot)
    assert shapes(window) == [(12, 40, 50)]
    assert window.workspace.items[0].location == str(tmp_path / "sections")
    drop(window, *files[3:9])
    wait(window, qtbot)
    assert shapes(window)[1] == (6, 40, 50)
    assert [int(window.workspace.items[1].noun[z].min()) for z in (0, 5)] == [3, 8]
    assert window.workspace.items[1].location.endswith("::s_3.png..s_8.png")


def test_pictures_that_are_no_series_are_opened_each_for_itself(
    window: MainWindow, tmp_path: Path, qtbot: Any, stack: Path, discs: Path
) -> None:
    for name in ("membrane.png", "mitochondria.png"):
        (tmp_path / name).write_bytes(imagecodecs.png_encode(IMAGE[0]))
    drop(window, tmp_path / "membrane.png", tmp_path / "mitochondria.png", stack, discs)
    wait(window, qtbot)
    assert sorted(shapes(window)) == [(1, 40, 50), (1, 40, 50), (6, 96, 96), (6, 96, 96)]


def test_a_double_drop_opens_once(window: MainWindow, stack: Path, qtbot: Any) -> None:
    for _ in range(3):
        drop(window, stack)
    wait(window, qtbot)
    drop(window, stack)
    wait(window, qtbot)
    assert len(window.workspace.items) == 1


def test_what_is_opened_is_selected_and_what_does_not_fit_it_is_named(
    window: MainWindow, stack: Path, discs: Path, tmp_path: Path, qtbot: Any
) -> None:
    tifffile.imwrite(tmp_path / "wide.tif", IMAGE)
    export_volume(ArrayVolume(np.ones((6, 96, 96), np.float32), None, Kind.PROBABILITY), tmp_path / "p.zarr")
    drop(window, stack, discs, tmp_path / "p.zarr")
    wait(window, qtbot)
    drop(window, tmp_path / "wide.tif")
    wait(window, qtbot)
    assert window.data.current is window.workspace.at(tmp_path / "wide.tif")
    assert "p.zarr and discs.tif have another shape than wide.tif and were hidden." in window.message.text
    drop(window, discs)
    wait(window, qtbot)
    assert window.data.current is window.workspace.at(discs)


def test_long_names_are_cut_in_the_lists(window: MainWindow, stack: Path, tmp_path: Path, qtbot: Any) -> None:
    long = stack.rename(tmp_path / f"{'a very long name ' * 5}of a stack.tif")
    drop(window, long)
    wait(window, qtbot)
    assert not window.canvas.layers_panel.list.horizontalScrollBar().isVisible()
    assert not window.data.tree.horizontalScrollBar().isVisible()


def test_problems_are_one_message_and_the_good_ones_open(
    window: MainWindow, stack: Path, tmp_path: Path, qtbot: Any
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("Dear diary")
    drop(window, notes, tmp_path / "gone.tif", QUrl("ftp://host/x"), stack)
    wait(window, qtbot)
    assert len(window.workspace.items) == 1
    lines = window.message.text.splitlines()
    assert lines[0] == "3 things could not be opened:"
    assert "Dear diary" in window.message.text
    assert "Looked for" in window.message.text
    assert "gone.tif" in window.message.text


@pytest.mark.parametrize("way", ["drop", "paste", "dialog"])
def test_an_address_is_opened(window: MainWindow, server: str, qtbot: Any, way: str) -> None:
    address = f"{server}/a.zarr"
    if way == "drop":
        drop(window, QUrl(f"{address}/zarr.json"))
    elif way == "paste":
        QApplication.clipboard().setText(f" {address}/\n")
        window.action_set["open-copied"].trigger()
    else:
        QApplication.clipboard().setText(address)
        window.action_set["open-address"].trigger()
        dialog = window.findChild(AddressDialog)
        assert dialog.address == address
        dialog.accept()
    assert window.opening.is_busy
    wait(window, qtbot)
    assert shapes(window) == [(6, 40, 50)]
    menu = window.data.menu_of(window.workspace.items[0])
    titles = [action.text() for action in menu.actions()]
    assert "Copy address" in titles
    assert "Show in file manager" not in titles
    assert len(window.settings.get("recent addresses")) == 1


def test_what_takes_long_is_told_and_cancelled(window: MainWindow, stack: Path, qtbot: Any) -> None:
    with _silent_server() as address:
        drop(window, QUrl(f"{address}/a.zarr"), stack)
        qtbot.waitUntil(lambda: len(window.workspace.items) == 1)
        qtbot.waitUntil(window.opening.busy_bar.isVisible)
        assert "a.zarr" in window.opening.busy_bar.label.text()
        window.opening.busy_bar.cancel.click()
        assert not window.opening.is_busy
        assert not window.opening.busy_bar.isVisible()


class _silent_server:
    """A server that takes connections and never answers."""

    def __enter__(self) -> str:
        import socket

        self._socket = socket.create_server(("127.0.0.1", 0))
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def test_the_clipboard_may_hold_no_path(window: MainWindow) -> None:
    QApplication.clipboard().setText("just words")
    window.opening.paste()
    assert "“just words”" in window.message.text


def test_datasets_of_a_file_are_chosen(window: MainWindow, tmp_path: Path, qtbot: Any) -> None:
    with h5py.File(tmp_path / "many.h5", "w") as file:
        for name in ("raw", "labels", "more/other"):
            file[name] = IMAGE if name != "labels" else (IMAGE > 100).astype(np.uint32)
    drop(window, tmp_path / "many.h5")
    wait(window, qtbot)
    dialog = window.findChild(PartDialog)
    rows = [dialog.list.topLevelItem(i) for i in range(3)]
    assert [row.text(0) for row in rows] == ["labels", "more/other", "raw"]
    assert (rows[0].text(1), rows[0].text(2)) == ("6 × 40 × 50", "uint32")
    dialog.list.tick_all(False)
    assert not dialog.open_button.isEnabled()
    for row in (rows[0], rows[2]):
        row.setCheckState(0, Qt.CheckState.Checked)
    dialog.accept()
    wait(window, qtbot)
    assert [item.name for item in window.workspace.items] == ["many.h5::labels", "many.h5::raw"]
    assert [item.role for item in window.workspace.items] == [Role.LABELS, Role.IMAGE]


def test_a_dojo_folder_opens_as_images_and_ids(window: MainWindow, tmp_path: Path, qtbot: Any) -> None:
    export_volume(ArrayVolume(IMAGE), tmp_path / "d.mojo::images")
    ids = ArrayVolume((IMAGE // 50).astype(np.uint32), kind=Kind.LABELS)
    export_volume(ids, tmp_path / "d.mojo::ids")
    drop(window, tmp_path / "d.mojo")
    wait(window, qtbot)
    dialog = window.findChild(PartDialog)
    assert len(dialog.chosen) == 2
    dialog.accept()
    wait(window, qtbot)
    assert [item.role for item in window.workspace.items] == [Role.IMAGE, Role.LABELS]


def test_a_folder_of_several_stacks_offers_them(window: MainWindow, tmp_path: Path, qtbot: Any) -> None:
    folder = tmp_path / "two"
    write_sections(folder, "a_")
    write_sections(folder, "b_", (30, 16, 20))
    (folder / "b_30.png").write_bytes(imagecodecs.png_encode(np.zeros((9, 9), np.uint8)))
    tifffile.imwrite(folder / "stack.tif", IMAGE)
    drop(window, folder)
    wait(window, qtbot)
    dialog = window.findChild(PartDialog)
    parts = {part.name: part.shape for part in dialog.list.parts}
    assert parts["a_#.png"] == (12, 40, 50)
    assert parts["b_0.png..b_29.png"] == (30, 16, 20)
    assert parts["stack.tif"] == (6, 40, 50)
    dialog.reject()


def test_the_folder_chooser_looks_into_folders(window: MainWindow, tmp_path: Path, qtbot: Any) -> None:
    write_sections(tmp_path / "one", "z")
    write_sections(tmp_path / "two", "a_")
    write_sections(tmp_path / "two", "b_", (4, 16, 20))
    window.settings.set("folder chooser", str(tmp_path / "one"))
    window.opening.ask_folder()
    chooser = window.findChild(FolderChooser)
    assert chooser.folder == tmp_path / "one"
    preview = chooser.preview
    qtbot.waitUntil(lambda: "12 sections of 40 × 50" in preview.facts.text(), timeout=10_000)
    assert preview.title.text() == "A folder of PNG, TIFF or JPG sections"
    captions = [thumbnail.caption.text() for thumbnail in preview.thumbnails]
    assert captions == ["section 0", "section 5", "section 11"]
    assert all(thumbnail.picture.pixmap() is not None for thumbnail in preview.thumbnails)
    chooser.path.setFocus()
    chooser.path.setText(str(tmp_path / "two"))
    qtbot.keyClick(chooser.path, Qt.Key_Return)
    qtbot.waitUntil(lambda: len(preview.list.parts) == 2 and preview.list.isVisible(), timeout=10_000)
    preview.list.tick_all(False)
    assert not chooser.open_button.isEnabled()
    preview.list.topLevelItem(1).setCheckState(0, Qt.CheckState.Checked)
    chooser.tree.setFocus()
    chooser.accept()
    wait(window, qtbot)
    assert shapes(window) == [(4, 16, 20)]
    assert window.settings.get("folder chooser") == str(tmp_path / "two")


def test_the_folder_chooser_keeps_the_folder_in_view_and_opens_none_without_anything(
    window: MainWindow, tmp_path: Path, qtbot: Any
) -> None:
    for number in range(60):
        (tmp_path / f"f{number:02d}").mkdir()
    (tmp_path / "last" / "empty").mkdir(parents=True)
    write_sections(tmp_path / "last" / "sections", "z")
    window.settings.set("folder chooser", str(tmp_path / "f00"))
    window.opening.ask_folder()
    chooser = window.findChild(FolderChooser)
    chooser.go_to(tmp_path / "last" / "empty")
    qtbot.waitUntil(lambda: chooser.preview.title.text().startswith("Nothing here"), timeout=10_000)
    assert not chooser.open_button.isEnabled()
    place = chooser.tree
    qtbot.waitUntil(lambda: place.viewport().rect().contains(place.visualRect(place.currentIndex())))
    chooser.go_to(tmp_path / "last" / "sections")
    qtbot.waitUntil(lambda: chooser.preview.is_known, timeout=10_000)
    assert chooser.open_button.isEnabled()
    (tmp_path / "last" / "meshes").mkdir()
    (tmp_path / "last" / "meshes" / "1.ply").write_bytes(b"ply")
    chooser.go_to(tmp_path / "last" / "meshes")
    qtbot.waitUntil(lambda: chooser.preview.title.text() == "Meshes", timeout=10_000)
    assert chooser.preview.chosen == [str(tmp_path / "last" / "meshes")]
    chooser.reject()


def test_names_locks_and_colours_of_dojo_come_along_once(
    window: MainWindow, tmp_path: Path, qtbot: Any
) -> None:
    folder = tmp_path / "d.mojo"
    ids = ArrayVolume((IMAGE // 64).astype(np.uint32), kind=Kind.LABELS)
    export_volume(ArrayVolume(IMAGE), f"{folder}::images")
    segments = [MojoSegment(1, "soma"), MojoSegment(2, "", confidence=100)]
    export_volume(ids, f"{folder}::ids", segments=segments)
    with h5py.File(folder / "ids" / "colorMap.hdf5", "a") as file:
        file["idColorMap"][3] = (9, 8, 7)
    window.opening.open([f"{folder}::ids"])
    wait(window, qtbot)
    window.sessions.edit(window.workspace.items[0])
    qtbot.waitUntil(lambda: window.sessions.session is not None, timeout=60_000)
    session = window.sessions.session
    qtbot.waitUntil(lambda: window.objects.model.rowCount() == 3, timeout=20_000)
    names = [window.objects.model.data(window.objects.model.index(row, 3)) for row in range(3)]
    assert names == ["soma", "", ""]
    assert session.objects.locked() == {2}
    assert session.objects.fields_of(3).colour == (9, 8, 7)
    assert session.objects.fields_of(1).colour is None
    assert session.unsaved_edits == 0
    window.action_set["undo"].trigger()
    assert session.objects.field_changes() == ()
    session.save()
    path = session.path
    window.sessions.end()
    window.sessions.edit(window.workspace.at(path))
    assert window.sessions.session.objects.field_changes() == ()
    window.action_set["redo"].trigger()
    assert window.sessions.session.objects.fields_of(1).name == "soma"


def test_a_field_of_an_operation_asks_which_dataset(window: MainWindow, tmp_path: Path, qtbot: Any) -> None:
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["raw"] = file["other"] = IMAGE
    picker = window.panels.open("gaussian").inputs["image"]
    picker.take(f"file://{tmp_path / 'two.h5'}")
    qtbot.waitUntil(lambda: window.findChild(PartDialog) is not None)
    dialog = window.findChild(PartDialog)
    dialog.list.topLevelItem(1).setCheckState(0, Qt.CheckState.Checked)
    assert len(dialog.chosen) == 1
    dialog.accept()
    assert picker.location == f"{tmp_path / 'two.h5'}::raw"
    assert picker.combo.count() == 1
