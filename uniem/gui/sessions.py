"""Editing labels in the window: which volume is edited, saving, undo, and never losing an edit."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QWidget

from uniem import paths
from uniem.data.store import StoredVolume, create_store, open_store
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.view_model import Tool
from uniem.gui.messages import choose
from uniem.gui.opening.importing import Imports
from uniem.gui.panels.naming import stem_of
from uniem.gui.proofreading.edited_views import EditedViews
from uniem.gui.proofreading.saving import BackgroundSaving
from uniem.gui.showing import Showing
from uniem.proofreading.carrying_over import make_again_steps
from uniem.proofreading.checkpoint import VolumeChanged
from uniem.proofreading.dojo_fields import take_dojo_fields
from uniem.proofreading.journal import Sync
from uniem.proofreading.lock import InUse
from uniem.proofreading.opening import set_history_aside
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.ground_truth import BACKGROUND_CLASS, begin_sparse
from uniem.workspace import OpenItem, Workspace

logger = logging.getLogger(__name__)

AUTOSAVE_MINUTES = 5
AUTOSAVE_BYTES = 1 << 30
COUNT_EVERY_MS = 5
# An autosave that would come in the midst of a stroke is tried again after this.
AGAIN_MS = 1000
SAVE, KEEP, CANCEL = "Save", "Keep for next time", "Cancel"
AGAIN, BEGIN = "Make my edits again", "Begin a new history"
CHANGED = "The labels were changed elsewhere"
COPY, IN_PLACE = "Edit a copy", "Edit in place"
# The attribute in which a store of another program keeps that the user wants it edited.
CONSENT = "edited_in_place"


class Sessions(QObject):
    """Hold the one session of the window.

    Signals: `session_changed(session or None)`; `history_changed()`; `counted(part done or None)`;
    `told(str)`; `failed(str)`.
    """

    session_changed = Signal(object)
    history_changed = Signal()
    counted = Signal(object)
    told = Signal(str)
    failed = Signal(str)

    def __init__(
        self,
        workspace: Workspace,
        imports: Imports,
        canvas: Canvas,
        showing: Showing,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._workspace, self._imports = workspace, imports
        self._canvas, self._showing, self._window = canvas, showing, window
        self.session: ProofreadingSession | None = None
        self.item: OpenItem | None = None
        self._sync = Sync.NORMAL
        self.views = EditedViews(workspace, lambda item: item is self.item, self)
        self.views.edit_wanted.connect(self.edit)
        self.saving = BackgroundSaving(canvas, self)
        self.saving.saved.connect(self.told)
        self.saving.failed.connect(self.failed)
        self._counting: Iterator[float] | None = None
        self._counter = _timer(self, COUNT_EVERY_MS, self._count_on)
        self._autosave = _timer(self, AUTOSAVE_MINUTES * 60_000, self._save_by_itself)
        workspace.removed.connect(self._take_removed)

    @property
    def is_editing(self) -> bool:
        """Tell whether labels are open for editing."""
        return self.session is not None

    @property
    def can_undo(self) -> bool:
        """Tell whether there is an edit to undo."""
        return self.session is not None and self.session.can_undo

    @property
    def can_redo(self) -> bool:
        """Tell whether there is an edit to redo."""
        return self.session is not None and self.session.can_redo

    @property
    def unsaved(self) -> int:
        """How many edits are not saved."""
        return self.session.unsaved_edits if self.session is not None else 0

    def save_every(self, minutes: int) -> None:
        """Save by itself after so many minutes."""
        self._autosave.setInterval(minutes * 60_000)

    def force_to_disk(self, is_forced: bool) -> None:
        """Force every edit to the disk itself, so that a power cut costs one stroke at most."""
        self._sync = Sync.FULL if is_forced else Sync.NORMAL
        if self.session is not None:
            self.session.set_sync(self._sync)

    def undo(self) -> None:
        """Take the last edit back and go to its place."""
        self._canvas.painting.undo()

    def redo(self) -> None:
        """Repeat the edit undone last and go to its place."""
        self._canvas.painting.redo()

    def new_labels(self) -> None:
        """Make an empty label volume for the image shown, in the work folder, and edit it."""
        with self._telling():
            path = self._make_labels("labels")
            self._canvas.model.hand.label = 1
            self.told.emit(
                f"Made {path.name} in {path.parent}. Paint with the left button; erase with the right."
            )

    def new_sparse_labels(self) -> None:
        """Make labels for sparse ground truth, in which background is painted as a class, and edit them."""
        with self._telling():
            path = self._make_labels("ground-truth")
            assert self.session is not None
            edit = begin_sparse(self.session.objects)
            if edit is not None:
                self.session.apply(edit)
            hand = self._canvas.model.hand
            hand.slots = {**hand.slots, 1: BACKGROUND_CLASS, 2: BACKGROUND_CLASS + 1}
            hand.label = BACKGROUND_CLASS + 1
            self.told.emit(
                f"Made {path.name}. Paint background as label {BACKGROUND_CLASS} and classes or objects as"
                f" {BACKGROUND_CLASS + 1} and more; 0 means not annotated and is left out of training."
            )

    def _make_labels(self, kind: str) -> Path:
        """Make an empty label volume for the image shown and edit it with the brush."""
        item = self._showing.image_item
        if item is None or not isinstance(item.noun, Volume):
            raise UniemError("No image is shown.", "Show an image first: the labels get its size.")
        image = item.noun
        path = paths.unused(paths.work_folder() / f"{stem_of(item.location or item.name)}-{kind}.zarr")
        path.parent.mkdir(parents=True, exist_ok=True)
        # With its coarser levels, so that whole sections are seen without reading every voxel of them.
        create_store(path, image.shape, "uint32", image.voxel_size, Kind.LABELS).add_levels()
        self.edit(self._workspace.open(path))
        self._canvas.model.hand.tool = Tool.BRUSH
        return path

    def edit_shown(self) -> None:
        """Edit the labels shown."""
        if self._showing.labels_item is not None:
            self.edit(self._showing.labels_item)

    def edit(self, item: OpenItem) -> None:
        """Edit a label volume; one that cannot or must not be written is copied into a store first, as a job.

        A store made by another program is written to only if the user says so.
        """
        if item is self.item:
            self._showing.show(item)
            return
        with self._telling():
            noun = open_store(Path(item.location)) if item.is_read_only else item.noun
            is_store = isinstance(noun, StoredVolume) and is_editable(noun)
            answer = self._ask_place(item, noun) if isinstance(noun, StoredVolume) and is_store else COPY
            if answer == COPY:
                self._imports.copy_labels(item, self.edit)
            elif answer == IN_PLACE and isinstance(noun, StoredVolume):
                self._open(item, noun.path)

    def save(self, name: str = "") -> None:
        """Begin to write the edits into the volume, under a name or none; painting can go on meanwhile."""
        session = self.session
        if session is None:
            return
        if not (name or session.unsaved_edits):
            self.told.emit(f"{session.path.name} is saved already.")
            return
        if self.saving.is_busy and not self.saving.finish():
            return
        count = edits(session.unsaved_edits) if session.unsaved_edits else "this point"
        words = f"Saved {count} in {session.path.name}" + (f" as {name}." if name else ".")
        self.saving.begin(session, name, words)

    def save_now(self) -> bool:
        """Write the edits into the volume and wait for it; return whether it worked."""
        is_good = self.saving.finish()
        if self.unsaved:
            self.save()
            is_good = self.saving.finish()
        return is_good

    def save_for(self, locations: list[str]) -> None:
        """Save before a job reads the volume that is being edited."""
        if self.item is not None and self.item.location in locations:
            self.save_now()

    def may_close(self) -> bool:
        """Ask what becomes of unsaved edits; return False where the user wants to stay."""
        if self.session is None or not self.session.unsaved_edits:
            return True
        answer = choose(
            self._window,
            "Unsaved edits",
            f"Not saved in {self.session.path.name}: {edits(self.session.unsaved_edits)}.",
            (SAVE, KEEP, CANCEL),
            "Edits that are kept come back when the labels are opened for editing again.",
        )
        return answer == KEEP or (answer == SAVE and self.save_now())

    def end(self) -> None:
        """Close the session; what is not saved stays in its journal."""
        session, item = self.session, self.item
        if session is None:
            return
        self._counter.stop()
        self._autosave.stop()
        self._counting = None
        self.session = self.item = None
        self.saving.finish()
        session.history_changed.disconnect(self._take_history)
        self.session_changed.emit(None)
        self._showing.end_edited()
        session.close()
        if item is not None:
            self._workspace.set_modified(item, False)
            self.views.look(item)

    def close_down(self) -> None:
        """End the session and stop listening."""
        self._workspace.removed.disconnect(self._take_removed)
        self.end()
        self.views.close_down()

    def _open(self, item: OpenItem, path: Path) -> None:
        if self.session is not None and not self.save_now():
            return
        try:
            session = ProofreadingSession.open(path, sync=self._sync)
        except VolumeChanged as error:
            if (answer := self._ask_about_change(error)) == CANCEL:
                return
            set_history_aside(path, makes_again=answer == AGAIN)
            session = ProofreadingSession.open(path, sync=self._sync)
        except InUse:
            if not self.views.look(item):
                raise
            return
        self.end()
        self._begin(item, session)

    def _ask_about_change(self, error: VolumeChanged) -> str:
        """Explain what can be done with labels that are not those that their history tells of."""
        kept = "The voxels stay as they are now, and the old history is kept in a file beside them."
        if not error.unsaved:
            words = f"{kept} What was done before can then not be undone any more."
            return choose(self._window, CHANGED, error.message, (BEGIN, CANCEL), words)
        words = (
            f"{kept} Not saved: {edits(error.unsaved)}.\n\n{AGAIN}: what was not saved is done once more"
            f" on the voxels as they are now; each edit can be undone.\n\n{BEGIN}: what was not saved is left"
            f" in the old history only.\n\n{CANCEL}: nothing is changed; put the volume back as it was saved."
        )
        return choose(self._window, CHANGED, error.message, (AGAIN, BEGIN, CANCEL), words)

    def _begin(self, item: OpenItem, session: ProofreadingSession) -> None:
        self.session, self.item = session, item
        if item.is_read_only:
            self._workspace.reload(item)
        session.history_changed.connect(self._take_history)
        self._showing.show_edited(item, session)
        if not session.objects.is_counted:
            self._counting = session.objects.scan_steps()
            self._counter.start()
        elif session.set_aside is not None:
            self._make_again()
        self._autosave.start()
        self.session_changed.emit(session)
        carried_over = 0
        with self._telling():
            carried_over = take_dojo_fields(session)
        self._take_history()
        if session.recovered_edits:
            self.told.emit(f"Recovered {edits(session.recovered_edits)} that had not been saved.")
        elif carried_over:
            self.told.emit(f"Names, locks and colours of {carried_over:,} objects were taken from Dojo.")
        else:
            self.told.emit(f"{item.name} is open for editing; every stroke is kept at once.")

    def _ask_place(self, item: OpenItem, noun: StoredVolume) -> str:
        """Return whether to edit a store in place or a copy of it; one of our own is simply edited."""
        if noun.attributes.get("kind") or noun.attributes.get(CONSENT):
            return IN_PLACE
        answer = choose(
            self._window,
            "Labels made by another program",
            f"{item.name} was not made by uniem. Edits would change the files that its maker may need.",
            (COPY, IN_PLACE, CANCEL),
            "A copy is made in the background and edited instead; the original stays as it is.",
        )
        if answer == IN_PLACE:
            open_store(noun.path, writable=True).update_attributes(**{CONSENT: True})
            self._workspace.reload(item)
        return answer

    def _take_history(self) -> None:
        if self.session is None:
            return
        if self.item is not None:
            self._workspace.set_modified(self.item, bool(self.session.unsaved_edits))
        if self.session.pending_bytes > AUTOSAVE_BYTES and not self.saving.is_busy:
            QTimer.singleShot(0, self._save_by_itself)
        self.history_changed.emit()

    def _save_by_itself(self) -> None:
        if self.saving.is_busy or not self.unsaved:
            return
        if self._canvas.is_stroking:
            QTimer.singleShot(AGAIN_MS, self._save_by_itself)
            return
        self.save()

    def _count_on(self) -> None:
        """Count one more block, or make one more edit again; each takes a few milliseconds."""
        part = None
        with self._telling():
            part = next(self._counting, None) if self._counting is not None else None
        self.counted.emit(part)
        if part is None:
            self._counter.stop()
            self._counting = None
            if self.session is not None and self.session.set_aside is not None:
                self._make_again()

    def _make_again(self) -> None:
        """Make the unsaved edits of a history that was set aside again, one after the other."""
        session = self.session
        assert session is not None and session.set_aside is not None

        def steps(aside: Path) -> Iterator[float]:
            made = 0
            for is_made, part in make_again_steps(session, aside):
                made += is_made
                yield part
            session.forget_set_aside()
            self.told.emit(f"Made {edits(made)} again. Undo takes them back one by one.")

        self._counting = steps(session.set_aside)
        self._counter.start()

    def _take_removed(self, item: OpenItem) -> None:
        if item is self.item:
            self.end()

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except UniemError as error:
            self.failed.emit(str(error))
        except OSError as error:
            self.failed.emit(f"{error.filename or 'A file'} cannot be written: {error.strerror}.")


def is_editable(store: StoredVolume) -> bool:
    """Tell whether a store holds ids that can be written where they are."""
    is_of_ids = store.kind is Kind.LABELS and store.dtype.kind == "u"
    return is_of_ids and all(os.access(place, os.W_OK) for place in (store.path, *store.path.iterdir()))


def edits(count: int) -> str:
    """Return a number of edits in words."""
    return "1 edit" if count == 1 else f"{count:,} edits"


def _timer(parent: QObject, interval_ms: int, slot: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setInterval(interval_ms)
    timer.timeout.connect(slot)
    return timer
