"""The jobs of a user: which wait, which run, which have ended."""

from __future__ import annotations

import logging
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Literal

from psygnal import Signal

from uniem import paths
from uniem.errors import UniemError
from uniem.jobs.events import END_EVENTS, Cancelled, Ending, EventFold, Failed, JobStatus, Phase, fold
from uniem.jobs.folder import REQUEST, JobFolder
from uniem.jobs.launch import Worker, describe_exit, kill_tree, start
from uniem.jobs.request import JobRequest, check
from uniem.jobs.rescue import rescue

logger = logging.getLogger(__name__)

SLOTS = {"cpu": 2, "gpu": 1}
GRACE_S = 30.0
# How long a worker started by another window may take before it holds its lock.
START_UP_S = 60.0
READING_BUDGET_S = 0.005
LOG_LINES = 60


class Job:
    """A job as the queue sees it; `status` is replaced whenever something happened."""

    def __init__(self, folder: JobFolder) -> None:
        self.folder = folder
        self.request: JobRequest = folder.request
        last = folder.last_event()
        self.status: JobStatus = fold([last] if last else [], folder.path)
        self.has_ended = isinstance(last, END_EVENTS)
        self.device = _device_of(self.request)
        self.worker: Worker | None = None
        self._fold = EventFold(folder.path)
        self._offset = 0

    @property
    def id(self) -> str:
        """The name of the job's folder."""
        return self.folder.path.name

    def read_events(self) -> bool:
        """Take in what happened since the last call; return whether there was anything."""
        events, self._offset = self.folder.tail(self._offset)
        for event in events:
            self._fold.add(event)
        status = self._fold.status if events else self.status
        # Of a job known to have ended, the beginning alone would tell an old story.
        if not self.has_ended or status.phase is Phase.ENDED:
            self.status = status
            self.has_ended = status.phase is Phase.ENDED
        return bool(events)

    def place_of(self, output: str) -> Path | None:
        """Return where an output stands; while the job runs, where it is made; None where there is none."""
        from uniem.operations.outputs import path_of, unfinished

        if self.status.phase is Phase.ENDED:
            return path_of(self.status.outputs[output]) if output in self.status.outputs else None
        return unfinished(path_of(self.request.outputs[output]))

    def is_alive(self) -> bool:
        """Tell whether a worker has the job, or is about to."""
        if self.worker is not None:
            return self.worker.exit_code() is None
        if self.folder.is_alive():
            return True
        launched = self.folder.launched_at
        is_starting = self._offset == 0 and launched is not None and time.time() - launched < START_UP_S
        return is_starting and not self.has_ended

    def kill(self) -> None:
        """End the worker and everything it started, at once."""
        process = self.worker.id if self.worker else self.folder.worker_id
        if process:
            kill_tree(process)

    def end_without_word(self) -> None:
        """Work out how the job ended whose worker is gone without having said so."""
        if self.worker is not None and (code := self.worker.exit_code()) is not None:
            self.folder.exit_code = code
        self.has_ended = True
        self.status = replace(
            self.status,
            phase=Phase.ENDED,
            seconds_left=None,
            started=self.status.started or self.folder.launched_at,
            ended=self.status.ended or self.folder.last_sign_of_life or time.time(),
        )
        if self.folder.cancel_asked_at is not None:
            message = "It did not end by itself in time, and was ended."
            self.status = replace(self.status, ending=Ending.CANCELLED, message=message)
            return
        self.status = replace(
            self.status,
            ending=Ending.LOST,
            error=f"The worker {describe_exit(self.folder.exit_code)} before it was done.",
            hint="The end of its log may tell more. Run it again, perhaps on smaller data.",
            log_end=self.folder.log_tail(LOG_LINES),
        )


class JobQueue:
    """Start jobs in the order of asking, one on the GPU and two on the CPU at a time, and follow them.

    Jobs of an earlier session are taken up again: living ones are followed, waiting ones started. Signals are
    emitted from `poll`, `submit`, `cancel` and `remove`, in the caller's thread, after the state has changed.

    Parameters
    ----------
    folder : Path, optional
        Where jobs are kept; by default this user's.
    grace_s : float
        How long a cancelled worker may take to end by itself, in s.
    """

    added = Signal(Job)
    changed = Signal(Job)
    removed = Signal(Job)

    def __init__(self, folder: Path | None = None, grace_s: float = GRACE_S) -> None:
        self.folder = folder or paths.jobs()
        self.grace_s = grace_s
        self.jobs: list[Job] = []
        self._waiting: list[Job] = []
        self._active: list[Job] = []
        self._unread: list[Job] = []
        self._take_up_all()

    def move_to(self, folder: Path) -> None:
        """Follow the jobs of another folder from now on; those that run go on by themselves."""
        self.leave_running()
        self._unread.clear()
        for job in list(self.jobs):
            self.jobs.remove(job)
            self.removed.emit(job)
        self.folder = folder
        self._take_up_all()
        for job in self.jobs:
            self.added.emit(job)

    def submit(self, request: JobRequest) -> Job:
        """Queue a request; raise `UniemError` at once where it can be seen that it would fail."""
        request = request.located()
        check(request)
        job = Job(JobFolder.create(self.folder, request))
        self.jobs.append(job)
        self._waiting.append(job)
        self.added.emit(job)
        return job

    def poll(self) -> None:
        """Start what may start and take in what happened; call it often, when idle it costs nothing."""
        for job in list(self._active):
            self._follow(job)
        for job in list(self._waiting):
            self._start_if_free(job)
        self._read_old_jobs()

    def cancel(self, job: Job) -> None:
        """Ask a job to end; one that does not within the grace period is killed."""
        if job.has_ended:
            return
        job.folder.ask_cancel()
        if job in self._waiting:
            self._waiting.remove(job)
            job.folder.append(Cancelled())
            job.read_events()
            self.changed.emit(job)

    def retry(self, job: Job) -> Job:
        """Queue the same request again; what an interrupted job has left stays, the new goes beside it."""
        outputs = dict(job.request.outputs)
        if job.status.ending is not Ending.FINISHED:
            outputs.update({name: str(paths.unused(Path(kept))) for name, kept in job.status.outputs.items()})
        return self.submit(job.request.model_copy(update={"outputs": outputs}))

    def remove(self, job: Job) -> None:
        """Delete an ended job's folder; its outputs, which are elsewhere, stay."""
        if not job.has_ended or job in self._active:
            raise UniemError(f"{job.request.operation} has not ended yet.", "Cancel it first.")
        shutil.rmtree(job.folder.path, ignore_errors=True)
        for jobs in (self.jobs, self._unread):
            if job in jobs:
                jobs.remove(job)
        self.removed.emit(job)

    @property
    def is_busy(self) -> bool:
        """Whether any job waits or runs."""
        return bool(self._active or self._waiting)

    def stop_all(self) -> None:
        """Cancel every job and wait until all have ended, by force once the grace period is over."""
        for job in [*self._waiting, *self._active]:
            self.cancel(job)
        while self._active:
            self.poll()
            time.sleep(0.02)

    def leave_running(self) -> None:
        """Let go of the workers, which go on by themselves; the next queue takes them up again."""
        for job in self._active:
            if job.worker is not None:
                job.worker.detach()
        self._active.clear()
        self._waiting.clear()

    def _take_up_all(self) -> None:
        for path in sorted(self.folder.iterdir()) if self.folder.is_dir() else []:
            self._take_up(path)

    def _take_up(self, path: Path) -> None:
        if not (path / REQUEST).is_file():
            return
        try:
            job = Job(JobFolder(path))
        except UniemError as error:
            logger.warning("%s", error)
            return
        self.jobs.append(job)
        if job.has_ended:
            self._unread.append(job)
        elif job.folder.launched_at is None:
            self._waiting.append(job)
        else:
            self._active.append(job)

    def _follow(self, job: Job) -> None:
        # Asked before reading: what a worker writes last, it writes while it lives.
        is_alive = job.is_alive()
        is_news = job.read_events()
        if not is_alive and not is_news and not job.has_ended:
            job.end_without_word()
            if kept := rescue(job.folder, job.status):
                job.status = replace(job.status, outputs=kept)
            is_news = True
        if is_alive:
            self._press(job)
        elif job.has_ended:
            # Only an ended process has given its GPU memory back.
            self._active.remove(job)
        if is_news:
            self.changed.emit(job)

    def _press(self, job: Job) -> None:
        asked = job.folder.cancel_asked_at
        since = job.status.ended if job.has_ended else asked
        if since is not None and time.time() - since > self.grace_s:
            job.kill()

    def _start_if_free(self, job: Job) -> None:
        if sum(other.device == job.device for other in self._active) >= SLOTS[job.device]:
            return
        self._waiting.remove(job)
        self._active.append(job)
        # Another window on the same folder may have been quicker; then its worker is followed.
        job.status = replace(job.status, phase=Phase.STARTING)
        if job.folder.claim():
            try:
                job.worker = start(job.folder, job.device)
            except UniemError as error:
                job.folder.append(Failed(error=error.message, hint=error.hint))
        self.changed.emit(job)

    def _read_old_jobs(self) -> None:
        deadline = time.monotonic() + READING_BUDGET_S
        while self._unread and time.monotonic() < deadline:
            job = self._unread[-1]
            if not job.read_events():
                self._unread.pop()
                self.changed.emit(job)


def _device_of(request: JobRequest) -> Literal["cpu", "gpu"]:
    from uniem.operations.registry import operations

    if request.parameters.get("device") == "cpu":
        return "cpu"
    known = operations().get(request.operation)
    return known.device if known else "cpu"
