"""What the canvas shows and what is in the user's hand: models without widgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, NamedTuple

from psygnal import Signal, SignalGroupDescriptor

from uniem.data.geometry import VoxelSize
from uniem.data.volume import Volume, check_same_shape

MAX_BRUSH_PX = 2000
MAX_LABEL = 2**32 - 1


class Tool(StrEnum):
    """What the left mouse button does."""

    NAVIGATE = "navigate"
    BRUSH = "brush"
    ERASER = "eraser"
    PICK = "pick"

    @property
    def is_brush_like(self) -> bool:
        """Tell whether the tool has a size."""
        return self in (Tool.BRUSH, Tool.ERASER)


class Voxel(NamedTuple):
    """A place in the volume with what is there; `value` and `label` are None where nothing is shown."""

    z: int
    y: int
    x: int
    value: float | None
    label: int | None


@dataclass
class Display:
    """How image and labels are drawn. `events.NAME` is emitted when a field changes.

    Attributes
    ----------
    low, high : float
        The gray values drawn black and white.
    opacity : float
        Of the labels, 0 to 1.
    peek_raw : bool
        The labels are hidden while a key is held.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()
    low: float = 0.0
    high: float = 255.0
    opacity: float = 0.45
    show_labels: bool = True
    outlines: bool = False
    peek_raw: bool = False

    def change_opacity(self, step: float) -> None:
        """Add to the opacity of the labels, within 0 and 1."""
        self.opacity = round(min(1.0, max(0.0, self.opacity + step)), 2)

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
    _before_swap: int = field(default=1, repr=False)

    @property
    def radius_px(self) -> float:
        """The radius of the brush in voxels."""
        return self.brush_px / 2

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
    """The volumes shown, the section in view and the voxel under the mouse, shared by every view.

    Signals: `volumes_changed()`, `z_changed(int)`, `hovered_changed(Voxel | None)`.
    """

    volumes_changed = Signal()
    z_changed = Signal(int)
    hovered_changed = Signal(object)

    def __init__(self) -> None:
        self.display = Display()
        self.hand = Hand()
        self._image: Volume | None = None
        self._labels: Volume | None = None
        self._z = 0
        self._hovered: Voxel | None = None

    @property
    def image(self) -> Volume | None:
        """The gray volume shown."""
        return self._image

    @property
    def labels(self) -> Volume | None:
        """The label volume shown over it."""
        return self._labels

    def show(self, image: Volume | None, labels: Volume | None) -> None:
        """Show an image with labels over it, or either alone; both must have one shape."""
        if image is not None and labels is not None:
            check_same_shape(labels, image)
        if image is self._image and labels is self._labels:
            return
        self._image, self._labels = image, labels
        self._hovered = None
        self._z = min(self._z, max(0, self.depth - 1))
        self.volumes_changed.emit()
        self.z_changed.emit(self._z)

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of what is shown; zeros where nothing is."""
        volume = self._image or self._labels
        return volume.shape if volume is not None else (0, 0, 0)

    @property
    def voxel_size(self) -> VoxelSize | None:
        """The voxel size of what is shown, where it is known."""
        volume = self._image or self._labels
        return volume.voxel_size if volume is not None else None

    @property
    def depth(self) -> int:
        """The number of sections."""
        return self.shape[0]

    @property
    def z(self) -> int:
        """The section in view."""
        return self._z

    def go_to(self, z: int) -> None:
        """Show a section, or the nearest there is."""
        z = min(max(0, z), max(0, self.depth - 1))
        if z != self._z:
            self._z = z
            self.z_changed.emit(z)

    @property
    def hovered(self) -> Voxel | None:
        """The voxel under the mouse."""
        return self._hovered

    def hover(self, voxel: Voxel | None) -> None:
        """Tell which voxel is under the mouse."""
        if voxel != self._hovered:
            self._hovered = voxel
            self.hovered_changed.emit(voxel)
