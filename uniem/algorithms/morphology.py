"""Masks grown, shrunk and smoothed by distances in nm, whatever the shape of the voxels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Triple

# A Gaussian is cut off where it has fallen to 1/3000 of its peak.
_REACH_IN_SIGMAS = 4.0


def grown(mask: NDArray[np.bool_], radius: float, spacing: Sequence[float]) -> NDArray[np.bool_]:
    """Return the voxels whose centres are within a radius of a centre in the mask.

    The radius is in units of the spacing of voxels, z, y, x; a spacing of infinity keeps to sections.
    """
    return _distance(~mask, spacing) <= _with_rounding(radius)


def shrunk(mask: NDArray[np.bool_], radius: float, spacing: Sequence[float]) -> NDArray[np.bool_]:
    """Return the voxels of the mask whose centres are farther than a radius from every centre outside.

    Beyond the border of the array nothing is outside.
    """
    return mask & (_distance(mask, spacing) > _with_rounding(radius))


def smoothed(mask: NDArray[np.bool_], radius: float, spacing: Sequence[float]) -> NDArray[np.bool_]:
    """Return where more than half of what lies around is in the mask.

    What lies around is weighted by a Gaussian of half the radius as standard deviation; at the border of the
    array the outermost voxels go on. Bumps and dents smaller than the radius vanish, flat faces stay.
    """
    from scipy.ndimage import gaussian_filter

    sigmas = [radius / 2 / step for step in spacing]
    share = gaussian_filter(mask.astype(np.float32), sigmas, mode="nearest", truncate=_REACH_IN_SIGMAS)
    # The sums of weights are rounded; exactly half is not more than half.
    return np.asarray(share > 0.5 + 1e-5)


def reach(radius: float, spacing: Sequence[float]) -> Triple:
    """Return how many voxels away, z, y, x, a voxel can matter to any of these functions."""
    z, y, x = (
        math.ceil(_REACH_IN_SIGMAS / 2 * radius / step) + 1 if step < math.inf else 0 for step in spacing
    )
    return (z, y, x)


def _distance(mask: NDArray[np.bool_], spacing: Sequence[float]) -> NDArray[np.float32]:
    """Return the distance of each voxel in the mask to the nearest one outside; infinite if there is none."""
    import edt

    if math.inf in spacing:
        axis = list(spacing).index(math.inf)
        rest = tuple(step for i, step in enumerate(spacing) if i != axis)
        sections = [edt.edt(np.ascontiguousarray(s), anisotropy=rest) for s in np.moveaxis(mask, axis, 0)]
        return np.moveaxis(np.stack(sections), 0, axis)
    distance: NDArray[np.float32] = edt.edt(np.ascontiguousarray(mask), anisotropy=tuple(spacing))
    return distance


def _with_rounding(radius: float) -> float:
    """Return the radius and the rounding of distances of that size."""
    return radius * (1 + 1e-6)
