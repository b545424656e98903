"""Flood fill: a click gives a whole region a label, in the section or in 3D."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QPointF

from uniem.data.geometry import Triple
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.gui.canvas.hand.options import FillOn, Reach
from uniem.gui.canvas.hand.section_tool import SectionTool
from uniem.progress import Context
from uniem.proofreading.edits import Edit
from uniem.proofreading.tools.fill import MOST_VOXELS, fill_gray, fill_labels
from uniem.proofreading.tools.protect import Protect


class FillTool(SectionTool):
    """Fill the region of equal label, or of similar gray, that is clicked; a thread finds it."""

    def press(self, place: QPointF, is_erasing: bool) -> None:
        """Fill from a place on."""
        hand = self._view.model.hand
        label = 0 if is_erasing else hand.label
        voxel = self._voxel(place)
        if voxel is None or self._refusal(label):
            return
        point = self._view.axes.zyx(self._view.position, *voxel)
        protect = self._painting.protect(self._label_at(*voxel), label == 0)
        try:
            image = self._painting.image() if hand.options.fill_on is FillOn.IMAGE else None
        except UniemError as error:
            self.refused.emit(str(error))
            return
        make = partial(self._make, point, image, label, protect)
        self._painting.carry_out("Filling", make, True, partial(self._tell, label))

    def _make(
        self, point: Triple, image: Volume | None, label: int, protect: Protect, context: Context
    ) -> Edit | None:
        assert self._painting.session is not None
        volume, options = self._painting.session.volume, self._view.model.hand.options
        is_flat = options.fill_reach is Reach.SECTION
        axes = self._view.axes
        within = axes.plane.section(point[axes.across], volume.shape) if is_flat else None
        most = MOST_VOXELS if is_flat else options.fill_millions * 1_000_000
        if image is not None:
            return fill_gray(
                volume,
                image,
                point,
                options.fill_tolerance,
                label,
                protect,
                within=within,
                max_voxels=most,
                context=context,
            )
        return fill_labels(volume, point, label, protect, within=within, max_voxels=most, context=context)

    def _tell(self, label: int, edit: Edit | None) -> None:
        count = sum(patch.count for patch in edit.patches) if edit is not None else 0
        done = f"Filled {count:,} voxels with {label}." if label else f"Erased {count:,} voxels."
        self._painting.message.emit(done if count else "Nothing changes: the region has this label already.")
