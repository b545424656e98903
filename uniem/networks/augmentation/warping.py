"""Patches rotated, scaled, stretched, shifted, bent and mirrored, with their truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.networks.augmentation.settings import Augmentation

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Warp:
    """Where the pixels of a patch come from: positions relative to the corner of what is read.

    Attributes
    ----------
    offset_yx : from the patch's own corner to the corner of what is read.
    size_yx : how much is read.
    rows, columns : (side, side) float32 positions in what is read.
    """

    offset_yx: tuple[int, int]
    size_yx: tuple[int, int]
    rows: Floats
    columns: Floats

    def image(self, source: Floats) -> Floats:
        """Return the patch from what was read, (y, x, sections), interpolated linearly."""
        import cv2

        return np.stack(
            [self._remapped(source[..., i], cv2.INTER_LINEAR) for i in range(source.shape[2])], -1
        )

    def truth(self, source: Floats, is_gray: bool = False) -> Floats:
        """Return target and weight of the patch, (y, x, 2); the nearest ones, unless the target is gray."""
        import cv2

        # Labels are moved as bytes: there are at most 255 classes.
        target = (
            self._remapped(source[..., 0], cv2.INTER_LINEAR) if is_gray else self._nearest(source[..., 0])
        )
        return np.stack([target, self._nearest(source[..., 1])], -1)

    def _nearest(self, plane: Floats) -> Floats:
        import cv2

        return self._remapped(plane.astype(np.uint8), cv2.INTER_NEAREST).astype(np.float32)

    def _remapped(self, plane: NDArray[Any], how: int) -> NDArray[Any]:
        import cv2

        plane = np.ascontiguousarray(plane)
        moved = cv2.remap(plane, self.columns, self.rows, how, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(moved)


def warp_of(settings: Augmentation, side: int, rng: np.random.Generator) -> Warp | None:
    """Draw how a patch is warped; None where it stays as it is."""
    draws = rng.uniform(-1, 1, 5)
    is_warped = rng.random() < settings.warped
    geometry = settings.rotation, settings.scale, settings.aspect, settings.shift, settings.elastic
    if not is_warped or not any(geometry):
        return None
    angle = math.radians(settings.rotation) * draws[0]
    zoom = math.exp(-draws[1] * math.log1p(settings.scale))
    stretch = math.exp(draws[2] * math.log1p(settings.aspect) / 2)
    centred = np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2)
    y, x = centred[:, None] * np.float32(zoom * stretch), centred[None, :] * np.float32(zoom / stretch)
    cos, sin = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    middle = (side - 1) / 2
    rows = cos * y - sin * x + np.float32(middle + settings.shift * draws[3])
    columns = sin * y + cos * x + np.float32(middle + settings.shift * draws[4])
    if settings.elastic:
        rows = rows + _smooth(settings, side, rng)
        columns = columns + _smooth(settings, side, rng)
    top, left = math.floor(rows.min()), math.floor(columns.min())
    size = math.ceil(rows.max()) - top + 1, math.ceil(columns.max()) - left + 1
    return Warp((top, left), size, rows - np.float32(top), columns - np.float32(left))


def flipped(
    image: Floats, truth: Floats, settings: Augmentation, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Mirror and transpose a square patch, (y, x, sections), and its truth at random."""
    vertical, horizontal, exchange = rng.random(3) < 0.5
    if settings.flips:
        rows, columns = slice(None, None, -1 if vertical else 1), slice(None, None, -1 if horizontal else 1)
        image, truth = image[rows, columns], truth[rows, columns]
    if settings.transpose and exchange:
        image, truth = image.swapaxes(0, 1), truth.swapaxes(0, 1)
    return image, truth


def _smooth(settings: Augmentation, side: int, rng: np.random.Generator) -> Floats:
    """Return a smooth field of shifts: a coarse grid of random ones, interpolated (Ronneberger 2015)."""
    import cv2

    knots = max(3, math.ceil(side / settings.elastic_spacing) + 3)
    coarse = rng.standard_normal((knots, knots), np.float32) * np.float32(settings.elastic)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)
