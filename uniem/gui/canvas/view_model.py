"""What the canvas shows and what is in the user's hand: models without widgets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import ClassVar, NamedTuple

from psygnal import Signal, SignalGroupDescriptor

from uniem.data.geometry import Triple, VoxelSize
from uniem.data.volume import Kind, Volume
from uniem.gui.canvas.hand.options import ToolOptions
from uniem.gui.canvas.layers import LABEL_OPACITY, Layer, reference_of, scale_to

MAX_BRUSH_PX = 2000
MAX_LABEL = 2**64 - 1


class Tool(StrEnum):
    """What the left mouse button does."""

    NAVIGATE = "navigate"
    BRUSH = "brush"
    ERASER = "eraser"
    PICK = "pick"
    LINE = "line"
    LASSO = "lasso"
    FILL = "fill"
    SUPERVOXELS = "superpixels"
    RESHAPE = "reshape"
    MERGE = "merge"
    SPLIT = "split"
    SEEDS = "split-3d"

    @property
    def is_brush_like(self) -> bool:
        """Tell whether the tool draws with a brush, whose outline is the cursor."""
        return self in (Tool.BRUSH, Tool.ERASER, Tool.LINE)

    @property
    def has_size(self) -> bool:
        """Tell whether the tool has a size that the wheel changes."""
        return self.is_brush_like or self is Tool.SUPERVOXELS

    @property
    def paints(self) -> bool:
        """Tell whether the tool changes labels."""
        return self not in (Tool.NAVIGATE, Tool.PICK)


class Voxel(NamedTuple):
    """A place in the volume with what is there; `value` and `label` are None where nothing is shown."""

    z: int
    y: int
    x: int
    value: float | None
    label: int | None


class Only(StrEnum):
    """Which labels are drawn."""

    ALL = "all"
    SELECTED = "selected"
    LOCKED = "locked"


@dataclass
class Display:
    """How everything is drawn. `events.NAME` is emitted when a field changes.

    Attributes
    ----------
    peek_raw : bool
        The labels are hidden while a key is held.
    only : Only
        Which labels are drawn; those selected are the one in hand and those chosen in the object table.
    cross_hair : bool
        Lines show the place that all views have in common.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()
    show_labels: bool = True
    outlines: bool = False
    peek_raw: bool = False
    only: Only = Only.ALL
    cross_hair: bool = True

    @property
    def labels_are_drawn(self) -> bool:
        """Tell whether labels are to be drawn now."""
        return self.show_labels and not self.peek_raw


@dataclass
class Hand:
    """What the user holds: the tool, the label and the brush. `events.NAME` is emitted when a field changes.

    Attributes
    ----------
    label : int
        What the brush paints; 0 is background.
    brush_px : int
        The diameter of the brush in voxels.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()
    tool: Tool = Tool.NAVIGATE
    label: int = 1
    brush_px: int = 24
    slots: dict[int, int] = field(default_factory=dict)
    options: ToolOptions = field(default_factory=ToolOptions)
    _before_swap: int = field(default=1, repr=False)

    @property
    def radius_px(self) -> float:
        """The radius of the brush in voxels."""
        return self.brush_px / 2

    @property
    def label_to_erase(self) -> int:
        """The label in hand, or the one that was before background was taken."""
        return self.label or self._before_swap

    def resize(self, notches: int) -> None:
        """Change the size of the tool in hand: the brush, or the superpixels."""
        if self.tool is Tool.SUPERVOXELS:
            self.options.change_grain(notches)
        else:
            self.grow_brush(notches)

    def set_brush(self, size_px: int) -> None:
        """Set the diameter of the brush, within 1 and 2000 voxels."""
        self.brush_px = min(MAX_BRUSH_PX, max(1, int(size_px)))

    def grow_brush(self, notches: int) -> None:
        """Grow (or, for negative notches, shrink) the brush by 10 % a notch, at least by 1 voxel."""
        size = self.brush_px
        for _ in range(abs(notches)):
            step = max(1, round(size * 0.1))
            size += step if notches > 0 else -step
        self.set_brush(size)

    def swap_with_background(self) -> None:
        """Take background if a label is in hand, and the label again if background is."""
        if self.label:
            self._before_swap = self.label
            self.label = 0
        else:
            self.label = self._before_swap

    def pin(self, slot: int) -> None:
        """Keep the label in hand under a number key."""
        self.slots = {**self.slots, slot: self.label}

    def take_slot(self, slot: int) -> None:
        """Take the label kept under a number key; without one, the label of that number."""
        self.label = self.slots.get(slot, slot)


class CanvasModel:
    """The layers shown, the place in view and the voxel under the mouse, shared by every view.

    Places are voxels of the reference: the labels being edited, else the lowest image. Signals:
    `volumes_changed()` when other layers are shown or in another order; `layer_changed(Layer)` when one is
    drawn in another way; `position_changed()`; `z_changed(int)`; `hovered_changed(Voxel | None)`;
    `selection_changed()`.
    """

    volumes_changed = Signal()
    layer_changed = Signal(Layer)
    position_changed = Signal()
    z_changed = Signal(int)
    hovered_changed = Signal(object)
    selection_changed = Signal()

    def __init__(self) -> None:
        self.display = Display()
        self.hand = Hand()
        self.layers: tuple[Layer, ...] = ()
        self.reference: Volume | None = None
        self.selected: frozenset[int] = frozenset()
        self.position: Triple = (0, 0, 0)
        self._hovered: Voxel | None = None
        self._relays: list[tuple[Layer, Callable[..., None]]] = []

    @property
    def image_layer(self) -> Layer | None:
        """The image whose values are told and whose contrast is set: the highest that is opaque, or any."""
        images = [layer for layer in self.layers if not layer.is_labels]
        solid = [layer for layer in images if layer.kind is Kind.IMAGE and layer.is_visible]
        return solid[-1] if solid else (images[0] if images else None)

    @property
    def labels_layer(self) -> Layer | None:
        """The labels that are painted and picked: the highest."""
        return next((layer for layer in reversed(self.layers) if layer.is_labels), None)

    @property
    def image(self) -> Volume | None:
        """The volume of the image layer."""
        layer = self.image_layer
        return layer.volume if layer is not None else None

    @property
    def labels(self) -> Volume | None:
        """The volume of the labels layer."""
        layer = self.labels_layer
        return layer.volume if layer is not None else None

    def show(self, layers: Sequence[Layer], edited: Volume | None = None) -> None:
        """Show layers, lowest first; `edited` are labels among them by whose voxels to count.

        Raises `UniemError`, with nothing changed, if one does not lie over the others.
        """
        reference = reference_of(list(layers), edited)
        scales = [scale_to(layer.volume, reference) for layer in layers] if reference is not None else []
        if reference is self.reference and self.layers == tuple(layers):
            return
        self._unrelay()
        for layer, scale in zip(layers, scales, strict=True):
            layer.scale = scale
        old, self.layers, self.reference = self.reference, tuple(layers), reference
        for layer in self.layers:
            relay = partial(self._relay, layer)
            layer.events.connect(relay)
            self._relays.append((layer, relay))
        self._hovered = None
        if old is None or reference is None or old.shape != reference.shape:
            self.position = _within(self.position if old is not None else _middle(self.shape), self.shape)
        self.volumes_changed.emit()
        self.position_changed.emit()
        self.z_changed.emit(self.z)

    @property
    def contrast(self) -> tuple[float, float]:
        """The values of the image layer that are drawn black and white."""
        layer = self.image_layer
        return (layer.low, layer.high) if layer is not None else (0.0, 255.0)

    @contrast.setter
    def contrast(self, low_high: tuple[float, float]) -> None:
        if (layer := self.image_layer) is not None:
            layer.has_contrast = True
            layer.low, layer.high = low_high

    @property
    def label_opacity(self) -> float:
        """The opacity of the labels layer."""
        layer = self.labels_layer
        return layer.opacity if layer is not None else LABEL_OPACITY

    @label_opacity.setter
    def label_opacity(self, opacity: float) -> None:
        if (layer := self.labels_layer) is not None:
            layer.opacity = opacity

    @property
    def shape(self) -> Triple:
        """The shape of the reference; zeros where nothing is shown."""
        return self.reference.shape if self.reference is not None else (0, 0, 0)

    @property
    def voxel_size(self) -> VoxelSize | None:
        """The voxel size of the reference, where it is known."""
        return self.reference.voxel_size if self.reference is not None else None

    @property
    def depth(self) -> int:
        """The number of sections."""
        return self.shape[0]

    @property
    def z(self) -> int:
        """The section in view."""
        return self.position[0]

    def go_to(self, z: int) -> None:
        """Show a section, or the nearest there is."""
        self.move_to((z, *self.position[1:]))

    def move_along(self, axis: int, index: int) -> None:
        """Move to another section along an axis, or the nearest there is."""
        place = [*self.position]
        place[axis] = index
        self.move_to((place[0], place[1], place[2]))

    def move_to(self, zyx: Triple) -> None:
        """Move the place that all views have in common, or to the nearest there is."""
        place, before = _within(zyx, self.shape), self.position
        if place != before:
            self.position = place
            self.position_changed.emit()
            if place[0] != before[0]:
                self.z_changed.emit(place[0])

    def select(self, labels: Iterable[int]) -> None:
        """Tell which labels are selected elsewhere."""
        chosen = frozenset(labels)
        if chosen != self.selected:
            self.selected = chosen
            self.selection_changed.emit()

    @property
    def hovered(self) -> Voxel | None:
        """The voxel under the mouse."""
        return self._hovered

    def hover(self, voxel: Voxel | None) -> None:
        """Tell which voxel is under the mouse."""
        if voxel != self._hovered:
            self._hovered = voxel
            self.hovered_changed.emit(voxel)

    def release(self) -> None:
        """Let go of the layers."""
        self._unrelay()

    def _relay(self, layer: Layer, *_: object) -> None:
        self.layer_changed.emit(layer)

    def _unrelay(self) -> None:
        for layer, relay in self._relays:
            layer.events.disconnect(relay, missing_ok=True)
        self._relays = []


def _within(zyx: Triple, shape: Triple) -> Triple:
    z, y, x = (min(max(0, int(place)), max(0, n - 1)) for place, n in zip(zyx, shape, strict=True))
    return (z, y, x)


def _middle(shape: Triple) -> Triple:
    return (0, shape[1] // 2, shape[2] // 2)
