"""Saving while the user goes on: step by step in the window's thread, the disk's part in a thread."""

from __future__ import annotations

import time

from qtpy.QtCore import QEventLoop, QObject, Qt, QTimer, Signal
from qtpy.QtWidgets import QApplication, QHBoxLayout, QLabel, QProgressBar, QWidget

from uniem.errors import UniemError
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.notices import PATIENCE_MS
from uniem.proofreading.saving import Saving
from uniem.proofreading.session import ProofreadingSession

EVERY_MS, SLICE_S = 15, 0.008


class BackgroundSaving(QObject):
    """Carry one save on; strokes come first.

    Signals: `changed()` when one begins, goes on or ends; `saved(str)` with what to tell; `failed(str)`.
    """

    changed = Signal()
    saved = Signal(str)
    failed = Signal(str)

    def __init__(self, canvas: Canvas, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._saving: Saving | None = None
        self._words = ""
        self.subject = ""
        self._clock = QTimer(self)
        self._clock.setInterval(EVERY_MS)
        self._clock.timeout.connect(self._go_on)

    @property
    def is_busy(self) -> bool:
        """Tell whether a save is under way."""
        return self._saving is not None

    @property
    def part_done(self) -> float:
        """How much is on the disk, from 0 to 1."""
        return self._saving.part_done if self._saving is not None else 0.0

    def begin(self, session: ProofreadingSession, name: str, words: str) -> None:
        """Begin a save, to tell some words when it is done."""
        self._saving, self._words = session.begin_saving(name), words
        self.subject = session.path.name
        self._clock.start()
        self._go_on()

    def finish(self) -> bool:
        """Wait for the end while the window is drawn, but takes no clicks; return whether nothing failed."""
        is_good = True
        while self._saving is not None:
            is_good = self._step()
            if self._saving is not None:
                QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents, EVERY_MS)
                time.sleep(0.001)
        return is_good

    def _go_on(self) -> None:
        if self._saving is not None and not self._canvas.is_stroking:
            self._step()

    def _step(self) -> bool:
        """Go on for some milliseconds, unless only the disk is awaited; return whether nothing failed."""
        saving, end = self._saving, time.monotonic() + SLICE_S
        assert saving is not None
        try:
            while saving.go_on() and not saving.is_waiting and time.monotonic() < end:
                pass
        except UniemError as error:
            self._end()
            self.failed.emit(str(error))
            return False
        if saving.is_over:
            self._end()
            self.saved.emit(self._words)
        else:
            self.changed.emit()
        return True

    def _end(self) -> None:
        self._clock.stop()
        self._saving = None
        self.changed.emit()


class SavingBar(QWidget):
    """Say that labels are being saved, and how far it is; a short save says nothing."""

    def __init__(self, saving: BackgroundSaving) -> None:
        super().__init__()
        self._saving = saving
        self.label, self.progress = QLabel(), QProgressBar()
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.progress.setTextVisible(False)
        self.progress.setFixedSize(120, 6)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 6, 4)
        row.addWidget(self.label)
        row.addWidget(self.progress)
        row.addStretch(1)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PATIENCE_MS)
        self._soon.timeout.connect(self.show)
        saving.changed.connect(self._follow)
        self.hide()

    def _follow(self) -> None:
        if not self._saving.is_busy:
            self._soon.stop()
            self.hide()
            return
        self.label.setText(f"Saving {self._saving.subject}: you can go on painting.")
        self.progress.setValue(round(100 * self._saving.part_done))
        if self.isHidden() and not self._soon.isActive():
            self._soon.start()
