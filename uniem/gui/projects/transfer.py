"""Copying, packing and unpacking projects as jobs: shown while they run, with Cancel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from qtpy.QtCore import QObject, Qt
from qtpy.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

from uniem.errors import UniemError
from uniem.gui.panels.progress_row import ProgressRow
from uniem.jobs.events import Ending, Phase
from uniem.jobs.queue import Job, JobQueue
from uniem.jobs.request import JobRequest
from uniem.operations.pack_project import SEPARATOR

Then = Callable[[Path], None]


class TransferDialog(QDialog):
    """Follow a job that must be over before the window can go on; closing the dialog cancels the job."""

    def __init__(self, title: str, job: Job, queue: JobQueue, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._job, self._queue = job, queue
        self.progress = ProgressRow()
        self.progress.cancel_wanted.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(QLabel(f"{title}…"))
        column.addWidget(self.progress)
        self.resize(460, 90)
        queue.changed.connect(self._follow)
        self.progress.show_status(job.status)

    def reject(self) -> None:
        """Cancel the job; its end closes the dialog."""
        self._queue.cancel(self._job)

    def done(self, result: int) -> None:
        """Stop listening, and close."""
        self._queue.changed.disconnect(self._follow, missing_ok=True)
        super().done(result)

    def _follow(self, job: Job) -> None:
        if job.id != self._job.id:
            return
        self.progress.show_status(job.status)
        if job.status.phase is Phase.ENDED:
            is_done = job.status.ending is Ending.FINISHED
            self.done(int(QDialog.DialogCode.Accepted if is_done else QDialog.DialogCode.Rejected))


class Transfer(QObject):
    """Start jobs that copy whole projects."""

    def __init__(self, queue: JobQueue, failed: Callable[[str], None], window: QWidget) -> None:
        super().__init__(window)
        self._queue, self._failed, self._window = queue, failed, window

    def pack(self, source: Path, target: Path, left_out: Sequence[str]) -> Job | None:
        """Pack a project into a file, in the background."""
        return self._submit("pack-project", {"project": source}, {"packed": target}, left_out)

    def copy(self, source: Path, target: Path, left_out: Sequence[str], then: Then) -> None:
        """Copy a project into a folder while the window waits, then call a function with the folder."""
        job = self._submit("pack-project", {"project": source}, {"packed": target}, left_out)
        self._wait(job, f"Copying into {target.name}", target, then)

    def unpack(self, packed: Path, target: Path, then: Then) -> None:
        """Unpack a project into a folder while the window waits, then call a function with the folder."""
        job = self._submit("unpack-project", {"packed": packed}, {"project": target})
        self._wait(job, f"Unpacking {packed.name}", target, then)

    def _submit(
        self, operation: str, inputs: dict[str, Path], outputs: dict[str, Path], left_out: Sequence[str] = ()
    ) -> Job | None:
        request = JobRequest(
            operation=operation,
            parameters={"leave_out": SEPARATOR.join(left_out)} if left_out else {},
            inputs={name: str(path) for name, path in inputs.items()},
            outputs={name: str(path) for name, path in outputs.items()},
            # The dialogs have asked already whether to replace what is there.
            overwrite=True,
        )
        try:
            return self._queue.submit(request)
        except UniemError as error:
            self._failed(str(error))
            return None

    def _wait(self, job: Job | None, title: str, target: Path, then: Then) -> None:
        if job is None:
            return
        dialog = TransferDialog(title, job, self._queue, self._window)
        dialog.accepted.connect(lambda: then(target))
        dialog.rejected.connect(lambda: self._tell_failure(job))
        dialog.open()

    def _tell_failure(self, job: Job) -> None:
        if job.status.ending is not Ending.CANCELLED:
            self._failed(f"{job.status.error} {job.status.hint}".strip() or "It did not come to an end.")
