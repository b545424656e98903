"""The edits of a session as rows, newest last, with what is seen now told from what was undone."""

from __future__ import annotations

import bisect
import datetime
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor, QFont, QPixmap

from uniem.gui import style
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.timeline import PastEdit, PastState

COLUMNS = ("Edit", "Saved", "Time", "Author", "Where")
TITLE, SAVED, TIME, AUTHOR, PICTURE = range(len(COLUMNS))
BEGINNING = "Before all edits"
_MARK = 28
_Role = Qt.ItemDataRole
_STATES = {
    PastState.DONE: "",
    PastState.UNDONE: "Undone",
    PastState.LEFT: "Undone, and others were made in its place; going here brings it back",
}


class HistoryModel(QAbstractTableModel):
    """Row 0 is the beginning, each further row an edit; `pictures` gives those of the rows looked at."""

    def __init__(self, pictures: Callable[[PastEdit], QPixmap | None] = lambda past: None) -> None:
        super().__init__()
        self._pictures = pictures
        self._edits: list[PastEdit] = []
        self._position = 0
        self._first_saves: list[str] = []
        # Titles stand below one another, whether a mark goes before them or not.
        self._no_mark = QPixmap(_MARK, _MARK)
        self._no_mark.fill(Qt.GlobalColor.transparent)

    def take(self, session: ProofreadingSession | None) -> None:
        """List the edits of a session, or nothing."""
        self.beginResetModel()
        self._edits = session.timeline.edits() if session is not None else []
        self._position = session.timeline.position if session is not None else 0
        saves = session.timeline.saves() if session is not None else []
        # The volume as it was opened first is a checkpoint without a name.
        self._first_saves = [name for name, _, edit in saves if not edit and name]
        self.endResetModel()

    def edit(self, row: int) -> int:
        """Return what `session.go_to` takes for a row."""
        return self._edits[row - 1].id if row else 0

    def past(self, row: int) -> PastEdit | None:
        """Return the edit of a row; None for the beginning."""
        return self._edits[row - 1] if row else None

    def show_picture(self, edit: int) -> None:
        """Draw the row of an edit again, whose picture was made."""
        row = bisect.bisect_left(self._edits, edit, key=lambda each: each.id) + 1
        if row <= len(self._edits) and self._edits[row - 1].id == edit:
            place = self.index(row, PICTURE)
            self.dataChanged.emit(place, place)

    @property
    def told_columns(self) -> frozenset[int]:
        """The columns that tell anything: names of saves if there are any, authors if there are several."""
        has_saves = bool(self._first_saves) or any(each.saves for each in self._edits)
        has_authors = len({each.author for each in self._edits}) > 1
        return frozenset(
            {TITLE, TIME, PICTURE} | ({SAVED} if has_saves else set()) | ({AUTHOR} if has_authors else set())
        )

    @property
    def current_row(self) -> int:
        """The row of what is seen now."""
        rows = (row for row, each in enumerate(self._edits, 1) if each.id == self._position)
        return next(rows, 0)

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of edits and one."""
        return 0 if parent.isValid() else len(self._edits) + 1

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return the number of columns."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Return a column's title."""
        is_title = orientation == Qt.Orientation.Horizontal and role == _Role.DisplayRole
        return COLUMNS[section] if is_title else None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """Return what a cell shows."""
        past = self.past(index.row())
        is_now = self.edit(index.row()) == self._position
        if role == _Role.DisplayRole:
            return self._text(past, index.column())
        if role == _Role.DecorationRole and index.column() == TITLE:
            return style.icon("menu-right").pixmap(_MARK, _MARK) if is_now else self._no_mark
        if role == _Role.DecorationRole and index.column() == PICTURE and past is not None:
            return self._pictures(past)
        if role == _Role.FontRole:
            font = QFont()
            font.setBold(is_now)
            font.setItalic(past is not None and past.state is PastState.LEFT)
            return font
        if role == _Role.ForegroundRole and past is not None and past.state is not PastState.DONE:
            return QColor(style.accent("quiet"))
        if role == _Role.ToolTipRole:
            return self._tip(past, is_now)
        return None

    def _text(self, past: PastEdit | None, column: int) -> str:
        if column == SAVED:
            saves = past.saves if past is not None else tuple(self._first_saves)
            return ", ".join(name or "saved" for name in saves)
        if past is None:
            return BEGINNING if column == TITLE else ""
        if column == TITLE:
            return past.title
        if column == PICTURE:
            return ""
        return when(past.time) if column == TIME else past.author

    def _tip(self, past: PastEdit | None, is_now: bool) -> str:
        here = "This is what you see now." if is_now else "Double-click to go here."
        if past is None:
            return here
        size = " × ".join(str(n) for n in past.box.shape)
        where = f"z, y, x {past.box.start}, {size} voxels" if not past.box.is_empty else ""
        time = stamp(past.time)
        return "\n".join(line for line in (past.title, time, where, _STATES[past.state], here) if line)


def stamp(time: float) -> str:
    """Return a time in full."""
    return datetime.datetime.fromtimestamp(time).strftime("%Y-%m-%d %H:%M:%S")


def when(time: float) -> str:
    """Return a time as the clock's for today, else as the day's."""
    moment = datetime.datetime.fromtimestamp(time)
    is_today = moment.date() == datetime.datetime.now().date()
    return moment.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M")
