"""Labels that are edited elsewhere, or have edits that are not saved: shown as they stand, read-only."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from uniem.data.store import StoredVolume
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.gui.background import Background
from uniem.proofreading.journal import FILE_NAME
from uniem.proofreading.viewing import EditedView, view_edited
from uniem.workspace import OpenItem, Workspace

POLL_MS = 2000


class EditedViews(QObject):
    """Look at every label volume that is opened, and show it as its editor sees it.

    Signals: `changed()` when there is another to tell of, or its state changed; `edit_wanted(item)`;
    `failed(str)`.
    """

    changed = Signal()
    edit_wanted = Signal(object)
    failed = Signal(str)

    def __init__(
        self, workspace: Workspace, is_edited_here: Callable[[OpenItem], bool], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._workspace, self._is_edited_here = workspace, is_edited_here
        self._background = Background(self)
        self._clock = QTimer(self)
        self._clock.setInterval(POLL_MS)
        self._clock.timeout.connect(self._poll)
        self.item: OpenItem | None = None
        self.view: EditedView | None = None
        self.is_current = self.is_held = True
        workspace.added.connect(self._take_added)
        workspace.changed.connect(self._take_changed)
        workspace.removed.connect(self._take_changed)

    def close_down(self) -> None:
        """Stop looking."""
        self._clock.stop()
        self._background.cancel()
        self._workspace.added.disconnect(self._take_added)
        self._workspace.changed.disconnect(self._take_changed)
        self._workspace.removed.disconnect(self._take_changed)

    def look(self, item: OpenItem) -> bool:
        """Look whether labels have edits that are not on the disk; return whether they have a journal."""
        noun = item.noun
        is_label = isinstance(noun, Volume) and noun.kind is Kind.LABELS
        if not is_label or not (isinstance(noun, StoredVolume) or item.is_read_only):
            return False
        path = Path(item.location)
        if item not in self._workspace.items or not (path / FILE_NAME).exists():
            return False
        self._background.run(
            lambda task: _seen(path), functools.partial(self._take_view, item), lambda error: None
        )
        return True

    def refresh(self) -> None:
        """Show what was edited since."""
        if self.item is not None:
            self.look(self.item)

    def edit(self) -> None:
        """Open it for editing here."""
        if self.item is not None:
            self.edit_wanted.emit(self.item)

    def _take_added(self, item: OpenItem) -> None:
        self.look(item)

    def _take_view(self, item: OpenItem, view: EditedView | None) -> None:
        if item not in self._workspace.items or self._is_edited_here(item):
            return
        if view is None:
            if item.is_read_only:
                self._workspace.reload(item)
            return
        self.item, self.view = item, view
        self.is_current, self.is_held = True, view.is_held
        self._workspace.show_as_edited(item, view.volume)
        self._clock.start()
        self.changed.emit()

    def _take_changed(self, item: OpenItem) -> None:
        """Tell nothing of an item that was closed, or that is edited here now."""
        if item is self.item and (not item.is_read_only or item not in self._workspace.items):
            self._clock.stop()
            self.item = self.view = None
            self.changed.emit()

    def _poll(self) -> None:
        view = self.view
        if view is not None and not self._background.is_busy:
            self._background.run(lambda task: (view.is_current, view.is_held), self._take_state)

    def _take_state(self, state: tuple[bool, bool]) -> None:
        if state != (self.is_current, self.is_held):
            self.is_current, self.is_held = state
            self.changed.emit()


class ViewingBar(QWidget):
    """Say that labels are only looked at, and offer to see newer edits or to edit them here."""

    def __init__(self, views: EditedViews) -> None:
        super().__init__()
        self._views = views
        self.label, self.refresh, self.edit = QLabel(), QPushButton("Refresh"), QPushButton("Edit here")
        self.label.setWordWrap(True)
        self.label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.refresh.setToolTip("Show what was edited since.")
        self.edit.setToolTip("Open these labels for editing in this window.")
        self.refresh.clicked.connect(views.refresh)
        self.edit.clicked.connect(views.edit)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 6, 4)
        row.addWidget(self.label, 1)
        row.addWidget(self.refresh)
        row.addWidget(self.edit)
        views.changed.connect(self._follow)
        self.hide()

    def _follow(self) -> None:
        view = self._views.view
        self.setVisible(view is not None)
        if view is None:
            return
        newer = "" if self._views.is_current else " There are newer edits."
        self.label.setText(view.notice + newer)
        self.refresh.setVisible(not self._views.is_current)
        self.edit.setVisible(not self._views.is_held)


def _seen(path: Path) -> EditedView | None:
    """Return labels as their editor sees them, if that differs from the disk or may do so soon."""
    try:
        view = view_edited(path)
    except UniemError:
        # A damaged or foreign journal is told when somebody wants to edit.
        return None
    return view if view is not None and (view.unsaved or view.is_held) else None
