"""The docks of the window: where they are at first, and how their places are remembered."""

from __future__ import annotations

import base64
import binascii

from qtpy.QtCore import QByteArray, Qt
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from uniem.workspace import Settings

LAYOUT_VERSION = 2
LEFT, RIGHT, BOTTOM = (
    Qt.DockWidgetArea.LeftDockWidgetArea,
    Qt.DockWidgetArea.RightDockWidgetArea,
    Qt.DockWidgetArea.BottomDockWidgetArea,
)


class Layout:
    """Add docks to a window, and keep their places in the settings."""

    def __init__(self, window: QMainWindow, settings: Settings) -> None:
        self._window = window
        self._settings = settings
        self.docks: dict[str, QDockWidget] = {}

    def add(
        self,
        name: str,
        title: str,
        area: Qt.DockWidgetArea,
        widget: QWidget | None = None,
        below: str = "",
    ) -> QDockWidget:
        """Add a dock below another; else one in an area that has some already becomes a tab there."""
        dock = QDockWidget(title, self._window)
        dock.setObjectName(name)
        if widget is not None:
            dock.setWidget(widget)
        neighbours = [other for other in self.docks.values() if self._window.dockWidgetArea(other) == area]
        self._window.addDockWidget(area, dock)
        if below:
            self._window.splitDockWidget(self.docks[below], dock, Qt.Orientation.Vertical)
        elif neighbours:
            self._window.tabifyDockWidget(neighbours[0], dock)
        self.docks[name] = dock
        return dock

    def bring_up(self, name: str) -> None:
        """Show a dock and put it in front."""
        self.docks[name].show()
        self.docks[name].raise_()

    def arrange(self) -> None:
        """Give the docks the sizes they have at first."""
        window = self._window
        sides = [self.docks["data"], self.docks["panels"]]
        width = window.width()
        # Room for every column of the object table, but never more than the canvas can spare.
        room = [min(270, width * 17 // 100), min(440, width * 28 // 100)]
        window.resizeDocks(sides, room, Qt.Orientation.Horizontal)
        halves = [self.docks["data"], self.docks["layers"]]
        window.resizeDocks(halves, [300, 300], Qt.Orientation.Vertical)
        window.resizeDocks([self.docks["jobs"]], [190], Qt.Orientation.Vertical)

    def remember(self) -> None:
        """Keep size and places in the settings."""
        self._settings.set("window/geometry", _packed(self._window.saveGeometry()))
        self._settings.set("window/state", self.state())

    def restore(self) -> bool:
        """Take size and places from the settings; return False where there are none that fit."""
        geometry = _unpacked(self._settings.get("window/geometry"))
        state = self._settings.get("window/state")
        if geometry is None or _unpacked(state) is None:
            return False
        self._window.restoreGeometry(geometry)
        return self.take(state)

    def state(self) -> str:
        """Return the places of the docks as text."""
        return _packed(self._window.saveState(LAYOUT_VERSION))

    def take(self, state: str) -> bool:
        """Put the docks into places that `state` returned; return False where they do not fit."""
        places = _unpacked(state)
        return places is not None and bool(self._window.restoreState(places, LAYOUT_VERSION))


def _packed(state: QByteArray) -> str:
    return base64.b64encode(bytes(state)).decode("ascii")


def _unpacked(text: object) -> QByteArray | None:
    if not isinstance(text, str) or not text:
        return None
    try:
        return QByteArray(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return None
