"""A minute of painting, scrolling and zooming on a sparse 100 GB volume, under the eyes of a watchdog.

Every event is a real one, sent by Qt's own event loop as often as a mouse sends them. The watchdog tells how
long the loop ever stood still, where it stood, and how much memory the process took.
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("QT_API", "pyqt5")

import numpy as np
from qtpy.QtCore import QEvent, QEventLoop, QObject, QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from qtpy.QtWidgets import QApplication

from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.store import CACHE_BYTES, StoredVolume, create_store, open_store
from uniem.data.volume import Kind
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.slice_view import SliceView
from uniem.gui.canvas.view_model import Tool
from uniem.gui.status_bar import memory_bytes
from uniem.proofreading.session import ProofreadingSession

SHAPE: Triple = (1024, 5000, 5000)
SMALL: Triple = (16, 512, 512)
VOXEL_SIZE = VoxelSize(40, 5, 5)
# Limits of issue 4.
LONGEST_PAUSE_MS, MEMORY_MARGIN = 100.0, 0.1
BUDGET_BYTES = 256 << 20
# A window saves by itself before it is more.
MOST_UNSAVED_BYTES = 1 << 30
TICK_MS = 8
MOST_BUSY = 0.02
_BEAT_MS = 2
NONE, CTRL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
NO_BUTTON, LEFT, MIDDLE = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
KIND = QEvent.Type


@dataclass
class Watched:
    """What a watchdog saw.

    Attributes
    ----------
    pauses_ms : list of float
        How long the event loop stood still each time it did so for more than 20 ms, less what the thread
        waited for a processor that other programs had.
    work_ms : list of float
        How long the thread computed in each of these pauses.
    busy_share : float
        How much of the time the thread waited for a processor: on a machine where others are at work, other
        threads of this process wait as long, and this one for them.
    stacks : dict of str to int
        Where it stood when it did so for more than 100 ms, and how often.
    over_bytes : int
        How much more memory was taken at some time than the budget of that time, its margin included.
    """

    pauses_ms: list[float] = field(default_factory=list)
    work_ms: list[float] = field(default_factory=list)
    busy_share: float = 0.0
    stacks: dict[str, int] = field(default_factory=dict)
    peak_bytes: int = 0
    over_bytes: int = 0
    unsaved_bytes: int = 0
    strokes: int = 0
    save_ms: float = 0.0

    @property
    def longest_ms(self) -> float:
        """The longest time for which the event loop stood still."""
        return max(self.pauses_ms, default=0.0)

    @property
    def longest_work_ms(self) -> float:
        """The longest time for which the thread computed meanwhile."""
        return max(self.work_ms, default=0.0)

    @property
    def is_blocked(self) -> bool:
        """Tell whether the loop stood still too long by our own fault."""
        is_quiet = self.busy_share < MOST_BUSY
        return (self.longest_ms if is_quiet else self.longest_work_ms) > LONGEST_PAUSE_MS


class Watchdog(QObject):
    """Watch the event loop of this thread, and the memory of the process, from another thread."""

    def __init__(self, canvas: Canvas, session: ProofreadingSession) -> None:
        super().__init__()
        self.seen = Watched()
        self._canvas, self._session = canvas, session
        self._start_bytes = memory_bytes() or 0
        self._ident = threading.get_ident()
        self._schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._beat_at, self._waited, self._worked = time.perf_counter(), self._waited_s(), time.thread_time()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        canvas.stroke_finished.connect(lambda *_: self._count())
        self._is_on = True
        self._began = self._beat_at, self._waited
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._beat_at, self._waited, self._worked = time.perf_counter(), self._waited_s(), time.thread_time()
        self._began = self._beat_at, self._waited
        self._timer.start(_BEAT_MS)
        self._thread.start()

    def stop(self) -> Watched:
        """End, and return what was seen."""
        self._timer.stop()
        self._is_on = False
        elapsed, waited = time.perf_counter() - self._began[0], self._waited_s() - self._began[1]
        self.seen.busy_share = waited / elapsed
        self._thread.join()
        return self.seen

    def _count(self) -> None:
        self.seen.strokes += 1

    def _beat(self) -> None:
        now, waited, worked = time.perf_counter(), self._waited_s(), time.thread_time()
        pause_ms = (now - self._beat_at - (waited - self._waited)) * 1e3
        work_ms = (worked - self._worked) * 1e3
        self._beat_at, self._waited, self._worked = now, waited, worked
        if pause_ms > 20:
            self.seen.pauses_ms.append(pause_ms)
            self.seen.work_ms.append(work_ms)

    def _waited_s(self) -> float:
        """Return how long the window's thread could have run, but had no processor."""
        try:
            return int(self._schedule.read_text().split()[1]) / 1e9
        except OSError:
            return 0.0

    def _watch(self) -> None:
        told = 0.0
        while self._is_on:
            time.sleep(0.02)
            self._weigh()
            beat = self._beat_at
            if time.perf_counter() - beat > LONGEST_PAUSE_MS / 1e3 and beat != told:
                told = beat
                place = _place(self._ident)
                self.seen.stacks[place] = self.seen.stacks.get(place, 0) + 1

    def _weigh(self) -> None:
        """Compare what is taken with the budget: of what is shown, of the stores, and of unsaved edits."""
        seen, taken = self.seen, memory_bytes() or 0
        unsaved = self._session.pending_bytes
        allowed = (self._canvas.reader.cache.budget_bytes + CACHE_BYTES + unsaved) * (1 + MEMORY_MARGIN)
        seen.peak_bytes = max(seen.peak_bytes, taken - self._start_bytes)
        seen.over_bytes = max(seen.over_bytes, int(taken - self._start_bytes - allowed))
        seen.unsaved_bytes = max(seen.unsaved_bytes, unsaved)


class Worker(QObject):
    """Somebody at work on a canvas: each tick of a timer is the next event of the mouse or the keys."""

    def __init__(self, canvas: Canvas, session: ProofreadingSession, seed: int = 0) -> None:
        super().__init__()
        self._canvas, self._session = canvas, session
        self._random = np.random.default_rng(seed)
        self._at = QPointF(400, 300)
        self._events = self._work()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(functools.partial(next, self._events))

    def work(self, seconds: float) -> None:
        """Go on for a while in an event loop of Qt."""
        loop = QEventLoop()
        QTimer.singleShot(int(seconds * 1000), loop.quit)
        self._timer.start(TICK_MS)
        loop.exec_()
        self._timer.stop()

    @property
    def _view(self) -> SliceView:
        return self._canvas.current_view

    def _work(self) -> Iterator[None]:
        """Do one thing after the other, without end."""
        things = [
            self._stroke,
            self._scroll,
            self._zoom,
            self._pan,
            self._undo,
            self._go_on,
            self._change_views,
        ]
        shares = np.array([8, 4, 3, 2, 2, 2, 0.3])
        while True:
            thing = things[int(self._random.choice(len(things), p=shares / shares.sum()))]
            yield from thing()

    def _stroke(self) -> Iterator[None]:
        hand = self._canvas.model.hand
        hand.tool = Tool.BRUSH if self._random.random() < 0.8 else Tool.ERASER
        hand.label = int(self._random.integers(1, 2**32 - 1))
        hand.set_brush(int(self._random.choice([3, 20, 60, 250])))
        is_long = self._session.pending_bytes < MOST_UNSAVED_BYTES / 2
        self._move_to_any()
        yield from self._drag(LEFT, int(self._random.integers(5, 60)) if is_long else 2)

    def _pan(self) -> Iterator[None]:
        self._move_to_any()
        yield from self._drag(MIDDLE, 20)

    def _drag(self, button: Qt.MouseButton, steps: int) -> Iterator[None]:
        heading = self._random.uniform(0, 2 * np.pi)
        self._mouse(KIND.MouseButtonPress, button, button)
        yield
        for _ in range(steps):
            heading += self._random.normal(0, 0.3)
            self._at += QPointF(9 * float(np.cos(heading)), 9 * float(np.sin(heading)))
            self._mouse(KIND.MouseMove, NO_BUTTON, button)
            yield
        self._mouse(KIND.MouseButtonRelease, button, NO_BUTTON)
        yield

    def _scroll(self) -> Iterator[None]:
        notches = int(self._random.choice([-1, 1]))
        for _ in range(int(self._random.integers(3, 40))):
            self._turn(120 * notches, NONE)
            yield

    def _zoom(self) -> Iterator[None]:
        scale = self._view.camera.scale
        wants_in = scale < 0.2 or (scale < 6 and self._random.random() < 0.5)
        self._move_to_any()
        for _ in range(int(self._random.integers(2, 12))):
            self._turn(60 if wants_in else -60, CTRL)
            yield

    def _undo(self) -> Iterator[None]:
        for _ in range(int(self._random.integers(1, 6))):
            self._canvas.painting.undo()
            yield
            yield
        for _ in range(int(self._random.integers(0, 4))):
            self._canvas.painting.redo()
            yield
            yield

    def _go_on(self) -> Iterator[None]:
        """Go somewhere else, by keys or at once, into what holds data or into the void."""
        if self._random.random() < 0.5:
            for _ in range(6):
                self._key(Qt.Key.Key_PageUp)
                yield
        else:
            far = self._random.random() < 0.2
            z, y, x = self._random.integers(0, SHAPE if far else (64, 2048, 2048)).tolist()
            self._canvas.go_to(z, y, x)
            yield

    def _change_views(self) -> Iterator[None]:
        self._key(Qt.Key.Key_Period)
        yield
        shown = [view for view in self._canvas.grid.views if view.isVisible()]
        shown[int(self._random.integers(len(shown)))].entered.emit()
        yield

    def _move_to_any(self) -> None:
        width, height = self._view.width(), self._view.height()
        x, y = self._random.integers(20, (max(21, width - 20), max(21, height - 20))).tolist()
        self._at = QPointF(x, y)
        self._mouse(KIND.MouseMove, NO_BUTTON, NO_BUTTON)

    def _mouse(self, kind: QEvent.Type, button: Qt.MouseButton, buttons: Qt.MouseButton) -> None:
        QApplication.sendEvent(self._view.viewport(), QMouseEvent(kind, self._at, button, buttons, NONE))

    def _turn(self, delta: int, modifiers: Qt.KeyboardModifier) -> None:
        phase = Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(
            self._at, self._at, QPoint(), QPoint(0, delta), NO_BUTTON, modifiers, phase, False
        )
        QApplication.sendEvent(self._view.viewport(), event)

    def _key(self, key: Qt.Key) -> None:
        for kind in (KIND.KeyPress, KIND.KeyRelease):
            QApplication.sendEvent(self._view, QKeyEvent(kind, int(key), NONE))


def make_volumes(folder: Path, shape: Triple, block: Triple) -> tuple[StoredVolume, Path]:
    """Make an image and labels with their pyramids, of which only a block in a corner is there."""
    image = create_store(folder / "image.zarr", shape, np.uint8, VOXEL_SIZE, Kind.IMAGE)
    labels = create_store(folder / "labels.zarr", shape, np.uint32, VOXEL_SIZE, Kind.LABELS)
    random, rows, columns = np.random.default_rng(0), block[1], block[2]
    noise = random.integers(1, 255, (8, rows, columns), np.uint8)
    patches = random.integers(0, 60_000, (8, rows // 64, columns // 64)).astype(np.uint32)
    drawn = patches.repeat(64, axis=1).repeat(64, axis=2)
    for z in range(0, block[0], 8):
        box = Box((z, 0, 0), (z + 8, rows, columns))
        image.write(box, noise)
        labels.write(box, drawn)
    for store in (image, labels):
        store.add_levels()
        store.update_pyramid(Box.of_shape(block))
    return open_store(folder / "image.zarr"), folder / "labels.zarr"


def _touch_memory() -> None:
    """Use as much memory as will be needed: a virtual machine takes long to get what it never had."""
    parts = [np.ones(64 << 20, np.uint8) for _ in range(32)]
    del parts


def endure(folder: Path, seconds: float, block: Triple = (64, 2048, 2048), seed: int = 0) -> Watched:
    """Work for a while and return what the watchdog saw."""
    _touch_memory()
    image, path = make_volumes(folder / "large", SHAPE, block)
    canvas = Canvas()
    canvas.resize(1600, 960)
    canvas.show()
    canvas.reader.cache.set_budget(BUDGET_BYTES)
    # A small volume first, which brings in the modules and buffers that any volume needs.
    small = ProofreadingSession.open(make_volumes(folder / "small", SMALL, SMALL)[1], "benchmark")
    canvas.edit_labels(open_store(folder / "small" / "image.zarr"), small)
    Worker(canvas, small, seed).work(2.0)
    session = ProofreadingSession.open(path, "benchmark")
    watchdog, worker = Watchdog(canvas, session), Worker(canvas, session, seed)
    canvas.edit_labels(image, session)
    small.close()
    watchdog.start()
    worker.work(seconds)
    seen = watchdog.stop()
    begin = time.perf_counter()
    session.save()
    seen.save_ms = (time.perf_counter() - begin) * 1e3
    canvas.close_views()
    canvas.hide()
    canvas.deleteLater()
    session.close()
    QApplication.processEvents()
    return seen


def _place(thread: int) -> str:
    """Return the innermost of our own lines in a thread's stack, and where it leads."""
    frame = sys._current_frames().get(thread)
    lines = traceback.extract_stack(frame) if frame is not None else []
    own = [line for line in lines if "/uniem/" in line.filename.replace("\\", "/")]
    shown = [*own[-4:], *lines[-1:]]
    return " > ".join(f"{Path(line.filename).name}:{line.lineno} {line.name}" for line in shown)


def pauses_told(seen: Watched) -> str:
    """Return in words how long the window was held up."""
    pauses = np.array([*seen.pauses_ms, 0.0])
    verdict = "   MISSED" if seen.is_blocked else ""
    return (
        f"a minute and {seen.strokes} strokes on 100 GB: longest pause {seen.longest_ms:.0f} ms, longest work"
        f" in one {seen.longest_work_ms:.0f} ms (bar {LONGEST_PAUSE_MS:g}){verdict};"
        f" {(pauses > 50).sum()} above 50 ms, {(pauses > 20).sum()} above 20 ms;"
        f" saved in {seen.save_ms:.0f} ms; no processor was to be had for {seen.busy_share:.0%} of the time"
    )


def memory_told(seen: Watched) -> str:
    """Return in words how much memory was taken."""
    taken, budget, stores, unsaved, over = (
        size / 2**20
        for size in (seen.peak_bytes, BUDGET_BYTES, CACHE_BYTES, seen.unsaved_bytes, max(0, seen.over_bytes))
    )
    return (
        f"memory: {taken:.0f} MB more than with a small volume; budget {budget:.0f} MB + {stores:.0f} MB of"
        f" stores + {unsaved:.0f} MB of unsaved edits; over it and its 10 %: {over:.0f} MB"
        f"{'   MISSED' if over else ''}"
    )


def main() -> None:
    """Print what a minute of work costs."""
    application = QApplication.instance() or QApplication([])
    assert application is not None
    with tempfile.TemporaryDirectory() as folder:
        seen = endure(Path(folder), 60)
    print(pauses_told(seen), memory_told(seen), sep="\n")
    for place, count in sorted(seen.stacks.items(), key=lambda item: -item[1])[:8]:
        print(f"  {count} x at {place}")


if __name__ == "__main__":
    main()
