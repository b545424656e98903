"""How long the table of a million objects takes to sort, filter and follow edits, and how long it holds up.

Run `python -m benchmarks.object_table`: the real session, model and view, without a screen. Each figure is
told as the time on the clock and as that of the processor, since a busy machine spoils the first.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtWidgets import QApplication

from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import Kind
from uniem.gui.tables.object_model import COLUMNS, ID, VOLUME, VOXELS
from uniem.gui.tables.object_table import ObjectTableView
from uniem.proofreading.edits import Edit, FieldChange
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, paint
from uniem.proofreading.tools.whole_objects import merge_objects

SIDE, CUBE, NAMED = 500, 5, 10_000
BAR_MS, PAUSE_MS = 300, 100
UP, DOWN = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder


def timed(title: str, action: Callable[[], object], bar_ms: float = BAR_MS) -> None:
    """Do something with all that the view does about it, and print how long it took."""
    begin, begin_cpu = time.perf_counter(), time.thread_time()
    action()
    QApplication.processEvents()
    wall, cpu = (time.perf_counter() - begin) * 1e3, (time.thread_time() - begin_cpu) * 1e3
    print(f"{title:<52} {wall:8.1f} ms   {cpu:8.1f} ms of CPU   (bar {bar_ms:.0f} ms)", flush=True)


class Pauses(QObject):
    """Tell the longest time in which the event loop stood still."""

    def __init__(self) -> None:
        super().__init__()
        self.longest_ms = self.longest_cpu_ms = 0.0
        self._at, self._cpu = time.perf_counter(), time.thread_time()
        self._clock = QTimer(self)
        self._clock.setTimerType(Qt.TimerType.PreciseTimer)
        self._clock.timeout.connect(self._beat)
        self._clock.start(2)

    def _beat(self) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        self.longest_ms = max(self.longest_ms, (now - self._at) * 1e3)
        self.longest_cpu_ms = max(self.longest_cpu_ms, (cpu - self._cpu) * 1e3)
        self._at, self._cpu = now, cpu


def make_volume(path: Path) -> None:
    """Write a volume of a million small objects of different sizes."""
    store = create_store(path, (SIDE, SIDE, SIDE), np.uint32, VoxelSize(8, 8, 8), Kind.LABELS)
    rng, count = np.random.default_rng(0), SIDE // CUBE
    y, x = np.mgrid[:SIDE, :SIDE] // CUBE
    for z in range(0, SIDE, 50):
        depth = (np.arange(z, z + 50) // CUBE)[:, None, None]
        labels = ((depth * count + y) * count + x + 1).astype(np.uint32)
        labels[rng.random(labels.shape) < 0.1] = 0
        store.write(Box((z, 0, 0), (z + 50, SIDE, SIDE)), labels)


def count(session: ProofreadingSession, view: ObjectTableView) -> None:
    """Count the objects as the window does, step by step, under a watchdog."""
    pauses = Pauses()
    steps: Iterator[float] = session.objects.scan_steps()
    begin = time.perf_counter()
    is_done = False

    def step() -> None:
        nonlocal is_done
        part = next(steps, None)
        view.show_counting(part)
        is_done = part is None

    clock = QTimer()
    clock.timeout.connect(step)
    clock.start(5)
    while not is_done or view.model.rowCount() == 0:
        QApplication.processEvents()
    print(
        f"{'counted, as the window does it':<52} {time.perf_counter() - begin:8.1f} s, longest pause"
        f" {pauses.longest_ms:.0f} ms, {pauses.longest_cpu_ms:.0f} ms of CPU   (bar {PAUSE_MS} ms)"
    )


def name_some(session: ProofreadingSession) -> None:
    """Name ten thousand objects, in one edit."""
    chosen = np.random.default_rng(1).choice(session.objects.columns().ids, NAMED, replace=False).tolist()
    parts = [FieldChange(label, "name", "", f"neurite {label % 977}") for label in chosen]
    parts += [FieldChange(label, "locked", False, True) for label in chosen[:1000]]
    session.apply(Edit("Name", tuple(parts)))


def measure(session: ProofreadingSession, view: ObjectTableView) -> None:
    """Sort by each column, filter, select, and edit."""
    model, table = view.model, view.table
    for column in range(len(COLUMNS)):
        if column not in (VOLUME, ID):
            timed(f"sort by {COLUMNS[column].title}", partial(table.sortByColumn, column, DOWN))
    for text in ("12", "neurite 97", "no such", ""):
        title = f"filter '{text}', sorted by {COLUMNS[model._sort[0]].title}"
        timed(title, partial(model.set_filter, text))

    def select_all() -> None:
        table.selectAll()
        assert len(view.selected) == len(session.objects.columns().ids)

    timed("select all, and list them", select_all)
    timed("sort by Voxels with all selected", partial(table.sortByColumn, VOXELS, UP))
    table.clearSelection()
    ids = session.objects.columns().ids
    stroke = paint(session.volume, Stroke(((20.0, 20.0, 20.0), (20.0, 40.0, 60.0)), 9), int(ids[5]))
    assert stroke is not None
    session.apply(stroke)
    timed("follow a stroke, sorted by Voxels", model.refresh, PAUSE_MS)
    merge = merge_objects(session.objects, int(ids[77]), [int(ids[500_000]), int(ids[900_000])])
    assert merge is not None
    session.apply(merge)
    timed("follow a merge, sorted by Voxels", model.refresh, PAUSE_MS)
    table.sortByColumn(ID, UP)
    session.undo()
    timed("follow its undo, sorted by ID", model.refresh, PAUSE_MS)


def main() -> None:
    """Print every figure."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QApplication.instance() or QApplication([])
    assert application is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "million.zarr"
        make_volume(path)
        view = ObjectTableView(print)
        view.resize(700, 700)
        view.show()
        session = ProofreadingSession.open(path, "benchmark")
        view.set_session(session)
        count(session, view)
        print(f"{len(session.objects):,} objects, {NAMED:,} of them named")
        name_some(session)
        view.model.refresh()
        measure(session, view)
        view.set_session(None)
        session.close()
        opened: list[ProofreadingSession] = []
        timed("open it again", lambda: opened.append(ProofreadingSession.open(path, "benchmark")), 2000)
        opened[0].close()


if __name__ == "__main__":
    main()
