"""Work that must not hold up the window: done by threads, delivered in the window's own thread."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from qtpy.QtCore import QObject, QTimer

from uniem.errors import UniemError

POLL_MS = 15
UNEXPECTED = UniemError("Something unexpected went wrong.", "The details are in the log.")


class Task:
    """A piece of work under way; one that is cancelled may go on for a while, but nothing comes of it."""

    def __init__(self) -> None:
        self._is_cancelled = threading.Event()

    @property
    def is_cancelled(self) -> bool:
        """Tell whether nobody waits for it any more."""
        return self._is_cancelled.is_set()

    def cancel(self) -> None:
        """Want no result."""
        self._is_cancelled.set()


class Background(QObject):
    """Start work in threads that end with the program, so that no server or disk can hold up its end."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._tasks: list[Task] = []
        self._clock = QTimer(self)
        self._clock.setInterval(POLL_MS)
        self._clock.timeout.connect(self._deliver)

    @property
    def is_busy(self) -> bool:
        """Tell whether anything is awaited."""
        return bool(self._tasks)

    def run(
        self,
        work: Callable[[Task], Any],
        done: Callable[[Any], None],
        failed: Callable[[UniemError], None] = lambda error: None,
    ) -> Task:
        """Do work in a thread, then call `done` with what it returns, or `failed` with its `UniemError`.

        An unexpected error fails too, and is noted in the log.
        """
        task = Task()
        self._tasks.append(task)
        self._clock.start()
        threading.Thread(target=self._work, args=(task, work, done, failed), daemon=True).start()
        return task

    def tell(self, task: Task, call: Callable[[], None]) -> None:
        """From within work: call a function in the window's thread, unless the task is cancelled."""
        self._calls.put(lambda: None if task.is_cancelled else call())

    def cancel(self) -> None:
        """Cancel all that is under way."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self._clock.stop()

    def _work(
        self,
        task: Task,
        work: Callable[[Task], Any],
        done: Callable[[Any], None],
        failed: Callable[[UniemError], None],
    ) -> None:
        outcome: Callable[[], None] = functools.partial(failed, UNEXPECTED)
        try:
            outcome = functools.partial(done, work(task))
        except UniemError as error:
            outcome = functools.partial(failed, error)
        except OSError as error:
            outcome = functools.partial(failed, UniemError(f"{error.filename}: {error.strerror}."))
        finally:
            # Anything else goes on to `threading.excepthook`, which notes it in the log.
            self._calls.put(functools.partial(self._end, task, outcome))

    def _end(self, task: Task, outcome: Callable[[], None]) -> None:
        if task in self._tasks:
            self._tasks.remove(task)
        if not task.is_cancelled:
            outcome()

    def _deliver(self) -> None:
        while True:
            try:
                call = self._calls.get_nowait()
            except Empty:
                break
            call()
        if not self._tasks:
            self._clock.stop()
