"""The dock of operation panels: one panel per operation, made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QLabel, QStackedWidget

from uniem.gui.panels.inference_panel import InferencePanel
from uniem.gui.panels.operation_panel import FieldInView, OperationPanel
from uniem.gui.panels.trying_panel import TryingPanel
from uniem.jobs.queue import JobQueue
from uniem.operations.registry import find
from uniem.workspace import Settings, Workspace

MOVED_MS = 150


def _training_panel() -> type[OperationPanel]:
    from uniem.gui.panels.training_panel import TrainingPanel

    return TrainingPanel


def _live_panel() -> type[OperationPanel]:
    from uniem.gui.panels.live_panel import LivePanel

    return LivePanel


def _folds_panel() -> type[OperationPanel]:
    from uniem.gui.panels.folds_panel import FoldsPanel

    return FoldsPanel


# Panels made by hand; imported when first opened. Every other operation gets OperationPanel.
PANELS: dict[str, Callable[[], type[OperationPanel]]] = {
    "train-2d": _training_panel,
    "fine-tune-2d": _live_panel,
    "resume-2d": _live_panel,
    "cross-validate-2d": _folds_panel,
    "infer-2d": lambda: InferencePanel,
}


class PanelDock(QStackedWidget):
    """Show the panel of one operation at a time."""

    opened = Signal(object)
    submitted = Signal(object)
    before_run = Signal(list)
    tried = Signal(object, object)

    def __init__(
        self, workspace: Workspace, queue: JobQueue, settings: Settings, field_in_view: FieldInView
    ) -> None:
        super().__init__()
        self._workspace, self._queue, self._settings = workspace, queue, settings
        self._field_in_view = field_in_view
        self._panels: dict[str, OperationPanel] = {}
        empty = QLabel("Choose an operation from the menus,\nor press Ctrl+P and type what you want to do.")
        empty.setProperty("role", "quiet")
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setContentsMargins(14, 14, 14, 14)
        empty.setWordWrap(True)
        self.addWidget(empty)
        self._moved = QTimer(self)
        self._moved.setSingleShot(True)
        self._moved.setInterval(MOVED_MS)
        self._moved.timeout.connect(self._tell_moved)

    @property
    def shown(self) -> OperationPanel | None:
        """The panel in front."""
        widget = self.currentWidget()
        return widget if isinstance(widget, OperationPanel) else None

    def open(self, id: str) -> OperationPanel:
        """Show the panel of an operation."""
        if id not in self._panels:
            self._panels[id] = self._make(id)
            self.addWidget(self._panels[id])
        for picker in self._panels[id].inputs.values():
            picker.follow_the_canvas()
        self.setCurrentWidget(self._panels[id])
        self.opened.emit(self._panels[id])
        return self._panels[id]

    def apply(self, model: str, parameters: dict[str, Any]) -> None:
        """Show the panel of inference with a model chosen, and parameters beside those that stand there."""
        panel = self.open("infer-2d")
        panel.inputs["model"].choose(model)
        panel.form.set_values(parameters)
        panel.form.changed.emit()

    def forget(self) -> None:
        """Begin anew: panels are made again when asked for, from the settings as they are then."""
        self.setCurrentIndex(0)
        for panel in self._panels.values():
            panel.close_down()
            self.removeWidget(panel)
            panel.deleteLater()
        self._panels.clear()

    def field_moved(self) -> None:
        """Take notice that another part of the volume is in view."""
        self._moved.start()

    def close_down(self) -> None:
        """Let every panel stop listening."""
        self._moved.stop()
        for panel in self._panels.values():
            panel.close_down()

    def _make(self, id: str) -> OperationPanel:
        kind = PANELS.get(id, lambda: OperationPanel)()
        panel = kind(find(id), self._workspace, self._queue, self._settings, self._field_in_view)
        panel.submitted.connect(self.submitted)
        panel.before_run.connect(self.before_run)
        if isinstance(panel, TryingPanel):
            panel.tried.connect(self.tried)
            panel.apply_wanted.connect(self.apply)
        return panel

    def _tell_moved(self) -> None:
        if self.shown is not None:
            self.shown.field_moved()
