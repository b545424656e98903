"""Shapes between shapes: distances of all pairs of pixels say which pixels belong to them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from uniem.algorithms.shape_interpolation import shapes_between, signed_distance

SHAPE = (17, 21)


def obvious_distance(mask: NDArray[np.bool_], spacing: tuple[float, float]) -> NDArray[np.float64]:
    grid = np.moveaxis(np.indices(mask.shape), 0, -1)[:, :, None] * spacing
    to_inside, to_outside = (
        np.linalg.norm(grid - np.argwhere(m) * spacing, axis=-1).min(axis=-1) for m in (mask, ~mask)
    )
    signed: NDArray[np.float64] = to_outside - to_inside
    return signed


def patch(seed: int) -> NDArray[np.bool_]:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).random(SHAPE), 2)
    return np.asarray(noise > np.quantile(noise, 0.7))


@given(st.integers(0, 500), st.integers(1, 4), st.sampled_from([(1.0, 1.0), (50.0, 5.0), (4.0, 9.0)]))
@settings(max_examples=40, deadline=None)
def test_the_mean_of_signed_distances_is_positive(
    seed: int, count: int, spacing: tuple[float, float]
) -> None:
    first, second = patch(seed), patch(seed + 1)
    near, far = (obvious_distance(np.pad(mask, 1), spacing)[1:-1, 1:-1] for mask in (first, second))
    assert np.allclose(signed_distance(np.pad(first, 1), spacing)[1:-1, 1:-1], near, atol=1e-3)
    shapes = list(shapes_between(first, second, count, spacing, follow_centroid=False))
    assert len(shapes) == count
    for i, shape in enumerate(shapes, 1):
        mean = near * (1 - i / (count + 1)) + far * i / (count + 1)
        clear = np.abs(mean) > 1e-3
        assert np.array_equal(shape[clear], (mean > 0)[clear])


def test_a_shape_that_wanders_keeps_its_form() -> None:
    first, second = np.zeros((60, 80), bool), np.zeros((60, 80), bool)
    first[5:15, 5:17] = True
    second[35:45, 53:65] = True
    assert not any(shape.any() for shape in shapes_between(first, second, 5, follow_centroid=False))
    for i, shape in enumerate(shapes_between(first, second, 5), 1):
        expected = np.zeros_like(first)
        expected[5 + 5 * i : 15 + 5 * i, 5 + 8 * i : 17 + 8 * i] = True
        assert np.array_equal(shape, expected)


def test_shapes_change_size_steadily() -> None:
    y, x = np.ogrid[:120, :120]
    first, second = np.hypot(y - 60, x - 60) <= 10, np.hypot(y - 60, x - 60) <= 50
    radii = [np.sqrt(np.count_nonzero(shape) / np.pi) for shape in shapes_between(first, second, 3)]
    assert radii == pytest.approx([20, 30, 40], abs=0.7)
