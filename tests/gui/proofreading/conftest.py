"""A window in which labels of several objects are open for proofreading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.gui.test_window import drop
from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import Kind
from uniem.gui.main_window import MainWindow

SHAPE = (6, 96, 96)


def scene() -> np.ndarray:
    """Return a large object of two pieces, a small one that touches it, and two more."""
    labels = np.zeros(SHAPE, np.uint32)
    labels[:, 10:40, 10:40] = 5
    labels[1:3, 60:66, 10:20] = 5
    labels[2, 40:42, 20:24] = 6
    labels[:, 10:40, 41:60] = 7
    labels[:, 60:90, 40:90] = 8
    return labels


@pytest.fixture
def proofreading(window: MainWindow, stack: Path, tmp_path: Path, qtbot: Any) -> MainWindow:
    path = tmp_path / "objects.zarr"
    store = create_store(path, SHAPE, np.uint32, VoxelSize(40.0, 4.0, 4.0), Kind.LABELS)
    store.write(Box.of_shape(SHAPE), scene())
    drop(window, stack)
    drop(window, path)
    window.sessions.edit(window.workspace.at(path))
    qtbot.waitUntil(
        lambda: window.sessions.session is not None and window.sessions.session.objects.is_counted
    )
    qtbot.waitUntil(lambda: window.canvas.view.item.overlay.section is not None)
    qtbot.waitUntil(lambda: window.objects.model.rowCount() == 4)
    return window


def voxels(window: MainWindow) -> np.ndarray:
    session = window.sessions.session
    assert session is not None
    return session.volume.read(Box.of_shape(SHAPE))


def select(window: MainWindow, *labels: int) -> None:
    """Select rows of the object table."""
    table = window.objects.table
    table.clearSelection()
    for label in labels:
        row = window.objects.model.row_of(label)
        flags = table.selectionModel().Select | table.selectionModel().Rows
        table.selectionModel().select(window.objects.model.index(row, 0), flags)


def settle(window: MainWindow, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not window.canvas.painting.maker.is_busy)
