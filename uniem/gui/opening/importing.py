"""Volumes copied into the working store while they are looked at, and then seen from there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from uniem import paths
from uniem.data.location import normalised_location
from uniem.data.store import StoredVolume
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.panels.naming import stem_of
from uniem.gui.results import Results
from uniem.jobs.events import Ending
from uniem.jobs.queue import Job, JobQueue
from uniem.jobs.request import JobRequest
from uniem.operations.registry import find
from uniem.workspace import OpenItem, Workspace

Then = Callable[[OpenItem], None]
RESULT = "result"


@dataclass(frozen=True, slots=True)
class _Import:
    item: OpenItem
    location: str
    then: Then | None


class Imports(QObject):
    """The imports under way; a job that is tried again after a kill is one of them too."""

    told = Signal(str)
    failed = Signal(str)

    def __init__(
        self,
        workspace: Workspace,
        queue: JobQueue,
        canvas: Canvas,
        results: Results,
        current: Callable[[], OpenItem | None],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._workspace, self._queue, self._canvas = workspace, queue, canvas
        self._results, self._current, self._window = results, current, window
        self._under_way: dict[str, _Import] = {}
        self._cut_off: set[str] = set()
        queue.added.connect(self._take_added)
        queue.changed.connect(self._take_change)

    def close_down(self) -> None:
        """Stop listening to the queue."""
        self._queue.added.disconnect(self._take_added)
        self._queue.changed.disconnect(self._take_change)

    @property
    def can_import(self) -> bool:
        """Tell whether the item selected is a volume in a file or on the web that is no store."""
        item = self._current()
        return item is not None and can_import(item)

    def import_current(self) -> None:
        """Ask where the item selected is to be imported to, and begin."""
        item = self._current()
        if item is not None:
            self.ask(item)

    def ask(self, item: OpenItem) -> None:
        """Ask where a volume is to be imported to, and begin."""
        proposed = paths.unused(paths.work_folder() / f"{stem_of(item.location)}.zarr")
        proposed.parent.mkdir(parents=True, exist_ok=True)
        title = f"Import {item.name} into working store"
        found, _ = QFileDialog.getSaveFileName(self._window, title, str(proposed), "OME-Zarr (*.zarr)")
        if found:
            target = Path(found)
            self.begin(item, target if target.suffix == ".zarr" else Path(f"{found}.zarr"))

    def copy_labels(self, item: OpenItem, then: Then) -> None:
        """Import labels into a store of ids that can be edited, and go on with it there."""
        target = paths.unused(paths.work_folder() / f"{stem_of(item.location or item.name)}-edit.zarr")
        self.begin(item, target, Kind.LABELS, then)

    def begin(self, item: OpenItem, target: Path, kind: Kind | None = None, then: Then | None = None) -> None:
        """Import a volume in the background; what is seen then goes over to the store, and `then` is called.

        `kind` says what its numbers mean, where it is not as the item says; labels become ids to be edited.
        """
        noun = item.noun
        assert isinstance(noun, Volume)
        parameters: dict[str, object] = {"kind": (kind or noun.kind).value}
        if kind is Kind.LABELS and noun.dtype.name != "uint64":
            parameters["dtype"] = "uint32"
        if noun.voxel_size is not None:
            parameters["voxel_size"] = list(noun.voxel_size)
        place = normalised_location(target)
        if any(not job.has_ended and _place_of(job) == place for job in self._queue.jobs):
            self.told.emit(f"{item.name} is being imported already; the jobs dock shows how far.")
            return
        request = JobRequest(
            operation="convert",
            version=find("convert").version,
            parameters=parameters,
            inputs={"source": item.location},
            outputs={RESULT: str(target)},
        )
        self._under_way[place] = _Import(item, item.location, then)
        try:
            self._queue.submit(request)
        except UniemError as error:
            del self._under_way[place]
            self.failed.emit(str(error))
            return
        self.told.emit(f"Importing {item.name} into {target}. It can be looked at meanwhile.")

    def _take_added(self, job: Job) -> None:
        place = _place_of(job)
        if place not in self._under_way or job.has_ended:
            return
        self._results.follow(job, self._finish)
        if place in self._cut_off:
            self._cut_off.remove(place)
            self.told.emit(f"The import of {self._under_way[place].item.name} goes on where it stopped.")

    def _take_change(self, job: Job) -> None:
        place = _place_of(job)
        if job.status.ending is Ending.LOST and place in self._under_way:
            name = self._under_way[place].item.name
            self._cut_off.add(place)
            self.failed.emit(
                f"The import of {name} was cut off. Retry in the jobs dock goes on where it stopped."
            )

    def _finish(self, job: Job) -> None:
        done, result = self._under_way.pop(_place_of(job)), job.status.outputs[RESULT]
        item = done.item
        # Another import may have ended before: what is seen, or even edited, is then that one.
        is_elsewhere = item.location != done.location
        if item not in self._workspace.items or (is_elsewhere and done.then is None):
            self.told.emit(f"{item.name} has been imported into {result}.")
            return
        with self._canvas.keeping_look():
            if is_elsewhere:
                item = self._workspace.open(result)
            else:
                self._workspace.move(item, result)
            if done.then is not None:
                done.then(item)
        self.told.emit(f"{item.name} is now shown from {result}.")


def can_import(item: OpenItem) -> bool:
    """Tell whether an item is a volume in a file or on the web that is no store."""
    return isinstance(item.noun, Volume) and not isinstance(item.noun, StoredVolume) and bool(item.location)


def _place_of(job: Job) -> str:
    location = job.request.outputs.get(RESULT, "")
    return normalised_location(location) if location else ""
