"""From strokes to edits: the canvas's side of a proofreading session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from qtpy.QtCore import QObject, Signal

from uniem.data.geometry import Box, Triple
from uniem.data.palette import Colour
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.gui.canvas.hand.edit_maker import EditMaker, Make
from uniem.gui.canvas.label_style import LabelStyle
from uniem.gui.canvas.view_model import CanvasModel, Only
from uniem.progress import Context
from uniem.proofreading.edits import Edit, FieldChange
from uniem.proofreading.objects import ObjectTable
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import GrayRange
from uniem.proofreading.tools.fill import value_at
from uniem.proofreading.tools.protect import Over, Protect, check_unlocked

_MANY = 20_000


class PaintingController(QObject):
    """Make gestures into edits of a session, and tell the views what changed.

    `maker` makes those edits that take a while. Signals: `changed(list of Box)` after voxels changed;
    `restyled()` when colours, locks or visibility may have; `jumped(Box)` to a place undone or redone;
    `message(str)`.
    """

    changed = Signal(object)
    restyled = Signal()
    jumped = Signal(object)
    message = Signal(str)

    def __init__(self, model: CanvasModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._session: ProofreadingSession | None = None
        self._colours: dict[int, Colour] = {}
        self._boxes: list[Box] = []
        self.maker = EditMaker(self)

    @property
    def session(self) -> ProofreadingSession | None:
        """The session whose labels are painted."""
        return self._session

    def set_session(self, session: ProofreadingSession | None) -> None:
        """Paint into another session, or none."""
        if session is self._session:
            return
        self.maker.cancel()
        if self._session is not None:
            self._session.changed.disconnect(self._gather, missing_ok=True)
            self._session.history_changed.disconnect(self._tell, missing_ok=True)
            self._session.objects.changed.disconnect(self._restyle, missing_ok=True)
        self._session = session
        self._colours = {}
        if session is not None:
            self._colours = _all_colours(session.objects)
            session.changed.connect(self._gather)
            session.history_changed.connect(self._tell)
            session.objects.changed.connect(self._restyle)
        self.restyled.emit()

    def refusal(self, label: int = 0) -> str:
        """Return why a label (0: background) cannot be painted now; empty if it can."""
        if self.maker.is_busy:
            return f"{self.maker.title} is still under way: wait, or press Esc to give it up."
        if self._session is not None and self._model.labels is self._session.volume:
            return self._refusal_of(self._session, label)
        if self._model.labels is None:
            return "There are no labels to paint: make an empty label volume first."
        return "These labels are only shown: open them for proofreading to paint."

    def protect(self, begun_on: int = 0, is_erasing: bool = False) -> Protect:
        """Return what a gesture must not change that begins on a label.

        Where only selected labels may be painted over and none is, those are the one that it begins on.
        Where only background may be, erasing takes away the label in hand, for else it would do nothing.
        """
        hand = self._model.hand
        over, inside = hand.options.over, frozenset[int]()
        if over is Over.SELECTED:
            inside = self._model.selected or frozenset({begun_on})
        elif over is Over.BACKGROUND and is_erasing:
            over, inside = Over.SELECTED, frozenset({hand.label_to_erase})
        return self.with_locks(Protect(over, inside))

    def with_locks(self, protect: Protect) -> Protect:
        """Return the same with what is locked by now, for a gesture that began a while ago."""
        locked = self._session.objects.locked() if self._session is not None else frozenset[int]()
        return replace(protect, locked=locked)

    def label_of(self, voxel: Triple) -> int:
        """Return the label of a voxel of what is painted."""
        return value_at(self._session.volume, voxel) if self._session is not None else 0

    def gray_range(self) -> GrayRange | None:
        """Return the gray values to which painting is limited, if it is.

        Raises `UniemError` if there is no image that goes with the labels.
        """
        options = self._model.hand.options
        if not options.uses_gray:
            return None
        return GrayRange(self.image(), options.gray_low, options.gray_high)

    def image(self) -> Volume:
        """Return the image that goes with the labels, voxel by voxel; raise if there is none."""
        image, labels = self._model.image, self._model.labels
        if image is None or labels is None or image.shape != labels.shape:
            raise UniemError(
                "No image of the same size as the labels is shown.",
                "Show the image whose gray values count, or paint without them.",
            )
        return image

    def carry_out(
        self, title: str, make: Make, is_long: bool = False, done: Callable[[Edit | None], None] | None = None
    ) -> None:
        """Make an edit and apply it, then call `done` with it; a long one is made by a thread."""

        def apply(edit: Edit | None) -> None:
            if self._apply(edit) and done is not None:
                done(edit)

        if is_long:
            self.maker.run(title, make, apply, lambda error: self.message.emit(str(error)))
            return
        try:
            edit = make(Context())
        except UniemError as error:
            self.message.emit(str(error))
            return
        apply(edit)

    def undo(self) -> None:
        """Take the last edit back and go to its place."""
        self._go_back_or_on("undo", "Nothing to undo.")

    def redo(self) -> None:
        """Do again what was undone last and go to its place."""
        self._go_back_or_on("redo", "Nothing to redo.")

    def new_label(self) -> None:
        """Take the first label never used into the hand."""
        if self._session is None:
            self.message.emit(self.refusal())
            return
        try:
            self._model.hand.label = self._session.next_label()
        except UniemError as error:
            self.message.emit(str(error))
            return
        self.message.emit(f"New label {self._model.hand.label}")

    def hidden(self) -> frozenset[int]:
        """Return the labels not to be drawn."""
        return self._session.objects.hidden() if self._session is not None else frozenset()

    def colours(self) -> dict[int, Colour]:
        """Return the colours the user chose."""
        return self._colours

    def style(self) -> LabelStyle:
        """Return how labels are to be drawn; their opacity is their layer's."""
        display, hand = self._model.display, self._model.hand
        return LabelStyle(
            outlines=display.outlines,
            active=hand.label,
            colours=self._colours,
            hidden=self.hidden(),
            only=self._only(),
        )

    def _apply(self, edit: Edit | None) -> bool:
        if self._session is None:
            return False
        try:
            if edit is not None:
                self._check_locks(self._session, edit)
                self._session.apply(edit)
        except UniemError as error:
            self.message.emit(str(error))
            return False
        return True

    def _check_locks(self, session: ProofreadingSession, edit: Edit) -> None:
        """Raise if an object was locked after the edit was begun, such as while it was proposed."""
        if locked := session.objects.locked():
            voxel_parts = [part for part in edit.parts if not isinstance(part, FieldChange)]
            for part in voxel_parts:
                check_unlocked(part.labels(), Protect(locked=locked))

    def _only(self) -> frozenset[int] | None:
        if self._model.display.only is Only.ALL:
            return None
        if self._model.display.only is Only.SELECTED:
            return self._model.selected | {self._model.hand.label}
        return self._session.objects.locked() if self._session is not None else frozenset()

    def _refusal_of(self, session: ProofreadingSession, label: int) -> str:
        if label in session.objects.locked():
            return f"Object {label} is locked: unlock it in the object table, or choose another label."
        largest = np.iinfo(session.volume.dtype).max
        return f"Label {label} is too large: these labels end at {largest}." if label > largest else ""

    def _go_back_or_on(self, verb: str, nothing: str) -> None:
        if self._session is None:
            return
        try:
            edit = self._session.undo() if verb == "undo" else self._session.redo()
        except UniemError as error:
            self.message.emit(str(error))
            return
        if edit is None:
            self.message.emit(nothing)
            return
        self.message.emit(f"{'Undone' if verb == 'undo' else 'Done again'}: {edit.title}")
        if not edit.box.is_empty:
            self.jumped.emit(edit.box)

    def _gather(self, box: Box) -> None:
        self._boxes.append(box)

    def _tell(self) -> None:
        """Tell all boxes of an edit at once, when the session says that it is complete."""
        boxes, self._boxes = self._boxes, []
        if boxes:
            self.changed.emit(boxes)

    def _restyle(self, labels: frozenset[int]) -> None:
        if self._session is None:
            return
        objects = self._session.objects
        if len(labels) > _MANY:
            self._colours = _all_colours(objects)
        else:
            chosen = {label: objects.fields_of(label).colour for label in labels}
            kept = {label: colour for label, colour in self._colours.items() if label not in chosen}
            self._colours = kept | {label: colour for label, colour in chosen.items() if colour is not None}
        self.restyled.emit()


def _all_colours(objects: ObjectTable) -> dict[int, Colour]:
    """Return every colour the user chose; the changed fields list just the objects that have any."""
    changes = objects.field_changes()
    return {change.label: change.after for change in changes if isinstance(change.after, tuple)}
