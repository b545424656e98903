"""Sections of volumes that are stored in thick chunks, kept for those who step through them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from uniem.data.geometry import Box

LAYER_BYTES = 128 << 20
LONGEST_STEP = 4
KEPT_LAYERS = 2  # those above and below the border between two chunks


class LayerCache:
    """Reads sections together with their neighbours in the same chunks, which are decoded anyway.

    It does so from the second step on; a section that is jumped to is read alone, since it is waited for.
    Chunks of 64 sections would otherwise be decoded 64 times on the way through them, unless all chunks of a
    section fit into TensorStore's own cache. Several threads may read at once.
    """

    def __init__(self, depth: int, itemsize: int, read: Callable[[Box], NDArray[Any]]) -> None:
        self._depth, self._itemsize, self._read = depth, itemsize, read
        self._layers: list[tuple[Box, NDArray[Any]]] = []
        self._last: int | None = None
        self._lock = threading.Lock()

    def read(self, box: Box, sections: int) -> NDArray[Any]:
        """Return the voxels of a box in a volume of so many sections."""
        with self._lock:
            last, self._last = self._last, box.start[0]
            for layer in self._layers:
                if layer[0].contains(box):
                    return layer[1][box.relative_to(layer[0].start).slices]
        around = None if last is None else self._around(box, sections, box.start[0] - last)
        if around is None:
            return self._read(box)
        voxels = self._read(around)
        voxels.flags.writeable = False
        with self._lock:
            self._layers = [(around, voxels), *self._layers[: KEPT_LAYERS - 1]]
        return voxels[box.relative_to(around.start).slices]

    def _around(self, box: Box, sections: int, step: int) -> Box | None:
        """Return a section with the neighbours to read along, those in the direction of the step first."""
        z = box.start[0]
        room = LAYER_BYTES // max(1, box.size * self._itemsize)
        if box.shape[0] != 1 or self._depth < 2 or room < 2 or abs(step) > LONGEST_STEP:
            return None
        first = z - z % self._depth
        stop = min(sections, first + self._depth)
        if stop - first > room:
            first, stop = (max(first, z + 1 - room), z + 1) if step < 0 else (z, min(stop, z + room))
        return Box((first, *box.start[1:]), (stop, *box.stop[1:]))
