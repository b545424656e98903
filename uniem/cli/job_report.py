"""What a job's folder says, in words and as JSON values: also of a job whose worker was killed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from uniem.cli.reference import aligned
from uniem.cli.terminal import duration, progress_line, results_table
from uniem.errors import UniemError
from uniem.jobs.events import Ending, JobStatus, Phase
from uniem.jobs.folder import REQUEST, JobFolder
from uniem.jobs.queue import LOG_LINES, Job
from uniem.jobs.rescue import models_left


def look_at(path: Path) -> Job:
    """Return the job in a folder as it stands; one whose worker is gone without a word is lost."""
    if not path.is_dir():
        raise UniemError(f"There is no job folder {path}.", "Check the path.")
    if not (path / REQUEST).is_file():
        raise UniemError(f"{path} is not a job folder: it holds no {REQUEST}.", "Name the folder of a job.")
    job = Job(JobFolder(path))
    _read_all(job)
    is_launched = job.folder.launched_at is not None
    if not job.has_ended and is_launched and not job.is_alive():
        # What a worker writes last, it writes while it lives: it may have done so since the first look.
        _read_all(job)
        if not job.has_ended:
            job.end_without_word()
    return job


def report_text(job: Job) -> str:
    """Return a job's state for a person; the log's end too when it went wrong."""
    status = job.status
    rows = [("job", job.request.operation), ("state", state_of(status))]
    if status.phase is Phase.RUNNING and (status.label or status.done):
        rows.append(("progress", progress_line(status, _latest(status))))
    if status.started is not None:
        rows.append(("started", datetime.fromtimestamp(status.started).isoformat(" ", "seconds")))
    if status.started is not None and status.ended is not None:
        rows.append(("took", duration(max(0.0, status.ended - status.started))))
    told = f"{status.error} {status.hint}".strip() or status.message
    rows += [("message", told)] if told else []
    rows += [(name, location) for name, location in status.outputs.items()]
    rows += [
        (f"{name} left", f"{place}; resume-2d can go on from it") for name, place in left_by(job).items()
    ]
    parts = [aligned(rows)]
    if status.results:
        parts.append(results_table(status.results))
    if log := log_end_of(job):
        parts.append("The end of its log:\n" + log)
    return "\n\n".join(parts)


def report_json(job: Job) -> dict[str, Any]:
    """Return a job's state as JSON values; the fraction is of the current stage, times in s since 1970."""
    status = job.status
    return {
        "operation": job.request.operation,
        "state": state_of(status),
        "phase": status.phase.value,
        "ending": status.ending.value if status.ending else None,
        "stage": status.label,
        "done": status.done,
        "total": status.total,
        "fraction": status.fraction,
        "metrics": _latest(status),
        "message": status.message,
        "error": status.error,
        "hint": status.hint,
        "results": status.results,
        "outputs": status.outputs,
        "left": left_by(job),
        "started": status.started,
        "ended": status.ended,
        "log_end": log_end_of(job),
    }


def state_of(status: JobStatus) -> str:
    """Return one word: queued, starting, running, or how it ended."""
    return status.ending.value if status.ending else status.phase.value


def left_by(job: Job) -> dict[str, str]:
    """Return where the models are that the dead worker of a lost job has left; empty for others."""
    is_lost = job.status.ending is Ending.LOST and not job.status.outputs
    return models_left(job.folder) if is_lost else {}


def log_end_of(job: Job) -> str:
    """Return the last lines of the log of a job that was lost or failed, empty for others."""
    if job.status.ending in (Ending.LOST, Ending.FAILED):
        return job.folder.log_tail(LOG_LINES)
    return ""


def _latest(status: JobStatus) -> dict[str, float]:
    return {name: curve[-1][1] for name, curve in status.metrics.items() if curve}


def _read_all(job: Job) -> None:
    while job.read_events():
        pass
