"""The log dock: what the program's parts noted, newest last."""

from __future__ import annotations

import logging
import time

from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QTextCharFormat
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from uniem.gui import style

KEPT_LINES = 5000


class _Post(QObject):
    """Carries records from any thread to the window's."""

    arrived = Signal(int, str)


class LogHandler(logging.Handler):
    """A logging handler that hands each record on as a line of text."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.post = _Post()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record on."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        place = record.name.removeprefix("uniem.")
        text = f"{clock}  {record.levelname.lower():8s}{place}: {record.getMessage()}"
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        self.post.arrived.emit(record.levelno, text)


class LogDock(QWidget):
    """A view of the log with Copy and Clear."""

    def __init__(self) -> None:
        super().__init__()
        self.handler = LogHandler()
        self.handler.post.arrived.connect(self._show)
        logging.getLogger("uniem").addHandler(self.handler)
        self.view = QPlainTextEdit()
        self.view.setReadOnly(True)
        self.view.setMaximumBlockCount(KEPT_LINES)
        self.view.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._only_problems = QCheckBox("Problems only")
        copy, clear = QPushButton("Copy"), QPushButton("Clear")
        copy.clicked.connect(self._copy)
        clear.clicked.connect(self.view.clear)
        bar = QHBoxLayout()
        bar.addWidget(self._only_problems)
        bar.addStretch(1)
        bar.addWidget(copy)
        bar.addWidget(clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addLayout(bar)
        column.addWidget(self.view)

    def close_down(self) -> None:
        """Stop listening."""
        logging.getLogger("uniem").removeHandler(self.handler)

    def _show(self, level: int, text: str) -> None:
        if self._only_problems.isChecked() and level < logging.WARNING:
            return
        form = QTextCharFormat()
        if level >= logging.WARNING:
            form.setForeground(style.accent("error" if level >= logging.ERROR else "warning"))
        cursor = self.view.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        if not self.view.document().isEmpty():
            cursor.insertBlock()
        cursor.insertText(text, form)
        self.view.verticalScrollBar().setValue(self.view.verticalScrollBar().maximum())

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.view.toPlainText())
