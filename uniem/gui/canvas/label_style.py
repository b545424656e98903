"""The colours in which labels are drawn now: palette, the user's own, opacity, and the label in hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from uniem.data.palette import Colour, Palette, argb_table, colour_of, palette_in_use, slots_of

# Little enough that the image is seen through the label that is being painted, with the mouse over it.
ACTIVE_GAIN = 0.15
HOVER_GAIN = 0.12


@dataclass(frozen=True)
class LabelStyle:
    """How labels are coloured.

    Attributes
    ----------
    colours : mapping of id to (red, green, blue)
        Chosen by the user.
    hidden : set of ids
        Not drawn.
    only : set of ids, optional
        The only ones drawn; None for all.
    active : int
        The label in hand: a little more opaque than the others, and never hidden.
    """

    opacity: float = 0.45
    outlines: bool = False
    active: int = 0
    colours: Mapping[int, Colour] = field(default_factory=dict)
    hidden: frozenset[int] = frozenset()
    only: frozenset[int] | None = None
    palette: Palette = field(default_factory=palette_in_use)

    def colour(self, label: int) -> Colour:
        """Return the colour of a label, hidden or not."""
        return self.colours.get(label) or colour_of(label, self.palette)

    def table(self, hovered: int = 0) -> NDArray[np.uint32]:
        """Return the premultiplied ARGB colour of every slot; the one under the mouse shines."""
        # An outline has few pixels, so it is drawn stronger than an area of the same opacity.
        alpha = 0.7 + 0.3 * self.opacity if self.outlines and self.opacity > 0 else self.opacity
        overrides = {**self.colours, **dict.fromkeys(self.hidden)}
        table = _table(round(alpha, 3), tuple(overrides.items()), self.palette).copy()
        if self.only is not None:
            kept = slots_of(np.array(sorted(self.only - self.hidden), np.uint64))
            shown = np.zeros_like(table)
            shown[kept] = table[kept]
            table = shown
        if self.active and alpha > 0:
            gain = ACTIVE_GAIN + (HOVER_GAIN if hovered == self.active else 0.0)
            table[int(slots_of(self.active))] = self._stronger(self.active, alpha + gain)
        if hovered and hovered != self.active and table[int(slots_of(hovered))]:
            table[int(slots_of(hovered))] = self._stronger(hovered, alpha + HOVER_GAIN)
        return table

    def _stronger(self, label: int, alpha: float) -> int:
        opacity = round(255 * min(1.0, alpha))
        red, green, blue = ((channel * opacity + 127) // 255 for channel in self.colour(label))
        return (opacity << 24) | (red << 16) | (green << 8) | blue


@lru_cache(maxsize=8)
def _table(
    alpha: float, overrides: tuple[tuple[int, Colour | None], ...], palette: Palette
) -> NDArray[np.uint32]:
    return argb_table(alpha, dict(overrides), palette=palette)
