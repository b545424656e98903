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
from uniem.gui.panels.naming import stem_of, unused
from uniem.gui.proofreading.saving import BackgroundSaving
from uniem.gui.showing import Showing
from uniem.proofreading.checkpoint import VolumeChanged
from uniem.proofreading.dojo_fields import take_dojo_fields
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
        path = unused(paths.work_folder() / f"{stem_of(item.location or item.name)}-{kind}.zarr")
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
            noun = item.noun
            is_store = isinstance(noun, StoredVolume) and is_editable(noun)
            answer = self._ask_place(item) if is_store else COPY
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

    def close_down(self) -> None:
        """End the session and stop listening."""
        self._workspace.removed.disconnect(self._take_removed)
        self.end()

    def _open(self, item: OpenItem, path: Path) -> None:
        if self.session is not None and not self.save_now():
            return
        try:
            session = ProofreadingSession.open(path)
        except VolumeChanged as error:
            answer = choose(
                self._window,
                "The labels were changed elsewhere",
                error.message,
                ("Begin a new history", CANCEL),
                "The voxels stay as they are now. The old history is kept beside them in a file of its own.",
            )
            if answer == CANCEL:
                return
            set_history_aside(path)
            session = ProofreadingSession.open(path)
        self.end()
        self._begin(item, session)

    def _begin(self, item: OpenItem, session: ProofreadingSession) -> None:
        self.session, self.item = session, item
        session.history_changed.connect(self._take_history)
        self._showing.show_edited(item, session)
        if not session.objects.is_counted:
            self._counting = session.objects.scan_steps()
            self._counter.start()
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

    def _ask_place(self, item: OpenItem) -> str:
        """Return whether to edit a store in place or a copy of it; one of our own is simply edited."""
        noun = item.noun
        assert isinstance(noun, StoredVolume)
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
        """Count one more block of the volume; every one takes a few milliseconds."""
        part = next(self._counting, None) if self._counting is not None else None
        if part is None:
            self._counter.stop()
            self._counting = None
        self.counted.emit(part)

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
