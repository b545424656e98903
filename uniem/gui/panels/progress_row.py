"""How far a job is, in a panel: a bar, words, the time left, and Cancel."""

from __future__ import annotations

import time

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QProgressBar, QPushButton, QWidget

from uniem.gui import job_words
from uniem.gui.forms.editors import repolish
from uniem.jobs.events import Ending, JobStatus, Phase

_STEPS = 1000


class ProgressRow(QWidget):
    """A bar that follows a job; hidden until there is one."""

    cancel_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(8)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(self.cancel_wanted)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.addWidget(self.bar, 0, 0)
        grid.addWidget(self.words, 1, 0)
        grid.addWidget(self.cancel, 0, 1, 2, 1)
        grid.setColumnStretch(0, 1)
        self.hide()

    def show_status(self, status: JobStatus) -> None:
        """Show how far a job is, or how it ended and why."""
        has_ended = status.phase is Phase.ENDED
        is_unknown = not has_ended and status.fraction is None and status.phase is not Phase.QUEUED
        self.bar.setRange(0, 0 if is_unknown else _STEPS)
        self.bar.setValue(round((status.fraction or 0.0) * _STEPS))
        self.bar.setVisible(not has_ended)
        self.cancel.setVisible(not has_ended)
        self.words.setText(_words(status))
        role = {Ending.FINISHED: "good", Ending.FAILED: "error", Ending.LOST: "error"}.get(
            status.ending or Ending.CANCELLED, "quiet"
        )
        self.words.setProperty("role", role if has_ended else "")
        repolish(self.words)
        self.show()


def _words(status: JobStatus) -> str:
    parts = [job_words.state_of(status), job_words.time_of(status, time.time())]
    if status.phase is Phase.ENDED:
        parts[1] = f"after {parts[1]}" if parts[1] else ""
        line = " ".join(part for part in parts if part)
        sentences = (
            f"{line[:1].upper()}{line[1:]}.",
            job_words.explanation_of(status),
            job_words.results_of(status),
        )
        return " ".join(sentence for sentence in sentences if sentence)
    return " · ".join(part for part in (*parts, status.message) if part)
