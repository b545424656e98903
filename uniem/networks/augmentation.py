"""Changes to training patches that a network must learn to see through."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

# Gray values within 3 standard deviations of the mean are bent by gamma; what is darker stays black.
GAMMA_REACH = 3.0


class Augmentation(BaseModel):
    """Random changes to training patches."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    flips: bool = Field(True, description="Mirror patches left to right and top to bottom, at random.")
    transpose: bool = Field(True, description="Exchange rows and columns, at random.")
    brightness: float = Field(
        0.2, ge=0, le=2, description="Largest shift of gray values, in standard deviations."
    )
    contrast: float = Field(0.2, ge=0, lt=1, description="Largest stretch or squeeze of gray values.")
    gamma: float = Field(
        0.2, ge=0, lt=1, description="Largest change of the exponent that bends gray values."
    )


def augmented(
    image: NDArray[np.float32], truth: NDArray[Any], settings: Augmentation, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Return a changed patch and its truth, which moves likewise but keeps its values.

    The image is (y, x) float32, of mean 0 and standard deviation 1, and square; the truth is (y, x, ...).
    """
    # Every number is drawn in any case, so that a seed gives the same patches whatever is switched on.
    vertical, horizontal, exchange = rng.random(3) < 0.5
    shift, stretch, bend = rng.uniform(-1, 1, 3)
    if settings.flips:
        rows, columns = slice(None, None, -1 if vertical else 1), slice(None, None, -1 if horizontal else 1)
        image, truth = image[rows, columns], truth[rows, columns]
    if settings.transpose and exchange:
        image, truth = image.T, truth.swapaxes(0, 1)
    if settings.gamma:
        exponent = np.float32(np.exp(bend * np.log1p(settings.gamma)))
        unit = np.maximum(image + GAMMA_REACH, 0) / np.float32(2 * GAMMA_REACH)
        image = unit**exponent * np.float32(2 * GAMMA_REACH) - np.float32(GAMMA_REACH)
    image = image * np.float32(1 + stretch * settings.contrast) + np.float32(shift * settings.brightness)
    return image, truth
