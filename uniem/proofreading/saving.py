"""Saving while edits go on: what is saved is set apart, and a thread takes it to the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from uniem.data.store import StoredVolume
from uniem.proofreading.checkpoint import Reached, fingerprint, mark_checkpoint
from uniem.proofreading.history import History
from uniem.proofreading.journal import EntryKind, Journal
from uniem.proofreading.live_volume import LiveVolume
from uniem.proofreading.objects import ObjectTable

# Large edits are written in portions of this size.
_PORTION_BYTES = 256 << 20


class Saving:
    """A save under way, driven by the session's thread in steps of some milliseconds; edits may come between.

    The journal says that a save begins before anything reaches the disk, and what it holds when all of it is
    there: the edits before the row that began it. So a crash at any moment leaves a volume that the journal
    leads to what was seen.

    Attributes
    ----------
    part_done : float
        How much of what is being written is on the disk, 0 to 1.
    writing : Future, or None
        What the thread does, once it has begun; nothing is to be done before it has.
    """

    def __init__(
        self,
        store: StoredVolume,
        journal: Journal,
        volume: LiveVolume,
        objects: ObjectTable,
        history: History,
        name: str,
        done: Callable[[], None],
    ) -> None:
        self._store, self._journal, self._volume = store, journal, volume
        self._objects, self._history = objects, history
        self._steps, self._done = self._save(name), done
        self.writing: Future[Any] | None = None
        self.part_done = 0.0
        self.is_over = False

    @property
    def is_waiting(self) -> bool:
        """Tell whether there is nothing to do before the disk has all that was set apart."""
        return not self.is_over and self.writing is not None and not self.writing.done()

    def go_on(self) -> bool:
        """Do what is next, for some milliseconds; return whether there is more. It raises what went wrong."""
        if self.is_over:
            return False
        try:
            next(self._steps)
        except StopIteration:
            self.is_over = True
            self._done()
            return False
        except BaseException:
            self.is_over = True
            raise
        return True

    def finish(self) -> None:
        """Do all of it, and wait for the disk."""
        while self.go_on():
            if self.writing is not None and self.is_waiting:
                wait([self.writing])

    def _save(self, name: str) -> Iterator[None]:
        assert self._history.checkpoint is not None
        number = self._history.checkpoint.ref + 1
        with ThreadPoolExecutor(1, "saving") as pool:
            is_all = False
            while not is_all:
                for _ in self._volume.fold_waiting(_PORTION_BYTES):
                    yield
                yield from self._awaited(pool.submit(self._volume.refresh_levels))
                is_all = self._set_apart(number)
                said = self._objects.encoded() if is_all else {}
                writing = pool.submit(self._write, is_all)
                yield from self._awaited(writing)
                samples = writing.result()
        reached = Reached(samples, said)
        with self._journal.durably():
            entry = mark_checkpoint(self._store, self._journal, self._objects, number, name, reached)
        self._history.fold(entry)

    def _awaited(self, work: Future[Any]) -> Iterator[None]:
        """Wait for what the thread does; raise what went wrong there."""
        self.writing = work
        while not work.done():
            yield
        work.result()

    def _set_apart(self, number: int) -> bool:
        """Say in the journal that what was written so far goes to the disk; return whether that is all."""
        with self._journal.durably():
            self._history.fold(self._journal.append(EntryKind.SAVING, number))
        return self._volume.set_apart()

    def _write(self, is_all: bool) -> list[int]:
        self._store.held.write_apart(self._tell)
        return fingerprint(self._store) if is_all else []

    def _tell(self, part: float) -> None:
        self.part_done = part
