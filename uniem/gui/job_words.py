"""What a job's status is called where people read it."""

from __future__ import annotations

from uniem.jobs.events import Ending, JobStatus, Phase
from uniem.jobs.request import JobRequest
from uniem.operations.operation import title_of as title_of_operation
from uniem.operations.outputs import path_of

ENDINGS = {
    Ending.FINISHED: "done",
    Ending.FAILED: "failed",
    Ending.CANCELLED: "cancelled",
    Ending.LOST: "lost: the worker died",
}
# Beyond this, a share says more than two long numbers.
COUNTED_UP_TO = 500
FAVOURITES = ("val_loss", "loss")


def title_of(request: JobRequest) -> str:
    """Return the name of a job: its operation and what it makes."""
    title = title_of_operation(request.operation)
    targets = ", ".join(path_of(location).name for location in request.outputs.values())
    return title + (f" → {targets}" if targets else "")


def state_of(status: JobStatus) -> str:
    """Return a few words on how far a job is."""
    if status.phase is Phase.QUEUED:
        return "waiting"
    if status.phase is Phase.STARTING:
        return "starting…"
    if status.phase is Phase.ENDED:
        return ENDINGS[status.ending] if status.ending else "ended"
    if status.total and status.total > COUNTED_UP_TO:
        return f"{status.label} · {status.done / status.total:.0%}"
    if status.total:
        return f"{status.label} {status.done:,}/{status.total:,}".strip()
    return status.label or "running"


def explanation_of(status: JobStatus) -> str:
    """Return the whole story: the error with its remedy, or the last message."""
    is_kept = status.outputs and status.ending is not Ending.FINISHED
    kept = f"What was made until then is kept in {_places(status)}." if is_kept else ""
    if status.error:
        return " ".join(part for part in (status.error, status.hint, kept) if part)
    return kept if status.ending is Ending.CANCELLED else status.message


def _places(status: JobStatus) -> str:
    return ", ".join(path_of(location).name for location in status.outputs.values())


def time_of(status: JobStatus, now: float) -> str:
    """Return the time left while running, and the time it took afterwards."""
    if status.started is None:
        return ""
    if status.phase is Phase.ENDED:
        return duration(max(0.0, (status.ended or status.started) - status.started))
    if status.seconds_left is not None:
        return f"{duration(status.seconds_left)} left"
    return duration(max(0.0, now - status.started))


def duration(seconds: float) -> str:
    """Return a time in s as people say it."""
    whole = round(seconds)
    if whole < 1:
        return "<1 s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def curve_of(status: JobStatus) -> tuple[str, tuple[tuple[int, float], ...]]:
    """Return the curve that tells most, with its name; empty where there is none."""
    # Of several folds, the one that came last.
    losses = [name for name in reversed(status.metrics) if name.endswith("_loss")]
    for name in (*FAVOURITES, *losses, *status.metrics):
        if status.metrics.get(name):
            return name, status.metrics[name]
    return "", ()


def results_of(status: JobStatus, most: int = 6) -> str:
    """Return the first of the numbers that a job found, in one line."""
    pairs = [(name.replace("_", " "), value) for name, value in status.results.items()][:most]
    return " · ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in pairs
    )
