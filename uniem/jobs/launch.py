"""Start and stop worker processes on each platform: the only place that makes processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from uniem import paths
from uniem.errors import UniemError
from uniem.jobs.folder import JobFolder


class Worker:
    """A worker process that was started here."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def id(self) -> int:
        """The process id, which is also that of its group."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal; None while it lives."""
        code = self._process.poll()
        return None if code is None else int(code)

    def kill(self) -> None:
        """End the worker and everything it started, at once."""
        kill_tree(self.id)

    def detach(self) -> None:
        """Let the worker go on without us."""
        # Popen would otherwise warn, when it is collected, that its process still runs; here that is meant.
        self._process.returncode = self._process.returncode or 0


def start(folder: JobFolder, device: Literal["cpu", "gpu"] = "cpu") -> Worker:
    """Start a worker for a job; it outlives this process."""
    command = worker_command(folder.path)
    environment = worker_environment(device)
    with folder.log.open("ab") as log:
        try:
            return Worker(_spawn(command, environment, folder.path, log.fileno()))
        except OSError as error:
            raise UniemError(
                f"Cannot start {command[0]}: {error.strerror}.", "Install uniem again."
            ) from error


def worker_command(folder: Path) -> list[str]:
    """Return the command line of a worker."""
    return program_command("run-job", str(folder))


def program_command(*arguments: str) -> list[str]:
    """Return a command line of this program, in a source tree or in a bundle."""
    if paths.is_frozen():
        program = Path(sys.executable).with_name("uniem-cli" + Path(sys.executable).suffix)
        return [str(program), *arguments]
    return [sys.executable, "-m", "uniem", *arguments]


def worker_environment(device: Literal["cpu", "gpu"]) -> Mapping[str, str]:
    """Return the environment of a worker: the same home folder, UTF-8, and no GPU for work on the CPU."""
    changes = {
        "UNIEM_HOME": str(paths.user_data().absolute()),
        # A bundled program that outlives the one that started it must unpack and look up its own files.
        "PYINSTALLER_RESET_ENVIRONMENT": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
    }
    if device == "cpu":
        changes["CUDA_VISIBLE_DEVICES"] = "-1"
    return {**os.environ, **changes}


if sys.platform == "win32":

    def _spawn(
        command: list[str], environment: Mapping[str, str], cwd: Path, log: int
    ) -> subprocess.Popen[bytes]:
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        # Some hosts put programs into a job object that ends them together; not all let them break away.
        for extra in (subprocess.CREATE_BREAKAWAY_FROM_JOB, 0):
            with contextlib.suppress(PermissionError):
                return subprocess.Popen(
                    command,
                    env=dict(environment),
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    creationflags=flags | extra,
                )
        raise PermissionError(13, "Permission denied", command[0])

    def kill_tree(process_id: int) -> None:
        """End a process and everything it started, at once."""
        subprocess.run(
            ["taskkill", "/T", "/F", "/PID", str(process_id)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            creationflags=subprocess.CREATE_NO_WINDOW,
            check=False,
        )

else:

    def _spawn(
        command: list[str], environment: Mapping[str, str], cwd: Path, log: int
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def kill_tree(process_id: int) -> None:
        """End a process and its group, at once."""
        with contextlib.suppress(ProcessLookupError):
            # A worker that a person started in a shell shares the shell's group, which must live.
            leads_group = os.getpgid(process_id) == process_id
            (os.killpg if leads_group else os.kill)(process_id, signal.SIGKILL)


def describe_exit(code: int | None) -> str:
    """Return how a process ended, in words, from its exit code (None: unknown)."""
    if code is None:
        return "was killed or crashed"
    if sys.platform != "win32" and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        if -code == signal.SIGKILL:
            return f"was killed ({name}), by a person or because memory ran out"
        return f"crashed ({name})" if -code != signal.SIGTERM else f"was ended ({name})"
    return f"ended with exit code {code:#x}" if code > 255 else f"ended with exit code {code}"
