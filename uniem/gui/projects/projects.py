"""Projects in the window: making, opening, keeping, copying, packing; and the session without a project."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QDialog, QFileDialog, QMenu

from uniem import paths
from uniem.data.last_session import SessionFile
from uniem.data.project import (
    FILE_NAME,
    PACKED_ENDING,
    Project,
    ProjectState,
    is_packed,
    project_folder,
    read_state,
)
from uniem.data.project_parts import Part, parts_of
from uniem.errors import UniemError
from uniem.gui.background import Background
from uniem.gui.projects.dialogs import PackDialog, PartsList, PlaceDialog
from uniem.gui.projects.leaving import may_leave_jobs
from uniem.gui.projects.missing_data import MissingData
from uniem.gui.projects.recent import add_projects
from uniem.gui.projects.transfer import Transfer
from uniem.gui.window_state import Entry, WindowState, read_entries
from uniem.jobs.queue import Job
from uniem.jobs.relocation import relocate_jobs

if TYPE_CHECKING:
    from uniem.gui.window import Window

logger = logging.getLogger(__name__)

FOLDER_SETTING = "projects folder"
FILES = f"Projects ({FILE_NAME} *{PACKED_ENDING});;All files (*)"


class Projects(QObject):
    """The project of a window, or the unnamed session while it has none; both are kept as things happen."""

    told = Signal(str)
    failed = Signal(str)

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self.project: Project | None = None
        self._session = SessionFile(paths.sessions())
        self._last = self._session.newest_other()
        self._state = ProjectState()
        self.missing = MissingData(window)
        self.missing.failed.connect(self.failed)
        self.missing.changed.connect(self._take_missing)
        self._is_resting = False
        self._last_failure = ""
        self._background = Background(self)
        self._transfer = Transfer(window.queue, self.failed.emit, window)
        self._watch = WindowState(window)
        self._watch.changed.connect(self.keep)
        self.missing.found.connect(self._watch.add_found)

    # What the menus ask

    @property
    def is_open(self) -> bool:
        """Tell whether the window has a project."""
        return self.project is not None

    @property
    def has_missing(self) -> bool:
        """Tell whether something of the project was not found."""
        return bool(self.missing.entries)

    @property
    def has_last(self) -> bool:
        """Tell whether there is a session to take up again."""
        return self._last is not None

    @property
    def has_content(self) -> bool:
        """Tell whether there is anything to pack."""
        return self.is_open or bool(self._window.workspace.items)

    # Actions

    def new(self) -> None:
        """Ask for a place, and begin an empty project there."""
        dialog = PlaceDialog(
            "New project",
            "A project is a folder. It remembers what is open and how it looks, and new labels, results and "
            "jobs go into it.",
            "project",
            self._usual_folder(),
            self._window,
        )
        if self._accepted(dialog):
            self.create(dialog.path)

    def create(self, path: Path) -> None:
        """Begin an empty project in a new folder."""
        try:
            Project.create(path).close()
        except UniemError as error:
            self.failed.emit(str(error))
            return
        self.open(path)

    def ask_open(self) -> None:
        """Ask for a project's file, or a packed one, and open it."""
        found, _ = QFileDialog.getOpenFileName(self._window, "Open project", self._usual_folder(), FILES)
        if found:
            self.open(found)

    def open(self, path: Path | str) -> None:
        """Open a project in place of what the window shows; a packed one is unpacked first."""
        if is_packed(path):
            self._ask_unpack(Path(path))
            return
        if self.project is not None and project_folder(path) == self.project.path:
            self.told.emit(f"{self.project.name} is open already.")
            return
        try:
            project = Project.open(path)
        except UniemError as error:
            self._window.settings.forget_recent_project(str(path))
            self.failed.emit(str(error))
            return
        if not self._leave():
            project.close()
            return
        self._begin(project)

    def save_as(self) -> None:
        """Ask for a place, and go on there: the first time, this makes the session a project."""
        self.keep()
        parts = self._parts()
        ticked = [part.name for part in parts if not part.is_outside or self._is_ours(part)]
        dialog = PlaceDialog(
            "Save project as",
            "The new project goes on where this one is. What is ticked is copied into it; other data stay "
            "where they are, and the project refers to them.",
            f"{self.project.name} copy" if self.project is not None else "project",
            self._usual_folder(),
            self._window,
            PartsList(parts, ticked) if parts else None,
        )
        if self._accepted(dialog):
            self.save_to(dialog.path, dialog.parts.left_out if dialog.parts is not None else [])

    def save_to(self, path: Path, left_out: Sequence[str]) -> None:
        """Copy the project, or the session, to a new folder and go on there."""
        self.keep()
        source = self._source()
        if source is None:
            self.create(path)
        else:
            self._transfer.copy(source, path, left_out, self.open)

    def ask_pack(self) -> None:
        """Show what a packed project holds, ask for a place, and pack it in the background."""
        self.keep()
        source = self._source()
        if source is None:
            return
        name = self.project.name if self.project is not None else "session"
        dialog = PackDialog(name, self._parts(), self._window)
        if dialog.exec_() != QDialog.DialogCode.Accepted:
            return
        start = str(Path(self._usual_folder()) / f"{name}{PACKED_ENDING}")
        found, _ = QFileDialog.getSaveFileName(self._window, "Pack", start, f"Packed (*{PACKED_ENDING})")
        if found:
            self.pack(Path(found), dialog.parts.left_out)

    def pack(self, target: Path, left_out: Sequence[str] = ()) -> Job | None:
        """Pack the project, or the session, into a file, in the background."""
        self.keep()
        source = self._source()
        if source is None:
            return None
        if not target.name.lower().endswith(PACKED_ENDING):
            target = target.with_name(f"{target.name.removesuffix('.zip')}{PACKED_ENDING}")
        job = self._transfer.pack(source, target, left_out)
        if job is not None:
            self._window.results.follow(job, lambda _: self.told.emit(f"Packed into {target}."))
            self._window.layout_of_docks.bring_up("jobs")
            self.told.emit(f"Packing into {target.name}; go on working meanwhile.")
        return job

    def close_project(self) -> None:
        """Close the project; everything in it has been kept."""
        if self.project is not None and self._leave():
            self.told.emit("The project is closed.")

    def open_last(self) -> None:
        """Take up again what a window without a project showed last."""
        path = self._last
        if path is None or not self._leave():
            return
        try:
            self._load(read_state(path), None)
        except UniemError as error:
            self.failed.emit(str(error))

    def offer_last(self) -> None:
        """Say, without asking for anything, that there is a session to take up again."""
        if self._last is None:
            return
        names = [item.name for item in read_state(self._last).items]
        more = f" and {len(names) - 2} more" if len(names) > 2 else ""
        self.told.emit(f"File › Open last session takes up {', '.join(names[:2])}{more} again.")

    def add_recent(self, menu: QMenu) -> None:
        """Put the projects opened last before the data in the menu of recent things."""
        here = str(self.project.path) if self.project is not None else ""
        known = [text for text in self._window.settings.recent_projects if text != here]
        add_projects(menu, known, self.open)

    # Keeping

    def keep(self) -> None:
        """Write down the state of the window now, if it has changed."""
        if self._is_resting or self._background.is_busy:
            return
        folder = self.project.path if self.project is not None else None
        self._state = self._watch.collect(folder, self._state, self.missing.entries)
        try:
            if self.project is not None:
                self.project.write(self._state)
            else:
                self._session.write(self._state)
            self._last_failure = ""
        except UniemError as error:
            # Told once, not every second.
            if str(error) != self._last_failure:
                self._last_failure = str(error)
                self.failed.emit(str(error))

    def close_down(self) -> None:
        """Keep the state for the last time and let go of the project."""
        self.keep()
        self._is_resting = True
        self._background.cancel()
        self._watch.close_down()
        self._end_project()

    # The steps

    def _begin(self, project: Project) -> None:
        self.project = project
        settings, window = self._window.settings, self._window
        settings.add_recent_project(project.path)
        settings.set(FOLDER_SETTING, str(project.path.parent))
        if os.access(project.path, os.W_OK):
            paths.use_project_folder(project.path)
            if project.is_writable and project.state.folder not in ("", str(project.path)):
                relocate_jobs(project.jobs, project.state.folder, project.path)
            window.queue.move_to(project.jobs)
        self._show_title()
        self._load(project.state, project.path)

    def _load(self, state: ProjectState, folder: Path | None) -> None:
        self._state = state
        self._watch.prepare(state)
        self._window.panels.forget()
        self._window.opening.busy_bar.say(f"Opening {len(state.items)} things…" if state.items else "")
        self._background.run(
            lambda task: read_entries(state, folder, lambda: task.is_cancelled),
            self._take_loaded,
            lambda error: self._take_loaded(
                [Entry(n, record, problem=str(error)) for n, record in enumerate(state.items)]
            ),
        )

    def _take_loaded(self, entries: list[Entry]) -> None:
        self._window.opening.busy_bar.say("")
        # Before anything is shown: what is missing must be in every state that is written from now on.
        folder = self.project.path if self.project is not None else None
        self.missing.take([entry for entry in entries if entry.noun is None], folder)
        # A question on the way must not let a state be kept that is shown by half.
        self._is_resting = True
        try:
            self._watch.show(self._state, entries)
        finally:
            self._is_resting = False
        self._window.action_set.refresh()
        self._tell_limits()
        if self.has_missing:
            self.missing.show()

    def _tell_limits(self) -> None:
        # After what opening the data has told, which is worth less.
        if self.project is not None and self.project.refusal:
            self.failed.emit(
                f"What is open is not kept in {self.project.name} from here: {self.project.refusal}."
            )
        elif self.project is not None and self.project.notice:
            self.failed.emit(self.project.notice)

    def _take_missing(self) -> None:
        self.keep()
        self._window.action_set.refresh()

    def _leave(self) -> bool:
        """Close what the window shows, with nothing lost; return False where the user wants to stay."""
        window = self._window
        if not may_leave_jobs(window, window.queue):
            return False
        window.opening.cancel()
        self.keep()
        self._is_resting = True
        self._background.cancel()
        window.sessions.end()
        for item in list(window.workspace.items):
            window.workspace.close(item)
        window.markers.put(())
        if window.annotator is not None:
            window.annotator.clear()
            window.annotator.forget_history()
        window.panels.forget()
        self._end_project()
        self._session = SessionFile(paths.sessions())
        self._last = self._session.newest_other()
        self._state = ProjectState()
        self.missing.take([], None)
        self._is_resting = False
        self._show_title()
        return True

    def _end_project(self) -> None:
        if self.project is None:
            return
        self.project.close()
        self.project = None
        paths.use_project_folder(None)
        self._window.queue.move_to(paths.jobs())

    def _source(self) -> Path | None:
        """Return what can be copied: the project, or the file of the session."""
        if self.project is not None:
            return self.project.path
        return self._session.path if self._session.path.is_file() else None

    def _parts(self) -> list[Part]:
        return parts_of(self._state, self.project.path if self.project is not None else None)

    def _is_ours(self, part: Part) -> bool:
        """Tell whether data were made here and lie where only this program looks."""
        return paths.user_data().resolve() in part.source.parents

    def _ask_unpack(self, packed: Path) -> None:
        name = packed.name[: -len(PACKED_ENDING)]
        dialog = PlaceDialog(
            "Unpack project",
            f"{packed.name} is a packed project. It is unpacked into a new folder, and opened there.",
            name,
            self._usual_folder(),
            self._window,
        )
        if self._accepted(dialog):
            self.unpack(packed, dialog.path)

    def unpack(self, packed: Path, folder: Path) -> None:
        """Unpack a project into a new folder and open it."""
        self._transfer.unpack(packed, folder, self.open)

    def _accepted(self, dialog: PlaceDialog) -> bool:
        is_accepted = dialog.exec_() == QDialog.DialogCode.Accepted
        if is_accepted:
            self._window.settings.set(FOLDER_SETTING, str(dialog.path.parent))
        return is_accepted

    def _usual_folder(self) -> str:
        kept = self._window.settings.get(FOLDER_SETTING)
        if isinstance(kept, str) and Path(kept).is_dir():
            return kept
        documents = Path.home() / "Documents"
        return str(documents if documents.is_dir() else Path.home())

    def _show_title(self) -> None:
        if self.project is None:
            self._window.setWindowTitle("uniem")
            return
        looking = " (only for looking)" if self.project.refusal else ""
        self._window.setWindowTitle(f"{self.project.name}{looking} – uniem")
