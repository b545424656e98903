"""Someone at the window who clicks, paints, waits and takes pictures of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QImage, QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from uniem.gui.main_window import MainWindow
from uniem.gui.panels.operation_panel import OperationPanel
from uniem.jobs.events import Ending
from uniem.jobs.queue import Job

MAX_BYTES = 400_000
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
LONGEST_S = 900.0


class Player:
    """Someone at the window: drops, paints, clicks, waits, and takes pictures."""

    def __init__(self, application: QApplication, window: MainWindow, folder: Path) -> None:
        self.application, self.window, self.folder = application, window, folder

    def wait(self, until: Callable[[], bool], seconds: float = LONGEST_S) -> None:
        """Let the window live until something is true."""
        end = time.monotonic() + seconds
        while not until():
            self.application.processEvents()
            time.sleep(0.005)
            if time.monotonic() > end:
                raise SystemExit(f"waited for {seconds:.0f} s in vain")

    def rest(self, seconds: float = 0.4) -> None:
        """Let everything be painted."""
        end = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() > end)

    def picture(self, name: str) -> None:
        """Write what is on the screen where the window is as a PNG of at most 256 colours."""
        self.rest()
        screen: Any = self.application.primaryScreen()
        place = self.window.geometry()
        pixmap = screen.grabWindow(0, place.x(), place.y(), place.width(), place.height())
        image = pixmap.toImage().convertToFormat(QImage.Format.Format_RGB888)
        write_small_png(pixels_of(image), self.folder / f"{name}.png")

    def drop(self, *paths: Path) -> None:
        """Drop files on the window."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        copy = Qt.DropActions(Qt.DropAction.CopyAction)
        for event in (
            QDragEnterEvent(QPoint(300, 300), copy, data, LEFT, NONE),
            QDropEvent(QPointF(300, 300), copy, data, LEFT, NONE),
        ):
            QApplication.sendEvent(self.window, event)
        self.wait(lambda: self.window.canvas.view.image_section is not None)

    def do(self, action: str) -> None:
        """Choose an entry of a menu."""
        self.window.action_set[action].trigger()
        self.rest(0.1)

    def key(self, key: Qt.Key) -> None:
        """Press a key over the canvas."""
        QTest.keyClick(self.window.canvas.view, key)

    def click(self, widget: QWidget) -> None:
        """Click in the middle of a widget."""
        QTest.mouseClick(widget, LEFT)

    def click_at(self, place: QPointF) -> None:
        """Click a place of the view of the sections."""
        viewport: Any = self.window.canvas.view.viewport()
        QTest.mouseClick(viewport, LEFT, NONE, place.toPoint())

    def paint(self, mask: NDArray[np.bool_]) -> None:
        """Paint over an object of the section, row by row, with one drag of the mouse."""
        view = self.window.canvas.view
        points = [view.place_of(*voxel) for voxel in zigzag(mask, self.window.canvas.model.hand.radius_px)]
        if not points:
            return
        kinds = [QMouseEvent.Type.MouseButtonPress, *[QMouseEvent.Type.MouseMove] * len(points)]
        for kind, point in zip(kinds, [points[0], *points], strict=True):
            button = LEFT if kind == QMouseEvent.Type.MouseButtonPress else Qt.MouseButton.NoButton
            event = QMouseEvent(kind, point, point, button, LEFT, NONE)
            QApplication.sendEvent(view.viewport(), event)
        up = QMouseEvent.Type.MouseButtonRelease
        event = QMouseEvent(up, points[-1], points[-1], LEFT, Qt.MouseButton.NoButton, NONE)
        QApplication.sendEvent(view.viewport(), event)
        self.application.processEvents()

    def run(self, panel: OperationPanel, button: QWidget | None = None) -> Job:
        """Click Run, or another button, and wait for the job's end."""
        self.click(button or panel.run_button)
        if panel.job is None:
            raise SystemExit(f"{panel.operation.title} did not start")
        job = panel.job
        self.wait(lambda: job.status.ending is not None)
        if job.status.ending is not Ending.FINISHED:
            raise SystemExit(f"{panel.operation.title}: {job.status.error}")
        self.rest(1.0)
        return job


def move_to(widget: QWidget, place: QPointF) -> None:
    """Move the mouse, without a button, to a place of the part of a view that scrolls."""
    viewport: Any = widget.viewport() if hasattr(widget, "viewport") else widget
    none = Qt.MouseButton.NoButton
    QApplication.sendEvent(viewport, QEvent(QEvent.Type.Enter))
    event = QMouseEvent(
        QEvent.Type.MouseMove, place, QPointF(viewport.mapToGlobal(place.toPoint())), none, none, NONE
    )
    QApplication.sendEvent(viewport, event)


def zigzag(mask: NDArray[np.bool_], radius: float) -> list[tuple[int, int]]:
    """Return the voxels (y, x) a brush passes to fill a mask, from side to side."""
    from scipy import ndimage

    inside = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1] >= radius
    rows = [int(row) for row in np.flatnonzero(inside.any(axis=1))]
    ends = [np.flatnonzero(inside[row])[[0, -1]] for row in rows]
    turned = [pair if place % 2 else pair[::-1] for place, pair in enumerate(ends)]
    return [(row, int(x)) for row, pair in zip(rows, turned, strict=True) for x in pair]


def pixels_of(image: QImage) -> NDArray[np.uint8]:
    """Return a picture of three bytes per pixel as (y, x, 3) uint8."""
    bits: Any = image.constBits()
    bits.setsize(image.sizeInBytes())
    rows: NDArray[np.uint8] = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def write_small_png(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write a picture with as many colours, 256 at most, as its file may have bytes."""
    from PIL import Image

    for colours in (256, 128, 64, 48, 32):
        small = Image.fromarray(pixels).quantize(
            colours, method=Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE
        )
        small.save(path, optimize=True)
        if path.stat().st_size <= MAX_BYTES:
            return
    raise SystemExit(f"{path.name} has {path.stat().st_size:,} bytes")
