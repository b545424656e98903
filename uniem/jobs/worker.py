"""The worker: a process that runs one job and writes what happens into its folder."""

from __future__ import annotations

import faulthandler
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from uniem.errors import UniemError
from uniem.jobs.events import END_EVENTS, Event, Failed
from uniem.jobs.folder import JobFolder
from uniem.jobs.interrupts import Interrupts
from uniem.jobs.reporting import JobContext
from uniem.jobs.supervision import BAD_INPUT, execute

logger = logging.getLogger(__name__)


def main(path: Path) -> int:
    """Run a job as a process of its own, whose output is the job's log, and return the exit code."""
    faulthandler.enable()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    with Interrupts() as interrupts:
        return run_job(path, interrupts.asked)


def run_job(path: Path, interrupted: Callable[[], bool] = lambda: False) -> int:
    """Run the job in a folder and return 0 if done, 1 failed, 2 bad input, 3 cancelled.

    Raises `UniemError` if the job is being run, or has ended, already.
    """
    folder = JobFolder(path)
    if not folder.path.is_dir():
        raise UniemError(f"There is no job folder {folder.path}.", "Check the path.")
    with folder.lock():
        if isinstance(folder.last_event(), END_EVENTS):
            raise UniemError(f"The job {folder.path.name} has ended already.", "Ask for it anew.")
        folder.claim()
        return _run_locked(folder, interrupted)


def _run_locked(folder: JobFolder, interrupted: Callable[[], bool]) -> int:
    def report(event: Event) -> None:
        folder.append(event)
        if isinstance(event, Failed):
            logger.error("%s %s\n%s", event.error, event.hint, event.traceback)
            sys.stderr.flush()

    def asked_to_end() -> bool:
        return interrupted() or folder.cancel_asked_at is not None

    try:
        request = folder.request
    except UniemError as error:
        report(Failed(error=error.message, hint=error.hint))
        return BAD_INPUT
    return execute(request, report, JobContext(report, asked_to_end, folder.path), folder.token)
