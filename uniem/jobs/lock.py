"""A lock on a file that vanishes with the process that holds it, however that ends."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from uniem.errors import UniemError

# A look at the lock holds it for an instant, so taking it is tried for a while.
PATIENCE_S = 2.0


class FileLock:
    """Hold a lock on a file; the holder's process id is written in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def __enter__(self) -> FileLock:
        """Take the lock; raise if another process has it."""
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        deadline = time.monotonic() + PATIENCE_S
        while not _try_lock(file):
            if time.monotonic() > deadline:
                os.close(file)
                raise UniemError(
                    f"{self.path.parent.name} is being run already.", "Wait for it, or cancel it."
                )
            time.sleep(0.02)
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        self._file = file
        if hasattr(os, "register_at_fork"):
            # Forked children share the lock, and would hold it on when this process is killed.
            os.register_at_fork(after_in_child=self._drop)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the lock back."""
        if self._file is not None:
            _unlock(self._file)
            os.close(self._file)
            self._file = None

    def _drop(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def holder_of(path: Path) -> int | None:
    """Return the id of the process that holds a lock: 0 if not told yet, None if nobody holds it."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        if _try_lock(file):
            _unlock(file)
            return None
        text = os.read(file, 32)
        return int(text) if text.isdigit() else 0
    finally:
        os.close(file)


if sys.platform == "win32":
    import msvcrt

    # Locked bytes cannot be read on Windows, so one far behind the process id is locked.
    PLACE = 1 << 20

    def _try_lock(file: int) -> bool:
        os.lseek(file, PLACE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True

    def _unlock(file: int) -> None:
        os.lseek(file, PLACE, os.SEEK_SET)
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
