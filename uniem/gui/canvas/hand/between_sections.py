"""What is done between sections: interpolation, proposed first, and copies of a shape."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from uniem.data.geometry import Box
from uniem.errors import UniemError
from uniem.gui.canvas.hand.proposal import Proposal
from uniem.gui.canvas.hand.reshape_tool import box_of
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.slice_view import SliceView
from uniem.gui.canvas.view_model import CanvasModel
from uniem.proofreading.edits import Edit
from uniem.proofreading.tools.between import copy_shape, interpolate


class BetweenSections:
    """Fill the gaps between sections that the label in hand is painted in, and copy it on."""

    def __init__(
        self,
        model: CanvasModel,
        painting: PaintingController,
        proposal: Proposal,
        view: Callable[[], SliceView],
    ) -> None:
        self._model, self._painting, self._proposal, self._view = model, painting, proposal, view

    def interpolate(self) -> None:
        """Propose to fill every gap along the view under the mouse."""
        box = self._box()
        if box is None:
            return
        session, plane, label = self._painting.session, self._view().axes.plane, self._model.hand.label
        protect = self._painting.protect()
        assert session is not None
        self._proposal.make(
            f"Interpolating {label}",
            lambda context: interpolate(session.volume, label, box, protect, plane, context=context),
            f"Label {label} has no gap between {plane} sections.",
        )

    def copy(self, step: int) -> None:
        """Copy the shape in this section to the next one (or, for -1, the previous), and go there."""
        view, label = self._view(), self._model.hand.label
        axis, position = view.axes.across, view.position
        target = position + step
        if self._painting.maker.is_busy:
            return
        if not 0 <= target < self._model.shape[axis]:
            self._painting.message.emit("There is no section beyond this one.")
            return
        box = self._box()
        if box is None:
            return
        section = box.intersection(view.axes.plane.section(position, self._model.shape))
        session, protect = self._painting.session, self._painting.protect()
        assert session is not None
        self._painting.carry_out(
            f"Copying {label}",
            lambda context: copy_shape(
                session.volume, label, position, [target], section, protect, view.axes.plane, context
            ),
            True,
            partial(self._arrive, axis, target),
        )

    def _arrive(self, axis: int, target: int, edit: Edit | None) -> None:
        self._model.move_along(axis, target)
        if edit is None:
            self._painting.message.emit("The shape is in this section already.")

    def _box(self) -> Box | None:
        """Return where the label in hand is; None, having said why, if nothing can be done with it."""
        label = self._model.hand.label
        reason = self._painting.refusal(label)
        if not reason and not label:
            reason = "Background is in hand: take the object to go on with."
        box = None
        if not reason:
            try:
                box = box_of(self._painting, label)
            except UniemError as error:
                reason = str(error)
        if not reason and box is None:
            reason = f"Label {label} is not painted anywhere yet."
        if reason:
            self._painting.message.emit(reason)
        return box
