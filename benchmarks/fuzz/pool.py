"""Cases run in processes of their own, forked from one that has imported everything, and watched."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.fuzz.cases import Case, Trial

MOST_SECONDS = 10.0
MOST_SECONDS_TO_PREPARE = 120.0
MOST_BYTES = 2 << 30
WARM = [
    "fastremap",
    "h5py",
    "imagecodecs",
    "mrcfile",
    "nibabel",
    "tifffile",
    "tensorstore",
    "uniem.cli.commands",
    "uniem.cli.flags",
    "uniem.cli.terminal",
    "uniem.data.formats",
    "uniem.data.mesh",
    "uniem.data.model_folder",
    "uniem.data.store",
    "uniem.data.table",
    "uniem.jobs.supervision",
    "uniem.operations.execution",
]


@dataclass
class Ending:
    """How a case ended: opened, exported and refused are good."""

    case: Case
    outcome: str
    detail: str
    seconds: float
    bytes: int


@dataclass
class _Child:
    case: Case
    folder: Path
    pid: int
    began: float = field(default_factory=time.monotonic)
    is_ready: bool = False
    peak: int = 0
    queued: float = 0.0
    killed_for: str = ""


def run_all(cases: list[Case], trial: Trial, folder: Path, at_once: int) -> list[Ending]:
    """Run every case, a few at a time, and return how they ended, in their order."""
    for module in WARM:
        importlib.import_module(module)
    _load_operations()
    waiting, living, endings = list(reversed(list(enumerate(cases)))), list[_Child](), list[Ending]()
    while waiting or living:
        while waiting and len(living) < at_once:
            number, case = waiting.pop()
            living.append(_start(case, folder / f"{number}", trial))
        for child in list(living):
            if ending := _watched(child):
                living.remove(child)
                endings.append(ending)
                _clear(child.folder)
                _show(ending, len(endings), len(cases))
        time.sleep(0.002)
    order = {case: i for i, case in enumerate(cases)}
    return sorted(endings, key=lambda ending: order[ending.case])


def _load_operations() -> None:
    from uniem.operations.registry import operations

    operations()


def _show(ending: Ending, done: int, total: int) -> None:
    if done % 250 == 0:
        sys.stderr.write(f"{done} of {total}\n")
    if ending.outcome not in ("opened", "exported", "refused"):
        sys.stderr.write(f"{ending.case.name}: {ending.outcome}: {ending.detail.strip().splitlines()[-1:]}\n")


def _start(case: Case, folder: Path, trial: Trial) -> _Child:
    (folder / "case").mkdir(parents=True)
    folder.chmod(0o777)
    (folder / "case").chmod(0o777)
    (folder / "case-typed").mkdir()
    (folder / "case-typed").chmod(0o777)
    if pid := os.fork():
        return _Child(case, folder, pid)
    try:
        _be_child(lambda: trial(case, folder / "case"), folder)
    finally:
        os._exit(0)


def _be_child(prepare: Callable[[], Callable[[], str]], folder: Path) -> None:
    output = os.open(folder / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o666)
    for stream in (1, 2):
        os.dup2(output, stream)
    result = os.open(folder / "result", os.O_CREAT | os.O_WRONLY, 0o666)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 40, resource.RLIM_INFINITY))
    os.environ["UNIEM_HOME"] = str(folder / "home")
    os.umask(0)
    # A warning of ours would be a line on the user's terminal.
    warnings.filterwarnings("error", module=r"uniem\.")
    ready = os.open(folder, os.O_RDONLY)
    try:
        trial = prepare()
        gc.collect()
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # forgets how much memory the preparation took
        os.close(os.open("ready", os.O_CREAT | os.O_WRONLY, 0o666, dir_fd=ready))
        said = trial()
    except BaseException:  # noqa: BLE001 - whatever it is, it is the finding
        said = traceback.format_exc()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    os.write(result, said.encode("utf-8", "backslashreplace"))


def _watched(child: _Child) -> Ending | None:
    """Look after a child once; return its ending when it has ended."""
    pid, status, usage = os.wait4(child.pid, os.WNOHANG)
    if not child.is_ready and (child.folder / "ready").exists():
        child.is_ready, child.began = True, time.monotonic()
    if not pid:
        child.queued = _queued_seconds(child.pid)
    seconds = time.monotonic() - child.began - child.queued
    if not pid:
        child.peak = max(child.peak, _resident(child.pid) if child.is_ready else 0)
        most = MOST_SECONDS if child.is_ready else MOST_SECONDS_TO_PREPARE
        if not child.killed_for and (seconds > most or child.peak > MOST_BYTES):
            child.killed_for = "hang" if seconds > most else "memory"
            os.kill(child.pid, signal.SIGKILL)
        return None
    peak = max(child.peak, usage.ru_maxrss << 10)
    outcome, detail = _judged(child, status, peak)
    return Ending(child.case, outcome, detail, seconds, peak)


def _judged(child: _Child, status: int, peak: int) -> tuple[str, str]:
    log = (child.folder / "log").read_text("utf-8", "replace")
    if child.killed_for:
        return child.killed_for, log or "no output"
    if os.WIFSIGNALED(status):
        return "crash", f"{signal.Signals(os.WTERMSIG(status)).name} {log}"
    said = (child.folder / "result").read_text("utf-8", "replace")
    if peak > MOST_BYTES:
        return "memory", said
    first = said.partition(":")[0]
    if first not in ("opened", "exported", "refused"):
        return ("wrong" if ".Wrong: " in said else "error"), said or "ended without a word"
    return first, said


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * resource.getpagesize()


def _queued_seconds(pid: int) -> float:
    """Return how long a process has waited for a processor that others used: that is not its own time."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def _clear(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except OSError:  # a path that is longer than the system's limit, or a folder without rights
        subprocess.run(["chmod", "-R", "u+rwx", str(folder)], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["rm", "-rf", str(folder)], check=False)
