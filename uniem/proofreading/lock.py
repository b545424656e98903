"""A lock on a folder that vanishes with the process that holds it."""

from __future__ import annotations

import json
import os
import socket
import sys
from io import BufferedRandom
from pathlib import Path

from uniem.errors import UniemError

# On Windows a locked range cannot be read by others: lock a byte far behind the text that names the holder.
_LOCKED_BYTE = 1 << 30


class InUse(UniemError):
    """Another window or program is editing this volume."""


class FileLock:
    """Hold an operating-system lock on a file; kill -9 frees it."""

    def __init__(self, path: Path, subject: str, holder: str) -> None:
        """Take the lock; raise `InUse` if it is held, or `UniemError` where the folder is read-only."""
        try:
            self._file: BufferedRandom | None = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b")
        except OSError as error:
            raise UniemError(
                f"{subject} cannot be edited: {error}.", "Import it to a folder that you may write to."
            ) from error
        if not _take(self._file):
            held_by = _read_holder(self._file)
            self._file.close()
            raise InUse(
                f"{subject} is being edited{held_by}.",
                "Close it there first, or open it here for viewing only.",
            )
        text = json.dumps({"by": holder, "host": socket.gethostname(), "process": os.getpid()})
        self._file.truncate(0)
        self._file.write(text.encode())
        self._file.flush()

    def release(self) -> None:
        """Give the lock back; the file stays, because removing it would race with the next holder."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _read_holder(file: BufferedRandom) -> str:
    try:
        holder = json.loads(file.read() or b"{}")
    except (OSError, ValueError):
        return " elsewhere"
    by = f" by {holder['by']}" if holder.get("by") else ""
    return f"{by} in process {holder.get('process', '?')} on {holder.get('host', '?')}"


if sys.platform == "win32":
    import msvcrt

    def _take(file: BufferedRandom) -> bool:
        file.seek(_LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            file.seek(0)
        return True

else:
    import fcntl

    def _take(file: BufferedRandom) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
