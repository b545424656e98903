"""Gray values of any type as network inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.data.model_folder import Normalisation
from uniem.errors import UniemError
from uniem.networks.sections import Sections
from uniem.networks.survey import bands
from uniem.progress import Context

MOST_BOXES_FOR_STATISTICS = 32


def measure_normalisation(image: Sections, boxes: Sequence[Box], context: Context) -> Normalisation:
    """Return mean and standard deviation of the gray values in boxes; of many, 32 are measured."""
    if len(boxes) > MOST_BOXES_FOR_STATISTICS:
        chosen = np.linspace(0, len(boxes) - 1, MOST_BOXES_FOR_STATISTICS).round().astype(int)
        boxes = [boxes[i] for i in chosen]
    number, total, squares = 0, 0.0, 0.0
    for box in context.track(boxes, "Measuring gray values"):
        for band in bands(box):
            values = image.read(band).astype(np.float64)
            number += values.size
            total += float(values.sum())
            squares += float(np.square(values).sum())
    mean = total / number
    std = float(np.sqrt(max(squares / number - mean**2, 0.0)))
    if not np.isfinite(mean + std):
        raise UniemError(
            f"{image} holds values that are no numbers (NaN or infinite).", "Convert it to 8 or 16 bit first."
        )
    if std <= 1e-6 * max(abs(mean), 1e-6):
        raise UniemError(
            f"{image} has the same gray value everywhere that is annotated.",
            "Choose the image that the labels were painted on.",
        )
    return Normalisation(mean=mean, std=std)


def normalised(gray: NDArray[Any], normalisation: Normalisation) -> NDArray[np.float32]:
    """Return gray values of any type as float32 network inputs."""
    shifted = gray.astype(np.float32) - np.float32(normalisation.mean)
    return np.asarray(shifted / np.float32(normalisation.std), np.float32)
