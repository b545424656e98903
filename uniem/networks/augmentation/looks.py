"""Patches whose gray values change: brightness, contrast, gamma, noise, blur, and faults of sections."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from uniem.networks.augmentation.settings import Augmentation

Floats = NDArray[np.float32]

# Gray values within 3 standard deviations of the mean are bent by gamma; what is darker stays black.
GAMMA_REACH = np.float32(3.0)
FAINTEST_BLUR = 0.2
# A fold hides at most this share of a patch.
WIDEST_FOLD = 1 / 8


def changed_looks(
    image: Floats, truth: Floats, settings: Augmentation, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return a patch, (y, x, sections) of mean 0 and standard deviation 1, and its truth, changed."""
    # Every number is drawn in any case, so that a seed gives the same patches whatever is switched on.
    shift, stretch, bend = rng.uniform(-1, 1, 3)
    noise, blur, is_missing, is_misaligned = rng.random(4)
    faults = rng.random(4)
    if is_misaligned < settings.misaligned:
        image, truth = _misaligned(image, truth, settings.misalignment, faults)
    image = _blurred(image, settings.blur * blur)
    if settings.gamma:
        exponent = np.float32(np.exp(bend * np.log1p(settings.gamma)))
        unit = np.maximum(image + GAMMA_REACH, 0) / (2 * GAMMA_REACH)
        image = unit**exponent * (2 * GAMMA_REACH) - GAMMA_REACH
    image = image * np.float32(1 + stretch * settings.contrast) + np.float32(shift * settings.brightness)
    if settings.noise:
        image = image + rng.standard_normal(image.shape, np.float32) * np.float32(noise * settings.noise)
    if is_missing < settings.missing:
        image = _with_a_gap(image, faults)
    return image, truth


def _blurred(image: Floats, sigma: float) -> Floats:
    import cv2

    if sigma < FAINTEST_BLUR:
        return image
    mirrored = cv2.BORDER_REFLECT_101
    planes = [
        cv2.GaussianBlur(np.ascontiguousarray(image[..., i]), (0, 0), sigma, borderType=mirrored)
        for i in range(image.shape[2])
    ]
    return np.stack(planes, -1)


def _with_a_gap(image: Floats, draws: NDArray[np.float64]) -> Floats:
    """Take away a section that is not the middle one, or a strip of the only one."""
    image = image.copy()
    if image.shape[2] > 1:
        image[..., _neighbour(image.shape[2], draws[0])] = 0
        return image
    side = image.shape[0]
    width = max(1, int(draws[1] * WIDEST_FOLD * side))
    first = int(draws[2] * (side - width + 1))
    level = image.min() if draws[3] < 0.5 else image.max()
    if draws[0] < 0.5:
        image[first : first + width] = level
    else:
        image[:, first : first + width] = level
    return image


def _misaligned(
    image: Floats, truth: Floats, largest: float, draws: NDArray[np.float64]
) -> tuple[Floats, Floats]:
    """Shift a section that is not the middle one, or what lies below a line of the only one."""
    reach_y, reach_x = (round((2 * float(draw) - 1) * largest) for draw in draws[:2])
    image, truth = image.copy(), truth.copy()
    if image.shape[2] > 1:
        place = _neighbour(image.shape[2], draws[2])
        image[..., place] = _shifted(image[..., place], reach_y, reach_x)
        return image, truth
    line = int(draws[2] * image.shape[0])
    image[line:], truth[line:] = _shifted(image[line:], 0, reach_x), _shifted(truth[line:], 0, reach_x)
    return image, truth


def _neighbour(sections: int, draw: float) -> int:
    """Return a section other than the middle one."""
    others = [place for place in range(sections) if place != sections // 2]
    return others[int(draw * len(others))]


def _shifted(array: Floats, by_y: int, by_x: int) -> Floats:
    """Return an array, (y, x, ...), shifted; what comes in is mirrored."""
    pad_y, pad_x = min(abs(by_y), array.shape[0] - 1), min(abs(by_x), array.shape[1] - 1)
    if array.shape[0] == 0 or not (pad_y or pad_x):
        return array
    widths = [(pad_y, pad_y), (pad_x, pad_x), *[(0, 0)] * (array.ndim - 2)]
    padded = np.pad(array, widths, mode="reflect")
    top, left = (0 if by_y > 0 else 2 * pad_y), (0 if by_x > 0 else 2 * pad_x)
    return padded[top : top + array.shape[0], left : left + array.shape[1]]
