"""How the values of an image become colours: names, and tables of premultiplied ARGB."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

GRAY, HEAT = "gray", "heat"
_INKS = {
    "red": (255, 60, 50),
    "green": (60, 220, 80),
    "blue": (70, 120, 255),
    "cyan": (40, 220, 230),
    "magenta": (240, 70, 220),
    "yellow": (250, 220, 60),
}
COLOUR_MAPS = (GRAY, HEAT, "viridis", *_INKS)
# Red, yellow, white: told apart by lightness as well, and clear against gray.
_HEAT_PLACES = (0.0, 0.35, 0.7, 1.0)
_HEAT_INKS = ((120, 0, 30), (230, 50, 20), (255, 170, 30), (255, 235, 110))


@lru_cache(maxsize=32)
def colour_table(name: str) -> NDArray[np.uint32]:
    """Return the premultiplied ARGB of 256 values, (256,) uint32.

    Heat and the single colours are clear where the value is low, so that what lies below stays visible.
    """
    ramp = np.linspace(0, 1, 256)
    if name == GRAY:
        return _packed(np.repeat((ramp * 255)[:, None], 3, axis=1), np.ones(256))
    if name == "viridis":
        import pyqtgraph

        return _packed(pyqtgraph.colormap.get("viridis").getLookupTable(nPts=256)[:, :3], np.ones(256))
    if name == HEAT:
        channels = [np.interp(ramp, _HEAT_PLACES, [ink[i] for ink in _HEAT_INKS]) for i in range(3)]
        return _packed(np.stack(channels, axis=1), np.clip(ramp * 1.6 - 0.1, 0, 1))
    return _packed(np.tile(np.array(_INKS[name], float), (256, 1)), ramp)


def _packed(colours: NDArray[np.float64], alpha: NDArray[np.float64]) -> NDArray[np.uint32]:
    opacity = np.round(alpha * 255).astype(np.uint32)
    channels = np.round(colours * alpha[:, None]).astype(np.uint32)
    places = np.array([1 << 16, 1 << 8, 1], np.uint32)
    packed: NDArray[np.uint32] = (channels * places).sum(axis=1, dtype=np.uint32) | (opacity << np.uint32(24))
    return packed
