"""A canvas in a window, with an image and a session whose labels can be painted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint

from uniem.data.geometry import VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind
from uniem.gui.canvas.canvas import Canvas
from uniem.proofreading.session import ProofreadingSession

VOXEL_SIZE = VoxelSize(50.0, 5.0, 5.0)
OpenCanvas = Callable[..., Canvas]


@pytest.fixture
def canvas(qtbot: QtBot) -> Iterator[Canvas]:
    widget = Canvas()
    widget.resize(900, 700)
    widget.show()
    qtbot.waitExposed(widget)
    yield widget
    widget.close_views()
    widget.close()
    widget.deleteLater()


@pytest.fixture
def session(tmp_path: Path) -> Iterator[ProofreadingSession]:
    create_store(tmp_path / "labels.zarr", (30, 256, 320), np.uint32, VOXEL_SIZE, Kind.LABELS)
    opened = ProofreadingSession.open(tmp_path / "labels.zarr", "tester")
    opened.objects.scan()
    yield opened
    opened.close()


@pytest.fixture
def image() -> ArrayVolume:
    z, y, x = np.ogrid[:30, :256, :320]
    array = ((x + 2 * y + 8 * z) % 200 + 20).astype(np.uint8)
    return ArrayVolume(array, VOXEL_SIZE, name="image")


@pytest.fixture
def painting_canvas(qtbot: QtBot, canvas: Canvas, image: ArrayVolume, session: ProofreadingSession) -> Canvas:
    canvas.edit_labels(image, session)
    qtbot.waitUntil(lambda: canvas.view.item.overlay.section is not None)
    canvas.run("brush")
    canvas.model.hand.brush_px = 9
    canvas.model.hand.label = 7
    return canvas


def section(session: ProofreadingSession, z: int) -> NDArray[Any]:
    return session.volume[z]


def place(canvas: Canvas, y: int, x: int) -> QPoint:
    return canvas.view.place_of(y, x).toPoint()
