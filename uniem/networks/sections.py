"""The sections of one volume or of several, as one list."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.data.volume import Volume
from uniem.networks.reflection import reflected

CACHE_BYTES = 192 * 2**20
LARGEST_CACHED_SECTION = 64 * 2**20


class Sections:
    """Sections read part by part, which remember those used last; threads may share them.

    The sections of several volumes, which may differ in size, are numbered on; pictures that are no stack
    are volumes of one section each.
    """

    def __init__(self, volumes: Volume | Sequence[Volume], cache_bytes: int = CACHE_BYTES) -> None:
        self.volumes = (volumes,) if isinstance(volumes, Volume) else tuple(volumes)
        self._places = [(volume, z) for volume in self.volumes for z in range(volume.shape[0])]
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._room = cache_bytes

    def __len__(self) -> int:
        return len(self._places)

    def __str__(self) -> str:
        first = self.volumes[0].name or "The volume"
        return first if len(self.volumes) == 1 else f"{first} with {len(self.volumes) - 1} more"

    def whole(self, z: int) -> Box:
        """Return the box of a section."""
        height, width = self._places[z][0].shape[1:]
        return Box((z, 0, 0), (z + 1, height, width))

    def around(self, z: int, count: int) -> list[int]:
        """Return a section's number amid its neighbours'; at the ends of its volume these are mirrored."""
        volume, inside = self._places[z]
        first = inside - count // 2
        return [z - inside + int(other) for other in reflected(volume.shape[0], first, first + count)]

    def read(self, box: Box) -> NDArray[Any]:
        """Return a (y, x) part of one section, which the caller must not change."""
        z = box.start[0]
        volume, inside = self._places[z]
        section_bytes = volume.shape[1] * volume.shape[2] * volume.dtype.itemsize
        with self._lock:
            if section_bytes > min(LARGEST_CACHED_SECTION, self._room):
                there = Box((inside, *box.start[1:]), (inside + 1, *box.stop[1:]))
                part: NDArray[Any] = volume.read(there)[0]
                return part
            return self._section(z)[box.slices[1:]]

    def _section(self, z: int) -> NDArray[Any]:
        section = self._kept.pop(z, None)
        if section is None:
            volume, inside = self._places[z]
            section = np.asarray(volume[inside])
        self._kept[z] = section
        while sum(kept.nbytes for kept in self._kept.values()) > self._room:
            self._kept.popitem(last=False)
        return section
