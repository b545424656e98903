"""How much processor time a dab, a change of section and an undo take on sections of growing size.

With no display: `xvfb-run -a -s "-screen 0 1920x1080x24 -dpi 96" .venv/bin/python -m benchmarks.canvas`.
Every event is a real mouse event; the time ends when Qt has painted it.
"""

from __future__ import annotations

import functools
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_API", "pyqt5")

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from uniem.data.geometry import VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind
from uniem.gui.canvas.canvas import Canvas
from uniem.proofreading.session import ProofreadingSession

SIZES = (1024, 4096, 16384)
VOXEL_SIZE = VoxelSize(50, 5, 5)
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def send(canvas: Canvas, kind: QEvent.Type, x: float, y: float) -> None:
    buttons = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else LEFT
    event = QMouseEvent(kind, QPointF(x, y), LEFT, buttons, NONE)
    QApplication.sendEvent(canvas.view.viewport(), event)


def cpu_ms(action: Callable[[], None]) -> float:
    """Return the processor time of this process until the window is painted."""
    begin = time.process_time()
    action()
    QApplication.processEvents()
    return (time.process_time() - begin) * 1e3


def report(title: str, size: int, times: list[float]) -> None:
    median, high = np.percentile(times, (50, 95))
    print(f"{title:<44} {size:>6}²  median {median:7.2f} ms   p95 {high:7.2f} ms   (process CPU)")


def open_canvas(image: ArrayVolume, session: ProofreadingSession, scale: float | None) -> Canvas:
    canvas = Canvas()
    canvas.resize(1600, 960)
    canvas.show()
    canvas.edit_labels(image, session)
    while canvas.view.item.overlay.section is None or not canvas.reader.is_idle():
        QApplication.processEvents()
        time.sleep(0.01)
    if scale is not None:
        canvas.view.zoom(scale / canvas.view.camera.scale, QPointF(800, 450))
    canvas.run("brush")
    QApplication.processEvents()
    return canvas


def dabs(canvas: Canvas, brush_px: int, count: int = 200) -> list[float]:
    """Draw one stroke around the middle of the view and time every move."""
    canvas.model.hand.brush_px = brush_px
    size = canvas.view.viewport()
    angles = np.linspace(0, 6 * np.pi, count)
    xs, ys = size.width() / 2 + 200 * np.cos(angles), size.height() / 2 + 200 * np.sin(angles)
    send(canvas, QEvent.Type.MouseButtonPress, float(xs[0]), float(ys[0]))
    QApplication.processEvents()
    times = [
        cpu_ms(functools.partial(send, canvas, QEvent.Type.MouseMove, float(x), float(y)))
        for x, y in zip(xs[1:], ys[1:], strict=True)
    ]
    send(canvas, QEvent.Type.MouseButtonRelease, float(xs[-1]), float(ys[-1]))
    QApplication.processEvents()
    return times


def steps(canvas: Canvas, count: int = 40) -> list[float]:
    """Go to and fro between two sections."""
    return [cpu_ms(functools.partial(canvas.model.go_to, i % 2)) for i in range(1, count + 1)]


def labels_of(size: int) -> NDArray[np.uint32]:
    """Return two sections of labels in patches of 64 voxels."""
    patches = np.random.default_rng(1).integers(0, 60_000, (2, size // 64, size // 64)).astype(np.uint32)
    return patches.repeat(64, axis=1).repeat(64, axis=2)


def measure_session(size: int, folder: Path, image: ArrayVolume) -> None:
    create_store(folder / f"{size}.zarr", image.shape, np.uint32, VOXEL_SIZE, Kind.LABELS)
    session = ProofreadingSession.open(folder / f"{size}.zarr", "benchmark")
    for title, scale in (("1:1", 1.0), ("fit", None)):
        canvas = open_canvas(image, session, scale)
        report(f"dab of 64 px, {title}", size, dabs(canvas, 64))
        if scale is not None:
            report(f"dab of 256 px, {title}", size, dabs(canvas, 256))
            for label in range(2, 12):
                canvas.model.hand.label = label
                dabs(canvas, 64, 20)
            report("undo of a stroke", size, [cpu_ms(canvas.painting.undo) for _ in range(10)])
        canvas.close_views()
        canvas.deleteLater()
    session.close()


def measure_sections(size: int, image: ArrayVolume, labels: ArrayVolume) -> None:
    canvas = Canvas()
    canvas.resize(1600, 960)
    canvas.show()
    canvas.show_volumes(image, labels)
    QApplication.processEvents()
    report("next section in RAM with labels, fit", size, steps(canvas))
    canvas.view.zoom(1 / canvas.view.camera.scale, QPointF(800, 450))
    QApplication.processEvents()
    report("next section in RAM with labels, 1:1", size, steps(canvas))
    canvas.close_views()
    canvas.deleteLater()


def main() -> None:
    """Print every figure."""
    application = QApplication.instance() or QApplication([])
    assert application is not None
    for size in SIZES:
        gray = np.random.default_rng(0).integers(0, 255, (2, size, size), np.uint8)
        image = ArrayVolume(gray, VOXEL_SIZE)
        measure_sections(size, image, ArrayVolume(labels_of(size), VOXEL_SIZE, Kind.LABELS))
        with tempfile.TemporaryDirectory() as folder:
            measure_session(size, Path(folder), image)


if __name__ == "__main__":
    main()
