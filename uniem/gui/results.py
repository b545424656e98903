"""What happens when a job ends: its results are opened, each in the way its role is shown."""

from __future__ import annotations

import logging
from collections.abc import Callable

from qtpy.QtCore import QObject, Signal

from uniem.errors import UniemError
from uniem.gui import job_words
from uniem.jobs.events import Ending, Phase
from uniem.jobs.queue import Job, JobQueue
from uniem.operations.operation import Role
from uniem.operations.registry import find
from uniem.workspace import OpenItem, Workspace

logger = logging.getLogger(__name__)

Viewer = Callable[[OpenItem], None]
Follower = Callable[[Job], None]


class Results(QObject):
    """Follow jobs to their end.

    Parameters
    ----------
    viewers : dict of Role to function
        How an opened result is shown.
    """

    told = Signal(str)
    failed = Signal(str)

    def __init__(self, workspace: Workspace, queue: JobQueue, viewers: dict[Role, Viewer]) -> None:
        super().__init__()
        self._workspace, self._queue, self._viewers = workspace, queue, viewers
        self._followers: dict[str, Follower] = {}
        queue.changed.connect(self._take_change)

    def close_down(self) -> None:
        """Stop listening to the queue."""
        self._queue.changed.disconnect(self._take_change)

    def open_when_done(self, job: Job) -> None:
        """Open and show what a job makes, once it has made it."""
        self._followers[job.id] = self.open_results

    def follow(self, job: Job, then: Follower) -> None:
        """Call a function with a job once it has left usable outputs."""
        self._followers[job.id] = then

    def open_results(self, job: Job) -> None:
        """Open and show what a job has made."""
        roles = find(job.request.operation).outputs
        for name, location in job.status.outputs.items():
            if not roles[name].is_shown:
                self.told.emit(f"{job_words.title_of(job.request)} wrote {location}.")
                continue
            try:
                self.show(self.open(location))
            except UniemError as error:
                self.failed.emit(str(error))

    def open(self, location: str) -> OpenItem:
        """Open a location, reading anew what was open before."""
        known = self._workspace.at(location)
        if known is not None:
            self._workspace.reload(known)
            return known
        return self._workspace.open(location)

    def show(self, item: OpenItem) -> None:
        """Show an open item as its role asks."""
        self._viewers[item.role](item)

    def _take_change(self, job: Job) -> None:
        if job.status.phase is not Phase.ENDED or job.id not in self._followers:
            return
        then = self._followers.pop(job.id)
        title = job_words.title_of(job.request)
        if job.status.outputs:
            logger.info("%s: %s", title, job_words.state_of(job.status))
            try:
                then(job)
            except UniemError as error:
                self.failed.emit(str(error))
        if job.status.ending not in (Ending.FINISHED, Ending.CANCELLED):
            logger.error("%s: %s", title, job_words.explanation_of(job.status))
            self.failed.emit(
                f"{title} {job_words.state_of(job.status)}. {job_words.explanation_of(job.status)}"
            )
