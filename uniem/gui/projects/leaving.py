"""The question what becomes of running jobs when a window closes or goes to another project."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

from uniem.gui.messages import choose
from uniem.jobs.queue import JobQueue

LEAVE, STOP, STAY = "Leave them running", "Stop them", "Cancel"


def may_leave_jobs(window: QWidget, queue: JobQueue) -> bool:
    """Ask what becomes of running jobs, and do it; return False where the user wants to stay."""
    if all(job.has_ended for job in queue.jobs):
        # A worker may take a moment longer to be gone than to say so.
        queue.leave_running()
        return True
    answer = choose(
        window,
        "Jobs are running",
        "Some jobs have not ended yet.",
        (LEAVE, STOP, STAY),
        "Jobs that are left running go on without the window, and are found here again.",
    )
    if answer == STOP:
        queue.stop_all()
    elif answer == LEAVE:
        queue.leave_running()
    return answer != STAY
