"""Regions grown block by block are those that SciPy finds in one go."""

from __future__ import annotations

from unittest.mock import create_autospec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from uniem.algorithms import flood
from uniem.algorithms.flood import Region, grow_region
from uniem.data.geometry import Box
from uniem.progress import Cancelled, Context


def drawn(region: Region, bounds: Box) -> NDArray[np.bool_]:
    array = np.zeros(bounds.shape, bool)
    for box, mask in region.masks():
        array[box.relative_to(bounds.start).slices] |= mask
    return array


@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.65, 0.8]), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_region_winds_through_blocks(seed: int, share: float, is_flat: bool) -> None:
    rng = np.random.default_rng(seed)
    array = rng.random((1 if is_flat else 11, 30, 34)) < share
    offset = (2, 5, 7)
    bounds = Box.of_shape(array.shape).translated(offset)
    point = tuple(int(rng.integers(n)) for n in array.shape)
    start = tuple(p + o for p, o in zip(point, offset, strict=True))
    seeds = [Box(start, tuple(p + 1 for p in start))]
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(flood, "block_shape", lambda bounds: (4, 8, 8))
        patching.setattr(flood, "_CACHED_BLOCKS", 3)
        region = grow_region(seeds, lambda box: array[box.relative_to(offset).slices], bounds, 10**9)
    labels, _ = ndimage.label(array)
    expected = (labels == labels[point]) & array[point]
    assert np.array_equal(drawn(region, bounds), expected)
    assert region.voxels == np.count_nonzero(expected)
    assert region.is_complete


def test_growth_ends_at_the_limit_and_when_cancelled() -> None:
    bounds = Box.of_shape((64, 512, 512))
    visited: list[Box] = []

    def everywhere(box: Box) -> NDArray[np.bool_]:
        visited.append(box)
        return np.ones(box.shape, bool)

    region = grow_region([Box((0, 0, 0), (1, 1, 1))], everywhere, bounds, 3_000_000)
    assert not region.is_complete
    assert 3_000_000 < region.voxels < 3_000_000 + 16 * 256 * 256
    assert len(visited) == 3
    context = create_autospec(Context, instance=True)
    context.check_cancelled.side_effect = Cancelled
    with pytest.raises(Cancelled):
        grow_region([Box((0, 0, 0), (1, 1, 1))], everywhere, bounds, 10**9, context)
