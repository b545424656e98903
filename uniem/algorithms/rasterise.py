"""Brush strokes as exact masks of pixels, and the outline of a brush."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Pixel centres exactly on the rim belong to the brush, whatever rounding did to the square roots.
RIM = 1e-6
Pair = tuple[float, float]


def disc_stroke(
    points_yx: ArrayLike | Sequence[Pair],
    radius_px: float,
    shape_yx: tuple[int, int],
    aspect_yx: Pair = (1.0, 1.0),
) -> tuple[int, int, NDArray[np.bool_]]:
    """Return (y0, x0, mask) of the pixels whose centres a disc meets while drawn along a polyline.

    Points are (n, 2) pixel indices, with the centre of pixel (i, j) at (i, j): floor a mouse position to get
    them. Radius 0.5 is a line of single pixels. `aspect_yx` stretches the disc to an ellipse, for planes
    whose pixels are not square. The mask is cropped to a section of `shape_yx`.
    """
    radii = np.array(aspect_yx, np.float64) * radius_px
    points = np.atleast_2d(np.asarray(points_yx, np.float64)) / radii
    low = np.ceil(points.min(axis=0) * radii - radii - RIM).astype(np.int64).clip(0)
    high = np.floor(points.max(axis=0) * radii + radii + RIM).astype(np.int64) + 1
    high = np.minimum(high, shape_yx)
    if np.any(high <= low):
        return 0, 0, np.zeros((0, 0), np.bool_)
    mask = np.zeros((high[0] - low[0], high[1] - low[1]), np.bool_)
    segments = itertools.pairwise(points) if len(points) > 1 else [(points[0], points[0])]
    for start, stop in segments:
        _fill_capsule(mask, low, start, stop, radii)
    return int(low[0]), int(low[1]), mask


def disc_outline(radius_px: float, aspect_yx: Pair = (1.0, 1.0)) -> NDArray[np.float64]:
    """Return the closed (n, 2) y, x polyline along the pixel edges of a dab around pixel (0, 0)."""
    height, width = aspect_yx[0] * radius_px, aspect_yx[1] * radius_px
    top = int(np.floor(height + RIM))
    rows = np.arange(-top, top + 1)
    half = np.floor(width * np.sqrt((1 - (rows / height) ** 2).clip(0)) + RIM) + 0.5
    edges_y = np.stack([rows - 0.5, rows + 0.5], axis=1).ravel()
    edges_x = np.repeat(half, 2)
    right = np.stack([edges_y, edges_x], axis=1)
    left = np.stack([edges_y, -edges_x], axis=1)[::-1]
    ring = np.concatenate([right, left])
    before, after = np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0)
    is_corner = np.all(np.any(ring[:, None] != np.stack([before, after], axis=1), axis=2), axis=1)
    straight = np.any((before == ring) & (ring == after), axis=1)
    corners = ring[is_corner & ~straight]
    return np.concatenate([corners, corners[:1]])


def _fill_capsule(
    mask: NDArray[np.bool_],
    origin: NDArray[np.int64],
    start: NDArray[np.float64],
    stop: NDArray[np.float64],
    radii: NDArray[np.float64],
) -> None:
    """Set the pixels within distance 1 of a segment; the segment is in units of the radii.

    A capsule is convex, so it meets each row of pixels in one interval: the hull of what the discs at its
    ends and the band between them meet.
    """
    first = max(0, int(np.ceil((min(start[0], stop[0]) - 1) * radii[0] - RIM)) - int(origin[0]))
    last = min(len(mask) - 1, int(np.floor((max(start[0], stop[0]) + 1) * radii[0] + RIM)) - int(origin[0]))
    rows = np.arange(first, last + 1)
    y = (rows + origin[0]) / radii[0]
    left, right = _disc_interval(y, start)
    if not np.array_equal(start, stop):
        for other in (_disc_interval(y, stop), _band_interval(y, start, stop)):
            left, right = np.minimum(left, other[0]), np.maximum(right, other[1])
    empty = left > right
    left[empty] = right[empty] = 0
    begins = (np.ceil(left * radii[1] - RIM).astype(np.int64) - origin[1]).clip(0)
    ends = np.floor(right * radii[1] + RIM).astype(np.int64) + 1 - origin[1]
    ends[empty] = 0
    for row, begin, end in zip(rows.tolist(), begins.tolist(), ends.tolist(), strict=True):
        if end > begin:
            mask[row, begin:end] = True


def _disc_interval(
    y: NDArray[np.float64], centre: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the unit disc around a centre begins and ends on each row; begin > end: nowhere."""
    square = 1 - (y - centre[0]) ** 2
    half = np.where(square >= -RIM, np.sqrt(square.clip(0)), -np.inf)
    return centre[1] - half, centre[1] + half


def _band_interval(
    y: NDArray[np.float64], start: NDArray[np.float64], stop: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where the rectangle of half-width 1 along a segment begins and ends on each row."""
    dy, dx = stop - start
    length = float(np.hypot(dy, dx))
    # Along it: 0 <= (y - y0) dy + (x - x0) dx <= length²; across it: |(x - x0) dy - (y - y0) dx| <= length.
    along = _between((y - start[0]) * dy, dx, 0.0, length * length)
    across = _between(-(y - start[0]) * dx, dy, -length, length)
    left, right = np.maximum(along[0], across[0]), np.minimum(along[1], across[1])
    empty = left > right
    return np.where(empty, np.inf, left + start[1]), np.where(empty, -np.inf, right + start[1])


def _between(
    offset: NDArray[np.float64], slope: float, low: float, high: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the interval of x with low <= offset + slope x <= high."""
    if slope == 0:
        inside = (offset >= low - RIM) & (offset <= high + RIM)
        return np.where(inside, -np.inf, np.inf), np.where(inside, np.inf, -np.inf)
    one, two = (low - offset) / slope, (high - offset) / slope
    return np.minimum(one, two), np.maximum(one, two)
