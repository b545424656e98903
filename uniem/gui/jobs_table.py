"""Jobs as rows: their names, progress, time and curve, painted in place."""

from __future__ import annotations

import time
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from uniem.gui import job_words, style
from uniem.jobs.events import Ending, JobStatus, Phase
from uniem.jobs.queue import Job, JobQueue

COLUMNS = ("Job", "Progress", "Time", "Curve", "Notes")
NAME, PROGRESS, TIME, CURVE, NOTES = range(5)
JOB_ROLE = int(Qt.ItemDataRole.UserRole)
_ICONS = {
    Ending.FINISHED: ("check-circle-outline", "good"),
    Ending.FAILED: ("alert-circle-outline", "error"),
    Ending.LOST: ("alert-circle-outline", "error"),
    Ending.CANCELLED: ("cancel", "quiet"),
}


class JobsModel(QAbstractTableModel):
    """The jobs of a queue, newest first."""

    def __init__(self, queue: JobQueue) -> None:
        super().__init__()
        self._queue = queue
        self._jobs: list[Job] = list(reversed(queue.jobs))
        queue.added.connect(self._add)
        queue.changed.connect(self._change)
        queue.removed.connect(self._remove)

    def close_down(self) -> None:
        """Stop listening to the queue."""
        self._queue.added.disconnect(self._add)
        self._queue.changed.disconnect(self._change)
        self._queue.removed.disconnect(self._remove)

    def job(self, index: QModelIndex) -> Job | None:
        """Return the job of a row."""
        return self._jobs[index.row()] if index.isValid() else None

    def tick(self) -> None:
        """Let the times of living jobs go on."""
        for row, job in enumerate(self._jobs):
            if job.status.phase in (Phase.STARTING, Phase.RUNNING):
                self.dataChanged.emit(self.index(row, TIME), self.index(row, TIME))

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of jobs."""
        return 0 if parent.isValid() else len(self._jobs)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of columns."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return a column's title."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """Return what a cell shows."""
        job = self._jobs[index.row()]
        if role == JOB_ROLE:
            return job
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(job, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return job_words.explanation_of(job.status) or job_words.title_of(job.request)
        if role == Qt.ItemDataRole.DecorationRole and index.column() == NAME and job.status.ending:
            name, accent = _ICONS[job.status.ending]
            return style.icon(name, style.accent(accent).name())  # type: ignore[arg-type]  # from the table above
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == NOTES and job.status.error:
            return style.accent("error")
        return None

    def _add(self, job: Job) -> None:
        self.beginInsertRows(QModelIndex(), 0, 0)
        self._jobs.insert(0, job)
        self.endInsertRows()

    def _change(self, job: Job) -> None:
        row = self._row(job)
        if row is not None:
            self._jobs[row] = job
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))

    def _remove(self, job: Job) -> None:
        row = self._row(job)
        if row is not None:
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._jobs[row]
            self.endRemoveRows()

    def _row(self, job: Job) -> int | None:
        return next((row for row, known in enumerate(self._jobs) if known.id == job.id), None)


class JobDelegate(QStyledItemDelegate):
    """Paints progress bars and sparklines."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Paint a cell."""
        if index.column() not in (PROGRESS, CURVE):
            super().paint(painter, option, index)
            return
        status: JobStatus = index.data(JOB_ROLE).status
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if is_selected:
            painter.fillRect(option.rect, option.palette.brush(QPalette.ColorRole.Highlight))
        area = QRectF(option.rect).adjusted(4, 4, -4, -4)
        if index.column() == PROGRESS:
            _paint_bar(painter, area, status, option.palette, index.data())
        else:
            _paint_curve(painter, area, status, option.palette, is_selected)
        painter.restore()


def _text(job: Job, column: int) -> str:
    if column == NAME:
        return job_words.title_of(job.request)
    if column == PROGRESS:
        return job_words.state_of(job.status)
    if column == TIME:
        return job_words.time_of(job.status, time.time())
    if column == NOTES:
        words = (job_words.explanation_of(job.status).partition("\n")[0], job_words.results_of(job.status))
        return "  ".join(word for word in words if word)
    name, points = job_words.curve_of(job.status)
    return f"{name} {points[-1][1]:.4g}" if points else ""


def _paint_bar(painter: QPainter, area: QRectF, status: JobStatus, palette: QPalette, text: str) -> None:
    fraction = status.fraction if status.phase is not Phase.QUEUED else 0.0
    colour = palette.color(QPalette.ColorRole.Highlight)
    if status.ending is Ending.FINISHED:
        colour = style.accent("good")
    elif status.ending in (Ending.FAILED, Ending.LOST):
        colour = style.accent("error")
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(palette.brush(QPalette.ColorRole.Mid))
    painter.drawRoundedRect(area, 3, 3)
    filled = QRectF(area)
    filled.setWidth(area.width() * (fraction or 0.0))
    painter.setBrush(QColor(colour.red(), colour.green(), colour.blue(), 150))
    painter.drawRoundedRect(filled, 3, 3)
    painter.setPen(palette.color(QPalette.ColorRole.Text))
    centre = int(Qt.AlignmentFlag.AlignCenter)
    painter.drawText(
        area,
        centre,
        painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()) - 6),
    )


def _paint_curve(painter: QPainter, area: QRectF, status: JobStatus, palette: QPalette, is_on: bool) -> None:
    name, points = job_words.curve_of(status)
    if not points:
        return
    role = QPalette.ColorRole.HighlightedText if is_on else QPalette.ColorRole.Text
    painter.setPen(palette.color(role))
    value = f"{name} {points[-1][1]:.3g}"
    width = min(area.width() * 0.65, painter.fontMetrics().horizontalAdvance(value) + 6.0)
    text_area = QRectF(area.right() - width, area.top(), width, area.height())
    value = painter.fontMetrics().elidedText(value, Qt.TextElideMode.ElideMiddle, int(width))
    painter.drawText(text_area, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), value)
    line_area = area.adjusted(0, 0, -width - 4, 0)
    finite = [(step, y) for step, y in points if y == y and abs(y) != float("inf")]
    if len(finite) < 2 or line_area.width() < 10:
        return
    low, high = min(y for _, y in finite), max(y for _, y in finite)
    first, last = finite[0][0], finite[-1][0]
    scale_x = line_area.width() / max(1, last - first)
    scale_y = line_area.height() / ((high - low) or 1.0)
    painter.setPen(QPen(palette.color(role if is_on else QPalette.ColorRole.Link), 1.3))
    painter.drawPolyline(
        QPolygonF(
            [
                QPointF(line_area.left() + (step - first) * scale_x, line_area.bottom() - (y - low) * scale_y)
                for step, y in finite
            ]
        )
    )
