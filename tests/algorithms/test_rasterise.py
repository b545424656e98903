"""Brush strokes: exactly the pixels near the polyline, nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from uniem.algorithms.rasterise import FillRule, disc_outline, disc_stroke, polygon_mask


def brute_force(
    points: Any, radius: float, shape: tuple[int, int], aspect: Any = (1, 1)
) -> NDArray[np.bool_]:
    scale = np.array(aspect, float) * radius
    grid = np.stack(np.mgrid[: shape[0], : shape[1]], axis=-1) / scale
    mask = np.zeros(shape, bool)
    points = np.array(points, float) / scale
    for a, b in zip(points, points[1:] if len(points) > 1 else points, strict=False):
        along = b - a
        t = np.clip(((grid - a) @ along) / max(along @ along, 1e-30), 0, 1)
        mask |= np.linalg.norm(grid - (a + t[..., None] * along), axis=-1) <= 1 + 1e-6 / scale.max()
    return mask


def drawn(points: Any, radius: float, shape: tuple[int, int], aspect: Any = (1, 1)) -> NDArray[np.bool_]:
    y0, x0, mask = disc_stroke(points, radius, shape, aspect)
    whole = np.zeros(shape, bool)
    whole[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]] = mask
    return whole


COORDINATE = st.integers(-8, 48)
POINTS = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=1, max_size=4)
RADII = st.sampled_from([0.5, 1, 1.5, 2, 2.5, 5, 7.3, 13])


@settings(max_examples=300, deadline=None)
@given(POINTS, RADII, st.sampled_from([(1, 1), (0.5, 1), (1, 0.1), (0.2, 1)]))
def test_equals_brute_force(points: Any, radius: float, aspect: Any) -> None:
    shape = (40, 36)
    expected, found = brute_force(points, radius, shape, aspect), drawn(points, radius, shape, aspect)
    # Two formulas may disagree only on pixel centres that lie on the rim itself.
    bigger = brute_force(points, radius * (1 + 1e-5), shape, aspect)
    smaller = brute_force(points, radius * (1 - 1e-5), shape, aspect)
    assert not np.any(found & ~bigger)
    assert not np.any(smaller & ~found)
    assert np.count_nonzero(expected ^ found) == np.count_nonzero((expected ^ found) & bigger & ~smaller)


def test_smallest_dabs() -> None:
    assert disc_stroke([(3, 4)], 0.5, (10, 10))[2].tolist() == [[True]]
    y0, x0, mask = disc_stroke([(3, 4)], 1, (10, 10))
    assert (y0, x0, mask.astype(int).tolist()) == (2, 3, [[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    assert np.count_nonzero(disc_stroke([(9, 9)], 5, (99, 99))[2]) == 81


@settings(max_examples=100, deadline=None)
@given(st.tuples(st.integers(0, 39), st.integers(0, 39)), st.tuples(st.integers(0, 39), st.integers(0, 39)))
def test_thin_lines_have_no_gaps(start: tuple[int, int], stop: tuple[int, int]) -> None:
    import cc3d

    mask = drawn([start, stop], 0.5, (40, 40))
    assert mask[start]
    assert mask[stop]
    assert cc3d.connected_components(mask, connectivity=8).max() == 1


def test_cropped_and_missed() -> None:
    assert disc_stroke([(-20, 5)], 3, (10, 10))[2].size == 0
    y0, x0, mask = disc_stroke([(0, 9)], 3, (10, 10))
    assert (y0, x0, mask.shape) == (0, 6, (4, 4))


@pytest.mark.parametrize("aspect", [(1.0, 1.0), (0.1, 1.0), (1.0, 0.25)])
@pytest.mark.parametrize("radius", [0.5, 1, 2.5, 10, 33.3])
def test_outline_encloses_the_dab(radius: float, aspect: tuple[float, float]) -> None:
    outline = disc_outline(radius, aspect)
    y0, x0, mask = disc_stroke([(50, 50)], radius, (101, 101), aspect)
    y, x = outline[:-1].T
    area = 0.5 * abs(np.dot(y, np.roll(x, -1)) - np.dot(x, np.roll(y, -1)))
    assert area == np.count_nonzero(mask)
    assert np.array_equal(outline[0], outline[-1])
    assert (y.min() + 50, x.min() + 50) == (y0 - 0.5, x0 - 0.5)
    assert np.all(np.count_nonzero(np.diff(outline, axis=0), axis=1) == 1)


def hull_of_discs(
    points: Any, radii: list[float], shape: tuple[int, int], aspect: Any, slack: float
) -> NDArray[np.bool_]:
    """Try many discs between each two, their radii growing by `slack`."""
    grid = np.stack(np.mgrid[: shape[0], : shape[1]], axis=-1) / np.array(aspect)
    mask = np.zeros(shape, bool)
    places = np.array(points, float) / np.array(aspect)
    for i in range(max(1, len(points) - 1)):
        j = min(i + 1, len(points) - 1)
        for t in np.linspace(0, 1, 400):
            centre, radius = places[i] * (1 - t) + places[j] * t, radii[i] * (1 - t) + radii[j] * t
            mask |= np.linalg.norm(grid - centre, axis=-1) <= radius + slack
    return mask


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(COORDINATE, COORDINATE, st.sampled_from([0.5, 1, 4, 9.5, 13])), min_size=1, max_size=3
    ),
    st.sampled_from([(1, 1), (0.1, 1), (1, 0.5)]),
)
def test_the_radius_may_change_along_a_stroke(points: Any, aspect: Any) -> None:
    shape, places, radii = (40, 36), [p[:2] for p in points], [p[2] for p in points]
    y0, x0, mask = disc_stroke(places, radii, shape, aspect)
    found = np.zeros(shape, bool)
    found[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]] = mask
    assert not np.any(found & ~hull_of_discs(places, radii, shape, aspect, 0.2))
    assert not np.any(hull_of_discs(places, radii, shape, aspect, -1e-5) & ~found)


def winding(points: Any, y: float, x: float) -> int:
    """Count the turns of a polygon around a point by its edges that cross the ray to the left."""
    turns = 0
    for (y0, x0), (y1, x1) in zip(points, [*points[1:], points[0]], strict=True):
        if (y0 <= y) != (y1 <= y) and x0 + (y - y0) * ((x1 - x0) / (y1 - y0)) <= x:
            turns += 1 if y1 > y0 else -1
    return turns


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(-20, 100).map(lambda i: i / 4)] * 2), min_size=1, max_size=9),
    st.sampled_from(["non-zero", "even-odd"]),
)
def test_a_polygon_holds_the_centres_it_winds_around(points: Any, rule: FillRule) -> None:
    found = polygon_mask(points, (2, 3), (20, 19), rule)
    turns = np.array([[winding(points, y, x) for x in range(3, 19)] for y in range(2, 20)])
    assert np.array_equal(found, turns != 0 if rule == "non-zero" else turns % 2 == 1)
