"""The colour of a label: a pure function of id and palette, and the table from which a canvas paints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

TABLE_SIZE = 65536
Colour = tuple[int, int, int]

# Fractions whose multiples fill [0, 1) evenly (golden ratio) and (0, 1)^2 (the plastic number of Roberts
# 2018): ids that follow one another lie far apart in hue, and also in lightness, which colour-blind people
# see.
GOLDEN = 0.6180339887498949
PLASTIC = 0.7548776662466927
PLASTIC_SQUARED = 0.5698402909980532

# Okabe and Ito 2008, without black and gray: colours that every kind of colour vision tells apart.
SAFE_COLOURS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)


class Hues(StrEnum):
    """Which hues labels have."""

    ALL = "all hues"
    SAFE = "safe for the colour-blind"


@dataclass(frozen=True, slots=True)
class Palette:
    """How ids become colours.

    Attributes
    ----------
    vividness : float
        From 0, gray, to 1, the full colours.
    """

    hues: Hues = Hues.ALL
    vividness: float = 1.0


def use_palette(palette: Palette) -> None:
    """Let every colour of this process that is not the user's own come from a palette."""
    global _in_use
    _in_use = palette


def palette_in_use() -> Palette:
    """Return the palette from which colours come where none is named."""
    return _in_use


_in_use = Palette()


def slots_of(ids: ArrayLike, size: int = TABLE_SIZE) -> NDArray[np.uint32]:
    """Return the row of the lookup table for each id: the id itself, or for large ids one that is never 0."""
    labels = np.asarray(ids)
    if labels.dtype.itemsize < 4:  # the table's size does not fit into a small type
        labels = labels.astype(np.uint32)
    folded = labels % (size - 1) + 1
    return np.where(labels < size, labels, folded).astype(np.uint32)


def colours_of(ids: ArrayLike, palette: Palette | None = None) -> NDArray[np.uint8]:
    """Return a bright colour for each id, (n, 3) uint8 red, green, blue; 0, the background, is black.

    The colour depends on nothing but the id and the palette (None: the one in use), so that it is the same on
    the canvas, in tables and in 3D. Hues follow the golden ratio; saturation and value vary too, so that
    neighbouring ids differ without seeing hue. Those safe for the colour-blind take turns, and vary in value.
    """
    palette = palette or _in_use
    slots = slots_of(np.atleast_1d(np.asarray(ids))).astype(np.float64)
    colours = _safe_colours(slots) if palette.hues is Hues.SAFE else _all_colours(slots)
    if palette.vividness < 1:
        gray = colours.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
        share = max(0.0, palette.vividness)
        colours = np.round(gray[:, None] * (1 - share) + colours * share).astype(np.uint8)
    colours[slots == 0] = 0
    return colours


def _safe_colours(slots: NDArray[np.float64]) -> NDArray[np.uint8]:
    base = np.array(SAFE_COLOURS, np.float64)[slots.astype(np.int64) % len(SAFE_COLOURS)]
    value = 0.6 + 0.4 * ((slots * PLASTIC) % 1.0)
    toned: NDArray[np.uint8] = np.round(base * value[:, None]).astype(np.uint8)
    return toned


def _all_colours(slots: NDArray[np.float64]) -> NDArray[np.uint8]:
    hue = (slots * GOLDEN) % 1.0
    saturation = 0.55 + 0.45 * ((slots * PLASTIC) % 1.0)
    value = 0.62 + 0.38 * ((slots * PLASTIC_SQUARED) % 1.0)
    return _from_hsv(hue, saturation, value)


def colour_of(label: int, palette: Palette | None = None) -> Colour:
    """Return the colour of one id as red, green, blue from 0 to 255."""
    red, green, blue = colours_of([label], palette)[0].tolist()
    return (red, green, blue)


def argb_table(
    alpha: float = 1.0,
    overrides: Mapping[int, Colour | None] | None = None,
    size: int = TABLE_SIZE,
    palette: Palette | None = None,
) -> NDArray[np.uint32]:
    """Return the premultiplied ARGB32 colour of each slot, (size,) uint32; slot 0 is transparent.

    Parameters
    ----------
    alpha : float
        Opacity of all labels, from 0 to 1.
    overrides : mapping of id to (red, green, blue) or None, optional
        Colours chosen by the user; None hides a label. Ids that share a slot share its colour.
    size : int
        The number of slots; `slots_of` says which one an id uses.
    palette : Palette, optional
        None: the one in use.
    """
    colours = colours_of(np.arange(size), palette)
    opacity = np.full(size, round(255 * min(1.0, max(0.0, alpha))), np.uint32)
    opacity[0] = 0
    for label, colour in (overrides or {}).items():
        slot = int(slots_of(label, size))
        if colour is None:
            opacity[slot] = 0
        else:
            colours[slot] = colour
    return _premultiplied(colours, opacity)


def painted(labels: NDArray[Any], overrides: Mapping[int, Colour] | None = None) -> NDArray[np.uint8]:
    """Return labels, (y, x), in their colours, (y, x, 3) uint8 red, green, blue; 0 is black.

    `overrides` are the colours of ids that the user chose.
    """
    picture: NDArray[np.uint8] = _table_of(_in_use)[slots_of(labels)]
    if overrides:
        ids = np.array(sorted(overrides), np.uint64)
        places = np.minimum(np.searchsorted(ids, labels), len(ids) - 1)
        is_chosen = ids[places] == labels
        chosen = np.array([overrides[id] for id in ids.tolist()], np.uint8)
        picture[is_chosen] = chosen[places[is_chosen]]
    return picture


@lru_cache(maxsize=1)
def _table_of(palette: Palette) -> NDArray[np.uint8]:
    return colours_of(np.arange(TABLE_SIZE), palette)


def _premultiplied(colours: NDArray[np.uint8], opacity: NDArray[np.uint32]) -> NDArray[np.uint32]:
    channels = (colours.astype(np.uint32) * opacity[:, None] + np.uint32(127)) // np.uint32(255)
    places = np.array([1 << 16, 1 << 8, 1], np.uint32)
    packed: NDArray[np.uint32] = (channels * places).sum(axis=1, dtype=np.uint32) | (opacity << np.uint32(24))
    return packed


def _from_hsv(hue: NDArray[Any], saturation: NDArray[Any], value: NDArray[Any]) -> NDArray[np.uint8]:
    sector = (hue * 6.0)[:, None] + np.array([5.0, 3.0, 1.0])
    ramp = np.clip(np.minimum(sector % 6.0, 4.0 - sector % 6.0), 0.0, 1.0)
    colours = value[:, None] * (1.0 - saturation[:, None] * ramp)
    rounded: NDArray[np.uint8] = np.round(255.0 * colours).astype(np.uint8)
    return rounded
