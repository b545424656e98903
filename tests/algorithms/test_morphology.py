"""Masks grow, shrink and smooth as the distances of all pairs of voxels say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from uniem.algorithms.morphology import grown, reach, shrunk, smoothed

SPACINGS = st.sampled_from([(1.0, 1.0, 1.0), (50.0, 5.0, 5.0), (4.0, 8.0, 16.0), (math.inf, 5.0, 7.0)])


def distances(mask: NDArray[np.bool_], spacing: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the distance of every voxel to the nearest one in the mask."""
    finite = np.array([s if s < math.inf else 1e9 for s in spacing])
    places = np.argwhere(mask) * finite
    grid = np.moveaxis(np.indices(mask.shape), 0, -1)[..., None, :] * finite
    if not len(places):
        return np.full(mask.shape, np.inf)
    nearest: NDArray[np.float64] = np.linalg.norm(grid - places, axis=-1).min(axis=-1)
    return nearest


@given(st.integers(0, 1000), st.sampled_from([0.02, 0.5, 0.98]), SPACINGS, st.sampled_from([4.0, 10.0, 24.0]))
@settings(max_examples=80, deadline=None)
def test_growing_and_shrinking(
    seed: int, share: float, spacing: tuple[float, float, float], radius: float
) -> None:
    mask = np.random.default_rng(seed).random((4, 9, 8)) < share
    assert np.array_equal(grown(mask, radius, spacing), distances(mask, spacing) <= radius)
    assert np.array_equal(shrunk(mask, radius, spacing), distances(~mask, spacing) > radius)


def test_smoothing_takes_off_what_is_small_and_keeps_flat_faces() -> None:
    mask = np.zeros((40, 40, 40), bool)
    mask[:, :, 20:] = True
    flat = mask.copy()
    mask[20, 20, 17:20] = True
    mask[5, 5, 20:22] = False
    mask[30, 30, 5] = True
    assert np.array_equal(smoothed(mask, 6, (1, 1, 1)), flat)


@pytest.mark.parametrize("change", [grown, shrunk, smoothed])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (6.0, 2.0, 3.0), (math.inf, 2.0, 3.0)])
def test_nothing_beyond_its_reach_matters(change, spacing) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    mask = rng.random((60, 60, 60)) < 0.5
    halo = reach(5.0, spacing)
    inner = tuple(slice(h, 60 - h) for h in halo)
    other = rng.random(mask.shape) < 0.5
    core = tuple(slice(2 * h, 60 - 2 * h) for h in halo)
    other[inner] = mask[inner]
    assert np.array_equal(change(mask, 5.0, spacing)[core], change(other, 5.0, spacing)[core])
