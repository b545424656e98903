"""Filters of sections and blocks, and the grey levels they need from a whole volume."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.blockwise import boxes, map_blocks
from uniem.data.geometry import Box, Triple
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.progress import Context

# A histogram comes back from OpenCV as float32, which counts exactly up to here.
EXACT_COUNT = 1 << 24
SAMPLED_SECTIONS = 32
SAMPLES_PER_SECTION = 1 << 18
FLOAT_BINS = 1 << 16


def gaussian(section: NDArray[Any], sigma: float) -> NDArray[Any]:
    """Blur a (y, x) section by a Gaussian of `sigma` pixels, cut at 4 sigma, mirrored at the borders.

    The dtype stays. Equals scipy's `gaussian_filter(mode="reflect")` rounded: OpenCV's own blur of whole
    numbers is up to a fifth faster, but its 8-bit weights leave errors of more than one grey level.
    """
    _check_dtype(section, "u1 u2 i2 f4 f8")
    size = 2 * _radius(sigma) + 1
    if size == 1 or section.size == 0:
        return section.copy()
    return _rounded(_blur(np.ascontiguousarray(section), (size, size), (sigma, sigma)), section.dtype)


def clahe(section: NDArray[Any], clip_limit: float, tiles: int) -> NDArray[Any]:
    """Equalise the contrast of a (y, x) section locally, in tiles x tiles tiles; the dtype stays.

    Contrast-limited adaptive histogram equalisation (Zuiderveld 1994) by OpenCV for uint8 and uint16.
    Floating-point sections go through 16 bits between their own extremes. With 16 bits OpenCV spreads a tile
    over 65536 bins, so small tiles hardly meet the clip limit; equalise 8-bit data where noise must stay low.
    """
    import cv2

    _check_dtype(section, "u1 u2 f4 f8")
    if section.size == 0:
        return section.copy()
    filter_ = cv2.createCLAHE(clipLimit=clip_limit, tileGridSize=(tiles, tiles))
    if section.dtype.kind == "u":
        return np.asarray(filter_.apply(np.ascontiguousarray(section)))
    low, high = float(section.min()), float(section.max())
    if not high > low:
        return section.copy()
    scale = 65535 / (high - low)
    levels = np.rint((section - low) * scale).astype(np.uint16)
    return (np.asarray(filter_.apply(levels)) / scale + low).astype(section.dtype)


def normalise(section: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Stretch the greys from `low` to `high` over 0 to 255 (uint8), clipping the rest; NaN becomes 0."""
    import cv2

    if not high > low:
        raise UniemError(
            f"The grey range {low:g} to {high:g} is empty.", "Choose a high level above the low one."
        )
    if section.dtype in (np.uint8, np.uint16):
        greys = np.arange(np.iinfo(section.dtype).max + 1, dtype=np.float64)
        lookup = _stretch(greys, low, high).astype(np.uint8)
        if section.dtype == np.uint16:
            return np.asarray(lookup[section])
        return np.asarray(cv2.LUT(np.ascontiguousarray(section), lookup), np.uint8).reshape(section.shape)
    precise = np.float32 if section.dtype.itemsize <= 4 and section.dtype.kind == "f" else np.float64
    stretched = _stretch(section.astype(precise), low, high)
    return np.asarray(np.nan_to_num(stretched, copy=False, nan=0.0), np.uint8)


def threshold(section: NDArray[Any], level: float) -> NDArray[np.uint8]:
    """Return 1 where an array is above `level`, else 0, as uint8."""
    whole = section.dtype.kind in "ui" and math.isfinite(level)
    return np.asarray(section > (math.floor(level) if whole else level)).view(np.uint8)


def gaussian_halo(sigma_zyx: tuple[float, float, float]) -> Triple:
    """Return how many voxels `gaussian_3d` looks beyond a block."""
    return _radius(sigma_zyx[0]), _radius(sigma_zyx[1]), _radius(sigma_zyx[2])


def gaussian_3d(block: NDArray[Any], sigma_zyx: tuple[float, float, float]) -> NDArray[Any]:
    """Blur a (z, y, x) block by a Gaussian, cut at 4 sigma, mirrored at the borders; the dtype stays.

    Computed in float32 (float64 for float64) by OpenCV, sections first, columns next; whole numbers are
    rounded at the end. Equals scipy's `gaussian_filter(mode="reflect")` within 1e-3 grey levels.
    """
    _check_dtype(block, "u1 u2 i2 f4 f8")
    if block.size == 0:
        return block.copy()
    depth, height, width = block.shape
    size_z, size_y, size_x = (2 * radius + 1 for radius in gaussian_halo(sigma_zyx))
    result = np.ascontiguousarray(block)
    if size_y > 1 or size_x > 1:
        blurred = np.empty(block.shape, _precise(block.dtype))
        for section, target in zip(result, blurred, strict=True):
            _blur(section, (size_x, size_y), (sigma_zyx[2], sigma_zyx[1]), target)
        result = blurred
    if size_z > 1:
        columns = result.reshape(depth, height * width)
        result = _blur(columns, (1, size_z), (0.0, sigma_zyx[0])).reshape(block.shape)
    return block.copy() if np.shares_memory(result, block) else _rounded(result, block.dtype)


def histogram(volume: Volume, context: Context) -> tuple[NDArray[np.int64], int]:
    """Count every grey level of an 8- or 16-bit volume exactly; return the counts and the first level."""
    import cv2

    bits = 8 * volume.dtype.itemsize
    if volume.dtype.kind not in "ui" or bits > 16:
        raise UniemError(f"{volume} has no exact histogram.", "Convert it to 8 or 16 bits.")
    signed = volume.dtype.kind == "i"
    levels = 1 << bits

    def count(box: Box) -> NDArray[np.int64]:
        array = np.ascontiguousarray(volume.read(box)).reshape(-1).view(f"u{bits // 8}")
        pixels = array ^ array.dtype.type(levels // 2) if signed else array
        found = cv2.calcHist([pixels[None]], [0], None, [levels], [0, levels])
        return np.asarray(found).ravel().astype(np.int64)

    total = np.zeros(levels, np.int64)
    for counts in map_blocks(count, boxes(volume.shape, EXACT_COUNT), context, "grey levels"):
        total += counts
    return total, -(levels // 2) if signed else 0


def grey_range(
    volume: Volume, low_percentile: float, high_percentile: float, context: Context
) -> tuple[float, float]:
    """Return the grey levels at two percentiles of a volume of any size; the second exceeds the first.

    8- and 16-bit volumes: exact, the least level that at least so many voxels do not exceed. Others: from up
    to 262,144 voxels of each of up to 32 evenly spaced sections, not counting NaN and infinities.
    """
    if volume.dtype.kind in "ui" and volume.dtype.itemsize <= 2:
        counts, first = histogram(volume, context)
        reached = np.cumsum(counts)
        wanted = np.array([low_percentile, high_percentile]) / 100 * reached[-1]
        low, high = (np.searchsorted(reached, np.maximum(wanted, 1), side="left") + first).tolist()
    else:
        samples = _samples(volume, context)
        if not samples.size:
            raise UniemError(f"{volume} holds no finite voxels.", "Check the file it was read from.")
        low, high = np.percentile(samples, [low_percentile, high_percentile]).tolist()
    if high > low:
        return float(low), float(high)
    return float(low), float(np.nextafter(np.float32(low), np.float32(np.inf))) if low % 1 else float(low) + 1


def otsu_level(volume: Volume, context: Context) -> float:
    """Return the level that best divides the greys of a volume in two; foreground is what lies above it.

    Otsu (1979), from every voxel: by grey level for 8- and 16-bit volumes, in 65536 bins between the extremes
    for others.
    """
    if volume.dtype.kind in "ui" and volume.dtype.itemsize <= 2:
        counts, first = histogram(volume, context)
        return float(_otsu_bin(counts) + first)
    low, high = _extremes(volume, context)
    if not high > low:
        return low
    counts = np.zeros(FLOAT_BINS, np.int64)

    def count(box: Box) -> NDArray[np.int64]:
        array = np.asarray(volume.read(box), np.float64)
        return np.histogram(array[np.isfinite(array)], FLOAT_BINS, (low, high))[0].astype(np.int64)

    for found in map_blocks(count, boxes(volume.shape), context, "grey levels"):
        counts += found
    return low + (_otsu_bin(counts) + 1) * (high - low) / FLOAT_BINS


def _otsu_bin(counts: NDArray[np.int64]) -> int:
    """Return the last bin of the darker class."""
    below = np.cumsum(counts).astype(np.float64)
    moment = np.cumsum(counts * np.arange(len(counts), dtype=np.float64))
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        means = moment / below - (moment[-1] - moment) / above
    variance = np.where((below > 0) & (above > 0), below * above * means**2, -1.0)
    if variance.max() < 0:  # A single grey level: nothing lies above it.
        return int(np.flatnonzero(counts)[0]) if counts.any() else 0
    return int(np.argmax(variance))


def _extremes(volume: Volume, context: Context) -> tuple[float, float]:
    def extremes(box: Box) -> tuple[float, float]:
        array = volume.read(box)
        finite = array[np.isfinite(array)]
        return (float(finite.min()), float(finite.max())) if finite.size else (math.inf, -math.inf)

    low, high = math.inf, -math.inf
    for found in map_blocks(extremes, boxes(volume.shape), context, "grey range"):
        low, high = min(low, found[0]), max(high, found[1])
    if low > high:
        raise UniemError(f"{volume} holds no finite voxels.", "Check the file it was read from.")
    return low, high


def _samples(volume: Volume, context: Context) -> NDArray[np.float64]:
    depth, height, width = volume.shape
    sections = np.unique(np.linspace(0, depth - 1, min(depth, SAMPLED_SECTIONS)).round().astype(int))

    def sample(z: int) -> NDArray[np.float64]:
        rows = max(1, (1 << 22) // max(1, width))
        strips = [Box((z, y, 0), (z + 1, min(y + rows, height), width)) for y in range(0, height, rows)]
        step = max(1, height * width // SAMPLES_PER_SECTION)
        parts = [np.asarray(volume.read(strip)).ravel()[::step] for strip in strips]
        found = np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)
        return found[np.isfinite(found)]

    found = list(map_blocks(sample, [int(z) for z in sections], context, "grey levels"))
    return np.concatenate(found) if found else np.zeros(0)


def _blur(
    image: NDArray[Any],
    size_xy: tuple[int, int],
    sigma_xy: tuple[float, float],
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    import cv2

    kernels = [_kernel(size, sigma) for size, sigma in zip(size_xy, sigma_xy, strict=True)]
    if out is None:
        out = np.empty(image.shape, _precise(image.dtype))
    depth = cv2.CV_64F if out.dtype == np.float64 else cv2.CV_32F
    cv2.sepFilter2D(image, depth, kernels[0], kernels[1], dst=out, borderType=cv2.BORDER_REFLECT)
    return out


def _precise(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.float64 if dtype == np.float64 else np.float32)


def _rounded(array: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Convert a scratch array to a dtype, rounding to whole numbers where it holds such."""
    if dtype.kind in "ui":
        limits = np.iinfo(dtype)
        np.clip(np.rint(array, out=array), limits.min, limits.max, out=array)
    return array.astype(dtype, copy=False)


def _kernel(size: int, sigma: float) -> NDArray[np.float64]:
    if size == 1:
        return np.ones(1)
    weights = np.exp(-0.5 * (np.arange(size) - size // 2) ** 2 / sigma**2)
    return np.asarray(weights / weights.sum())


def _radius(sigma: float) -> int:
    return int(4 * max(0.0, sigma) + 0.5)


def _stretch(greys: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    greys -= low
    greys *= 255 / (high - low)
    return np.clip(np.rint(greys, out=greys), 0, 255, out=greys)


def _check_dtype(array: NDArray[Any], codes: str) -> None:
    known = [np.dtype(code) for code in codes.split()]
    if array.dtype not in known:
        names = ", ".join(str(dtype) for dtype in known)
        raise UniemError(
            f"This filter takes {names}, not {array.dtype}.", "Convert or normalise the volume first."
        )
