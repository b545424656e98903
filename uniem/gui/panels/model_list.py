"""A list of further models, as folders: chosen of those that are open, or from the disk."""

from __future__ import annotations

import functools
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QToolButton,
)

from uniem.data.location import name_of_location
from uniem.gui.forms.editors import Editor
from uniem.operations.operation import Role
from uniem.operations.parameters import ParameterField
from uniem.workspace import Workspace

SEPARATOR = ";"
ROW_PX, MOST_ROWS = 22, 5


class ModelListEditor(Editor):
    """Hold folders of models as one text, with ; between them."""

    def __init__(self, field: ParameterField, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.list = QListWidget()
        self.list.itemSelectionChanged.connect(self._dress)
        self.add, self.remove = QToolButton(), QPushButton("Remove")
        self.add.setText("Add a model…")
        self.add.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self.add)
        self.menu.aboutToShow.connect(self.fill_menu)
        self.add.setMenu(self.menu)
        self.remove.clicked.connect(self._remove)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.list, 0, 0, 1, 3)
        grid.addWidget(self.add, 1, 0)
        grid.addWidget(self.remove, 1, 1)
        grid.setColumnStretch(2, 1)
        self.setFocusProxy(self.add)
        self._dress()

    def value(self) -> str:
        """Return the folders as one text."""
        return f"{SEPARATOR} ".join(self._places())

    def set_value(self, value: Any) -> None:
        """Show the folders of a text."""
        self.list.clear()
        for place in str(value or "").split(SEPARATOR):
            if place.strip():
                self._append(place.strip())
        self._dress()

    def take(self, place: str) -> None:
        """Add a folder, as the user does; one that is there already stays once."""
        if place and place not in self._places():
            self._append(place)
            self._dress()
            self.changed.emit()

    def fill_menu(self) -> None:
        """Offer the models that are open and not taken yet."""
        self.menu.clear()
        for item in self._workspace.find(Role.MODEL):
            place = str(item.location)
            if place not in self._places():
                self.menu.addAction(item.name, functools.partial(self.take, place))
        self.menu.addSeparator()
        self.menu.addAction("Folder…", self._browse)

    def _places(self) -> list[str]:
        return [str(self.list.item(row).data(Qt.ItemDataRole.UserRole)) for row in range(self.list.count())]

    def _append(self, place: str) -> None:
        item = QListWidgetItem(name_of_location(place))
        item.setData(Qt.ItemDataRole.UserRole, place)
        item.setToolTip(place)
        self.list.addItem(item)

    def _remove(self) -> None:
        for item in self.list.selectedItems():
            self.list.takeItem(self.list.row(item))
        self._dress()
        self.changed.emit()

    def _browse(self) -> None:
        self.take(QFileDialog.getExistingDirectory(self, "Choose a model folder"))

    def _dress(self) -> None:
        self.list.setVisible(self.list.count() > 0)
        self.list.setFixedHeight(ROW_PX * min(max(self.list.count(), 1), MOST_ROWS) + 6)
        self.remove.setVisible(bool(self.list.selectedItems()))
