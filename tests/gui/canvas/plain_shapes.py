"""What tools should make of the shape of an object, as slowly and plainly as possible.

Nothing here is shared with the tools. `across` is the axis that a change keeps to the sections of, None for 3D;
lengths are in nm; what lies outside of the array is not there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
# Where half of what lies around is the object, sums of rounded weights decide, but not so far from half.
_HALF, _NEAR_HALF = 0.5 + 1e-5, 5e-6
# A picture is moved by 1/32 of a pixel or more, so distances are not known better than this part of one.
_MOVED_RIM, _RESTING_RIM = 1 / 16, 1e-3
_LEAST_MOVE = 0.25


def grown(mask: Mask, radius: float, voxel: Sequence[float], across: int | None) -> Mask:
    """Return what lies within a radius of the object: the object moved to every place so near."""
    covered = mask.copy()
    reach = [0 if axis == across else math.floor(radius / voxel[axis] + 1e-6) for axis in range(3)]
    for by in itertools.product(*(range(-n, n + 1) for n in reach)):
        if math.hypot(*(n * size for n, size in zip(by, voxel, strict=True))) <= radius * (1 + 1e-6):
            target = tuple(slice(max(0, n), min(0, n) or None) for n in by)
            source = tuple(slice(max(0, -n), min(0, -n) or None) for n in by)
            covered[target] |= mask[source]
    return covered


def shrunk(mask: Mask, radius: float, voxel: Sequence[float], across: int | None) -> Mask:
    """Return what of the object is not within a radius of anything else."""
    return ~grown(~mask, radius, voxel, across)


def smoothed(mask: Mask, radius: float, voxel: Sequence[float], across: int | None) -> tuple[Mask, Mask]:
    """Return where most of what lies around is the object, and where rounding decides that."""
    share: Floats = mask.astype(np.float64)
    for axis in range(3):
        if axis == across:
            continue
        sigma = radius / 2 / voxel[axis]
        reach = int(4 * sigma + 0.5)
        weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
        places = np.arange(share.shape[axis])
        share = sum(
            weight * np.take(share, np.clip(places + by, 0, len(places) - 1), axis)
            for by, weight in zip(range(-reach, reach + 1), weights / weights.sum(), strict=True)
        )
    return share > _HALF, np.abs(share - _HALF) < _NEAR_HALF


def filled(mask: Mask, across: int | None) -> Mask:
    """Return the object with everything from which no way over faces leads out of the array."""
    if across is None:
        return np.asarray(scipy.ndimage.binary_fill_holes(mask))
    sections = [scipy.ndimage.binary_fill_holes(section) for section in np.moveaxis(mask, across, 0)]
    return np.moveaxis(np.stack(sections), 0, across)


def between(mask: Mask, voxel: Sequence[float], across: int) -> tuple[Mask, Mask]:
    """Return what lies in the gaps between sections with the object, and where rounding decides that.

    In each gap both shapes move along the line between their centroids while one turns into the other.
    """
    covered, unsure = np.zeros_like(mask), np.zeros_like(mask)
    sections, covered_by, unsure_by = (np.moveaxis(array, across, 0) for array in (mask, covered, unsure))
    painted = [place for place, section in enumerate(sections) if section.any()]
    pixel = np.delete(np.array(voxel), across)
    for first, last in itertools.pairwise(painted):
        one, two = sections[first], sections[last]
        around = _around(one | two)
        for place in range(first + 1, last):
            share = (place - first) / (last - first)
            depth, rim = _depth_between(one, two, share, pixel)
            covered_by[place][around] = depth[around] > 0
            unsure_by[place][around] = np.abs(depth[around]) < rim
    return covered, unsure


def _depth_between(one: Mask, two: Mask, share: float, pixel: Floats) -> tuple[Floats, float]:
    """Return how deep places lie in the shape on the way between two, and how far that may be off."""
    move = np.mean(np.argwhere(two), axis=0) - np.mean(np.argwhere(one), axis=0)
    if np.abs(move).max() < _LEAST_MOVE:
        move = np.zeros(2)
    # Outside of the volume there is nothing of either.
    far = int(np.abs(move).max()) + 2
    one, two = np.pad(one, far), np.pad(two, far)
    places = np.indices(one.shape).astype(np.float64)
    depths = [
        scipy.ndimage.map_coordinates(
            _depth(shape, pixel), places - by[:, None, None], order=1, mode="nearest"
        )
        for shape, by in ((one, share * move), (two, (share - 1) * move))
    ]
    rim = _MOVED_RIM * float(pixel.max()) if move.any() else _RESTING_RIM
    inner = slice(far, -far)
    return ((1 - share) * depths[0] + share * depths[1])[inner, inner], rim


def _depth(shape: Mask, pixel: Floats) -> Floats:
    """Return the distance of what is inside to what is not; outside, minus the distance to what is inside."""
    away = scipy.ndimage.distance_transform_edt
    depth: Floats = away(shape, sampling=pixel) - away(~shape, sampling=pixel)
    return depth


def _around(shape: Mask) -> tuple[slice, slice]:
    places = np.argwhere(shape)
    (top, left), (bottom, right) = places.min(axis=0).tolist(), places.max(axis=0).tolist()
    return slice(top, bottom + 1), slice(left, right + 1)
