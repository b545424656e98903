"""What the canvas shows: one image and one label volume of those that are open."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from uniem.data.geometry import Box
from uniem.data.location import normalised_location
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.panels.preview import Field
from uniem.proofreading.session import ProofreadingSession
from uniem.workspace import OpenItem, Workspace


class PlacedMask(Volume):
    """A small probability map as a mask at its place in a larger volume; background everywhere else."""

    def __init__(self, whole: Volume, part: Volume, start: tuple[int, int, int], level: float) -> None:
        super().__init__(whole.shape, np.uint8, whole.voxel_size, Kind.LABELS)
        self.name = part.name
        self._part, self._level = part, level
        self._place = Box.of_shape(part.shape).translated(start)

    def read(self, box: Box) -> NDArray[Any]:
        """Return 1 where the map exceeds the level."""
        mask = np.zeros(box.shape, np.uint8)
        common = box.intersection(self._place)
        if not common.is_empty:
            values = self._part.read(common.relative_to(self._place.start))
            mask[common.relative_to(box.start).slices] = values > self._level
        return mask


class Showing(QObject):
    """Keep the canvas in step with the ticks of the data dock."""

    changed = Signal()
    told = Signal(str)

    def __init__(self, workspace: Workspace, canvas: Canvas) -> None:
        super().__init__()
        self._workspace = workspace
        self._canvas = canvas
        self._model = canvas.model
        self.image_item: OpenItem | None = None
        self.labels_item: OpenItem | None = None
        self._session: ProofreadingSession | None = None
        self._trial: Volume | None = None
        workspace.removed.connect(self._forget)
        workspace.changed.connect(self._take_change)

    def close_down(self) -> None:
        """Stop listening to the workspace."""
        self._workspace.removed.disconnect(self._forget)
        self._workspace.changed.disconnect(self._take_change)

    @property
    def has_image(self) -> bool:
        """Tell whether an image is shown."""
        return self.image_item is not None

    @property
    def has_labels(self) -> bool:
        """Tell whether labels are shown."""
        return self.labels_item is not None

    @property
    def labels_are_shown(self) -> bool:
        """Tell whether labels are drawn over the image."""
        return bool(self._model.display.show_labels)

    @property
    def outlines_are_shown(self) -> bool:
        """Tell whether labels are drawn as outlines."""
        return bool(self._model.display.outlines)

    def toggle_labels(self) -> None:
        """Draw the labels, or not."""
        self._model.display.show_labels = not self._model.display.show_labels

    def toggle_outlines(self) -> None:
        """Draw labels as outlines, or filled."""
        self._model.display.outlines = not self._model.display.outlines

    def fit(self) -> None:
        """Show the whole section."""
        self._canvas.view.fit()

    def auto_contrast(self) -> None:
        """Set black and white from the section in view."""
        self._canvas.auto_contrast()

    def show(self, item: OpenItem) -> None:
        """Show a volume: labels over the image, anything else as the image."""
        if not isinstance(item.noun, Volume):
            return
        is_labels = item.noun.kind is Kind.LABELS
        partner = self.image_item if is_labels else self.labels_item
        if partner is not None and _shape(partner) != _shape(item):
            self.told.emit(f"{partner.name} has another shape than {item.name} and was hidden.")
            partner = None
        if is_labels and partner is None:
            partner = self._image_of_shape(_shape(item))
        self._take(*((partner, item) if is_labels else (item, partner)))

    def hide(self, item: OpenItem) -> None:
        """Take a volume off the canvas."""
        self._take(
            None if item is self.image_item else self.image_item,
            None if item is self.labels_item else self.labels_item,
        )

    def show_edited(self, item: OpenItem, session: ProofreadingSession) -> None:
        """Show labels as a session sees them, to be painted."""
        self._session = session
        self.show(item)

    def end_edited(self) -> None:
        """Show labels as they are on disk again."""
        self._session = None
        self._update()

    def show_trial(self, part: Volume, field: Field) -> None:
        """Draw a probability map over the field it was computed from, until labels are shown again."""
        if self.image_item is None or not isinstance(self.image_item.noun, Volume):
            raise UniemError("The image that was tried is no longer shown.", "Show it, and try again.")
        level = 0.5 if part.dtype.kind == "f" else 127.0
        self._trial = PlacedMask(self.image_item.noun, part, (field.z, field.y[0], field.x[0]), level)
        self._update()
        self._model.display.show_labels = True
        self._model.go_to(field.z)
        back = (
            f" Double-click {self.labels_item.name} in the list to go back to it." if self.labels_item else ""
        )
        self.told.emit(f"What the network finds in section {field.z} is drawn over it.{back}")

    def field_in_view(self) -> Field | None:
        """Return the part of the section that is in view, None where nothing is."""
        _, height, width = self._model.shape
        if not height or not width:
            return None
        view = self._canvas.view
        size = (max(1, view.viewport().width()), max(1, view.viewport().height()))
        top, left, bottom, right = view.camera.view_box(size)
        rows = (max(0, int(top)), min(height, int(np.ceil(bottom))))
        columns = (max(0, int(left)), min(width, int(np.ceil(right))))
        if rows[0] >= rows[1] or columns[0] >= columns[1]:
            return None
        return Field(self._model.z, rows, columns)

    def measure_anew(self, item: OpenItem) -> None:
        """Draw with the voxel size that an item has got."""
        if item in (self.image_item, self.labels_item):
            self._model.volumes_changed.emit()

    def jump_to(self, z: float, y: float, x: float) -> None:
        """Show a place, in voxels."""
        self._model.go_to(round(z))
        self._canvas.view.look_at(y, x)

    def _take(self, image: OpenItem | None, labels: OpenItem | None) -> None:
        self._trial = None
        self.image_item, self.labels_item = image, labels
        self._update()
        for item in self._workspace.items:
            if isinstance(item.noun, Volume):
                self._workspace.set_visible(item, item is image or item is labels)
        self.changed.emit()

    def _update(self) -> None:
        image = _volume(self.image_item)
        labels = self._trial or _volume(self.labels_item)
        session = self._session
        try:
            if session is not None and self._trial is None and self._is_edited(self.labels_item):
                self._canvas.edit_labels(image, session)
            else:
                self._canvas.show_volumes(image, labels)
        except UniemError as error:
            self.told.emit(str(error))

    def _is_edited(self, item: OpenItem | None) -> bool:
        if item is None or self._session is None:
            return False
        return item.location == normalised_location(self._session.path)

    def _image_of_shape(self, shape: tuple[int, int, int]) -> OpenItem | None:
        images = [
            i for i in self._workspace.items if isinstance(i.noun, Volume) and i.noun.kind is Kind.IMAGE
        ]
        return next((image for image in reversed(images) if _shape(image) == shape), None)

    def _forget(self, item: OpenItem) -> None:
        if item in (self.image_item, self.labels_item):
            self.hide(item)

    def _take_change(self, item: OpenItem) -> None:
        if item not in (self.image_item, self.labels_item) or not isinstance(item.noun, Volume):
            return
        was_labels = item is self.labels_item
        if was_labels != (item.noun.kind is Kind.LABELS):
            if was_labels:
                self.labels_item = None
            else:
                self.image_item = None
            self.show(item)
        elif self._is_stale(item):
            self._update()

    def _is_stale(self, item: OpenItem) -> bool:
        if item is self.image_item:
            return self._model.image is not item.noun
        return not self._is_edited(item) and self._trial is None and self._model.labels is not item.noun


def _volume(item: OpenItem | None) -> Volume | None:
    return item.noun if item is not None and isinstance(item.noun, Volume) else None


def _shape(item: OpenItem) -> tuple[int, int, int]:
    assert isinstance(item.noun, Volume)
    return item.noun.shape
