"""TensorBoard in the browser, over the curves of all trainings that the window knows."""

from __future__ import annotations

import json

from qtpy.QtCore import QObject, QProcess, QProcessEnvironment, QUrl, Signal
from qtpy.QtGui import QDesktopServices

from uniem.jobs.launch import program_command, worker_environment
from uniem.jobs.queue import JobQueue
from uniem.operations.operation import Role
from uniem.operations.registry import operations
from uniem.workspace import Workspace

END_MS = 2000


class TensorBoard(QObject):
    """A service: a process that lives as long as the window, and hears of further trainings by its input.

    Signals
    -------
    told, failed : what to say to the user.
    """

    told = Signal(str)
    failed = Signal(str)

    def __init__(self, workspace: Workspace, queue: JobQueue, parent: QObject) -> None:
        super().__init__(parent)
        self.address = ""
        self._workspace, self._queue = workspace, queue
        self._process: QProcess | None = None
        self._said = b""

    @property
    def places(self) -> list[str]:
        """The folders of models that are open, or were or are being made by the jobs in the list."""
        found = [item.location for item in self._workspace.items if item.role is Role.MODEL]
        known = operations()
        for job in self._queue.jobs:
            # The plugin that a job of the list was made with may be gone.
            operation = known.get(job.request.operation)
            roles = operation.outputs if operation is not None else {}
            found += [job.request.outputs[name] for name, role in roles.items() if role is Role.MODEL]
        return list(dict.fromkeys(found))

    def show(self) -> None:
        """Open the page in the browser; the first time, start the service."""
        if not self.places:
            self.failed.emit("There are no curves yet: train a network, or open a trained model.")
            return
        if self._process is None:
            self._start()
            self.told.emit("TensorBoard is starting…")
        elif self.address:
            self._open()
        self._tell_places()

    def close_down(self) -> None:
        """End the service."""
        process, self._process = self._process, None
        if process is None:
            return
        process.closeWriteChannel()
        if not process.waitForFinished(END_MS):
            process.kill()
            process.waitForFinished(END_MS)

    def _start(self) -> None:
        self.address, self._said = "", b""
        process = self._process = QProcess(self)
        environment = QProcessEnvironment()
        for name, value in worker_environment("cpu").items():
            environment.insert(name, value)
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._hear)
        process.finished.connect(self._end)
        process.errorOccurred.connect(self._fail)
        program, *arguments = program_command("tensorboard", "--follow-input")
        process.start(program, arguments)

    def _tell_places(self) -> None:
        if self._process is not None:
            self._process.write("".join(f"{json.dumps(place)}\n" for place in self.places).encode())

    def _hear(self) -> None:
        if self._process is None or self.address:
            return
        self._said += bytes(self._process.readAllStandardOutput().data())
        line, ended, _ = self._said.partition(b"\n")
        if ended:
            self.address = line.decode().strip()
            self._open()

    def _open(self) -> None:
        self.told.emit(f"TensorBoard is in your browser, at {self.address}, until this window closes.")
        QDesktopServices.openUrl(QUrl(self.address))

    def _fail(self, error: QProcess.ProcessError) -> None:
        # One that was started and dies is told of by `finished`, with what it said.
        if self._process is not None and error == QProcess.ProcessError.FailedToStart:
            self.failed.emit(f"TensorBoard could not be started: {self._process.errorString()}.")
            self._process = None

    def _end(self) -> None:
        process, self._process, self.address = self._process, None, ""
        if process is not None:
            words = bytes(process.readAllStandardError().data()).decode(errors="replace").strip()
            self.failed.emit(f"TensorBoard has ended. {' '.join(words.splitlines()[-2:])}".strip())
            process.deleteLater()
