"""What can be done with an open item: export, running again, training further, closing."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from uniem.data.location import normalised_location
from uniem.data.provenance import FILE_NAME, Provenance
from uniem.data.store import StoredVolume
from uniem.errors import UniemError
from uniem.gui import job_words
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.panel_dock import PanelDock
from uniem.gui.panels.operation_panel import OperationPanel
from uniem.gui.results import Results
from uniem.gui.sessions import Sessions
from uniem.gui.showing import Showing
from uniem.jobs.queue import Job, JobQueue
from uniem.jobs.request import JobRequest
from uniem.operations.outputs import path_of
from uniem.operations.registry import find
from uniem.workspace import OpenItem, Settings, Workspace

if TYPE_CHECKING:
    from uniem.gui.export.dialog import ExportDialog
    from uniem.gui.export.options import OnScreen


@dataclass(frozen=True, slots=True)
class Screen:
    """The parts of the window that show volumes and objects."""

    canvas: Canvas
    showing: Showing
    selected_objects: Callable[[], list[int]]


class ItemActions(QObject):
    """Carry out what the data dock's menu offers."""

    told = Signal(str)
    failed = Signal(str)

    def __init__(
        self,
        workspace: Workspace,
        queue: JobQueue,
        sessions: Sessions,
        results: Results,
        panels: PanelDock,
        settings: Settings,
        screen: Screen,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self.dialog: ExportDialog | None = None
        self._settings, self._screen = settings, screen
        self._workspace, self._queue, self._sessions = workspace, queue, sessions
        self._results, self._panels, self._window = results, panels, window

    def ask_export(self, item: OpenItem) -> None:
        """Open the dialog that exports a volume."""
        if not item.location:
            self.failed.emit(f"{item.name} is only in memory. Give what made it a place, and export that.")
            return
        from uniem.gui.export.dialog import ExportDialog

        if self.dialog is not None:
            self.dialog.reject()
        look = functools.partial(self._look, item)
        self.dialog = ExportDialog(item, self._queue, self._settings, self.export, look, self._window)
        self.dialog.show()

    def export(
        self, item: OpenItem, location: str, parameters: Mapping[str, Any], overwrite: bool = False
    ) -> Job | None:
        """Copy a volume to a location as `convert` does; unsaved edits are saved first, or it is left."""
        self._sessions.save_for([item.location])
        if item is self._sessions.item and self._sessions.unsaved:
            return None
        request = JobRequest(
            operation="convert",
            version=find("convert").version,
            parameters=dict(parameters),
            inputs={"source": item.location},
            outputs={"result": location},
            overwrite=overwrite,
        )
        return self._submit(request, lambda job: self.told.emit(f"Exported to {location}."))

    def close_down(self) -> None:
        """Close the dialog; what it started goes on."""
        if self.dialog is not None:
            self.dialog.reject()
            self.dialog = None

    def run_again(self, item: OpenItem) -> None:
        """Open the panel of the operation that made an item, filled as it was then."""
        try:
            record = provenance_of(item)
        except UniemError as error:
            self.failed.emit(str(error))
            return
        if record is None:
            self.failed.emit(f"{item.name} was not made by uniem, so there is nothing to run again.")
            return
        panel = self._panels.open(record.operation)
        panel.form.set_values(record.parameters)
        _choose_inputs(panel, record)

    def train_with(self, item: OpenItem, operation: str) -> None:
        """Open the panel that trains a model further, on what it was trained on if that is known."""
        panel = self._panels.open(operation)
        try:
            record = provenance_of(item)
        except UniemError as error:
            self.failed.emit(str(error))
            record = None
        if record is not None:
            _choose_inputs(panel, record)
            panel.form.set_values({"further": record.parameters.get("further", "")})
        panel.inputs["start"].choose(item.location)

    def infer_with(self, item: OpenItem) -> None:
        """Open the panel that applies a model, with the model chosen."""
        self._panels.apply(item.location, {})

    def is_of_edited(self, meshes: OpenItem) -> bool:
        """Tell whether meshes were made of the labels that are being edited, whose voxels are counted."""
        try:
            record = provenance_of(meshes)
        except UniemError:
            return False
        sources = [source.location for source in record.inputs.values()] if record else []
        edited = self._sessions.item
        return edited is not None and edited.location in map(normalised_location, sources)

    def close(self, item: OpenItem) -> None:
        """Close an item; unsaved edits are asked about first."""
        if item is not self._sessions.item or self._sessions.may_close():
            self._workspace.close(item)

    def _look(self, item: OpenItem) -> OnScreen:
        """Return what the window shows of an item."""
        from uniem.gui.export.options import OnScreen

        canvas, showing = self._screen.canvas, self._screen.showing
        if item not in (showing.image_item, showing.labels_item):
            return OnScreen()
        painting = canvas.painting
        contrast = canvas.model.contrast if item is showing.image_item else None
        if item is not self._sessions.item:
            return OnScreen(showing.field_in_view(), contrast)
        chosen = tuple(self._screen.selected_objects())
        return OnScreen(
            showing.field_in_view(), contrast, True, painting.colours(), painting.hidden(), chosen
        )

    def _submit(self, request: JobRequest, then: object) -> Job | None:
        assert callable(then)
        try:
            job = self._queue.submit(request)
        except UniemError as error:
            self.failed.emit(str(error))
            return None
        self._results.follow(job, then)
        self.told.emit(f"{job_words.title_of(request)} has begun.")
        return job


def provenance_of(item: OpenItem) -> Provenance | None:
    """Return what made an item; None where that is not recorded."""
    if isinstance(item.noun, StoredVolume):
        record = item.noun.attributes.get("provenance")
        return Provenance.of_attributes(record) if record else None
    path = path_of(item.location)
    place = path / FILE_NAME if path.is_dir() else path.with_name(f"{path.name}.{FILE_NAME}")
    if not place.is_file():
        return None
    try:
        return Provenance.of_attributes(json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UniemError(f"{place} cannot be read: {error}.") from error


def _choose_inputs(panel: OperationPanel, record: Provenance) -> None:
    for name, source in record.inputs.items():
        if name in panel.inputs:
            panel.inputs[name].choose(source.location)
