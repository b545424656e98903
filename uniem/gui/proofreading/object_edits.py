"""What is done to whole objects: merge, delete, relabel, split into pieces, absorb small neighbours."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QInputDialog, QLineEdit, QMenu, QWidget

from uniem.data.geometry import Triple
from uniem.errors import UniemError
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.hand.fresh_labels import StandIns, labels_given, with_fresh
from uniem.gui.messages import choose
from uniem.gui.sessions import Sessions
from uniem.progress import Context
from uniem.proofreading.edits import Edit
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.contacts import neighbours
from uniem.proofreading.tools.fields import listed
from uniem.proofreading.tools.split import split_pieces
from uniem.proofreading.tools.whole_objects import delete_objects, merge_objects, relabel_object
from uniem.workspace import Settings

SMALL_KEY = "proofreading/absorb at most voxels"
_SMALL, _MOST = 1000, 2**31 - 1
MERGE, CANCEL = "Merge", "Cancel"


class ObjectEdits(QObject):
    """Change the objects selected in the table, else the one in hand; each change is one step of undo.

    `told(str)` what was done; `failed(str)` why it was not.
    """

    told = Signal(str)
    failed = Signal(str)

    def __init__(
        self,
        sessions: Sessions,
        canvas: Canvas,
        selected: Callable[[], list[int]],
        settings: Settings,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._sessions, self._canvas, self._selected = sessions, canvas, selected
        self._settings, self._window = settings, window

    @property
    def targets(self) -> list[int]:
        """The objects selected in the table, else the one in hand, if there is one."""
        session = self._sessions.session
        if session is None:
            return []
        in_hand = self._canvas.model.hand.label
        return self._selected() or ([in_hand] if in_hand in session.objects else [])

    @property
    def has_one(self) -> bool:
        """Tell whether there is just one object to change."""
        return len(self.targets) == 1

    @property
    def has_any(self) -> bool:
        """Tell whether there is anything to change."""
        return bool(self.targets)

    @property
    def has_several(self) -> bool:
        """Tell whether several objects are selected in the table."""
        return len(self._selected()) > 1

    def merge_selected(self) -> None:
        """Merge the selected objects: into the one in hand if it is among them, else into the largest."""
        session, chosen = self._ready(), self._selected()
        if session is None or len(chosen) < 2:
            return
        in_hand, locked = self._canvas.model.hand.label, session.objects.locked()
        free = [label for label in chosen if label not in locked]
        into = (
            in_hand
            if in_hand in free
            else max(free, key=lambda label: session.objects[label].voxels, default=0)
        )
        if not into or len(free) < 2:
            self.failed.emit("All but one of these objects are locked: unlock those that are to be merged.")
            return
        others = [label for label in free if label != into]
        kept = (
            f" Locked objects stay: {listed(sorted(locked.intersection(chosen)))}."
            if len(free) < len(chosen)
            else ""
        )
        self._apply(
            partial(merge_objects, session.objects, into, others),
            f"Merged {listed(others)} into {into}.{kept}",
        )

    def delete(self) -> None:
        """Make background of the objects."""
        session, labels = self._ready(), self.targets
        if session is not None and labels:
            self._apply(partial(delete_objects, session.objects, labels), f"Deleted {listed(labels)}.")

    def split_pieces(self) -> None:
        """Give each piece of the object that does not touch the largest one a label of its own."""
        session, label = self._ready(), self._one()
        if session is None or not label:
            return
        box = session.objects[label].box
        if box is None:
            return
        locks = self._canvas.painting.protect()
        volume = session.volume
        stand_ins = StandIns(label, volume.dtype)

        def make(context: Context) -> Edit | None:
            return split_pieces(volume, label, box, stand_ins, locks, context)

        self._run(f"Splitting {label}", make, f"Object {label} is in one piece.", self._apply_split)

    @property
    def can_cut_out(self) -> bool:
        """Tell whether labels are open of which a part could be cut out."""
        return self._sessions.session is not None

    def cut_out(self, at: Triple | None = None) -> None:
        """Propose to cut the part around a voxel, else the one under the mouse, from all parts next to it."""
        session, model = self._ready(), self._canvas.model
        if session is None:
            return
        hovered = model.hovered
        under = (hovered.z, hovered.y, hovered.x) if hovered is not None and hovered.label else model.position
        voxel = at or under
        label = self._canvas.painting.label_of(voxel)
        if not label:
            self.failed.emit("There is no object here: point the mouse at the part to be cut out.")
        elif reason := self._canvas.painting.refusal(label):
            self.failed.emit(reason)
        else:
            self._canvas.hand_tools.splitting.cut_out(label, voxel)

    def absorb_small(self) -> None:
        """Ask how small, then merge the neighbours of the object that have at most so many voxels into it."""
        session, label = self._ready(), self._one()
        if session is None or not label:
            return
        kept = self._settings.get(SMALL_KEY)
        most, is_wanted = QInputDialog.getInt(
            self._window,
            "Absorb small neighbours",
            f"Merge into object {label} what touches it and has at most so many voxels:",
            kept if isinstance(kept, int) else _SMALL,
            1,
            _MOST,
        )
        if is_wanted:
            self._settings.set(SMALL_KEY, most)
            self._absorb(session, label, most)

    def relabel(self) -> None:
        """Ask for another label of the object; one that is in use merges it there."""
        session, label = self._ready(), self._one()
        if session is None or not label:
            return
        text, is_wanted = QInputDialog.getText(
            self._window,
            "Relabel",
            f"New label of object {label}; leave it empty for the first unused one:",
            QLineEdit.EchoMode.Normal,
            "",
        )
        if not is_wanted:
            return
        if text.strip() and not text.strip().isdecimal():
            self.failed.emit(f"'{text.strip()}' is no label: type a whole number.")
            return
        try:
            new = int(text) if text.strip() else session.next_label()
        except UniemError as error:
            self.failed.emit(str(error))
            return
        if new and new != label and self._may_join(session, label, new):
            self._apply(
                partial(relabel_object, session.objects, label, new),
                f"Object {label} is {new} now.",
                partial(setattr, self._canvas.model.hand, "label", new),
            )

    def fill_menu(self, menu: QMenu, label: int) -> None:
        """Offer in a menu of the canvas what can be done to the object under the mouse."""
        if self._canvas.painting.session is None or not label:
            return
        for title, call in (
            (f"Delete object {label}", self.delete),
            ("Split into its pieces", self.split_pieces),
            ("Absorb small neighbours…", self.absorb_small),
            ("Relabel…", self.relabel),
        ):
            menu.addAction(title, partial(self._with_label, label, call))
        if self.has_several:
            menu.addAction(f"Merge the {len(self._selected())} selected objects", self.merge_selected)
        hovered = self._canvas.model.hovered
        if hovered is not None and hovered.label == label:
            menu.addAction(
                "Cut this part from its neighbours", partial(self.cut_out, (hovered.z, hovered.y, hovered.x))
            )
        menu.addSeparator()

    def _with_label(self, label: int, call: Callable[[], None]) -> None:
        """Do something to one object, whatever is selected."""
        selected, self._selected = self._selected, lambda: [label]
        try:
            call()
        finally:
            self._selected = selected

    def _one(self) -> int:
        """Return the object to change, 0 where it is not just one."""
        targets = self.targets
        if len(targets) != 1:
            self.failed.emit("Take one object into the hand, or select one in the object table.")
            return 0
        return targets[0]

    def _ready(self) -> ProofreadingSession | None:
        """Return the session, or tell why objects cannot be changed now."""
        session, painting = self._sessions.session, self._canvas.painting
        if session is None:
            self.failed.emit("No labels are open for proofreading.")
            return None
        if reason := painting.refusal():
            self.failed.emit(reason)
            return None
        if not session.objects.is_counted:
            self.failed.emit("The objects of these labels are still being counted. Wait a moment.")
            return None
        return session

    def _may_join(self, session: ProofreadingSession, label: int, new: int) -> bool:
        if new not in session.objects:
            return True
        question = f"Object {new} is there already. Merge {label} into it?"
        return choose(self._window, "Relabel", question, (MERGE, CANCEL)) == MERGE

    def _absorb(self, session: ProofreadingSession, label: int, most: int) -> None:
        boxes, objects, volume = session.objects.boxes_of(label), session.objects, session.volume

        def make(context: Context) -> Edit | None:
            touching = neighbours(volume, label, boxes, context)
            return merge_objects(objects, label, [each for each in touching if objects[each].voxels <= most])

        def done(edit: Edit) -> None:
            part = edit.relabelling
            self.told.emit(f"Merged {listed(part.sources() if part is not None else [])} into {label}.")

        nothing = f"No neighbour of object {label} has at most {most:,} voxels."
        self._run("Looking at neighbours", make, nothing, partial(self._apply_made, done))

    def _apply(
        self, make: Callable[[], Edit | None], told: str, then: Callable[[], None] = lambda: None
    ) -> None:
        """Make an edit and apply it at once."""

        def done(edit: Edit | None) -> None:
            if edit is not None:
                then()
                self.told.emit(told)

        self._canvas.painting.carry_out("", lambda context: make(), done=done)

    def _run(
        self, title: str, make: Callable[[Context], Edit | None], nothing: str, done: Callable[[Edit], None]
    ) -> None:
        """Let a thread make an edit."""

        def take(edit: Edit | None) -> None:
            if edit is None:
                self.told.emit(nothing)
            else:
                done(edit)

        self._canvas.painting.maker.run(title, make, take, lambda error: self.failed.emit(str(error)))

    def _apply_made(self, told: Callable[[Edit], None], edit: Edit) -> None:
        def done(applied: Edit | None) -> None:
            if applied is not None:
                told(applied)

        self._canvas.painting.carry_out(edit.title, lambda context: edit, done=done)

    def _apply_split(self, edit: Edit) -> None:
        session = self._sessions.session
        if session is None:
            return
        try:
            fresh = with_fresh(edit, session.next_label)
        except UniemError as error:
            self.failed.emit(str(error))
            return
        count = len(labels_given(fresh))
        self._apply_made(lambda _: self.told.emit(f"{edit.title}: {count + 1} objects now."), fresh)
