"""Brush strokes: exactly the pixels near the polyline, nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from uniem.algorithms.rasterise import disc_outline, disc_stroke


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
