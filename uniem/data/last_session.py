"""What windows without a project showed, so that it can be taken up again."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from uniem.data.project import ProjectState, read_state, write_state
from uniem.errors import UniemError

KEPT = 10


class SessionFile:
    """The file in which one window without a project keeps its state; it appears with the first state."""

    def __init__(self, folder: Path) -> None:
        stamp = time.strftime("%Y-%m-%dT%H-%M-%S")
        self.path = folder / f"{stamp}-{os.getpid()}-{time.monotonic_ns() % 1_000_000:06}.json"
        self._state: ProjectState | None = None

    def write(self, state: ProjectState) -> None:
        """Keep a state; one in which nothing is open is not worth it."""
        if not state.items or state == self._state:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_state(self.path, state)
        except OSError as error:
            raise UniemError(
                f"What is open cannot be noted in {self.path}: {error.strerror}.",
                "Free some space, or set UNIEM_HOME to another folder.",
            ) from error
        if self._state is None:
            self._forget_old()
        self._state = state

    def newest_other(self) -> Path | None:
        """Return the file that another window wrote last; None if there is none."""
        return next((path for path in self._by_time() if path != self.path and _is_whole(path)), None)

    def _forget_old(self) -> None:
        for path in self._by_time()[KEPT:]:
            with contextlib.suppress(OSError):
                path.unlink()

    def _by_time(self) -> list[Path]:
        try:
            return sorted(
                self.path.parent.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True
            )
        except OSError:
            return []


def _is_whole(path: Path) -> bool:
    try:
        return bool(read_state(path).items)
    except UniemError:
        return False
