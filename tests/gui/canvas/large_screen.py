"""A canvas as large as a 4k screen, painted from edge to edge; run as a program for one scale of the screen."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_API", "pyqt5")

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QApplication

from tests.gui.canvas.hand_events import HandEvents
from uniem.data.geometry import VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind
from uniem.gui.canvas.canvas import Canvas
from uniem.proofreading.session import ProofreadingSession

WIDTH, HEIGHT = 3840, 2160
VOXEL_SIZE = VoxelSize(50, 5, 5)
BRUSH_PX, LABEL = 61, 5


def paint_across(folder: Path, scale: int) -> None:
    """Paint across a canvas of 3840 x 2160 pixels of a screen; check every voxel and every pixel."""
    shape = (2, HEIGHT // scale, WIDTH // scale)
    create_store(folder / "labels.zarr", shape, np.uint32, VOXEL_SIZE, Kind.LABELS)
    gray = np.random.default_rng(0).integers(40, 200, shape, np.uint8)
    session = ProofreadingSession.open(folder / "labels.zarr", "tester")
    canvas = Canvas()
    try:
        canvas.resize(WIDTH // scale, HEIGHT // scale)
        canvas.edit_labels(ArrayVolume(gray, VOXEL_SIZE), session)
        canvas.show()
        _stroke_and_check(canvas, session, scale)
    finally:
        canvas.close_views()
        canvas.close()
        canvas.deleteLater()
        session.close()


def _stroke_and_check(canvas: Canvas, session: ProofreadingSession, scale: int) -> None:
    view, hand = canvas.view, HandEvents(canvas)
    assert view.devicePixelRatioF() == scale
    hand.settle()
    height, width = view.viewport().height(), view.viewport().width()
    assert width * scale > 0.95 * WIDTH
    # Exactly one pixel to a voxel, so that the place of a pixel is the number of a voxel.
    view.camera = replace(view.camera, scale=1.0, row=height / 2, column=width / 2)
    view.zoom(1.0, QPointF(width / 2, height / 2))
    assert view.camera.scale == 1.0
    canvas.run("brush")
    canvas.model.hand.brush_px, canvas.model.hand.label = BRUSH_PX, LABEL
    hand.settle()
    before = _pixels(canvas)
    # Below the title, which lies over the view.
    path = [QPoint(30 + 60 * step, 90 + 30 * step) for step in range((width - 60) // 60)]
    assert path[-1].x() > 0.9 * width
    hand.draw(path)
    hand.settle()
    expected = _capsule((path[0].y(), path[0].x()), (path[-1].y(), path[-1].x()), session.volume.shape[1:])
    np.testing.assert_array_equal(session.volume[0] == LABEL, expected)
    assert not session.volume[1].any()
    changed = (_pixels(canvas) != before).any(axis=2)
    drawn = expected[:height, :width].repeat(scale, axis=0).repeat(scale, axis=1)
    np.testing.assert_array_equal(changed, drawn)
    canvas.painting.undo()
    hand.settle()
    np.testing.assert_array_equal(_pixels(canvas), before)


def _pixels(canvas: Canvas) -> NDArray[np.uint8]:
    """Return what is drawn while the mouse is elsewhere, as (y, x, 3)."""
    QApplication.sendEvent(canvas.view, QEvent(QEvent.Type.Leave))
    image = canvas.view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    bits: Any = image.constBits()
    bits.setsize(image.sizeInBytes())
    array: NDArray[np.uint8] = np.frombuffer(bits, np.uint8).reshape(image.height(), image.width(), 4)
    return array[..., :3].copy()


def _capsule(start: tuple[int, int], end: tuple[int, int], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the voxels whose middle is within half a brush of a line, found one by one."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    (y0, x0), (dy, dx) = start, (end[0] - start[0], end[1] - start[1])
    along = np.clip(((y - y0) * dy + (x - x0) * dx) / (dy**2 + dx**2), 0, 1)
    away = (y - y0 - along * dy) ** 2 + (x - x0 - along * dx) ** 2
    return np.asarray(away <= (BRUSH_PX / 2) ** 2 + 1e-6)


if __name__ == "__main__":
    # Without what the program does to follow the density of a screen, the scale is the one asked for, exactly.
    application = QApplication(sys.argv[:1])
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_UseHighDpiPixmaps)
    begin = time.thread_time()
    paint_across(Path(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.write(f"exact in {time.thread_time() - begin:.1f} s\n")
    QApplication.processEvents()
