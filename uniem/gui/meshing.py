"""From labels to meshes in the 3D annotator: a job, and what it makes shown."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, Signal

from uniem import paths
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.gui.annotator import loading
from uniem.gui.panels.naming import stem_of
from uniem.gui.results import Results
from uniem.gui.sessions import Sessions
from uniem.gui.showing import Showing
from uniem.gui.tables.object_table import ObjectTableView
from uniem.jobs.queue import Job, JobQueue
from uniem.jobs.request import JobRequest
from uniem.workspace import OpenItem


class Meshing(QObject):
    """Mesh the labels shown, all or those selected."""

    told = Signal(str)
    failed = Signal(str)

    def __init__(
        self,
        queue: JobQueue,
        showing: Showing,
        sessions: Sessions,
        results: Results,
        objects: ObjectTableView,
        ask_voxel_size: Callable[[OpenItem], None],
    ) -> None:
        super().__init__()
        self._queue, self._showing, self._sessions, self._results = queue, showing, sessions, results
        self._objects = objects
        self._ask_voxel_size = ask_voxel_size

    @property
    def has_selection(self) -> bool:
        """Tell whether objects are selected in the table."""
        return self._showing.has_labels and bool(self._objects.selected)

    def show_all(self) -> None:
        """Mesh every label of the volume shown."""
        self._start([])

    def show_selected(self) -> None:
        """Mesh the labels selected in the object table."""
        if self._objects.selected:
            self._start(self._objects.selected)

    def _start(self, ids: list[int]) -> None:
        item = self._showing.labels_item
        if item is None or not isinstance(item.noun, Volume):
            self.failed.emit("Show labels first: they are what is meshed.")
            return
        if item.noun.voxel_size is None:
            self.told.emit(f"The voxel size of {item.name} is needed for meshes in nm.")
            self._ask_voxel_size(item)
            if item.noun.voxel_size is None:
                return
        self._sessions.save_for([item.location])
        folder = paths.unused(paths.work_folder() / f"{stem_of(item.location)}-mesh")
        request = JobRequest(
            operation="mesh",
            parameters={"ids": ",".join(map(str, ids))},
            inputs={"labels": item.location},
            outputs={"meshes": str(folder)},
        )
        try:
            self._results.follow(self._queue.submit(request), self._show)
        except UniemError as error:
            self.failed.emit(str(error))
            return
        loading.begin()
        count = f"{len(ids):,} labels" if ids else "all labels"
        self.told.emit(f"Meshing {count} of {item.name}; they appear in the 3D annotator when done.")

    def _show(self, job: Job) -> None:
        self._results.open_results(job)
        self.told.emit("The meshes are in the 3D annotator.")
