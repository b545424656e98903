"""Which objects touch which."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from uniem.data.geometry import Box
from uniem.data.volume import Volume
from uniem.progress import Context


def neighbours(
    volume: Volume, label: int, boxes: Iterable[Box], context: Context | None = None
) -> frozenset[int]:
    """Return the objects that touch an object with a face of a voxel; its boxes hold all its voxels."""
    found: set[int] = set()
    whole = Box.of_shape(volume.shape)
    for box in boxes:
        (context or Context()).check_cancelled()
        array = volume.read(box.expanded((1, 1, 1)).intersection(whole))
        mask = array == label
        for axis in range(3):
            low, high = (_shifted(axis, part) for part in (slice(None, -1), slice(1, None)))
            for one, two in ((low, high), (high, low)):
                found.update(np.unique(array[two][mask[one]]).tolist())
    return frozenset(found - {0, label})


def _shifted(axis: int, part: slice) -> tuple[slice, ...]:
    return tuple(part if a == axis else slice(None) for a in range(3))
