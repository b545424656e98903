"""What can be done with an open item: export, voxel size, running again, closing."""

from __future__ import annotations

import json
from pathlib import Path

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QInputDialog, QWidget

from uniem import paths
from uniem.data.formats import export_choices
from uniem.data.geometry import VoxelSize
from uniem.data.provenance import FILE_NAME, Provenance
from uniem.data.store import StoredVolume, open_store
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.gui import job_words
from uniem.gui.panel_dock import PanelDock
from uniem.gui.panels.naming import stem_of, unused
from uniem.gui.results import Results
from uniem.gui.sessions import Sessions
from uniem.jobs.queue import Job, JobQueue
from uniem.jobs.request import JobRequest
from uniem.operations.outputs import path_of
from uniem.workspace import OpenItem, Workspace

_FORMATS = {f"{title} (*{ending})": ending for title, ending in export_choices().items()}


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
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._workspace, self._queue, self._sessions = workspace, queue, sessions
        self._results, self._panels, self._window = results, panels, window

    def ask_export(self, item: OpenItem) -> None:
        """Ask where to and in which format, and export."""
        start = str(Path.home() / f"{stem_of(item.location or item.name)}.tif")
        path, chosen = QFileDialog.getSaveFileName(self._window, "Export", start, ";;".join(_FORMATS))
        if path:
            ending = _FORMATS.get(chosen, "")
            has_ending = any(path.endswith(known) for known in _FORMATS.values() if known)
            self.export(item, path if has_ending or not ending else path + ending)

    def export(self, item: OpenItem, location: str) -> Job | None:
        """Copy a volume to a location, whose ending names the format; unsaved edits are saved first."""
        self._sessions.save_for([item.location])
        # The file dialog has asked already whether to replace what is there.
        request = JobRequest(
            operation="convert",
            inputs={"source": item.location},
            outputs={"result": location},
            overwrite=Path(location).exists(),
        )
        return self._submit(request, lambda job: self.told.emit(f"Exported to {location}."))

    def ask_voxel_size(self, item: OpenItem) -> None:
        """Ask for a voxel size and record it."""
        if not isinstance(item.noun, Volume):
            return
        size = item.noun.voxel_size
        text = ", ".join(f"{edge:g}" for edge in size) if size else ""
        text, is_given = QInputDialog.getText(
            self._window,
            "Voxel size",
            f"Voxel size of {item.name} in nm, as z, y, x (for example 50, 4.6, 4.6):",
            text=text,
        )
        if is_given:
            try:
                self.set_voxel_size(item, VoxelSize.parse(text))
            except UniemError as error:
                self.failed.emit(str(error))

    def set_voxel_size(self, item: OpenItem, size: VoxelSize) -> None:
        """Record a voxel size in a store; any other file is copied into one, for inputs never change."""
        if isinstance(item.noun, StoredVolume):
            open_store(item.noun.path, writable=True).set_voxel_size(size)
            self._workspace.reload(item)
            return
        target = unused(paths.work_folder() / f"{stem_of(item.location)}.zarr")
        request = JobRequest(
            operation="convert",
            parameters={"voxel_size": list(size)},
            inputs={"source": item.location},
            outputs={"result": str(target)},
        )
        if self._submit(request, lambda job: self._replace(item, job)):
            self.told.emit(f"Copying {item.name} into a store with that voxel size: {target}.")

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
        for name, source in record.inputs.items():
            if name in panel.inputs:
                panel.inputs[name].choose(source.location)

    def close(self, item: OpenItem) -> None:
        """Close an item; unsaved edits are asked about first."""
        if item is not self._sessions.item or self._sessions.may_close():
            self._workspace.close(item)

    def _replace(self, item: OpenItem, job: Job) -> None:
        self._results.open_results(job)
        self._workspace.close(item)
        self.told.emit(f"{item.name} was replaced by a copy that has the voxel size.")

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
