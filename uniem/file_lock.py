"""A lock on a file that vanishes with the process that holds it, however that ends."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

# Locked bytes cannot be read on Windows, so one far behind the holder's note is locked.
_PLACE = 1 << 30
_NOTE_BYTES = 4096


class FileLock:
    """An operating-system lock on a file, in which its holder leaves a note about itself.

    The file stays when the lock is given back, because removing it would race with the next holder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def take(self, note: str, patience_s: float = 0.0) -> bool:
        """Take the lock, trying for a while; return whether it was free."""
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        deadline = time.monotonic() + patience_s
        while not _try_lock(file):
            if time.monotonic() >= deadline:
                os.close(file)
                return False
            time.sleep(0.02)
        os.ftruncate(file, 0)
        os.write(file, note.encode()[:_NOTE_BYTES])
        self._file = file
        if hasattr(os, "register_at_fork"):
            # Forked children share the lock, and would hold it on when this process is killed.
            os.register_at_fork(after_in_child=self._drop)
        return True

    def release(self) -> None:
        """Give the lock back, if it is held here."""
        if self._file is not None:
            _unlock(self._file)
            os.close(self._file)
            self._file = None

    def _drop(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def note_of_holder(path: Path) -> str | None:
    """Return the note of whoever holds the lock on a file, which may be empty, or None if nobody does."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        if _try_lock(file):
            _unlock(file)
            return None
        return os.read(file, _NOTE_BYTES).decode(errors="replace")
    finally:
        os.close(file)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int) -> bool:
        os.lseek(file, _PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True

    def _unlock(file: int) -> None:
        os.lseek(file, _PLACE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
