"""The dialogs of projects: where to make one, what goes along, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from uniem.data.location import is_web_address
from uniem.data.project import JOBS_NAME, places_of
from uniem.data.project_parts import OTHER_FILES, Part, files_of
from uniem.gui import style
from uniem.gui.window_state import Entry

COUNT_SLICE = 400
_TITLES = {JOBS_NAME: "Jobs and their logs", OTHER_FILES: "Everything else in the folder"}
_FORBIDDEN = '<>:"/\\|?*'


class PartsList(QTreeWidget):
    """The parts of a project with their sizes, to be ticked; sizes are counted little by little."""

    changed = Signal()

    def __init__(self, parts: Sequence[Part], ticked: Sequence[str]) -> None:
        super().__init__()
        self._parts = list(parts)
        self._sizes = [0] * len(self._parts)
        self._counts = [0] * len(self._parts)
        self._counting = self._sizes_of_all()
        self.is_counted = False
        self._build(ticked)
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._count_on)
        self._clock.start(0)

    @property
    def left_out(self) -> list[str]:
        """The names of the parts that are not ticked."""
        return [part.name for row, part in enumerate(self._parts) if not self._is_ticked(row)]

    @property
    def bytes(self) -> int:
        """How large the ticked parts are, as far as they have been counted."""
        return sum(size for row, size in enumerate(self._sizes) if self._is_ticked(row))

    def _build(self, ticked: Sequence[str]) -> None:
        self.setHeaderLabels(["Part", "Size", "Files", "Where it is"])
        self.setRootIsDecorated(False)
        self.setAlternatingRowColors(True)
        for part in self._parts:
            title = _TITLES.get(part.name, part.place)
            row = QTreeWidgetItem([title, "…", "", str(part.source)])
            row.setCheckState(0, Qt.CheckState.Checked if part.name in ticked else Qt.CheckState.Unchecked)
            row.setTextAlignment(1, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter))
            row.setTextAlignment(2, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter))
            row.setToolTip(3, str(part.source))
            self.addTopLevelItem(row)
        for column, width in ((0, 250), (1, 90), (2, 80)):
            self.setColumnWidth(column, width)
        self.header().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        # Fusion draws the edge of a tick box in a darker shade of this, which a dark theme would swallow.
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, style.accent("quiet"))
        self.setPalette(palette)
        self.itemChanged.connect(lambda *_: self.changed.emit())

    def _is_ticked(self, row: int) -> bool:
        item = self.topLevelItem(row)
        return item is not None and item.checkState(0) == Qt.CheckState.Checked

    def _sizes_of_all(self) -> Iterator[tuple[int, int]]:
        for row, part in enumerate(self._parts):
            try:
                for path, _ in files_of(part, self._parts):
                    yield row, path.stat().st_size
            except OSError:
                continue  # packing tells what cannot be read

    def _count_on(self) -> None:
        touched: set[int] = set()
        for _ in range(COUNT_SLICE):
            found = next(self._counting, None)
            if found is None:
                self.is_counted = True
                self._clock.stop()
                touched.update(range(len(self._parts)))
                break
            row, size = found
            self._sizes[row] += size
            self._counts[row] += 1
            touched.add(row)
        for row in touched:
            self.topLevelItem(row).setText(1, size_text(self._sizes[row]))
            self.topLevelItem(row).setText(2, f"{self._counts[row]:,}")
        self.changed.emit()


class PlaceDialog(QDialog):
    """Ask for the name of a new project folder and where it goes, and perhaps what goes along."""

    def __init__(
        self, title: str, text: str, name: str, where: str, parent: QWidget, parts: PartsList | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.name, self.where = QLineEdit(name), QLineEdit(where)
        self.parts = parts
        self._problem = QLabel()
        self._build(text)
        for line in (self.name, self.where):
            line.textChanged.connect(self._check)
        self.name.selectAll()
        self._check()

    @property
    def path(self) -> Path:
        """The folder of the new project."""
        return Path(self.where.text().strip()).expanduser() / self.name.text().strip()

    def _build(self, text: str) -> None:
        words = QLabel(text)
        words.setWordWrap(True)
        browse = QPushButton("Browse…")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self.where, 1)
        row.addWidget(browse)
        form = QFormLayout()
        form.addRow("Name", self.name)
        form.addRow("In folder", row)
        self._problem.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Ok)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(words)
        column.addLayout(form)
        if self.parts is not None:
            column.addWidget(QLabel("Copy into the project:"))
            column.addWidget(self.parts, 1)
        column.addWidget(self._problem)
        column.addWidget(self.buttons)
        self.resize(640, 420 if self.parts is not None else 180)

    def _browse(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "Folder of the project", self.where.text())
        if found:
            self.where.setText(found)

    def _check(self) -> None:
        problem = self._find_problem()
        self._problem.setText(problem or f"The project will be {self.path}.")
        self._problem.setProperty("role", "error" if problem else "quiet")
        self._problem.style().polish(self._problem)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(not problem)

    def _find_problem(self) -> str:
        name, where = self.name.text().strip(), Path(self.where.text().strip()).expanduser()
        if not name or name.strip(".") == "":
            return "Give the project a name."
        if wrong := [letter for letter in name if letter in _FORBIDDEN or ord(letter) < 32]:
            return f"A name cannot hold {wrong[0]}."
        if not where.is_absolute():
            return "Choose the folder in which the project is made."
        if where.exists() and not where.is_dir():
            return f"{where} is a file."
        if self.path.exists() and not _is_empty_folder(self.path):
            return f"{self.path} exists already. Choose another name."
        return ""


class PackDialog(QDialog):
    """Show what goes into a packed project, with sizes, and let large parts be left out."""

    def __init__(self, name: str, parts: Sequence[Part], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Pack {name}")
        self.parts = PartsList(parts, [part.name for part in parts])
        words = QLabel(
            "Everything that is ticked goes into one file, edits that are not saved yet included. What is "
            "left out is still listed, and asked for when the project is opened."
        )
        words.setWordWrap(True)
        self.sum = QLabel()
        self.sum.setProperty("role", "quiet")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.addButton("Pack…", QDialogButtonBox.ButtonRole.AcceptRole).setDefault(True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(words)
        column.addWidget(self.parts, 1)
        column.addWidget(self.sum)
        column.addWidget(self.buttons)
        self.parts.changed.connect(self._show_sum)
        self._show_sum()
        self.resize(760, 380)

    def _show_sum(self) -> None:
        so_far = "" if self.parts.is_counted else " so far"
        self.sum.setText(f"{size_text(self.parts.bytes)}{so_far}")


class MissingDialog(QDialog):
    """List the data that were not found; each can be located, left for later, or taken off the list.

    Signals: `locate_wanted(Entry, path)`; `remove_wanted(Entry)`.
    """

    locate_wanted = Signal(object, str)
    remove_wanted = Signal(object)

    def __init__(self, entries: Sequence[Entry], folder: Path | None, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Missing data")
        self._folder = folder
        self._entries: list[Entry] = []
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.list = QTreeWidget()
        self.list.setHeaderLabels(["Name", "Where it was", "What is wrong"])
        self.list.setRootIsDecorated(False)
        self.list.setAlternatingRowColors(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setColumnWidth(0, 180)
        self.list.setColumnWidth(1, 300)
        self.list.currentItemChanged.connect(lambda *_: self._show_possible())
        self.list.itemDoubleClicked.connect(lambda *_: self._locate())
        self.locate, self.remove, self.leave = QPushButton("Locate…"), QPushButton("Remove"), QPushButton()
        self._build()
        self.set_entries(entries)
        self.resize(780, 320)

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """List what is missing now."""
        self._entries = list(entries)
        self.list.clear()
        for entry in self._entries:
            where = places_of(entry.record, self._folder)
            row = QTreeWidgetItem([entry.record.name, where[-1] if where else "", entry.problem])
            for column in range(3):
                row.setToolTip(column, row.text(column))
            row.setIcon(0, style.icon("help-circle-outline", style.accent("warning").name()))
            self.list.addTopLevelItem(row)
        if self._entries:
            self.list.setCurrentItem(self.list.topLevelItem(0))
        self.words.setText(_words_on(len(self._entries)))
        self.leave.setText("Leave out for now" if self._entries else "Close")
        self._show_possible()

    def _build(self) -> None:
        self.locate.setToolTip("Show where it is now; what lay beside it is found there too.")
        self.remove.setToolTip("Take it off the project's list for good; no file is deleted.")
        self.locate.clicked.connect(self._locate)
        self.remove.clicked.connect(self._remove)
        self.leave.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addWidget(self.locate)
        row.addWidget(self.remove)
        row.addStretch(1)
        row.addWidget(self.leave)
        self.locate.setDefault(True)
        column = QVBoxLayout(self)
        column.addWidget(self.words)
        column.addWidget(self.list, 1)
        column.addLayout(row)

    @property
    def _current(self) -> Entry | None:
        row = self.list.indexOfTopLevelItem(self.list.currentItem()) if self.list.currentItem() else -1
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def _show_possible(self) -> None:
        entry = self._current
        self.locate.setEnabled(entry is not None and not is_web_address(entry.record.location))
        self.remove.setEnabled(entry is not None)

    def _locate(self) -> None:
        entry = self._current
        if entry is None:
            return
        title, start = f"Where is {entry.record.name}?", str(self._folder or Path.home())
        if entry.record.is_folder:
            found = QFileDialog.getExistingDirectory(self, title, start)
        else:
            found, _ = QFileDialog.getOpenFileName(self, title, start)
        if found:
            self.locate_wanted.emit(entry, found)

    def _remove(self) -> None:
        if self._current is not None:
            self.remove_wanted.emit(self._current)


def size_text(count: int) -> str:
    """Return a number of bytes as people say it."""
    value, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    if unit == "bytes":
        return f"{count:,} bytes"
    return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"


def _is_empty_folder(path: Path) -> bool:
    try:
        return next(path.iterdir(), None) is None
    except OSError:
        return False


def _words_on(count: int) -> str:
    if not count:
        return "All data have been found."
    things = "One thing was not found where it" if count == 1 else f"{count} things were not found where they"
    return (
        f"{things} had been. Show where one is now with Locate…; what lay beside it is then found too. "
        "What is left out stays in the list, and is looked for again next time."
    )
