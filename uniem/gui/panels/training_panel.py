"""The panel of a training: what every operation has, and curves, pictures and pace while it runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import QLabel, QSizePolicy, QTabWidget, QVBoxLayout, QWidget

from uniem.gui import job_words
from uniem.gui.panels.curves import CurvesView
from uniem.gui.panels.operation_panel import OperationPanel
from uniem.jobs.events import JobStatus, Phase
from uniem.jobs.queue import Job

PACE_SECONDS = 20.0


class Picture(QWidget):
    """A picture from a file, as wide as the panel, with its name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._image = QImage()
        self._path = Path()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_file(self, path: Path) -> None:
        """Show another file."""
        if path != self._path:
            image = QImage(str(path))
            if not image.isNull():
                self._path, self._image = path, image
                self._set_height()
                self.update()

    def sizeHint(self) -> QSize:
        """Return the height that keeps the picture's shape."""
        return QSize(200, self._height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the picture's shape."""
        self._set_height()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the name and the picture."""
        if self._image.isNull():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        line = self.fontMetrics().height()
        self._paint_names(painter, line)
        painter.drawImage(QRectF(0, line + 2, self.width(), self.height() - line - 2), self._image)

    def _paint_names(self, painter: QPainter, height: int) -> None:
        names = self._name.split("|")
        width = self.width() / len(names)
        for place, name in enumerate(names):
            area = QRectF(place * width, 0, width, height)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignHCenter), name.strip())

    def _height(self) -> int:
        if self._image.isNull():
            return 0
        scaled = self.width() * self._image.height() / max(1, self._image.width())
        return round(scaled) + self.fontMetrics().height() + 2

    def _set_height(self) -> None:
        self.setFixedHeight(self._height())


class TrainingPanel(OperationPanel):
    """Follow a training live."""

    def __init__(self, *arguments: Any) -> None:
        self._pictures: dict[str, Picture] = {}
        self._marks: list[tuple[float, int]] = []
        super().__init__(*arguments)
        self.run_button.setText("Start")
        self.progress.cancel.setText("Stop")
        self.progress.cancel.setToolTip("End the training; the best model so far is kept.")

    def make_middle(self, form_area: QWidget) -> QWidget:
        """Put the form and what is seen of a training on two pages."""
        self.curves = CurvesView()
        self._pace = QLabel("Nothing is being trained.")
        self._pace.setWordWrap(True)
        live = QWidget()
        self._column_of_live = QVBoxLayout(live)
        self._column_of_live.addWidget(self._pace)
        self._column_of_live.addWidget(self.curves, 1)
        self.pages = QTabWidget()
        self.pages.setDocumentMode(True)
        self.pages.addTab(form_area, "Set-up")
        self.pages.addTab(live, "Progress")
        return self.pages

    def run(self) -> Job | None:
        """Start a training with an empty plot."""
        self._marks = []
        job = super().run()
        if job is not None:
            self.pages.setCurrentIndex(1)
        return job

    def _show_job(self, job: Job) -> None:
        super()._show_job(job)
        status = job.status
        self.curves.show_curves(status.metrics)
        self._pace.setText(self._pace_of(status))
        for name, path in status.previews.items():
            self._picture(name).show_file(path)

    def _picture(self, name: str) -> Picture:
        if name not in self._pictures:
            self._pictures[name] = Picture(name)
            self._column_of_live.addWidget(self._pictures[name])
        return self._pictures[name]

    def _pace_of(self, status: JobStatus) -> str:
        if status.phase is Phase.ENDED:
            return job_words.results_of(status)
        step = max((points[-1][0] for points in status.metrics.values() if points), default=0)
        now = time.monotonic()
        if not self._marks or self._marks[-1][1] != step:
            self._marks = [mark for mark in self._marks if now - mark[0] < PACE_SECONDS] + [(now, step)]
        if not status.metrics:
            return job_words.state_of(status).capitalize()
        parts = [f"step {step:,}"]
        if len(self._marks) > 1 and self._marks[-1][0] > self._marks[0][0]:
            (then, before), (last, after) = self._marks[0], self._marks[-1]
            parts.append(f"{(after - before) / (last - then):.3g} steps/s")
        if status.seconds_left is not None:
            parts.append(f"{job_words.duration(status.seconds_left)} left")
        return "  ·  ".join(parts)
