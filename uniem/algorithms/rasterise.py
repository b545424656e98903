"""Brush strokes and polygons as exact masks of pixels, and the outline of a brush."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Pixel centres exactly on the rim belong to the brush, whatever rounding did to the square roots.
RIM = 1e-6
Pair = tuple[float, float]
FillRule: TypeAlias = Literal["non-zero", "even-odd"]
Disc: TypeAlias = tuple[NDArray[np.float64], float]
Interval: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]


def disc_stroke(
    points_yx: ArrayLike | Sequence[Pair],
    radius_px: float | Sequence[float],
    shape_yx: tuple[int, int],
    aspect_yx: Pair = (1.0, 1.0),
) -> tuple[int, int, NDArray[np.bool_]]:
    """Return (y0, x0, mask) of the pixels whose centres a disc meets while drawn along a polyline.

    Points are (n, 2) pixel indices, with the centre of pixel (i, j) at (i, j): floor a mouse position to get
    them. Radius 0.5 is a line of single pixels; with a radius for each point, the edges between two discs
    are the straight lines that touch both. `aspect_yx` stretches the discs to ellipses, for planes whose
    pixels are not square. The mask is cropped to a section of `shape_yx`.
    """
    aspect = np.array(aspect_yx, np.float64)
    points = np.atleast_2d(np.asarray(points_yx, np.float64)) / aspect
    radii = np.broadcast_to(np.asarray(radius_px, np.float64), (len(points),))
    reach = radii[:, None]
    low = np.ceil((points - reach).min(axis=0) * aspect - RIM).astype(np.int64).clip(0)
    high = np.floor((points + reach).max(axis=0) * aspect + RIM).astype(np.int64) + 1
    high = np.minimum(high, shape_yx)
    if np.any(high <= low):
        return 0, 0, np.zeros((0, 0), np.bool_)
    mask = np.zeros((high[0] - low[0], high[1] - low[1]), np.bool_)
    discs = list(zip(points, radii.tolist(), strict=True))
    for start, stop in itertools.pairwise(discs) if len(discs) > 1 else [(discs[0], discs[0])]:
        _fill_hull(mask, low, start, stop, aspect)
    return int(low[0]), int(low[1]), mask


def polygon_mask(
    points_yx: ArrayLike, start_yx: tuple[int, int], stop_yx: tuple[int, int], rule: FillRule = "non-zero"
) -> NDArray[np.bool_]:
    """Return which pixels from `start_yx` up to `stop_yx` have their centres inside a closed polygon.

    Points are (n, 2) pixel coordinates, with the centre of pixel (i, j) at (i, j); the last one is joined to
    the first. Of centres exactly on an edge, those on left and upper edges are inside. Where the outline
    crosses itself, "non-zero" fills what it winds around in any way, "even-odd" what it encloses an odd
    number of times.
    """
    height, width = (max(0, b - a) for a, b in zip(start_yx, stop_yx, strict=True))
    start = np.atleast_2d(np.asarray(points_yx, np.float64)) - start_yx
    stop = np.roll(start, -1, axis=0)
    first, last = (np.ceil(edge[:, 0]).clip(0, height).astype(np.int64) for edge in (start, stop))
    lengths = np.abs(last - first)
    edges = np.repeat(np.arange(len(start)), lengths)
    order = np.arange(len(edges)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    rows = np.minimum(first, last)[edges] + order
    slope = (stop[edges, 1] - start[edges, 1]) / (stop[edges, 0] - start[edges, 0])
    columns = np.ceil(start[edges, 1] + (rows - start[edges, 0]) * slope).clip(0, width).astype(np.int64)
    winding = np.zeros((height, width + 1), np.int32)
    np.add.at(winding, (rows, columns), np.sign(last - first)[edges])
    turns = np.cumsum(winding[:, :-1], axis=1, dtype=np.int32)
    inside: NDArray[np.bool_] = turns != 0 if rule == "non-zero" else turns % 2 != 0
    return inside


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


def _fill_hull(
    mask: NDArray[np.bool_], origin: NDArray[np.int64], start: Disc, stop: Disc, aspect: NDArray[np.float64]
) -> None:
    """Set the pixels in the convex hull of two discs, which are in units of the aspect.

    Being convex, it meets each row of pixels in one interval: from the leftmost to the rightmost point of the
    two discs and of the quadrilateral between the points where their common tangents touch them.
    """
    top = min(start[0][0] - start[1], stop[0][0] - stop[1])
    bottom = max(start[0][0] + start[1], stop[0][0] + stop[1])
    first = max(0, int(np.ceil(top * aspect[0] - RIM)) - int(origin[0]))
    last = min(len(mask) - 1, int(np.floor(bottom * aspect[0] + RIM)) - int(origin[0]))
    rows = np.arange(first, last + 1)
    y = (rows + origin[0]) / aspect[0]
    left, right = _disc_interval(y, *start)
    if not (np.array_equal(start[0], stop[0]) and start[1] == stop[1]):
        for other in (_disc_interval(y, *stop), *_tangent_intervals(y, start, stop)):
            left, right = np.minimum(left, other[0]), np.maximum(right, other[1])
    empty = left > right
    left[empty] = right[empty] = 0
    begins = (np.ceil(left * aspect[1] - RIM).astype(np.int64) - origin[1]).clip(0)
    ends = np.floor(right * aspect[1] + RIM).astype(np.int64) + 1 - origin[1]
    ends[empty] = 0
    for row, begin, end in zip(rows.tolist(), begins.tolist(), ends.tolist(), strict=True):
        if end > begin:
            mask[row, begin:end] = True


def _disc_interval(y: NDArray[np.float64], centre: NDArray[np.float64], radius: float) -> Interval:
    """Return where a disc begins and ends on each row; begin > end: nowhere."""
    square = radius * radius - (y - centre[0]) ** 2
    half = np.where(square >= -RIM * max(1.0, radius), np.sqrt(square.clip(0)), -np.inf)
    return centre[1] - half, centre[1] + half


def _tangent_intervals(y: NDArray[np.float64], start: Disc, stop: Disc) -> list[Interval]:
    """Return where the two common tangents of two discs are on each row that they cross.

    The other two sides of the quadrilateral between them lie inside the discs.
    """
    along = stop[0] - start[0]
    length = float(np.hypot(*along))
    if length <= abs(start[1] - stop[1]):
        return []
    along = along / length
    across = np.array([-along[1], along[0]])
    sine = (start[1] - stop[1]) / length
    cosine = np.sqrt(1 - sine * sine)
    normals = (along * sine + across * cosine, along * sine - across * cosine)
    return [_side_interval(y, start[0] + start[1] * n, stop[0] + stop[1] * n) for n in normals]


def _side_interval(y: NDArray[np.float64], one: NDArray[np.float64], two: NDArray[np.float64]) -> Interval:
    """Return where a line segment is on each row that it crosses; begin > end: nowhere."""
    upper, lower = (one, two) if one[0] <= two[0] else (two, one)
    height = lower[0] - upper[0]
    share = np.clip((y - upper[0]) / height, 0, 1) if height > RIM else np.zeros_like(y)
    x = upper[1] + share * (lower[1] - upper[1])
    crossed = (y >= upper[0] - RIM) & (y <= lower[0] + RIM)
    if height > RIM:
        return np.where(crossed, x, np.inf), np.where(crossed, x, -np.inf)
    low, high = min(one[1], two[1]), max(one[1], two[1])
    return np.where(crossed, low, np.inf), np.where(crossed, high, -np.inf)
