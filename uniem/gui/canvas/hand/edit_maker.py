"""Edits that take a while: made by a thread, one at a time, with progress, and given up when asked."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, Signal

from uniem.errors import UniemError
from uniem.gui.background import Background, Task
from uniem.progress import Cancelled, Context
from uniem.proofreading.edits import Edit

Make = Callable[[Context], Edit | None]


class _Told(Context):
    """Keep what was told last, for whoever looks, and end with the task."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.part: float | None = None

    def cancelled(self) -> bool:
        return self._task.is_cancelled

    def progress(self, done: int, total: int | None, label: str) -> None:
        self.part = done / total if total else None


class EditMaker(QObject):
    """Make edits in a thread. `busy_changed()` is emitted when one begins, and when it is over."""

    busy_changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._background = Background(self)
        self._task: Task | None = None
        self._context: _Told | None = None
        self.title = ""

    @property
    def is_busy(self) -> bool:
        """Tell whether an edit is being made."""
        return self._task is not None

    @property
    def part_done(self) -> float | None:
        """How much of the work is done, from 0 to 1; None where that is not known."""
        return self._context.part if self.is_busy and self._context is not None else None

    def run(
        self,
        title: str,
        make: Make,
        done: Callable[[Edit | None], None],
        failed: Callable[[UniemError], None],
    ) -> None:
        """Make an edit, then call `done` with it in the window's thread, or `failed` with its error.

        One that is still being made is given up.
        """
        self.cancel()

        def work(task: Task) -> Edit | None:
            self._context = context = _Told(task)
            try:
                return make(context)
            except Cancelled:
                return None

        def finish(edit: Edit | None) -> None:
            self._end()
            done(edit)

        def fail(error: UniemError) -> None:
            self._end()
            failed(error)

        self.title = title
        self._task = self._background.run(work, finish, fail)
        self.busy_changed.emit()

    def cancel(self) -> bool:
        """Give up the edit being made; return whether there was one."""
        if self._task is None:
            return False
        self._task.cancel()
        self._end()
        return True

    def close(self) -> None:
        """Give up all work; call before the window is thrown away."""
        self._background.cancel()
        self._task = None

    def _end(self) -> None:
        self._task = self._context = None
        self.busy_changed.emit()
