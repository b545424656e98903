"""The command palette: every action, found by its name or another word for it."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from qtpy.QtGui import QIcon, QKeyEvent, QPixmap
from qtpy.QtWidgets import (
    QAction,
    QDialog,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from uniem.gui import style
from uniem.gui.action import Action
from uniem.gui.canvas.keymap import Keymap
from uniem.gui.shortcuts import shown
from uniem.workspace import Settings

Entry = tuple[Action, QAction]
RECENT_KEY = "palette/recent"
MOST_RECENT = 12


class CommandPalette(QDialog):
    """A list that narrows while typing, what was done last first; Enter does the chosen action."""

    def __init__(self, entries: Sequence[Entry], keymap: Keymap, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._entries, self._keymap, self._settings = list(entries), keymap, settings
        kept = settings.get(RECENT_KEY, [])
        self._recent = [str(id) for id in kept] if isinstance(kept, list) else []
        blank = QPixmap(16, 16)
        blank.fill(Qt.GlobalColor.transparent)
        self._blank = QIcon(blank)
        self.line = QLineEdit()
        self.line.setPlaceholderText("What do you want to do?")
        self.line.setClearButtonEnabled(True)
        self.line.textChanged.connect(self._narrow)
        self.line.installEventFilter(self)
        self.list = QTreeWidget()
        self.list.setColumnCount(3)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.itemActivated.connect(self._do_chosen)
        self.list.itemClicked.connect(self._do_chosen)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.line)
        column.addWidget(self.list)
        self.resize(620, 380)
        self._narrow("")

    def show_over(self, window: QWidget) -> None:
        """Open near the top of a window."""
        corner = window.mapToGlobal(QPoint((window.width() - self.width()) // 2, 60))
        self.move(corner)
        self.show()
        self.line.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrows move in the list while the letters go into the line."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self._move(1 if event.key() == Qt.Key.Key_Down else -1)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._do_chosen()
                return True
        return bool(super().eventFilter(watched, event))

    def _narrow(self, text: str) -> None:
        self.list.clear()
        ranked = [(rank(text, action), place) for place, (action, _) in enumerate(self._entries)]
        found = [(score, self._age(place), place) for score, place in ranked if score is not None]
        for _, _, place in sorted(found):
            self.list.addTopLevelItem(self._row(place))
        for column, width in enumerate((300, 190)):
            self.list.setColumnWidth(column, width)
        self.list.setCurrentItem(self.list.topLevelItem(0))

    def _row(self, place: int) -> QTreeWidgetItem:
        action, made = self._entries[place]
        keys = shown(self._keymap.of_action(action.id) or self._keymap.of(action.shortcut))
        row = QTreeWidgetItem([action.title.rstrip("…"), action.menu.replace("/", " › "), keys])
        row.setData(0, Qt.ItemDataRole.UserRole, place)
        row.setToolTip(0, action.tip)
        if self._age(place) < MOST_RECENT:
            row.setText(1, f"{row.text(1)}   (recent)")
        row.setIcon(0, made.icon() if not made.icon().isNull() else self._blank)
        row.setForeground(1, style.accent("quiet"))
        row.setForeground(2, style.accent("quiet"))
        if not made.isEnabled():
            row.setForeground(0, style.accent("quiet"))
            row.setToolTip(0, f"{action.tip} Not possible now.")
        return row

    def _age(self, place: int) -> int:
        """Return how many actions were done since this one."""
        id = self._entries[place][0].id
        return self._recent.index(id) if id in self._recent else MOST_RECENT

    def _move(self, steps: int) -> None:
        row = self.list.indexOfTopLevelItem(self.list.currentItem()) + steps
        if 0 <= row < self.list.topLevelItemCount():
            self.list.setCurrentItem(self.list.topLevelItem(row))

    def _do_chosen(self) -> None:
        row = self.list.currentItem()
        # Where one click activates, it tells of itself twice.
        if row is None or not self.isVisible():
            return
        action, made = self._entries[row.data(0, Qt.ItemDataRole.UserRole)]
        if made.isEnabled():
            recent = [action.id, *(id for id in self._recent if id != action.id)]
            self._settings.set(RECENT_KEY, recent[:MOST_RECENT])
            self.close()
            # Once the click is over: what is done may ask something, and the list is gone by then.
            QTimer.singleShot(0, made.trigger)


def rank(text: str, action: Action) -> int | None:
    """Return how well an action answers a search, 0 best; None where it does not.

    Every word typed must begin a word of the title, or else be part of the title, its menu or a synonym.
    """
    title = action.title.lower()
    words = f"{title} {action.menu} {action.synonyms} {action.id}".lower().replace("/", " ").split()
    score = 0
    for typed in text.lower().split():
        if title.startswith(typed):
            continue
        if any(word.startswith(typed) for word in title.split()):
            score += 1
        elif any(word.startswith(typed) for word in words):
            score += 3
        elif any(typed in word for word in words):
            score += 6
        else:
            return None
    return score
