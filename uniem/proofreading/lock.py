"""Only one window or program edits a volume at a time."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

from uniem.errors import UniemError
from uniem.file_lock import FileLock, note_of_holder


class InUse(UniemError):
    """Another window or program is editing this volume."""


class EditingLock:
    """Hold the right to edit a volume; kill -9 frees it."""

    def __init__(self, path: Path, subject: str, author: str) -> None:
        """Take the lock; raise `InUse` if it is held, or `UniemError` where the folder is read-only."""
        self._lock = FileLock(path)
        note = json.dumps({"by": author, "host": socket.gethostname(), "process": os.getpid()})
        try:
            is_free = self._lock.take(note)
        except OSError as error:
            raise UniemError(
                f"{subject} cannot be edited: {error}.", "Import it to a folder that you may write to."
            ) from error
        if not is_free:
            raise InUse(
                f"{subject} is being edited{described(note_of_holder(path))}.",
                "Close it there first, or open it here for viewing only.",
            )

    def release(self) -> None:
        """Give the right back."""
        self._lock.release()


def described(note: str | None) -> str:
    """Return by whom and where a lock is held, given its note."""
    try:
        holder = json.loads(note or "{}")
    except ValueError:
        return " elsewhere"
    by = f" by {holder['by']}" if holder.get("by") else ""
    return f"{by} in process {holder.get('process', '?')} on {holder.get('host', '?')}"
