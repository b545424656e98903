"""A voxel of a label: from the object table where there is one, else by looking through the volume."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.data.volume import Volume
from uniem.progress import Context
from uniem.proofreading.objects import ObjectTable

Factor = tuple[float, float, float]
# What is read at once of volumes that are not stored in blocks.
_PIECE = 8 << 20


def counted_voxel(objects: ObjectTable, volume: Volume, label: int) -> Triple | None:
    """Return a voxel of an object near the middle of the part of it in its middle block; None if it has none.

    Raises `UniemError` while the objects are being counted.
    """
    boxes = objects.boxes_of(label)
    if not boxes:
        return None
    box = boxes[len(boxes) // 2]
    return _voxel_in(volume.read(box), label, box.start)


def search_voxel(
    levels: Sequence[tuple[Volume, Factor, Triple]], label: int, context: Context
) -> Triple | None:
    """Look for a label and return one of its voxels, at full resolution; None if there is none.

    `levels`, finest first, each with how many voxels of the finest one of its own spans and what to read at
    once. Coarse ones are looked through first: what is large is found in them sooner.
    """
    finest = levels[0][0]
    work = [(level, _pieces(level[0], level[2])) for level in reversed(levels)]
    total, done = sum(len(pieces) for _, pieces in work), 0
    for (volume, factor, _), pieces in work:
        for piece in pieces:
            context.check_cancelled()
            found = _voxel_in(volume.read(piece), label, piece.start) if volume.has_data(piece) else None
            place = _finest(finest, found, factor, label) if found is not None else None
            if place is not None:
                return place
            done += 1
            context.progress(done, total, f"looking for label {label}")
    return None


def _voxel_in(array: NDArray[Any], label: int, start: Triple) -> Triple | None:
    places = np.argwhere(array == label)
    if not len(places):
        return None
    nearest = places[np.argmin(((places - places.mean(axis=0)) ** 2).sum(axis=1))]
    z, y, x = (int(a) + b for a, b in zip(nearest, start, strict=True))
    return (z, y, x)


def _finest(finest: Volume, coarse: Triple, factor: Factor, label: int) -> Triple | None:
    """Return the voxel of the finest level where a coarser one has the label."""
    start = [math.floor(place * f) for place, f in zip(coarse, factor, strict=True)]
    stop = [math.ceil((place + 1) * f) for place, f in zip(coarse, factor, strict=True)]
    box = Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))
    box = box.intersection(Box.of_shape(finest.shape))
    return _voxel_in(finest.read(box), label, box.start)


def _pieces(volume: Volume, shape: Triple) -> list[Box]:
    """Cut a volume into what is read at once, sections put together where they are small."""
    depth, height, width = shape
    while depth * height * width * 2 <= _PIECE and depth < volume.shape[0]:
        depth *= 2
    pieces = []
    for z in range(0, volume.shape[0], depth):
        for y in range(0, volume.shape[1], height):
            for x in range(0, volume.shape[2], width):
                stop = (min(z + depth, volume.shape[0]), min(y + height, volume.shape[1]))
                pieces.append(Box((z, y, x), (*stop, min(x + width, volume.shape[2]))))
    return pieces
