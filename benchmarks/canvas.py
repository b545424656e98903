"""What a dab, a change of section and an undo take, on sections of growing size in memory and in a store.

With no display: `xvfb-run -a -s "-screen 0 1920x1080x24 -dpi 96" .venv/bin/python -m benchmarks.canvas`.
Every event is a real mouse event; the time ends when Qt has painted it. Beside it, the labels layer of napari
paints the same dabs by its own call, in a process and an environment of its own (left out with
`--no-napari`).
"""

from __future__ import annotations

import functools
import os
import sys
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

from benchmarks import napari_labels
from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import StoredVolume, create_store, open_store
from uniem.data.volume import ArrayVolume, Kind
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.status_bar import memory_bytes
from uniem.proofreading.session import ProofreadingSession

SIZES = (1024, 4096, 16384)
VOXEL_SIZE = VoxelSize(50, 5, 5)
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
BRUSHES = (64, 256, 2000)
# Limits of issue 4, in ms.
DAB_MS, LARGE_DAB_MS, STEP_MS, WARM_MS, COLD_MS, UNDO_MS, BLOCKED_MS = 5, 40, 16, 50, 100, 16, 100


def send(canvas: Canvas, kind: QEvent.Type, x: float, y: float) -> None:
    buttons = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else LEFT
    event = QMouseEvent(kind, QPointF(x, y), LEFT, buttons, NONE)
    QApplication.sendEvent(canvas.view.viewport(), event)


def cpu_ms(action: Callable[[], None]) -> float:
    """Return the processor time of the window's thread until the window is painted."""
    begin = time.thread_time()
    action()
    QApplication.processEvents()
    return (time.thread_time() - begin) * 1e3


def report(title: str, size: int, times: list[float], bar: float, clock: str = "CPU") -> None:
    median, high = np.percentile(times, (50, 95))
    verdict = "" if high <= bar else "   MISSED"
    print(
        f"{title:<46} {size:>6}²  median {median:7.2f}  p95 {high:7.2f} ms {clock}  (bar {bar:g}){verdict}",
        flush=True,
    )


def wait(canvas: Canvas, seconds: float = 60) -> None:
    """Let events go on until the picture is complete."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        if canvas.view.is_complete and canvas.reader.is_idle():
            break
        time.sleep(0.002)
    QApplication.processEvents()


def open_canvas(
    image: ArrayVolume | StoredVolume,
    session: ProofreadingSession | None = None,
    pixels: tuple[int, int] = (1600, 960),
) -> Canvas:
    canvas = Canvas()
    canvas.resize(*pixels)
    canvas.show()
    if session is None:
        canvas.show_volumes(image)
    else:
        canvas.edit_labels(image, session)
    wait(canvas)
    return canvas


def close(canvas: Canvas) -> None:
    canvas.close_views()
    canvas.hide()
    canvas.deleteLater()
    QApplication.processEvents()


def zoom_to(canvas: Canvas, scale: float) -> None:
    canvas.view.zoom(scale / canvas.view.camera.scale, QPointF(800, 450))
    wait(canvas)


def dabs(canvas: Canvas, brush_px: int, count: int = 120) -> list[float]:
    """Draw one stroke around the middle of the view and time every move; at most some 800 voxels across."""
    canvas.run("brush")
    canvas.model.hand.brush_px = brush_px
    size = canvas.view.viewport()
    angles = np.linspace(0, 6 * np.pi, count)
    reach = 200 * min(1.0, canvas.view.camera.scale * 4)
    xs, ys = size.width() / 2 + reach * np.cos(angles), size.height() / 2 + reach * np.sin(angles)
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


def measure_painting(size: int, folder: Path, image: ArrayVolume) -> float:
    """Time dabs and undo; return the median of a dab of 64 px at 1:1."""
    path = folder / f"labels{size}.zarr"
    create_store(path, image.shape, np.uint32, VOXEL_SIZE, Kind.LABELS).build_pyramid()
    session = ProofreadingSession.open(path, "benchmark")
    canvas = open_canvas(image, session)
    for brush in BRUSHES[:2]:
        report(f"dab of {brush} px, whole section in view", size, dabs(canvas, brush), DAB_MS)
    zoom_to(canvas, 1.0)
    medians = {}
    for brush in BRUSHES:
        times = dabs(canvas, brush, 120 if brush < 2000 else 40)
        medians[brush] = float(np.median(times))
        report(f"dab of {brush} px, 1:1", size, times, DAB_MS if brush <= 256 else LARGE_DAB_MS)
    for label in range(2, 14):
        canvas.model.hand.label = label
        dabs(canvas, 64, 20)
    report("undo of a stroke", size, [cpu_ms(canvas.painting.undo) for _ in range(12)], UNDO_MS)
    close(canvas)
    session.close()
    return medians[64]


def measure_memory_steps(size: int, image: ArrayVolume) -> None:
    canvas = Canvas()
    canvas.resize(1600, 960)
    canvas.show()
    canvas.show_volumes(image, ArrayVolume(labels_of(size), VOXEL_SIZE, Kind.LABELS))
    QApplication.processEvents()
    report("next section in RAM with labels, fit", size, steps(canvas), STEP_MS)
    canvas.view.zoom(1 / canvas.view.camera.scale, QPointF(800, 450))
    QApplication.processEvents()
    report("next section in RAM with labels, 1:1", size, steps(canvas), STEP_MS)
    close(canvas)


def measure_4k_screen(folder: Path) -> None:
    """Time dabs and sections of 4096² on a window as large as a 4k screen."""
    size = 4096
    labels = create_store(folder / "labels4k.zarr", (2, size, size), np.uint32, VOXEL_SIZE, Kind.LABELS)
    labels.write(Box((0, 0, 0), (2, size, size)), labels_of(size))
    labels.build_pyramid()
    gray = np.random.default_rng(0).integers(0, 255, (2, size, size), np.uint8)
    session = ProofreadingSession.open(labels.path, "benchmark")
    canvas = open_canvas(ArrayVolume(gray, VOXEL_SIZE), session, (3840, 2160))
    zoom_to(canvas, 1.0)
    for z in (1, 0):
        canvas.model.go_to(z)
        wait(canvas)
    report("next section with labels, 1:1, 3840 x 2160", size, steps(canvas), WARM_MS)
    for brush in BRUSHES:
        times = dabs(canvas, brush, 120 if brush < 2000 else 40)
        report(f"dab of {brush} px, 1:1, 3840 x 2160", size, times, DAB_MS if brush <= 256 else LARGE_DAB_MS)
    report("undo of a stroke, 3840 x 2160", size, [cpu_ms(canvas.painting.undo) for _ in BRUSHES], UNDO_MS)
    close(canvas)
    session.close()


def measure_store_steps(size: int, folder: Path, image: ArrayVolume) -> None:
    """Time the first picture of sections never seen, and sections read before."""
    store = create_store(folder / f"image{size}.zarr", (16, size, size), np.uint8, VOXEL_SIZE, Kind.IMAGE)
    for z in (0, 8):
        store.write(Box((z, 0, 0), (z + 2, size, size)), image.array)
    store.build_pyramid()
    for title, scale in (("fit", None), ("1:1", 1.0)):
        cold = [first_picture_ms(folder / f"image{size}.zarr", z, scale) for z in (0, 8)]
        report(f"first picture from the store, {title}", size, cold, COLD_MS, "wall")
        canvas = open_canvas(open_store(folder / f"image{size}.zarr"))
        if scale is not None:
            zoom_to(canvas, scale)
        for z in (1, 0):
            canvas.model.go_to(z)
            wait(canvas)
        report(f"next section warm from the store, {title}", size, steps(canvas, 20), WARM_MS)
        close(canvas)


def first_picture_ms(path: Path, z: int, scale: float | None) -> float:
    """Return how long it takes from asking for a section until something of it is painted."""
    canvas = Canvas()
    canvas.resize(1600, 960)
    canvas.show()
    QApplication.processEvents()
    drop_file_cache(path)
    canvas.model.position = (z, 0, 0)
    begin = time.perf_counter()
    canvas.show_volumes(open_store(path))
    canvas.model.go_to(z)
    if scale is not None:
        canvas.view.zoom(scale / canvas.view.camera.scale, QPointF(800, 450))
    while (section := canvas.view.image_section) is None or section.position != z:
        QApplication.processEvents()
    QApplication.processEvents()
    taken = (time.perf_counter() - begin) * 1e3
    close(canvas)
    return taken


def drop_file_cache(path: Path) -> None:
    """Make the system forget the files of a store, where it lets us."""
    if not hasattr(os, "posix_fadvise"):
        return
    for file in path.rglob("*"):
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
                os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure_budget(folder: Path, budget_mb: int = 256) -> None:
    """Scroll through more than fits into the budget and tell what the process took at most."""
    shape = (128, 4096, 4096)
    store = create_store(folder / "deep.zarr", shape, np.uint8, VOXEL_SIZE, Kind.IMAGE)
    noise = np.random.default_rng(2).integers(1, 255, (8, 4096, 4096), np.uint8)
    for z in range(0, shape[0], 8):
        store.write(Box((z, 0, 0), (z + 8, *shape[1:])), noise)
    del noise
    canvas = open_canvas(ArrayVolume(np.zeros((1, 64, 64), np.uint8)))
    canvas.reader.cache.set_budget(budget_mb << 20)
    before = peak = memory_bytes() or 0
    canvas.show_volumes(open_store(folder / "deep.zarr"))
    zoom_to(canvas, 1.0)
    for z in range(shape[0]):
        canvas.model.go_to(z)
        wait(canvas, 5)
        peak = max(peak, memory_bytes() or 0)
    above = (peak - before) / 2**20 - budget_mb
    print(
        f"memory above a budget of {budget_mb} MB (with the 128 MB that stores keep): {above:.0f} MB; "
        f"the cache held {canvas.reader.cache.used_bytes / 2**20:.0f} MB",
        flush=True,
    )
    close(canvas)


def measure_sparse(folder: Path, seconds: float = 20) -> None:
    """Scroll, zoom and paint on 100 GB and 400 GB of labels; tell how long the window was blocked."""
    shape = (1024, 10_000, 10_000)
    create_store(folder / "sparse.zarr", shape, np.uint8, VOXEL_SIZE, Kind.IMAGE)
    create_store(folder / "sparse-labels.zarr", shape, np.uint32, VOXEL_SIZE, Kind.LABELS)
    session = ProofreadingSession.open(folder / "sparse-labels.zarr", "benchmark")
    canvas = open_canvas(open_store(folder / "sparse.zarr"), session)
    rng = np.random.default_rng(0)
    end = time.monotonic() + seconds
    blocks: dict[str, list[float]] = {"step": [], "zoom": [], "stroke": [], "undo": []}
    work: dict[str, list[float]] = {action: [] for action in blocks}
    while time.monotonic() < end:
        action = str(rng.choice(list(blocks)))
        begin, at_work = time.perf_counter(), time.thread_time()
        if action == "step":
            canvas.model.go_to(int(rng.integers(shape[0])))
        elif action == "zoom":
            canvas.view.zoom(float(rng.choice([0.5, 0.8, 1.25, 2.0])), QPointF(800, 450))
        elif action == "stroke":
            canvas.model.hand.label = int(rng.integers(1, 2**32 - 1))
            dabs(canvas, int(rng.choice([5, 40, 300])), 6)
        else:
            canvas.painting.undo()
        QApplication.processEvents()
        # A stroke is a press, five moves and a release, each painted by itself.
        parts = 7 if action == "stroke" else 1
        blocks[action].append((time.perf_counter() - begin) * 1e3 / parts)
        work[action].append((time.thread_time() - at_work) * 1e3 / parts)
    for action, times in blocks.items():
        report(f"{action} on a sparse 100 GB volume", 10_000, work[action], BLOCKED_MS)
        report(f"{action} on a sparse 100 GB volume", 10_000, times, BLOCKED_MS, "wall")
    print(
        f"longest {max(max(times) for times in blocks.values()):.1f} ms; unsaved edits hold "
        f"{session.pending_bytes / 2**20:.0f} MB, the process {(memory_bytes() or 0) / 2**20:.0f} MB",
        flush=True,
    )
    close(canvas)
    session.close()


def main() -> None:
    """Print every figure."""
    application = QApplication.instance() or QApplication([])
    assert application is not None
    own: dict[int, float] = {}
    for size in SIZES:
        gray = np.random.default_rng(0).integers(0, 255, (2, size, size), np.uint8)
        image = ArrayVolume(gray, VOXEL_SIZE)
        measure_memory_steps(size, image)
        with tempfile.TemporaryDirectory() as folder:
            own[size] = measure_painting(size, Path(folder), image)
            measure_store_steps(size, Path(folder), image)
    with tempfile.TemporaryDirectory() as folder:
        measure_4k_screen(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        measure_budget(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        measure_sparse(Path(folder))
    if "--no-napari" not in sys.argv:
        for size, kinds in napari_labels.measure(SIZES[:2], brush_px=64).items():
            for kind, theirs in kinds.items():
                print(
                    f"dab of 64 px at {size}²: napari, {kind}, {theirs:.2f} ms; uniem to painted pixels "
                    f"{own[size]:.2f} ms: {theirs / own[size]:.1f} times as fast"
                )


if __name__ == "__main__":
    main()
