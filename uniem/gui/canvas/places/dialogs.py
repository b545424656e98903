"""Windows that ask for a place, list the bookmarks, and ask how large a figure is to be."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from uniem.errors import UniemError
from uniem.gui.canvas.places.bookmarks import Bookmark
from uniem.gui.canvas.places.label_search import LabelSearch
from uniem.gui.canvas.places.place_text import HOW

LARGEST_SIDE = 16_384
_BOOKMARK = int(Qt.ItemDataRole.UserRole)


class JumpDialog(QDialog):
    """Ask for a place and go there; a wrong one is told under the field, and a label may take a while."""

    def __init__(self, here: str, go: Callable[[str], LabelSearch | None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Go to")
        self._go = go
        self.search: LabelSearch | None = None
        self.field = QLineEdit(here)
        self.field.selectAll()
        self.field.setMinimumWidth(320)
        how = QLabel(HOW)
        how.setProperty("role", "quiet")
        self.problem = QLabel()
        self.problem.setProperty("role", "error")
        self.problem.setWordWrap(True)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.hide()
        self.buttons = QDialogButtonBox()
        self.buttons.addButton(QDialogButtonBox.StandardButton.Ok)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for widget in (self.field, how, self.progress, self.problem, self.buttons):
            column.addWidget(widget)

    def accept(self) -> None:
        """Go there, or say why not."""
        self._end_search()
        try:
            self.search = self._go(self.field.text())
        except UniemError as error:
            self.problem.setText(str(error))
            return
        if self.search is None:
            super().accept()
            return
        self.problem.clear()
        self._show_busy(True)
        self.search.progressed.connect(lambda part: self.progress.setValue(round(part * 1000)))
        self.search.found.connect(lambda _: QDialog.accept(self))
        self.search.failed.connect(self._take_failure)

    def reject(self) -> None:
        """Give up the search; if there is none, close."""
        if self.search is not None:
            self._end_search()
            self._show_busy(False)
            self.problem.setText("Given up.")
            return
        super().reject()

    def _end_search(self) -> None:
        if self.search is not None:
            self.search.cancel()
            self.search = None

    def _take_failure(self, problem: str) -> None:
        self.search = None
        self._show_busy(False)
        self.problem.setText(problem)

    def _show_busy(self, is_busy: bool) -> None:
        self.progress.setValue(0)
        self.progress.setVisible(is_busy)
        self.field.setEnabled(not is_busy)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(not is_busy)


class BookmarkList(QDialog):
    """List bookmarks: double-click or Enter goes there, F2 renames, Delete forgets."""

    chosen = Signal(object)
    renamed = Signal(object, str)
    removed = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Bookmarks")
        self._is_filling = False
        self.list = QListWidget()
        self.empty = QLabel("No place of this volume is remembered yet.\nCtrl+D remembers the one in view.")
        self.empty.setProperty("role", "quiet")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        go, remove = QPushButton("Go there"), QPushButton("Forget")
        go.clicked.connect(self._choose)
        remove.clicked.connect(self._remove)
        row = QHBoxLayout()
        row.addWidget(go)
        row.addWidget(remove)
        column = QVBoxLayout(self)
        column.addWidget(self.empty)
        column.addWidget(self.list)
        column.addLayout(row)
        self.list.itemActivated.connect(self._choose)
        self.list.itemChanged.connect(self._rename)
        self.resize(340, 320)

    def fill(self, bookmarks: tuple[Bookmark, ...]) -> None:
        """List other bookmarks."""
        self._is_filling = True
        self.list.clear()
        for bookmark in bookmarks:
            row = QListWidgetItem(bookmark.name)
            row.setData(_BOOKMARK, bookmark)
            row.setFlags(row.flags() | Qt.ItemFlag.ItemIsEditable)
            row.setToolTip(f"z {bookmark.z}, y {bookmark.y}, x {bookmark.x}")
            self.list.addItem(row)
        self._is_filling = False
        self.empty.setVisible(not bookmarks)
        self.list.setVisible(bool(bookmarks))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Forget the bookmark chosen with Delete."""
        if event.key() == Qt.Key.Key_Delete:
            self._remove()
        else:
            super().keyPressEvent(event)

    def _current(self) -> Bookmark | None:
        row = self.list.currentItem()
        return row.data(_BOOKMARK) if row is not None else None

    def _choose(self, *_: object) -> None:
        if (bookmark := self._current()) is not None:
            self.chosen.emit(bookmark)

    def _remove(self) -> None:
        if (bookmark := self._current()) is not None:
            self.removed.emit(bookmark)

    def _rename(self, row: QListWidgetItem) -> None:
        if not self._is_filling:
            self.renamed.emit(row.data(_BOOKMARK), row.text().strip() or row.data(_BOOKMARK).name)


class FigureDialog(QDialog):
    """Ask how many pixels a figure gets, and what is on it."""

    def __init__(self, size: tuple[int, int], has_scale_bar: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Figure of the view")
        self._size = size
        self.scale = QSpinBox()
        self.scale.setRange(1, max(1, LARGEST_SIDE // max(size)))
        self.scale.setValue(min(2, self.scale.maximum()))
        self.scale.setPrefix("× ")
        self.scale.setToolTip("How many pixels of the figure one pixel of the screen becomes.")
        self.pixels = QLabel()
        self.scale_bar = QCheckBox("Scale bar")
        self.scale_bar.setChecked(has_scale_bar)
        self.scale_bar.setEnabled(has_scale_bar)
        if not has_scale_bar:
            self.scale_bar.setToolTip("The voxel size is not known.")
        self.labels = QCheckBox("Labels")
        self.labels.setChecked(True)
        buttons = QDialogButtonBox()
        buttons.addButton(QDialogButtonBox.StandardButton.Save)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form = QFormLayout(self)
        form.addRow("Scale", self.scale)
        form.addRow("Size", self.pixels)
        form.addRow("", self.scale_bar)
        form.addRow("", self.labels)
        form.addRow(buttons)
        self.scale.valueChanged.connect(self._show_size)
        self._show_size(self.scale.value())

    def _show_size(self, scale: int) -> None:
        width, height = (side * scale for side in self._size)
        self.pixels.setText(f"{width} × {height} pixels")
