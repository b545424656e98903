"""The band around what is selected."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def outline_of(mask: NDArray[np.bool_], thickness: int) -> NDArray[np.bool_]:
    """Return the band of this many pixels around the true part of a (y, x) mask."""
    band = np.zeros_like(mask)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return band
    part = tuple(slice(max(0, k[0] - thickness), k[-1] + thickness + 1) for k in (rows, columns))
    inner = mask[part]
    grown = inner.copy()
    for axis in (0, 1):
        before = grown.copy()
        for step in range(1, thickness + 1):
            ahead, behind = [slice(None)] * 2, [slice(None)] * 2
            ahead[axis], behind[axis] = slice(step, None), slice(None, -step)
            grown[tuple(ahead)] |= before[tuple(behind)]
            grown[tuple(behind)] |= before[tuple(ahead)]
    band[part] = grown & ~inner
    return band
