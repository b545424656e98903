"""The question for a folder, with a look into each: format, facts, stacks and a few sections."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QDir, QEvent, QModelIndex, QObject, Qt, QTimer, Signal
from qtpy.QtGui import QKeyEvent, QKeySequence, QShowEvent
from qtpy.QtWidgets import (
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QFileSystemModel,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QShortcut,
    QSplitter,
    QToolButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from uniem.gui.opening.folder_preview import FolderPreview
from uniem.workspace import Settings

PLACE = "folder chooser"
RECENT = "recent folders"
KEPT = 12
SETTLE_MS = 200
HINT = "↑ ↓ move  ·  → opens a folder  ·  Alt+↑ goes up  ·  Ctrl+L writes a path  ·  Enter opens"


class FolderChooser(QDialog):
    """Choose a folder, or some of the stacks in it; `chosen(locations)` is emitted when it is accepted."""

    chosen = Signal(list)

    def __init__(self, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle("Open folder")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.model = QFileSystemModel(self)
        self.model.setOption(QFileSystemModel.Option.DontUseCustomDirectoryIcons)
        self.model.setFilter(
            QDir.Filters(QDir.Filter.AllDirs) | QDir.Filter.NoDotAndDotDot | QDir.Filter.Drives
        )
        self.model.setRootPath("")
        self.model.directoryLoaded.connect(self._take_loaded)
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.timeout.connect(self._scroll)
        self.tree = self._make_tree()
        self.path = QLineEdit()
        self.path.setClearButtonEnabled(True)
        self.path.setCompleter(self._make_completer())
        self.path.installEventFilter(self)
        self.preview = FolderPreview()
        self.preview.looked.connect(self._check)
        self.preview.list.itemChanged.connect(self._check)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.open_button = self.buttons.addButton("Open", QDialogButtonBox.ButtonRole.AcceptRole)
        self.open_button.setDefault(True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._lay_out()
        self._add_keys()
        self.go_to(Path(str(settings.get(PLACE, Path.home()))))
        self.tree.setFocus()

    @property
    def folder(self) -> Path:
        """The folder selected."""
        return Path(self.model.filePath(self.tree.currentIndex()))

    def go_to(self, folder: Path) -> None:
        """Select a folder, or the nearest above it that is there."""
        there = next((each for each in (folder, *folder.parents) if each.is_dir()), Path.home())
        index = self.model.index(str(there))
        self.tree.setCurrentIndex(index)
        self.tree.scrollTo(index)

    def accept(self) -> None:
        """Remember the place and tell what was chosen."""
        if not self.open_button.isEnabled():
            return
        folder, found = str(self.folder), self.preview.chosen
        self._settings.set(PLACE, folder)
        others = [str(other) for other in self._settings.get(RECENT, []) if other != folder]
        self._settings.set(RECENT, [folder, *others][:KEPT])
        super().accept()
        self.chosen.emit(found)

    def showEvent(self, event: QShowEvent) -> None:
        """Bring the folder into view, which a list that is not shown yet cannot do."""
        super().showEvent(event)
        self._settling.start(SETTLE_MS)

    def done(self, result: int) -> None:
        """Wait for no look any more."""
        self.preview.close_down()
        super().done(result)

    def _make_tree(self) -> QTreeView:
        tree = QTreeView()
        tree.setModel(self.model)
        tree.setUniformRowHeights(True)
        tree.setHeaderHidden(True)
        for column in range(1, self.model.columnCount()):
            tree.hideColumn(column)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        tree.setMinimumWidth(260)
        tree.selectionModel().currentChanged.connect(self._take_folder)
        return tree

    def _make_completer(self) -> QCompleter:
        completer = QCompleter(self)
        completer.setModel(self.model)
        return completer

    def _lay_out(self) -> None:
        up = QToolButton()
        up.setText("↑")
        up.setToolTip("Go to the folder above (Alt+↑)")
        up.clicked.connect(self._go_up)
        recent = QToolButton()
        recent.setText("Recent")
        recent.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(recent)
        for place in self._settings.get(RECENT, []):
            menu.addAction(str(place), lambda place=place: self.go_to(Path(str(place))))
        recent.setMenu(menu)
        recent.setEnabled(not menu.isEmpty())
        top = QHBoxLayout()
        for widget in (up, self.path, recent):
            top.addWidget(widget, 1 if widget is self.path else 0)
        middle = QSplitter()
        middle.addWidget(self.tree)
        middle.addWidget(self.preview)
        middle.setStretchFactor(0, 1)
        middle.setChildrenCollapsible(False)
        hint = QLabel(HINT)
        hint.setProperty("role", "quiet")
        bottom = QHBoxLayout()
        bottom.addWidget(hint, 1)
        bottom.addWidget(self.buttons)
        column = QVBoxLayout(self)
        column.addLayout(top)
        column.addWidget(middle, 1)
        column.addLayout(bottom)
        self.resize(980, 620)

    def _add_keys(self) -> None:
        for keys, call in (("Alt+Up", self._go_up), ("Ctrl+L", self._write_path)):
            QShortcut(QKeySequence(keys), self).activated.connect(call)
        # Lists keep Enter to themselves.
        for view in (self.tree, self.preview.list):
            for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                enter = QShortcut(QKeySequence(key), view)
                enter.setContext(Qt.ShortcutContext.WidgetShortcut)
                enter.activated.connect(self.accept)

    def _take_folder(self, index: QModelIndex, _before: QModelIndex) -> None:
        folder = Path(self.model.filePath(index))
        self.path.setText(str(folder))
        self.preview.show_folder(folder)
        self._check()

    def _check(self, *_: object) -> None:
        self.open_button.setEnabled(bool(self.preview.chosen))

    def _take_loaded(self, loaded: str) -> None:
        """Keep the folder in view while folders above it are read and get their rows."""
        if Path(loaded) in self.folder.parents:
            self._settling.start(SETTLE_MS)

    def _scroll(self) -> None:
        self.tree.scrollTo(self.tree.currentIndex(), QTreeView.ScrollHint.PositionAtCenter)

    def _go_up(self) -> None:
        self.go_to(self.folder.parent)

    def _write_path(self) -> None:
        self.path.setFocus()
        self.path.selectAll()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Go to the path that was written at Enter, which must not open it yet."""
        is_enter = isinstance(event, QKeyEvent) and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if not is_enter or event.type() != QEvent.Type.KeyPress:
            return False
        self.go_to(Path(self.path.text().strip()).expanduser())
        self.tree.setFocus()
        return True
