"""The folder of a job: the only channel between a worker and those who watch it."""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import platform
import re
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

import uniem
from uniem.errors import UniemError
from uniem.file_lock import FileLock, note_of_holder
from uniem.jobs.events import Event, parse_event
from uniem.jobs.request import JobRequest

logger = logging.getLogger(__name__)

REQUEST = "request.json"
EVENTS = "events.jsonl"
PAUSE = "pause"
LINE_LIMIT = 1 << 16
# A look at the lock holds it for an instant, so taking it is tried for a while.
LOCK_PATIENCE_S = 2.0


class JobFolder:
    """The files of one job.

    `request.json` is what was asked, `events.jsonl` what happened, `log.txt` everything printed. `cancel` is
    made to ask for an end, `launched` when a worker was started; `pause` is there while the job is to wait.
    `lock` is held while the worker lives. `exit` holds the exit code of a lost worker where the launching
    process saw it, and `previews` holds pictures.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.log = self.path / "log.txt"
        self.previews = self.path / "previews"
        self._events = self.path / EVENTS
        self._cancel = self.path / "cancel"
        self._is_torn = False

    @staticmethod
    def create(root: Path, request: JobRequest) -> JobFolder:
        """Make the folder of a new job; names sort by the time of asking (UTC)."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S-%f")
        name = re.sub(r"[^A-Za-z0-9-]", "-", request.operation)
        folder = JobFolder(root / f"{now}-{name}-{uuid.uuid4().hex[:4]}")
        try:
            folder.previews.mkdir(parents=True)
            request.write(folder.path / REQUEST)
        except OSError as error:
            raise UniemError(
                f"Cannot make a job in {root}: {error.strerror}.",
                "Free some space, or set UNIEM_HOME to another folder.",
            ) from error
        return folder

    @property
    def token(self) -> str:
        """Six letters and digits that mark what the job makes while it is unfinished."""
        return hashlib.blake2s(self.path.name.encode(), digest_size=3).hexdigest()

    @functools.cached_property
    def request(self) -> JobRequest:
        """What was asked."""
        return JobRequest.read(self.path / REQUEST)

    def append(self, event: Event) -> None:
        """Add an event, as one line."""
        line = event.model_dump_json().encode() + b"\n"
        file = os.open(self._events, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            data = b"\n" + line if self._is_torn else line
            self._is_torn = True
            if os.write(file, data) < len(data):
                raise OSError(28, "No space left on device", str(self._events))
            self._is_torn = False
        finally:
            os.close(file)

    def tail(self, offset: int = 0, limit: int = 1 << 18) -> tuple[list[Event], int]:
        """Return the complete events after a byte offset, about `limit` bytes of them, and their end."""
        try:
            if self._events.stat().st_size <= offset:
                return [], offset
            with self._events.open("rb") as file:
                file.seek(offset)
                data = file.read(limit)
                if b"\n" not in data:
                    data += file.readline()
        except FileNotFoundError:
            return [], offset
        data = data[: data.rfind(b"\n") + 1]
        return [event for line in data.splitlines() if (event := _parsed(line))], offset + len(data)

    def last_event(self) -> Event | None:
        """Return the last complete event without reading the others."""
        try:
            size = self._events.stat().st_size
        except FileNotFoundError:
            return None
        with self._events.open("rb") as file:
            file.seek(max(0, size - LINE_LIMIT))
            lines = file.read().split(b"\n")[:-1]
        return next((event for line in reversed(lines) if (event := _parsed(line))), None)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock of a living worker; raise if another process runs this job."""
        lock = FileLock(self.path / "lock")
        if not lock.take(str(os.getpid()), LOCK_PATIENCE_S):
            raise UniemError(f"{self.path.name} is being run already.", "Wait for it, or cancel it.")
        try:
            yield
        finally:
            lock.release()

    @property
    def worker_id(self) -> int | None:
        """The process id of the living worker, 0 if it has not said, None if there is none."""
        note = note_of_holder(self.path / "lock")
        return None if note is None else int(note) if note.isdigit() else 0

    def is_alive(self) -> bool:
        """Tell whether a worker lives."""
        return self.worker_id is not None

    def claim(self) -> bool:
        """Mark the job as launched; return False if somebody launched it before."""
        try:
            (self.path / "launched").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    @property
    def launched_at(self) -> float | None:
        """When a worker was launched, in s since 1970; None if none was."""
        return _time_of(self.path / "launched")

    def ask_cancel(self) -> None:
        """Ask the worker to end."""
        self._cancel.touch()

    def ask_pause(self, wanted: bool = True) -> None:
        """Ask an operation that can wait, such as a training, to do so, or to go on."""
        place = self.path / PAUSE
        if wanted:
            place.touch()
        else:
            place.unlink(missing_ok=True)

    @property
    def cancel_asked_at(self) -> float | None:
        """When the worker was asked to end, in s since 1970; None if it was not."""
        return _time_of(self._cancel)

    @property
    def last_sign_of_life(self) -> float | None:
        """When the worker last wrote, in s since 1970; None if it never did."""
        return max(filter(None, map(_time_of, (self._events, self.log))), default=None)

    @property
    def exit_code(self) -> int | None:
        """The exit code of the worker, where the launching process saw it."""
        try:
            return int((self.path / "exit").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None

    @exit_code.setter
    def exit_code(self, code: int) -> None:
        (self.path / "exit").write_text(str(code), encoding="ascii")

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines of the log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - LINE_LIMIT))
                text = file.read().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def zip_report(self, path: Path) -> None:
        """Write everything a developer needs to understand the job into a zip file."""
        part = path.with_name(f".{path.name}.part")
        about = f"uniem {uniem.__version__}\nPython {platform.python_version()}\n{platform.platform()}\n"
        try:
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("about.txt", about)
                for file in sorted(self.path.rglob("*")):
                    if file.is_file() and file.name != "lock":
                        archive.write(file, file.relative_to(self.path))
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise UniemError(f"Cannot write {path}: {error.strerror}.", "Choose another place.") from error


def _parsed(line: bytes) -> Event | None:
    if not line.strip():
        return None
    try:
        return parse_event(line)
    except ValidationError:
        # A line of a newer version, or one torn by a full disk: the others still tell the story.
        logger.warning("An event was not understood: %.200r", line)
        return None


def _time_of(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None
