"""An example of what a network takes and gives, for those who test it elsewhere."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.data.model_folder import ModelFolder, ModelRecord
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.networks.architectures import Architecture, read_network
from uniem.networks.backend import FLOAT32
from uniem.networks.engines import load_engine
from uniem.networks.normalisation import normalised

Floats = NDArray[np.float32]
# What is kept of a tile beside its margin, at least.
LEAST_KEPT = 64


def smallest_side(network: Architecture) -> int:
    """Return the smallest side of a tile, margins included, that is worth its computing."""
    return 2 * network.margin + math.ceil(LEAST_KEPT / network.stride) * network.stride


def gray_example(record: ModelRecord, image: Volume | None = None) -> Floats:
    """Return gray values, (1, y, x, sections): the middle of an image, or made up of soft spots.

    What is made up has the mean and the standard deviation of the training images.
    """
    network = read_network(record.architecture)
    side = smallest_side(network)
    if image is None:
        return _spots(record, side, network.sections)
    depth, height, width = image.shape
    if min(height, width) < side or depth < network.sections:
        raise UniemError(
            f"{image} is {depth} × {height} × {width}, but the example needs {network.sections} × {side} × "
            f"{side}.",
            "Name a larger image, or none.",
        )
    start = ((depth - network.sections) // 2, (height - side) // 2, (width - side) // 2)
    stop = (start[0] + network.sections, start[1] + side, start[2] + side)
    return np.ascontiguousarray(image.read(Box(start, stop)).transpose(1, 2, 0)[None], np.float32)


def probabilities_of(folder: ModelFolder, gray: Floats) -> Floats:
    """Return what Keras makes of gray values, (1, y, x, classes)."""
    compute = load_engine(folder, "keras", FLOAT32, 0)
    return compute(normalised(gray, folder.record.normalisation))


def _spots(record: ModelRecord, side: int, sections: int) -> Floats:
    """Return dark spots of many sizes on a bright ground, a little different in each section."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:side, :side]
    gray = rng.normal(0, 0.3, (side, side, sections))
    for _ in range(max(8, side * side // 2000)):
        (y, x), radius = rng.uniform(0, side, 2), rng.uniform(3, 16)
        distance = np.hypot(rows - y, columns - x)
        gray -= (1.5 / (1 + np.exp(np.clip(distance - radius, -30, 30))))[..., None]
    gray = (gray - gray.mean()) / gray.std()
    values = gray * record.normalisation.std + record.normalisation.mean
    return np.asarray(values[None], np.float32)
