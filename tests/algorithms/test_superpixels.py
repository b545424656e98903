"""Superpixels cover everything, are connected, about as large as asked for, and keep to edges."""

from __future__ import annotations

import cc3d
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from uniem.algorithms.superpixels import Relief, superpixels


@pytest.mark.parametrize("relief", list(Relief))
@pytest.mark.parametrize("shape", [(1, 70, 90), (12, 40, 50), (30, 1, 64), (1, 1, 9), (1, 1, 1)])
def test_they_are_a_partition_into_connected_parts(relief: Relief, shape: tuple[int, int, int]) -> None:
    gray = (gaussian_filter(np.random.default_rng(0).random(shape), 2) * 255).astype(np.uint8)
    spacing = (5.0, 1.0, 1.0)
    numbers = superpixels(gray, 10, spacing, relief)
    assert numbers.shape == shape
    cells = np.prod(
        [-(-n // max(1, round(10 / s))) if n > 1 else 1 for n, s in zip(shape, spacing, strict=True)]
    )
    assert np.array_equal(np.unique(numbers), np.arange(1, cells + 1))
    assert cc3d.connected_components(numbers, connectivity=6).max() == cells


@pytest.mark.parametrize(("relief", "inside"), [(Relief.EDGES, 80), (Relief.DARK_LINES, 200)])
def test_they_keep_to_what_they_follow(relief: Relief, inside: int) -> None:
    y, x = np.ogrid[:128, :128]
    distance = np.hypot(y - 60, x - 66)
    gray = np.where(distance < 40, inside, 200).astype(np.float64)
    if relief is Relief.DARK_LINES:
        gray[np.abs(distance - 40) < 2] = 60
    gray += np.random.default_rng(1).normal(0, 4, gray.shape)
    numbers = superpixels(gray[None].clip(0, 255).astype(np.uint8), 16, (1, 1, 1), relief)[0]
    for number in np.unique(numbers):
        share = np.mean(distance[(numbers == number) & (np.abs(distance - 40) > 3)] < 40)
        assert share in (0.0, 1.0) or np.isnan(share)
