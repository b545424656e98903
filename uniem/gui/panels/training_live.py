"""What is seen of a training while it runs: pace, curves, pictures, and the verdict at its end."""

from __future__ import annotations

import time

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from uniem.data.model_folder import ModelFolder
from uniem.errors import UniemError
from uniem.gui import job_words
from uniem.gui.forms.editors import repolish
from uniem.gui.model_words import POOR, verdict_of
from uniem.gui.panels.curves import CurvesView
from uniem.gui.panels.picture import Picture
from uniem.gui.panels.plan_line import gigabytes
from uniem.jobs.events import JobStatus, Phase
from uniem.jobs.queue import Job

PACE_SECONDS = 20.0


class TrainingLive(QWidget):
    """Follow a training; signal `pause_wanted(bool)` when it should wait or go on."""

    pause_wanted = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.curves = CurvesView()
        self.pace = QLabel("Nothing is being trained.")
        self.pace.setWordWrap(True)
        self.pause = QPushButton("Pause")
        self.pause.setCheckable(True)
        self.pause.setToolTip(
            "Let the training wait, and the computer do other things; press again to go on."
        )
        self.pause.toggled.connect(self._pause_toggled)
        self.pause.hide()
        self._pictures: dict[str, Picture] = {}
        self._marks: list[tuple[float, int]] = []
        self._buttons = QHBoxLayout()
        self._buttons.addWidget(self.pause)
        self._buttons.addStretch(1)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.pace)
        self._column.addLayout(self._buttons)
        self._column.addWidget(self.curves, 1)

    def add_button(self, button: QPushButton) -> None:
        """Put a button beside Pause."""
        self._buttons.insertWidget(self._buttons.count() - 1, button)

    def begin(self) -> None:
        """Forget the training before."""
        self._marks = []
        self.pause.setChecked(False)
        for picture in self._pictures.values():
            picture.clear()

    def show_job(self, job: Job) -> None:
        """Show how far a training is, or how good its model became."""
        status = job.status
        has_ended = status.phase is Phase.ENDED
        self.pause.setVisible(status.phase is Phase.RUNNING)
        if has_ended:
            self.pause.setChecked(False)
        self.show_curves(status)
        self._tell(*(self.verdict(job) if has_ended else (self._pace_of(job), "")))
        for name, path in status.previews.items():
            self._picture(name).show_file(path)

    def show_curves(self, status: JobStatus) -> None:
        """Draw the curves."""
        self.curves.show_curves(status.metrics)

    def verdict(self, job: Job) -> tuple[str, str]:
        """Return a sentence on how a training ended, and the role of its colour."""
        return _verdict(job)

    def step_of(self, status: JobStatus) -> int:
        """Return the latest step."""
        return max((points[-1][0] for points in status.metrics.values() if points), default=0)

    def place_of(self, status: JobStatus) -> str:
        """Return which of several trainings this is; empty where there is one."""
        return ""

    def add_above_curves(self, part: QWidget | QHBoxLayout) -> None:
        """Put a widget or a row between what is there and the curves."""
        place = self._column.indexOf(self.curves)
        if isinstance(part, QWidget):
            self._column.insertWidget(place, part)
        else:
            self._column.insertLayout(place, part)

    def _picture(self, name: str) -> Picture:
        if name not in self._pictures:
            self._pictures[name] = Picture(name)
            self._column.addWidget(self._pictures[name])
        return self._pictures[name]

    def _tell(self, text: str, role: str) -> None:
        self.pace.setText(text)
        if self.pace.property("role") != role:
            self.pace.setProperty("role", role)
            repolish(self.pace)

    def _pause_toggled(self, is_wanted: bool) -> None:
        self.pause.setText("Go on" if is_wanted else "Pause")
        self._marks = []
        self.pause_wanted.emit(is_wanted)

    def _pace_of(self, job: Job) -> str:
        status = job.status
        if not status.metrics:
            return job_words.state_of(status).capitalize()
        step = self.step_of(status)
        parts = [part for part in (self.place_of(status), f"step {step:,}") if part]
        if self.pause.isChecked():
            return "  ·  ".join(["Paused", *parts])
        parts += self._speed(step)
        if memory := _memory_of(job):
            parts.append(f"{gigabytes(memory)} memory")
        if status.seconds_left is not None:
            parts.append(f"{job_words.duration(status.seconds_left)} left")
        return "  ·  ".join(parts)

    def _speed(self, step: int) -> list[str]:
        now = time.monotonic()
        if not self._marks or self._marks[-1][1] != step:
            self._marks = [mark for mark in self._marks if now - mark[0] < PACE_SECONDS] + [(now, step)]
        (then, before), (last, after) = self._marks[0], self._marks[-1]
        return [f"{(after - before) / (last - then):.3g} steps/s"] if last > then else []


def _verdict(job: Job) -> tuple[str, str]:
    """Return a sentence on how a training ended, and the role of its colour."""
    place = job.place_of("model")
    if place is None:
        return job_words.state_of(job.status).capitalize() + ".", ""
    try:
        record = ModelFolder.open(place).record
    except UniemError as error:
        return str(error), "error"
    return verdict_of(record), "good" if record.best.get("val_f1", 0) >= POOR else ""


def _memory_of(job: Job) -> int:
    """Return the bytes of memory that a job's worker uses; 0 where the system does not tell."""
    import psutil

    process = job.worker.id if job.worker else job.folder.worker_id
    try:
        return int(psutil.Process(process).memory_info().rss) if process else 0
    except psutil.Error:
        return 0
