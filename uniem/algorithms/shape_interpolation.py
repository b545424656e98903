"""Shapes between two shapes: what lies where the mean of their signed distances is positive.

Raya and Udupa 1990, "Shape-based interpolation of multidimensional objects". Departure: the shapes may first
be moved onto the straight line between their centroids, so that one that wanders does not vanish on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Pair = tuple[float, float]
# Moves of less than this many pixels are not worth a resampling.
_SMALL_MOVE = 0.25


def shapes_between(
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    count: int,
    spacing_yx: Pair = (1.0, 1.0),
    follow_centroid: bool = True,
) -> Iterator[NDArray[np.bool_]]:
    """Yield `count` masks at equal steps between two masks of one (y, x) shape, neither of them empty.

    Beyond the array nothing belongs to a shape. Distances are in units of the spacing of pixels. If
    `follow_centroid`, both shapes are moved so that their centroids lie on the straight line between them;
    if not, where they do not overlap, shapes in the middle may be empty.
    """
    import cv2

    move = centroid(second) - centroid(first) if follow_centroid else np.zeros(2)
    if np.abs(move).max() < _SMALL_MOVE:
        move = np.zeros(2)
    # So much around the shapes that whatever a move brings in has its true distance.
    margin = np.ceil(np.abs(move)).astype(np.int64) + 1
    padding = tuple((int(m), int(m)) for m in margin)
    inner = tuple(slice(int(m), -int(m)) for m in margin)
    distances = [signed_distance(np.pad(mask, padding), spacing_yx) for mask in (first, second)]
    for step in range(1, count + 1):
        share = step / (count + 1)
        near, far = _moved(distances[0], share * move), _moved(distances[1], (share - 1) * move)
        yield cv2.addWeighted(near, 1 - share, far, share, 0)[inner] > 0


def signed_distance(mask: NDArray[np.bool_], spacing_yx: Pair = (1.0, 1.0)) -> NDArray[np.float32]:
    """Return how deep each pixel lies in a mask; outside, minus how far away it is."""
    import edt

    # Two labels, so that one pass finds the distance of either to the other.
    distance: NDArray[np.float32] = edt.edt(mask.astype(np.uint8) + np.uint8(1), anisotropy=spacing_yx)
    return np.negative(distance, out=distance, where=~mask)


def centroid(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean y, x of a mask."""
    sums = [np.count_nonzero(mask, axis=1 - axis) for axis in range(2)]
    return np.array([np.average(np.arange(len(s)), weights=s) for s in sums])


def bounding_box(masks: Sequence[NDArray[np.bool_]]) -> tuple[slice, slice]:
    """Return rows and columns around masks of one shape, not all of them empty."""
    places = [np.flatnonzero(np.any([m.any(axis=1 - axis) for m in masks], axis=0)) for axis in range(2)]
    rows, columns = (slice(int(p[0]), int(p[-1]) + 1) for p in places)
    return rows, columns


def _moved(distance: NDArray[np.float32], move_yx: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return a picture moved by fractions of pixels, interpolated linearly; its border goes on outside."""
    import cv2

    if not move_yx.any():
        return distance
    matrix = np.array([[1, 0, move_yx[1]], [0, 1, move_yx[0]]], np.float64)
    size = (distance.shape[1], distance.shape[0])
    moved: NDArray[np.float32] = cv2.warpAffine(distance, matrix, size, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    return moved
