"""The preferences: a list of pages, each acting at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QSize, Qt, QTimer
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from uniem.gui import style
from uniem.gui.preferences.keys_page import KeysPage
from uniem.gui.preferences.mouse_page import MousePage
from uniem.gui.preferences.plain_pages import AppearancePage, CanvasPage, FilesPage

if TYPE_CHECKING:
    from uniem.gui.preferences.preferences import Preferences


class PreferencesDialog(QDialog):
    """Show the pages; there is nothing to confirm."""

    @staticmethod
    def bring_up(preferences: Preferences, window: QWidget) -> None:
        """Open the dialog of a window, or bring it to the front."""
        dialog = window.findChild(PreferencesDialog) or PreferencesDialog(preferences, window)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def __init__(self, preferences: Preferences, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Preferences")
        self.resize(900, 640)
        self.list, self.stack = QListWidget(), QStackedWidget()
        self.list.setFixedWidth(150)
        self.list.setIconSize(QSize(22, 22))
        self.keys, self.mouse = KeysPage(preferences.keymaps), MousePage(preferences.keymaps)
        self.appearance = AppearancePage(preferences)
        self.canvas, self.files = CanvasPage(preferences), FilesPage(preferences)
        for title, icon, page in (
            ("Keys", "keyboard-outline", self.keys),
            ("Mouse", "mouse", self.mouse),
            ("Appearance", "palette-outline", self.appearance),
            ("Canvas", "brush-variant", self.canvas),
            ("Files", "folder-outline", self.files),
        ):
            item = QListWidgetItem(title)
            item.setData(Qt.ItemDataRole.UserRole, icon)
            item.setSizeHint(QSize(140, 36))
            self.list.addItem(item)
            self.stack.addWidget(page)
        self._draw_icons()
        self.list.currentRowChanged.connect(self.stack.setCurrentIndex)
        self.list.setCurrentRow(0)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        # Enter belongs to what has the focus, not to a button that closes everything.
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setAutoDefault(False)
        close.setIcon(QIcon())
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self.list)
        row.addWidget(self.stack, 1)
        column = QVBoxLayout(self)
        column.addLayout(row, 1)
        column.addWidget(buttons)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icons in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            # After the theme is complete, its icons included.
            QTimer.singleShot(0, self._draw_icons)

    def _draw_icons(self) -> None:
        for place in range(self.list.count()):
            item = self.list.item(place)
            item.setIcon(style.icon(item.data(Qt.ItemDataRole.UserRole)))

    def done(self, result: int) -> None:
        """Stop listening, and close."""
        for page in (self.keys, self.mouse):
            page.release()
        super().done(result)
