"""Looking for a label in a volume that has no object table, in the background."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QObject, Signal

from uniem.data.geometry import Triple
from uniem.errors import UniemError
from uniem.gui.background import Background, Task
from uniem.gui.canvas.levels import Level, ReducedVolume
from uniem.progress import Cancelled, Context
from uniem.proofreading.finding import search_voxel

TOLD_EVERY = 0.01


class LabelSearch(QObject):
    """Look for a label. Signals: `progressed(part done)`; `found((z, y, x))`; `failed(str)`."""

    progressed = Signal(float)
    found = Signal(object)
    failed = Signal(str)

    def __init__(self, levels: list[Level], label: int, parent: QObject) -> None:
        super().__init__(parent)
        self._label = label
        # What is computed from finer voxels as it is read is found there sooner.
        self._levels = [
            (level.volume, level.factor, level.block_shape)
            for level in levels
            if not isinstance(level.volume, ReducedVolume)
        ]
        self._background = Background(self)

    @property
    def is_busy(self) -> bool:
        """Tell whether it is still looking."""
        return self._background.is_busy

    def begin(self) -> None:
        """Begin to look."""

        def work(task: Task) -> Triple | None:
            try:
                return search_voxel(self._levels, self._label, _Told(self, self._background, task))
            except Cancelled:
                return None

        self._background.run(work, self._take, lambda error: self.failed.emit(str(error)))

    def cancel(self) -> None:
        """Give it up; nothing is told any more."""
        self._background.cancel()

    def _take(self, zyx: Triple | None) -> None:
        if zyx is None:
            self.failed.emit(str(missing(self._label)))
        else:
            self.found.emit(zyx)


class _Told(Context):
    """Tell the window how far the search is, and end with the task."""

    def __init__(self, search: LabelSearch, background: Background, task: Task) -> None:
        self._search, self._background, self._task = search, background, task
        self._part = 0.0

    def cancelled(self) -> bool:
        return self._task.is_cancelled

    def progress(self, done: int, total: int | None, label: str) -> None:
        part = done / total if total else 0.0
        if part - self._part >= TOLD_EVERY:
            self._part = part
            self._background.tell(self._task, partial(self._search.progressed.emit, part))


def missing(label: int) -> UniemError:
    """Return what is told where a label is looked for that is nowhere."""
    return UniemError(f"There is no label {label}.", "Point at an object to read its id in the status bar.")
