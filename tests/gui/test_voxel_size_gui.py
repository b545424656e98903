"""Missing voxel sizes: asked for once in a bar, kept, and used by whatever comes after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from qtpy.QtWidgets import QApplication

from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import create_store, open_store
from uniem.data.volume import Kind
from uniem.gui.app import make_window
from uniem.gui.main_window import MainWindow
from uniem.gui.opening.voxel_size import TECHNIQUES, VoxelSizeDialog, usual_sizes
from uniem.jobs.events import Ending

NM = VoxelSize(50, 4, 4)


def open_all(window: MainWindow, qtbot: Any, *paths: Path) -> None:
    window.opening.open(map(str, paths))
    qtbot.waitUntil(lambda: not window.opening.is_busy, timeout=20_000)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    path = tmp_path / "bare.npy"
    np.save(path, np.random.default_rng(0).integers(0, 255, (3, 40, 50), np.uint8))
    return path


def test_a_missing_size_is_asked_for_and_used_downstream(
    window: MainWindow, bare: Path, tmp_path: Path, qtbot: Any
) -> None:
    before = bare.read_bytes()
    mask = tmp_path / "mask.npy"
    np.save(mask, np.ones((3, 40, 50), np.uint32))
    open_all(window, qtbot, bare, mask)
    bar = window.voxel_sizes.bar
    assert bar.isVisible()
    assert bar.label.text() == "Voxel size of bare.npy and mask.npy is not known:"
    assert bar.offers[0].text() == "40 × 4 × 4 nm (SBEM)"
    bar.offers[2].click()
    assert not bar.isVisible()
    assert [item.noun.voxel_size for item in window.workspace.items] == [NM, NM]
    assert window.canvas.scale_bar.isVisible()
    assert bare.read_bytes() == before
    job = window.panels.open("gaussian").run()
    qtbot.waitUntil(lambda: job.status.ending is not None, timeout=60_000)
    assert job.status.ending is Ending.FINISHED
    assert open_store(Path(job.status.outputs["result"])).voxel_size == NM
    window.close()
    again = make_window()
    again.show()
    open_all(again, qtbot, bare)
    assert again.workspace.items[0].noun.voxel_size == NM
    assert not again.voxel_sizes.bar.isVisible()
    again.close()


def test_not_now_is_not_asked_again(window: MainWindow, bare: Path, qtbot: Any) -> None:
    open_all(window, qtbot, bare)
    window.voxel_sizes.bar.put_off.emit()
    assert not window.voxel_sizes.bar.isVisible()
    window.workspace.close(window.workspace.items[0])
    open_all(window, qtbot, bare)
    assert not window.voxel_sizes.bar.isVisible()


def test_a_file_that_says_its_pixels_is_asked_for_its_thickness(
    window: MainWindow, tmp_path: Path, qtbot: Any
) -> None:
    path = tmp_path / "single.tif"
    pixels = np.random.default_rng(0).integers(0, 255, (40, 50), np.uint8)
    tifffile.imwrite(path, pixels, imagej=True, resolution=(1 / 5, 1 / 6), metadata={"unit": "nm"})
    open_all(window, qtbot, path)
    bar = window.voxel_sizes.bar
    assert "pixels are 6 × 5 nm" in bar.label.text()
    assert bar.offers[0].text() == "40 × 6 × 5 nm"
    bar.offers[0].click()
    assert window.workspace.items[0].noun.voxel_size == VoxelSize(40, 6, 5)


def test_a_store_is_told_also_while_it_is_edited(window: MainWindow, tmp_path: Path, qtbot: Any) -> None:
    path = tmp_path / "labels.zarr"
    create_store(path, (3, 40, 50), "uint32", None, Kind.LABELS)
    open_all(window, qtbot, path)
    item = window.workspace.items[0]
    window.sessions.edit(item)
    window.voxel_sizes.set(item, NM)
    window.sessions.session.save()
    window.sessions.end()
    assert open_store(path).voxel_size == NM
    assert open_store(path).read(Box.of_shape((3, 40, 50))).max() == 0


def test_sizes_chosen_before_come_first(qtbot: Any) -> None:
    own = VoxelSize(45, 3, 3)
    offers = usual_sizes([own, NM], None)
    assert [size for _, size in offers[:2]] == [own, NM]
    assert ("ssTEM", NM) in offers
    assert len(offers) == len(TECHNIQUES) + 1


def test_the_dialog_takes_what_is_written_or_chosen(window: MainWindow, qtbot: Any) -> None:
    dialog = VoxelSizeDialog("x", None, usual_sizes([], None), True, window)
    assert not dialog.set_button.isEnabled()
    dialog.line.setText("50, 4.6")
    assert not dialog.set_button.isEnabled()
    dialog.line.setText("50, 4.6, 4.6")
    assert dialog.size_given == VoxelSize(50, 4.6, 4.6)
    dialog.list.setCurrentRow(1)
    assert dialog.size_given == TECHNIQUES[1][1]
    dialog.deleteLater()
    QApplication.processEvents()
