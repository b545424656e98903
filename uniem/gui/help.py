"""Help: keys and mouse buttons as they are, plugins as they loaded, and what this program is."""

from __future__ import annotations

import html
import platform
from collections.abc import Sequence

from qtpy import QtCore
from qtpy.QtCore import Qt
from qtpy.QtGui import QTextTable
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QMessageBox,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

import uniem
from uniem import paths
from uniem.gui.canvas.tool_pages import tool_page
from uniem.gui.canvas.view_model import Hand
from uniem.gui.preferences.keymaps import Keymaps
from uniem.gui.shortcuts import shortcut_groups
from uniem.operations.registry import plugins


class Help:
    """The entries of the Help menu."""

    def __init__(self, window: QWidget, keymaps: Keymaps, hand: Hand) -> None:
        self._window, self._keymaps, self._hand = window, keymaps, hand

    def tool(self) -> None:
        """Show the page of the tool in hand, in the present keymap."""
        tool = self._hand.tool
        browser = QTextBrowser()
        browser.setMarkdown(tool_page(tool, self._keymaps.keymap))
        _open_tables(browser)
        self._show(f"Help: {tool}", browser)

    def shortcuts(self) -> None:
        """Show every key and mouse button."""
        browser = QTextBrowser()
        browser.setHtml(shortcuts_html(self._keymaps))
        self._show("Shortcuts", browser)

    def plugins(self) -> None:
        """Show the plugins that were found, and why one is broken."""
        self._show("Plugins", plugin_table())

    def about(self) -> None:
        """Say what this program is and what it runs on."""
        text = (
            f"<h3>uniem {uniem.__version__}</h3>"
            "<p>From a raw electron-microscopy stack to measured 3D objects, in one window.</p>"
            f"<p>Python {platform.python_version()}, Qt {QtCore.qVersion()}, {platform.platform()}</p>"
            f"<p>Your data: {html.escape(str(paths.user_data()))}</p>"
            "<p>Free software under the GNU General Public License, version 3 or later.</p>"
        )
        QMessageBox.about(self._window, "About uniem", text)

    def _show(self, title: str, content: QWidget) -> None:
        dialog = QDialog(self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(title)
        dialog.resize(700, 620)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(dialog.reject)
        column = QVBoxLayout(dialog)
        column.addWidget(content)
        column.addWidget(buttons)
        dialog.show()


def shortcuts_html(keymaps: Keymaps) -> str:
    """Return the present keys of window and canvas and the mouse buttons as tables."""
    groups = shortcut_groups([keymaps.keymap], keymaps.actions)
    return "".join(f"<h3>{title}</h3>{_table_html(rows)}" for title, rows in groups)


def _open_tables(browser: QTextBrowser) -> None:
    """Draw the tables of a page without lines, and with room."""
    for frame in browser.document().rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            looks = frame.format()
            looks.setBorder(0)
            looks.setCellPadding(3)
            frame.setFormat(looks)


def plugin_table() -> QTableWidget:
    """Return a table of plugins: name, operations, place, and the traceback of a broken one."""
    found = plugins()
    table = QTableWidget(len(found), 3)
    table.setHorizontalHeaderLabels(["Plugin", "Operations", "Place"])
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    table.horizontalHeader().setStretchLastSection(True)
    for row, plugin in enumerate(found):
        table.setItem(row, 0, QTableWidgetItem(plugin.name))
        table.setItem(row, 1, QTableWidgetItem(", ".join(plugin.operations) or "none"))
        if plugin.error:
            view = QPlainTextEdit(plugin.error)
            view.setReadOnly(True)
            view.setMinimumHeight(120)
            table.setCellWidget(row, 2, view)
        else:
            table.setItem(row, 2, QTableWidgetItem(plugin.location))
    return table


def _table_html(rows: Sequence[Sequence[str]]) -> str:
    lines = (
        f"<tr><td><b>{html.escape(keys)}</b>&nbsp;&nbsp;</td><td>{html.escape(title)}&nbsp;&nbsp;</td>"
        f"<td>{html.escape(tip)}</td></tr>"
        for title, keys, tip in rows
    )
    return f"<table cellpadding='3'>{''.join(lines)}</table>"
