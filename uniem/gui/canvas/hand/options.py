"""What can be set on the tools of the canvas: remembered from one start to the next."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import ClassVar

from psygnal import SignalGroupDescriptor

from uniem.algorithms.superpixels import Relief
from uniem.proofreading.tools.brush import Tip
from uniem.proofreading.tools.protect import Over

OPTIONS_KEY = "canvas/tool options"
GRAIN_PX = (4, 200)
MOST_RADIUS_PX = 200
MOST_BAND_PX = 100
MOST_PARTS = 9
MOST_MILLIONS = 1000


class Reach(StrEnum):
    """How far a tool reaches from where it is used."""

    SECTION = "this section"
    VOLUME = "3D"


class FillOn(StrEnum):
    """What a flood fill spreads over."""

    LABELS = "labels"
    IMAGE = "image"


class Change(StrEnum):
    """What is done to the shape of an object."""

    GROW = "grow"
    SHRINK = "shrink"
    SMOOTH = "smooth"
    FILL_HOLES = "fill holes"

    @property
    def has_radius(self) -> bool:
        """Tell whether it depends on a distance."""
        return self is not Change.FILL_HOLES


@dataclass
class ToolOptions:
    """The options of all tools. `events.NAME` is emitted when a field changes.

    Attributes
    ----------
    tip : Tip
        Whether the brush is a disc in the section or a ball.
    uses_pressure : bool
        A pen pressed lightly paints with a smaller brush.
    uses_gray : bool
        Brush, line and lasso paint only gray values of the image from `gray_low` to `gray_high`.
    over : Over
        What may be painted over.
    fill_millions : int
        A fill in 3D that finds more million voxels is given up.
    grain_px : int
        How wide superpixels are, in voxels along x.
    radius_px : int
        By how much objects are grown, shrunk or smoothed, in voxels along x.
    cut_on_image : bool
        Objects are split along dark lines of the image.
    cut_band_px : int
        How far a cut may leave the line that was drawn, in voxels of the section.
    seed_part : int
        The part of an object that is being marked, from 1.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()
    tip: Tip = Tip.DISC
    uses_pressure: bool = False
    uses_gray: bool = False
    gray_low: float = 0.0
    gray_high: float = 255.0
    over: Over = Over.ALL
    fill_on: FillOn = FillOn.LABELS
    fill_reach: Reach = Reach.SECTION
    fill_tolerance: float = 10.0
    fill_millions: int = 64
    grain_px: int = 24
    relief: Relief = Relief.DARK_LINES
    change: Change = Change.GROW
    change_reach: Reach = Reach.SECTION
    radius_px: int = 3
    split_reach: Reach = Reach.SECTION
    cut_on_image: bool = True
    cut_band_px: int = 8
    seed_part: int = 1

    def next_over(self) -> None:
        """Choose the next rule of what may be painted over."""
        rules = list(Over)
        self.over = rules[(rules.index(self.over) + 1) % len(rules)]

    def change_grain(self, notches: int) -> None:
        """Make superpixels larger, or smaller for negative notches, by 10 % a notch."""
        size = self.grain_px
        for _ in range(abs(notches)):
            step = max(1, round(size * 0.1))
            size += step if notches > 0 else -step
        self.grain_px = min(GRAIN_PX[1], max(GRAIN_PX[0], size))

    def record(self) -> dict[str, str | float]:
        """Return the options as plain values."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def restore(self, record: object) -> None:
        """Take options that `record` returned; what does not suit is left as it is."""
        if not isinstance(record, dict):
            return
        for field in fields(self):
            now, value = getattr(self, field.name), record.get(field.name)
            kind = type(now)
            if issubclass(kind, StrEnum):
                found = next((member for member in kind if member.value == value), now)
                setattr(self, field.name, found)
            elif isinstance(value, kind) or (kind is float and type(value) is int):
                setattr(self, field.name, kind(value))
        self.cut_band_px = min(MOST_BAND_PX, max(1, self.cut_band_px))
        self.seed_part = 1
        self.radius_px = min(MOST_RADIUS_PX, max(1, self.radius_px))
        self.fill_millions = min(MOST_MILLIONS, max(1, self.fill_millions))
        self.change_grain(0)
