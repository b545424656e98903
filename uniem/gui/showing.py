"""What the canvas shows of the volumes that are open: images, probability maps and labels, as layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from uniem.data.geometry import Box
from uniem.data.location import normalised_location
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.colour_maps import HEAT
from uniem.gui.canvas.layers import Layer, scale_to
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
    """Keep the layers of the canvas in step with the ticks of the data dock.

    From below to above: images, probability maps, labels. Whoever asks to see an item sees it instead of its
    like; whoever ticks one sees it as well. How an item is drawn stays with it while it is open.
    """

    changed = Signal()
    told = Signal(str)

    def __init__(self, workspace: Workspace, canvas: Canvas) -> None:
        super().__init__()
        self._workspace = workspace
        self._canvas = canvas
        self._model = canvas.model
        self._shown: list[OpenItem] = []
        self._looks: dict[int, Layer] = {}
        self._session: ProofreadingSession | None = None
        self._trial: Layer | None = None
        workspace.removed.connect(self._forget)
        workspace.changed.connect(self._take_change)
        canvas.layers_panel.ordered.connect(self._take_order)

    def close_down(self) -> None:
        """Stop listening to the workspace."""
        self._workspace.removed.disconnect(self._forget)
        self._workspace.changed.disconnect(self._take_change)

    @property
    def items(self) -> tuple[OpenItem, ...]:
        """What is shown, lowest first."""
        return tuple(self._shown)

    @property
    def image_item(self) -> OpenItem | None:
        """The image shown: the highest, for it covers the others; else a probability map."""
        images = [item for item in self._shown if _kind(item) is Kind.IMAGE]
        others = [item for item in self._shown if _kind(item) is Kind.PROBABILITY]
        return images[-1] if images else (others[-1] if others else None)

    @property
    def labels_item(self) -> OpenItem | None:
        """The labels shown: the highest."""
        return next((item for item in reversed(self._shown) if _kind(item) is Kind.LABELS), None)

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
        self._canvas.current_view.fit()

    def auto_contrast(self) -> None:
        """Set black and white from the section in view."""
        self._canvas.auto_contrast()

    def show(self, item: OpenItem) -> None:
        """Show a volume instead of its like: another image, another probability map, or other labels."""
        if not isinstance(item.noun, Volume):
            return
        kind, others = _kind(item), [other for other in self._shown if other is not item]
        others = [other for other in others if _kind(other) is not kind]
        unfit = [other for other in others if not _lies_over(item, other)]
        if unfit:
            self.told.emit(_hidden_words([other.name for other in unfit], item.name))
            others = [other for other in others if other not in unfit]
        if kind is not Kind.IMAGE and not any(_kind(other) is Kind.IMAGE for other in others):
            partner = self._image_under(item)
            others = [partner, *others] if partner is not None else others
        self._take(_stacked([*others, item]))

    def add(self, item: OpenItem) -> None:
        """Show a volume as well; one that does not lie over the others is refused."""
        if not isinstance(item.noun, Volume) or item in self._shown:
            return
        for other in self._shown:
            if not _lies_over(item, other):
                self.told.emit(f"{item.name} cannot be shown together with {other.name}: {_why(item, other)}")
                self.changed.emit()
                return
        self._take(_stacked([*self._shown, item]))

    def hide(self, item: OpenItem) -> None:
        """Take a volume off the canvas."""
        self._take([other for other in self._shown if other is not item])

    def put_in_order(self, items: Sequence[OpenItem]) -> None:
        """Draw what is shown in another order, lowest first."""
        if set(items) == set(self._shown) and list(items) != self._shown:
            self._take(list(items))

    def layer_of(self, item: OpenItem) -> Layer | None:
        """Return how an item is drawn; None if it is not shown."""
        return self._looks.get(item.id) if item in self._shown else None

    def show_edited(self, item: OpenItem, session: ProofreadingSession) -> None:
        """Show labels as a session sees them, to be painted."""
        self._session = session
        self.show(item)

    def end_edited(self) -> None:
        """Show labels as they are on disk again."""
        self._session = None
        self._update()

    def show_trial(self, part: Volume, field: Field) -> None:
        """Draw a probability map or a mask over its field, until labels are shown again."""
        if self.image_item is None or not isinstance(self.image_item.noun, Volume):
            raise UniemError("The image that was tried is no longer shown.", "Show it, and try again.")
        level = 0.0 if part.kind is Kind.LABELS else 0.5 if part.dtype.kind == "f" else 127.0
        mask = PlacedMask(self.image_item.noun, part, (field.z, field.y[0], field.x[0]), level)
        self._trial = Layer.of(mask, Kind.LABELS)
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
        top, left, bottom, right = self._canvas.view.view_box()
        rows = (max(0, int(top)), min(height, int(np.ceil(bottom))))
        columns = (max(0, int(left)), min(width, int(np.ceil(right))))
        if rows[0] >= rows[1] or columns[0] >= columns[1]:
            return None
        return Field(self._model.z, rows, columns)

    def measure_anew(self, item: OpenItem) -> None:
        """Draw with the voxel size that an item has got."""
        if item in self._shown:
            self._model.volumes_changed.emit()

    def jump_to(self, z: float, y: float, x: float) -> None:
        """Show a place, in voxels."""
        self._canvas.go_to(z, y, x)

    def _take_order(self, layers: list[Layer]) -> None:
        by_layer = {self._looks[item.id]: item for item in self._shown if item.id in self._looks}
        if all(layer in by_layer for layer in layers):
            self.put_in_order([by_layer[layer] for layer in layers])

    def _take(self, items: list[OpenItem]) -> None:
        self._trial = None
        self._shown = items
        self._update()
        for item in self._workspace.items:
            if isinstance(item.noun, Volume):
                self._workspace.set_visible(item, item in items)
        self.changed.emit()

    def _update(self) -> None:
        session = self._session
        edited = next((item for item in self._shown if self._is_edited(item)), None)
        layers = [self._look_of(item) for item in self._shown]
        if self._trial is not None:
            layers = [layer for layer in layers if not layer.is_labels] + [self._trial]
        elif session is not None and edited is not None:
            # What is painted is always seen: it lies above other labels.
            own = self._look_of(edited)
            layers = [layer for layer in layers if layer is not own] + [own]
        is_painted = session if edited is not None and self._trial is None else None
        try:
            self._canvas.show_layers(layers, is_painted)
        except UniemError as error:
            self.told.emit(str(error))

    def _look_of(self, item: OpenItem) -> Layer:
        """Return how an item is drawn, which it keeps when its files are read anew."""
        assert isinstance(item.noun, Volume)
        is_edited = self._session is not None and self._is_edited(item)
        volume = self._session.volume if self._session is not None and is_edited else item.noun
        old = self._looks.get(item.id)
        if old is None or old.volume is not volume or old.kind is not volume.kind:
            new = Layer.of(volume, name=item.name)
            if new.kind is Kind.PROBABILITY and any(_kind(other) is Kind.IMAGE for other in self._shown):
                new.colours = HEAT
            if old is not None and old.kind is new.kind:
                new.take_looks(old)
            self._looks[item.id] = old = new
        old.name = item.name
        return old

    def _is_edited(self, item: OpenItem | None) -> bool:
        if item is None or self._session is None:
            return False
        return item.location == normalised_location(self._session.path)

    def _image_under(self, item: OpenItem) -> OpenItem | None:
        images = [
            i for i in self._workspace.items if isinstance(i.noun, Volume) and i.noun.kind is Kind.IMAGE
        ]
        return next((image for image in reversed(images) if _shape(image) == _shape(item)), None)

    def _forget(self, item: OpenItem) -> None:
        self._looks.pop(item.id, None)
        if item in self._shown:
            self.hide(item)

    def _take_change(self, item: OpenItem) -> None:
        if item not in self._shown or not isinstance(item.noun, Volume):
            return
        layer = self._looks.get(item.id)
        if layer is not None and layer.kind is not item.noun.kind:
            self._shown.remove(item)
            self.show(item)
        elif layer is None or (layer.volume is not item.noun and not self._is_edited(item)):
            self._update()


_ORDER = {Kind.IMAGE: 0, Kind.PROBABILITY: 1, Kind.LABELS: 2}


def _stacked(items: list[OpenItem]) -> list[OpenItem]:
    """Put the last item above its like; the others stay as they are."""
    *others, new = items
    rank = _ORDER[_kind(new)]
    below = max((i + 1 for i, other in enumerate(others) if _ORDER[_kind(other)] <= rank), default=0)
    return [*others[:below], new, *others[below:]]


def _kind(item: OpenItem) -> Kind:
    assert isinstance(item.noun, Volume)
    return item.noun.kind


def _why(item: OpenItem, other: OpenItem) -> str:
    """Return why one volume does not lie over another; empty if it does."""
    assert isinstance(item.noun, Volume) and isinstance(other.noun, Volume)
    try:
        scale_to(item.noun, other.noun)
    except UniemError as error:
        return str(error)
    return ""


def _hidden_words(hidden: Sequence[str], shown: str) -> str:
    if len(hidden) == 1:
        return f"{hidden[0]} has another shape than {shown} and was hidden."
    return f"{', '.join(hidden[:-1])} and {hidden[-1]} have another shape than {shown} and were hidden."


def _lies_over(item: OpenItem, other: OpenItem) -> bool:
    return not _why(item, other)


def _shape(item: OpenItem) -> tuple[int, int, int]:
    assert isinstance(item.noun, Volume)
    return item.noun.shape
