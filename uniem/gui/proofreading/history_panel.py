"""The history of the labels being proofread: every edit, and the way to any point of it."""

from __future__ import annotations

from qtpy.QtCore import QModelIndex, QPoint, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLabel,
    QMenu,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from uniem.data.geometry import Box
from uniem.errors import UniemError
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.proofreading.history_model import AUTHOR, PICTURE, SAVED, TIME, TITLE, HistoryModel
from uniem.gui.proofreading.thumbnails import HEIGHT, WIDTH, Thumbnails
from uniem.gui.sessions import Sessions

REFRESH_MS = 100


class HistoryPanel(QWidget):
    """List the edits, newest last; a double click goes to a point, forwards or back, and nothing is lost.

    `told(str)` what was done; `failed(str)` why it was not; `compare_wanted(first edit, second, title)`.
    """

    told = Signal(str)
    failed = Signal(str)
    compare_wanted = Signal(int, int, str)

    def __init__(self, sessions: Sessions, canvas: Canvas) -> None:
        super().__init__()
        self._sessions, self._canvas = sessions, canvas
        self._is_stale = True
        self._thumbnails = Thumbnails(canvas, self)
        self.model = HistoryModel(self._thumbnails.picture)
        self._thumbnails.ready.connect(self.model.show_picture)
        self.table = QTableView()
        self.go, self.undo_here, self.save = QToolButton(), QToolButton(), QToolButton()
        self.compare = QToolButton()
        self._empty = QLabel("Open labels for proofreading to see their edits here.")
        self._build()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(REFRESH_MS)
        self._soon.timeout.connect(self.refresh)
        sessions.history_changed.connect(self._note_change)
        sessions.session_changed.connect(self._take_session)
        self.refresh()

    def refresh(self) -> None:
        """List the edits again."""
        self._soon.stop()
        session = self._sessions.session
        self._is_stale = session is not None and not self.isVisible()
        has_session = session is not None
        self.table.setVisible(has_session)
        self._empty.setVisible(not has_session)
        self.save.setEnabled(has_session)
        if self._is_stale:
            return
        self.model.take(session)
        for column in range(self.model.columnCount()):
            self.table.setColumnHidden(column, column not in self.model.told_columns)
        row = self.model.current_row
        self.table.setCurrentIndex(self.model.index(row, TITLE))
        self.table.scrollTo(self.model.index(row, TITLE))
        self._offer()

    def go_to_row(self, row: int) -> None:
        """Go to just after the edit of a row."""
        session, past = self._sessions.session, self.model.past(row)
        if session is None:
            return
        if self._canvas.painting.maker.is_busy:
            self.failed.emit(self._canvas.painting.refusal())
            return
        title = past.title if past is not None else "before all edits"
        try:
            with _Waiting():
                session.go_to(self.model.edit(row))
        except UniemError as error:
            self.failed.emit(str(error))
            return
        self.told.emit(f"Went to: {title}")
        if past is not None and not past.box.is_empty:
            self._canvas.painting.jumped.emit(past.box)

    def compare_selected(self) -> None:
        """Ask to see what differs between the two points selected, or between the one selected and now."""
        rows = self._rows_to_compare()
        if len(rows) == 2:
            edits = [self.model.edit(row) for row in rows]
            titles = [self._title(row) for row in rows]
            self.compare_wanted.emit(*edits, f"From: {titles[0]}   →   to: {titles[1]}")

    def undo_in_view(self, is_through: bool = False) -> None:
        """Make what is in view what it was at the selected point: this section, or all sections there."""
        session, row = self._sessions.session, self.table.currentIndex().row()
        box = self._box_in_view(is_through)
        if session is None or row < 0 or box is None or self._canvas.painting.session is not session:
            self.failed.emit("Show the labels that are being edited first.")
            return
        if self._canvas.painting.maker.is_busy:
            self.failed.emit(self._canvas.painting.refusal())
            return

        def done(edit: object) -> None:
            self.told.emit("Undone in view." if edit is not None else "Nothing in view differs from that.")

        with _Waiting():
            make = session.timeline.restoring(box, self.model.edit(row), session.objects.locked())
        self._canvas.painting.carry_out("Undo in view", make, is_long=True, done=done)

    def ask_checkpoint(self) -> None:
        """Ask for a name and save under it."""
        if self._sessions.session is None:
            self.failed.emit("No labels are open for proofreading.")
            return
        name, is_wanted = QInputDialog.getText(self, "Save a checkpoint", "Name of this state:")
        if is_wanted:
            self.save_checkpoint(name.strip())

    def save_checkpoint(self, name: str) -> None:
        """Write all edits into the volume and name this point of the history."""
        self._sessions.save(name)

    def showEvent(self, event: QShowEvent) -> None:
        """List what came while nobody looked."""
        super().showEvent(event)
        if self._is_stale:
            self._soon.start()

    def _rows_to_compare(self) -> list[int]:
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return sorted({*rows, self.model.current_row}) if len(rows) == 1 else rows

    def _title(self, row: int) -> str:
        past = self.model.past(row)
        title = past.title if past is not None else "before all edits"
        return f"{title} (now)" if row == self.model.current_row else title

    def _take_session(self, _session: object) -> None:
        self._thumbnails.forget()
        self.refresh()

    def _build(self) -> None:
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(HEIGHT + 4)
        self.table.setIconSize(QSize(WIDTH, HEIGHT))
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(TITLE, QHeaderView.ResizeMode.Stretch)
        for column, width in ((SAVED, 80), (TIME, 78), (AUTHOR, 68), (PICTURE, WIDTH + 8)):
            self.table.setColumnWidth(column, width)
        header.moveSection(PICTURE, 0)
        self.table.doubleClicked.connect(lambda index: self.go_to_row(index.row()))
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._offer())
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._show_menu)
        self._build_buttons()
        bar = QHBoxLayout()
        for button in (self.go, self.undo_here, self.compare, self.save):
            bar.addWidget(button)
        bar.addStretch(1)
        self._empty.setProperty("role", "quiet")
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(bar)
        layout.addWidget(self.table, 1)
        layout.addWidget(self._empty, 1)

    def _build_buttons(self) -> None:
        self.go.setText("Go here")
        self.go.setToolTip(
            "Show the labels as they were after the selected edit; what comes later stays listed."
        )
        self.go.clicked.connect(lambda: self.go_to_row(self.table.currentIndex().row()))
        self.undo_here.setText("Undo in view")
        self.undo_here.setToolTip(
            "Make only what is in view what it was after the selected edit; everything else stays."
        )
        menu = QMenu(self.undo_here)
        menu.addAction("In the section in view", self.undo_in_view)
        menu.addAction("In all sections under what is in view", lambda: self.undo_in_view(True))
        self.undo_here.setMenu(menu)
        self.undo_here.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.compare.setText("Compare")
        self.compare.setToolTip(
            "Show which voxels differ between two selected points (Ctrl adds one), or between one and now."
        )
        self.compare.clicked.connect(self.compare_selected)
        self.save.setText("Save as…")
        self.save.setToolTip("Write the edits into the volume and give this point a name.")
        self.save.clicked.connect(self.ask_checkpoint)

    def _offer(self) -> None:
        row = self.table.currentIndex().row()
        has_row = self._sessions.session is not None and row >= 0
        self.go.setEnabled(has_row and row != self.model.current_row)
        self.undo_here.setEnabled(has_row and row != self.model.current_row)
        self.compare.setEnabled(self._sessions.session is not None and len(self._rows_to_compare()) == 2)

    def _show_menu(self, place: QPoint) -> None:
        index: QModelIndex = self.table.indexAt(place)
        if not index.isValid():
            return
        menu = QMenu(self)
        menu.addAction("Go here", lambda: self.go_to_row(index.row()))
        past = self.model.past(index.row())
        if past is not None and not past.box.is_empty:
            menu.addAction("Look at its place", lambda: self._canvas.painting.jumped.emit(past.box))
        if len(self._rows_to_compare()) == 2:
            is_two = len(self.table.selectionModel().selectedRows()) == 2
            menu.addAction(
                "Compare these two points" if is_two else "Compare with now", self.compare_selected
            )
        menu.addSeparator()
        menu.addActions(self.undo_here.menu().actions())
        menu.exec_(self.table.viewport().mapToGlobal(place))

    def _box_in_view(self, is_through: bool) -> Box | None:
        """Return the voxels in view of the section, or those of all sections under them."""
        view, shape = self._canvas.current_view, self._canvas.model.shape
        axes = view.axes
        top, left, bottom, right = view.view_box()
        height, width = axes.shape(shape)
        rows = max(0, int(top)), min(height, int(bottom) + 1)
        columns = max(0, int(left)), min(width, int(right) + 1)
        if rows[0] >= rows[1] or columns[0] >= columns[1]:
            return None
        first = axes.box(0 if is_through else view.position, rows, columns)
        last = axes.box(shape[axes.across] - 1 if is_through else view.position, rows, columns)
        return first.union(last)

    def _note_change(self) -> None:
        self._is_stale = True
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()


class _Waiting:
    """Show that the window is at work."""

    def __enter__(self) -> None:
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)

    def __exit__(self, *_: object) -> None:
        QApplication.restoreOverrideCursor()
