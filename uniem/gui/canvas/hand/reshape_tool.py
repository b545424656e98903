"""Grow, shrink, smooth an object or fill its holes: proposed first, in a section or in 3D."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import QPointF

from uniem.data.geometry import Box
from uniem.errors import UniemError
from uniem.gui.canvas.hand.options import Change, Reach
from uniem.gui.canvas.hand.proposal import Proposal
from uniem.gui.canvas.hand.section_tool import SectionTool
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.slice_view import SliceView
from uniem.progress import Context
from uniem.proofreading.edits import Edit
from uniem.proofreading.tools import reshape
from uniem.proofreading.tools.fill import fill_holes
from uniem.proofreading.tools.plane import Plane
from uniem.proofreading.tools.protect import Protect

_CHANGES: dict[Change, Callable[..., Edit | None]] = {
    Change.GROW: reshape.grow,
    Change.SHRINK: reshape.shrink,
    Change.SMOOTH: reshape.smooth,
}


class ReshapeTool(SectionTool):
    """Take the object that is clicked into the hand, and propose to change its shape."""

    def __init__(self, view: SliceView, painting: PaintingController, proposal: Proposal) -> None:
        super().__init__(view, painting)
        self._proposal = proposal

    def press(self, place: QPointF, is_erasing: bool) -> None:
        """Take an object and propose the change."""
        voxel = self._voxel(place)
        label = self._label_at(*voxel) if voxel is not None else 0
        if label:
            self._view.model.hand.label = label
            self.propose()

    def accept(self) -> bool:
        """Propose the change for the label in hand, where nothing is proposed yet."""
        self.propose()
        return True

    def propose(self) -> None:
        """Propose the change for the label in hand; one that is being worked out is given up."""
        self._painting.maker.cancel()
        label = self._view.model.hand.label
        if self._refusal(label) or not self._has_label(label):
            return
        options = self._view.model.hand.options
        box, plane = self._box(label), None
        if options.change_reach is Reach.SECTION:
            plane = self._view.axes.plane
        if box is None or box.is_empty:
            where = " in this section" if plane is not None else ""
            self.refused.emit(f"Object {label} has no voxels{where}.")
            return
        make = partial(self._make, options.change, label, box, plane, self._painting.protect())
        title = f"{options.change.capitalize()} {label}"
        self._proposal.make(title, make, f"{title}: nothing changes.")

    def _make(
        self, change: Change, label: int, box: Box, plane: Plane | None, protect: Protect, context: Context
    ) -> Edit | None:
        assert self._painting.session is not None
        volume = self._painting.session.volume
        if change is Change.FILL_HOLES:
            return fill_holes(volume, label, box, protect, plane, context)
        edge_nm = volume.voxel_size.x if volume.voxel_size is not None else 1.0
        radius_nm = self._view.model.hand.options.radius_px * edge_nm
        return _CHANGES[change](volume, label, box, radius_nm, protect, plane, context)

    def _has_label(self, label: int) -> bool:
        if not label:
            self.refused.emit("Background has no shape: take an object into the hand first.")
        return bool(label)

    def _box(self, label: int) -> Box | None:
        """Return where the object is, as far as the change reaches."""
        try:
            box = box_of(self._painting, label)
        except UniemError as error:
            self.refused.emit(str(error))
            return None
        if box is not None and self._view.model.hand.options.change_reach is Reach.SECTION:
            axes = self._view.axes
            return box.intersection(axes.plane.section(self._view.position, self._view.model.shape))
        return box


def box_of(painting: PaintingController, label: int) -> Box | None:
    """Return the box of an object; raise while the objects are still being counted."""
    assert painting.session is not None
    objects = painting.session.objects
    if not objects.is_counted:
        raise UniemError(
            "The objects of these labels are still being counted.", "Wait a moment until that is done."
        )
    return objects[label].box
