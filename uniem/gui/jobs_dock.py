"""The jobs dock: what waits, runs and has ended, and what can be done about each."""

from __future__ import annotations

import contextlib
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path

from qtpy.QtCore import QPoint, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QAction,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHeaderView,
    QMenu,
    QPlainTextEdit,
    QTableView,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from uniem.errors import UniemError
from uniem.gui import job_words, style
from uniem.gui.jobs_table import CURVE, NAME, NOTES, PROGRESS, TIME, JobDelegate, JobsModel
from uniem.jobs.events import Ending, Phase
from uniem.jobs.queue import Job, JobQueue

LOG_LINES = 2000
_ACTIONS = (
    ("open", "Open result", "open-in-app"),
    ("cancel", "Cancel", "stop-circle-outline"),
    ("again", "Retry", "refresh"),
    ("log", "Log…", "text-box-outline"),
    ("reveal", "Show folder", "folder-outline"),
    ("report", "Save report…", "bug-outline"),
    ("remove", "Remove", "delete-outline"),
)


class JobsDock(QWidget):
    """A table of jobs with a tool bar for the selected one."""

    result_wanted = Signal(object)

    def __init__(self, queue: JobQueue, show_error: Callable[[str], None]) -> None:
        super().__init__()
        self._queue = queue
        self._show_error = show_error
        self.model = JobsModel(queue)
        self.table = self._make_table()
        self.actions_by_id = {id: self._make_action(id, title) for id, title, _ in _ACTIONS}
        self.bar = QToolBar()
        self.bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        for action in self.actions_by_id.values():
            self.bar.addAction(action)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 2, 4, 4)
        column.setSpacing(2)
        column.addWidget(self.bar)
        column.addWidget(self.table)
        self._clock = QTimer(self)
        self._clock.timeout.connect(self.model.tick)
        self._clock.start(1000)
        queue.changed.connect(self._follow)
        self._show_possible()

    def close_down(self) -> None:
        """Stop listening to the queue."""
        self._clock.stop()
        self._queue.changed.disconnect(self._follow)
        self.model.close_down()

    def dress(self) -> None:
        """Give the buttons icons in the colours of the present theme."""
        for id, _, name in _ACTIONS:
            self.actions_by_id[id].setIcon(style.icon(name))
        self.table.viewport().update()

    @property
    def selected(self) -> Job | None:
        """The job selected."""
        return self.model.job(self.table.currentIndex())

    def select(self, job: Job) -> None:
        """Select a job."""
        for row in range(self.model.rowCount()):
            known = self.model.job(self.model.index(row, 0))
            if known is not None and known.id == job.id:
                self.table.selectRow(row)

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.model)
        table.setItemDelegate(JobDelegate(table))
        table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(26)
        header = table.horizontalHeader()
        for column, width in ((NAME, 250), (PROGRESS, 190), (TIME, 110), (CURVE, 170)):
            table.setColumnWidth(column, width)
        header.setSectionResizeMode(NOTES, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._show_menu)
        table.selectionModel().currentRowChanged.connect(lambda *_: self._show_possible())
        table.doubleClicked.connect(lambda _: self._open())
        return table

    def _make_action(self, id: str, title: str) -> QAction:
        action = QAction(title, self)
        action.triggered.connect(getattr(self, f"_{id}"))
        return action

    def _show_possible(self) -> None:
        job = self.selected
        has_ended = job is not None and job.status.phase is Phase.ENDED
        possible = {
            "open": job is not None and bool(job.status.outputs),
            "cancel": job is not None and not has_ended,
            "again": has_ended and job is not None and job.status.ending is not Ending.FINISHED,
            "remove": has_ended,
        }
        for id, action in self.actions_by_id.items():
            action.setEnabled(possible.get(id, job is not None))

    def _show_menu(self, place: QPoint) -> None:
        if self.selected is not None:
            menu = QMenu(self)
            menu.addActions(list(self.actions_by_id.values()))
            menu.exec_(self.table.viewport().mapToGlobal(place))

    def _follow(self, _job: Job) -> None:
        self._show_possible()

    def _open(self) -> None:
        if (job := self.selected) is not None and job.status.outputs:
            self.result_wanted.emit(job)

    def _cancel(self) -> None:
        if (job := self.selected) is not None:
            self._queue.cancel(job)

    def _again(self) -> None:
        if (job := self.selected) is not None:
            with self._telling():
                self.select(self._queue.retry(job))

    def _remove(self) -> None:
        if (job := self.selected) is not None:
            self._queue.remove(job)

    def _reveal(self) -> None:
        if (job := self.selected) is not None:
            webbrowser.open(job.folder.path.as_uri())

    def _log(self) -> None:
        if (job := self.selected) is not None:
            LogWindow(job, self).show()

    def _report(self) -> None:
        job = self.selected
        if job is None:
            return
        path, _ = QFileDialog.getSaveFileName(self, "Save report", f"{job.id}.zip", "Zip files (*.zip)")
        if path:
            with self._telling():
                job.folder.zip_report(Path(path))

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Show what a user can fix instead of raising it."""
        try:
            yield
        except UniemError as error:
            self._show_error(str(error))


class LogWindow(QDialog):
    """The end of a job's log, kept fresh while it runs."""

    def __init__(self, job: Job, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Log of {job_words.title_of(job.request)}")
        self.resize(820, 460)
        self._job = job
        self.view = QPlainTextEdit()
        self.view.setReadOnly(True)
        self.view.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.view)
        column.addWidget(buttons)
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._read)
        self._clock.start(1000)
        self._read()

    def _read(self) -> None:
        text = self._job.folder.log_tail(LOG_LINES) or "Nothing has been printed."
        if text != self.view.toPlainText():
            self.view.setPlainText(text)
            self.view.verticalScrollBar().setValue(self.view.verticalScrollBar().maximum())
