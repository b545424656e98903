"""Filters against scipy, skimage and numpy, on thin and small sections too."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import threshold_otsu

from uniem.algorithms import filters
from uniem.algorithms.blockwise import filter_volume
from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError
from uniem.progress import Context

RNG = np.random.default_rng(1)


def image(shape: tuple[int, ...], dtype: Any) -> Any:
    if np.dtype(dtype).kind == "f":
        return (RNG.random(shape) * 255).astype(dtype)
    limits = np.iinfo(dtype)
    return RNG.integers(limits.min, limits.max, shape, dtype, endpoint=True)


@pytest.mark.parametrize("shape", [(40, 50), (1, 30), (30, 1), (1, 1), (5, 3)])
@pytest.mark.parametrize("sigma", [0.0, 0.6, 2.0, 7.0])
def test_gaussian_equals_scipy(shape: tuple[int, int], sigma: float) -> None:
    section = image(shape, np.float32)
    expected = ndimage.gaussian_filter(section.astype(float), sigma, mode="reflect")
    assert np.abs(filters.gaussian(section, sigma) - expected).max() < 1e-3
    bytes_ = section.astype(np.uint8)
    blurred = filters.gaussian(bytes_, sigma)
    assert blurred.dtype == np.uint8
    assert (
        np.abs(blurred - ndimage.gaussian_filter(bytes_.astype(float), sigma, mode="reflect")).max() < 0.501
    )


@pytest.mark.parametrize("shape", [(12, 20, 22), (1, 30, 31), (3, 2, 40), (1, 1, 1), (2, 40, 1)])
@pytest.mark.parametrize("sigma", [(2.0, 2.0, 2.0), (0.0, 3.0, 1.0), (4.0, 0.0, 0.0), (0.0, 0.0, 0.0)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_gaussian_3d_equals_scipy(shape: Any, sigma: Any, dtype: Any) -> None:
    block = image(shape, dtype)
    block.flags.writeable = False
    expected = ndimage.gaussian_filter(block.astype(float), sigma, mode="reflect")
    found = filters.gaussian_3d(block, sigma)
    assert found.dtype == dtype
    tolerance = {1: 0.501, 2: 0.6, 4: 1e-3}[np.dtype(dtype).itemsize]
    assert np.abs(found.astype(float) - expected).max() < tolerance
    assert not np.shares_memory(found, block)


def test_blocks_with_halo_equal_the_whole() -> None:
    block = image((40, 60, 50), np.float32)
    target = ArrayVolume(np.zeros_like(block))
    sigma = (1.0, 2.0, 3.0)
    filter_volume(
        lambda part: filters.gaussian_3d(part, sigma),
        ArrayVolume(block),
        target,
        halo=filters.gaussian_halo(sigma),
        context=Context(),
        max_voxels=7000,
    )
    assert np.abs(target.array - filters.gaussian_3d(block, sigma)).max() < 1e-4


@pytest.mark.parametrize("shape", [(64, 80), (1, 1), (3, 5), (13, 200)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_clahe(shape: tuple[int, int], dtype: Any) -> None:
    section = image(shape, dtype)
    found = filters.clahe(section, 2.0, 8)
    assert found.dtype == dtype
    assert found.shape == shape
    if np.dtype(dtype).kind == "u":
        assert np.array_equal(found, cv2.createCLAHE(2.0, (8, 8)).apply(section))
    else:
        assert section.min() <= found.min() <= found.max() <= section.max() + 1e-3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
def test_normalise(dtype: Any) -> None:
    section = np.array([[0, 10, 20, 30, 110, 120]], dtype)
    assert filters.normalise(section, 10, 110).tolist() == [[0, 0, 26, 51, 255, 255]]


def test_normalise_nan_and_empty_range() -> None:
    assert filters.normalise(np.array([[np.nan, np.inf, 1.0]], np.float32), 0, 2).tolist() == [[0, 255, 128]]
    with pytest.raises(UniemError, match="is empty"):
        filters.normalise(np.zeros((2, 2), np.uint8), 5, 5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int8, np.int16])
def test_grey_range_is_exact(dtype: Any) -> None:
    block = (image((5, 37, 41), np.float32) ** 2 / 1000).astype(dtype)
    expected = np.percentile(block, [1, 99], method="inverted_cdf")
    assert filters.grey_range(ArrayVolume(block), 1, 99, Context()) == tuple(expected)
    assert filters.grey_range(ArrayVolume(block), 0, 100, Context()) == (block.min(), block.max())


def test_grey_range_of_floats_and_constants() -> None:
    block = image((50, 100, 100), np.float32)
    block[0, 0, 0] = np.nan
    low, high = filters.grey_range(ArrayVolume(block), 1, 99, Context())
    assert np.allclose([low, high], np.nanpercentile(block, [1, 99]), atol=1.5)
    constant = ArrayVolume(np.full((2, 3, 4), 7, np.uint8))
    assert filters.grey_range(constant, 1, 99, Context()) == (7, 8)
    low, high = filters.grey_range(ArrayVolume(np.full((2, 3, 4), 0.1, np.float32)), 1, 99, Context())
    assert high > low


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_otsu(dtype: Any) -> None:
    two = np.concatenate([RNG.normal(60, 10, 40000), RNG.normal(170, 15, 20000)]).clip(0, 255)
    block = two.astype(dtype).reshape(6, 100, 100)
    level = filters.otsu_level(ArrayVolume(block), Context())
    mask = filters.threshold(block, level)
    assert mask.dtype == np.uint8
    if np.dtype(dtype).kind == "f":
        assert abs(level - threshold_otsu(block, 4096)) < 0.3
    else:
        assert np.array_equal(mask, block > threshold_otsu(block))
    assert filters.otsu_level(ArrayVolume(np.full((1, 2, 2), 9, dtype)), Context()) == 9


def test_threshold_between_whole_numbers() -> None:
    assert filters.threshold(np.array([[1, 2, 3]], np.uint8), 1.5).tolist() == [[0, 1, 1]]
    assert filters.threshold(np.array([[1, 2, 3]], np.uint8), -3).tolist() == [[1, 1, 1]]
    assert filters.threshold(np.array([[0.1, 0.6]], np.float32), 0.5).tolist() == [[0, 1]]


def test_unknown_dtype_is_named() -> None:
    with pytest.raises(UniemError, match="not int64"):
        filters.gaussian(np.zeros((3, 3), np.int64), 1)
