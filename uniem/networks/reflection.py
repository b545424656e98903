"""Reading beyond the border of a section, as in a mirror."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def reflected(length: int, start: int, stop: int) -> NDArray[np.intp]:
    """Return the indices in [0, length) that positions start to stop show when the ends are mirrors.

    The end itself is not repeated (numpy's 'reflect'), and positions any distance outside are allowed.
    """
    positions = np.arange(start, stop)
    if length == 1:
        return np.zeros(len(positions), np.intp)
    period = 2 * (length - 1)
    folded = np.abs(positions) % period
    mirrored: NDArray[np.intp] = np.minimum(folded, period - folded)
    return mirrored


def read_reflected(
    read: Callable[[int, int, int, int], NDArray[Any]],
    shape_yx: tuple[int, int],
    corner_yx: tuple[int, int],
    size_yx: tuple[int, int],
) -> NDArray[Any]:
    """Return a (y, x) window of a section that may reach beyond it, reading only what it shows.

    `read(y0, y1, x0, x1)` gives a part of the section.
    """
    rows = reflected(shape_yx[0], corner_yx[0], corner_yx[0] + size_yx[0])
    columns = reflected(shape_yx[1], corner_yx[1], corner_yx[1] + size_yx[1])
    y0, x0 = int(rows.min()), int(columns.min())
    part = read(y0, int(rows.max()) + 1, x0, int(columns.max()) + 1)
    return part[np.ix_(rows - y0, columns - x0)]
