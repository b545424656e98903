"""What the window offers for proofreading beside the tools of the canvas, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from uniem.gui.layout import RIGHT
from uniem.gui.proofreading.comparing import Comparing
from uniem.gui.proofreading.edited_views import ViewingBar
from uniem.gui.proofreading.history_panel import HistoryPanel
from uniem.gui.proofreading.object_edits import ObjectEdits
from uniem.gui.proofreading.saving import SavingBar
from uniem.gui.proofreading.writing import BackgroundWriting

if TYPE_CHECKING:
    from uniem.gui.window import Window


class Proofreading(QObject):
    """Hold the parts and connect them with the window."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.objects = ObjectEdits(
            window.sessions, window.canvas, lambda: window.objects.selected, window.settings, window
        )
        self.writing = BackgroundWriting(window.sessions, window.canvas, self)
        self.history = HistoryPanel(window.sessions, window.canvas)
        self.comparing = Comparing(window.sessions, window.canvas, self)
        self.history.compare_wanted.connect(self.comparing.begin)
        for bar in (SavingBar(window.sessions.saving), ViewingBar(window.sessions.views)):
            window.notices.add(bar)
        self._docks = window.layout_of_docks
        self._docks.add("history", "History", RIGHT, self.history)
        self._docks.bring_up("panels")
        for teller in (self.objects, self.history, self.comparing):
            teller.told.connect(window.canvas.message)
        for part in (self.objects, self.history, self.writing, self.comparing):
            part.failed.connect(window.message.show_error)
        table = window.objects
        table.set_edits(self.objects)
        table.solo_wanted.connect(lambda: window.canvas.run("solo"))
        window.sessions.counted.connect(table.show_counting)
        # The actions are made after this.
        table.selection_changed.connect(lambda: window.action_set.refresh())
        table.selection_changed.connect(lambda: window.canvas.model.select(table.selected))

    def show_history(self) -> None:
        """Bring up the list of edits."""
        self._docks.bring_up("history")

    def close_down(self) -> None:
        """Stop what is under way."""
        self.writing.stop()
        self.comparing.close_down()
