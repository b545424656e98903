"""Guess what the numbers of a file mean, where it does not say."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.data.volume import Kind, Volume

SAMPLED_SECTIONS = 3
SAMPLED_EDGE = 1024
SAMPLED_ROWS = 256
# Tuned on 45 real volumes. Label maps: 0.90 to 1.00 of the neighbouring pixels are equal, and what differs
# jumps, so that the second difference is twice the first; images and probability maps lie below 1.7 there.
LABELS_EQUAL = 0.80
LABELS_JUMP = 1.85
# Probability maps, on a scale of 256: 0.37 to 0.88 of the pixels sit on the ends of the range (images: up to
# 0.14, but more where a section has a black rim), 0.36 to 0.81 of the neighbours are equal (images: up to
# 0.18), and still 0.067 to 0.155 of those that are not on the ends (which spots a noisy image with a rim).
PROBABILITY_ENDS = 0.2
PROBABILITY_EQUAL = 0.25
PROBABILITY_EQUAL_INSIDE = 0.05
DARK_END, BRIGHT_END = 2, 253


def guess_kind(volume: Volume, reachable: int | None = None) -> Kind:
    """Return the likely kind of a volume from its data type and a few of its first `reachable` sections."""
    if volume.dtype.kind == "b" or (volume.dtype.kind in "ui" and volume.dtype.itemsize >= 4):
        return Kind.LABELS
    sections = min(volume.shape[0], reachable or volume.shape[0])
    samples = [_sample(volume, z) for z in _sampled_sections(sections)]
    if volume.dtype.kind == "f":
        return _kind_of_floats(samples)
    if _looks_like_labels(samples):
        return Kind.LABELS
    return Kind.PROBABILITY if _looks_like_probability(samples) else Kind.IMAGE


def _sampled_sections(sections: int) -> list[int]:
    steps = 2 * SAMPLED_SECTIONS
    return sorted({(steps_done * sections) // steps for steps_done in range(1, steps, 2)})


def _sample(volume: Volume, z: int) -> NDArray[Any]:
    _, height, width = volume.shape
    y, x = max(0, (height - SAMPLED_EDGE) // 2), max(0, (width - SAMPLED_EDGE) // 2)
    sample: NDArray[Any] = volume.read(
        Box((z, y, x), (z + 1, min(height, y + SAMPLED_EDGE), min(width, x + SAMPLED_EDGE)))
    )[0]
    # Only neighbours along x are compared, so that some of the rows tell as much as all.
    return sample[:: max(1, len(sample) // SAMPLED_ROWS)]


def _kind_of_floats(samples: list[NDArray[Any]]) -> Kind:
    known = np.concatenate([sample[~np.isnan(sample)] for sample in samples])
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, np.inf)
    if not (low >= 0 and high <= 1):
        return Kind.IMAGE
    grey = [np.nan_to_num(sample * 255).astype(np.uint8) for sample in samples]
    return Kind.PROBABILITY if high == low or _looks_like_probability(grey) else Kind.IMAGE


def _looks_like_labels(samples: list[NDArray[Any]]) -> bool:
    steps = np.concatenate([np.abs(np.diff(s.astype(np.int64), axis=1)).ravel() for s in samples])
    bends = np.concatenate([np.abs(np.diff(s.astype(np.int64), n=2, axis=1)).ravel() for s in samples])
    if not steps.any():
        return True
    equal = float(np.mean(steps == 0))
    jump = float(bends.mean() / steps.mean()) if bends.size else 2.0
    return equal >= LABELS_EQUAL and jump >= LABELS_JUMP


def _looks_like_probability(samples: list[NDArray[Any]]) -> bool:
    pixels = np.concatenate([s.ravel() for s in samples])
    low, high = np.percentile(pixels, [0.5, 99.5])
    scale = 255.0 / max(1.0, float(high - low))
    grey = [np.clip((s.astype(np.float32) - low) * scale, 0, 255).astype(np.int16) for s in samples]
    left = np.concatenate([g[:, :-1].ravel() for g in grey])
    right = np.concatenate([g[:, 1:].ravel() for g in grey])
    ends = (left <= DARK_END) | (left >= BRIGHT_END)
    inside = ~ends & (right > DARK_END) & (right < BRIGHT_END)
    equal = left == right
    if not inside.any() or ends.mean() < PROBABILITY_ENDS:
        return False
    return bool(equal.mean() >= PROBABILITY_EQUAL and equal[inside].mean() >= PROBABILITY_EQUAL_INSIDE)
