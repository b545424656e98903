"""Someone at the window who clicks, paints, waits and takes pictures of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QImage, QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from uniem.gui.app import make_window
from uniem.gui.main_window import MainWindow
from uniem.gui.panels.operation_panel import OperationPanel
from uniem.jobs.events import Ending
from uniem.jobs.queue import Job

MAX_BYTES = 400_000
# Its type hints name self as an argument.
HANDS: Any = QTest
LEFT, NO_BUTTON, NONE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.NoButton,
    Qt.KeyboardModifier.NoModifier,
)
LONGEST_S = 1800.0


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
        HANDS.keyClick(self.window.canvas.view, key)

    def click(self, widget: QWidget) -> None:
        """Click in the middle of a widget."""
        HANDS.mouseClick(widget, LEFT)

    def click_at(self, place: QPointF) -> None:
        """Click a place of the view of the sections."""
        viewport: Any = self.window.canvas.view.viewport()
        HANDS.mouseClick(viewport, LEFT, NONE, place.toPoint())

    def paint(self, mask: NDArray[np.bool_]) -> None:
        """Paint over an object of the section, row by row, with one drag of the mouse."""
        view = self.window.canvas.view
        points = [view.place_of(*voxel) for voxel in zigzag(mask, self.window.canvas.model.hand.radius_px)]
        if points:
            self.drag(points)

    def drag(self, points: Sequence[QPointF], is_released: bool = True) -> None:
        """Move over places of the view of the sections with the left button down, and perhaps let it go."""
        self._mouse(QEvent.Type.MouseButtonPress, points[0])
        for point in points:
            self._mouse(QEvent.Type.MouseMove, point)
        if is_released:
            self.release(points[-1])

    def release(self, at: QPointF) -> None:
        """Let the left button go."""
        self._mouse(QEvent.Type.MouseButtonRelease, at)

    def settle(self) -> None:
        """Wait until every edit is made and everything is shown."""
        canvas = self.window.canvas
        self.wait(lambda: not canvas.painting.maker.is_busy and canvas.reader.is_idle())
        self.wait(lambda: all(view.is_complete for view in canvas.grid.views if view.isVisible()))

    def edit(self, labels: Path) -> None:
        """Open labels for editing, and wait until their objects are counted."""
        self.window.sessions.edit(self.window.workspace.open(labels))
        self.wait(self._is_counted)

    def _is_counted(self) -> bool:
        session = self.window.sessions.session
        return session is not None and session.objects.is_counted

    def _mouse(self, kind: QEvent.Type, at: QPointF) -> None:
        viewport: Any = self.window.canvas.view.viewport()
        button = NO_BUTTON if kind == QEvent.Type.MouseMove else LEFT
        held = NO_BUTTON if kind == QEvent.Type.MouseButtonRelease else LEFT
        event = QMouseEvent(kind, at, QPointF(viewport.mapToGlobal(at.toPoint())), button, held, NONE)
        QApplication.sendEvent(viewport, event)
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


@contextmanager
def playing(application: QApplication, folder: Path, width: int, height: int) -> Iterator[Player]:
    """Open a window for someone to play in, whose pictures go into a folder; at the end nothing goes on."""
    window = make_window()
    window.move(0, 0)
    window.resize(width, height)
    window.layout_of_docks.arrange()
    window.show()
    try:
        yield Player(application, window, folder)
    finally:
        window.queue.stop_all()
        window.sessions.end()
        window.close()
        application.processEvents()


def move_to(widget: QWidget, place: QPointF) -> None:
    """Move the mouse, without a button, to a place of the part of a view that scrolls."""
    viewport: Any = widget.viewport() if hasattr(widget, "viewport") else widget
    QApplication.sendEvent(viewport, QEvent(QEvent.Type.Enter))
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        place,
        QPointF(viewport.mapToGlobal(place.toPoint())),
        NO_BUTTON,
        NO_BUTTON,
        NONE,
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
