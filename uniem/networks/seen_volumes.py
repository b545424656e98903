"""Volumes as a network sees them: cut across another axis, or with pixels of another size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.views import View
from uniem.data.volume import Volume

# Which axis of the volume becomes z, y and x of what is seen.
Axes = tuple[int, int, int]
ACROSS_Z, ACROSS_Y, ACROSS_X = (0, 1, 2), (1, 0, 2), (2, 0, 1)


def inverse(axes: Axes) -> Axes:
    """Return the axes that turn back what was turned."""
    back = [axes.index(axis) for axis in range(3)]
    return back[0], back[1], back[2]


class TurnedVolume(View):
    """A volume with its axes in another order."""

    def __init__(self, of: Volume, axes: Axes) -> None:
        size = of.voxel_size
        super().__init__(
            of, _turned(of.shape, axes), of.dtype, VoxelSize(*(size[a] for a in axes)) if size else None
        )
        self._axes = axes

    @property
    def chunk_shape(self) -> Triple:
        """What is best read together."""
        return _turned(self.of.chunk_shape, self._axes)

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box."""
        back = inverse(self._axes)
        return self.of.read(Box(_turned(box.start, back), _turned(box.stop, back))).transpose(self._axes)


class ResampledVolume(View):
    """A volume whose sections have another number of pixels, as float32.

    It is linear interpolation; where there are fewer pixels than before, each is the mean of those it covers,
    weighted by a triangle, so that fine structures do not become coarse ones. The corners stay in place.
    """

    def __init__(self, of: Volume, shape_yx: tuple[int, int]) -> None:
        size = of.voxel_size
        if size is not None:
            size = VoxelSize(
                size.z, *(s * a / b for s, a, b in zip(size[1:], of.shape[1:], shape_yx, strict=True))
            )
        super().__init__(of, (of.shape[0], *shape_yx), np.float32, size)

    @property
    def chunk_shape(self) -> Triple:
        """What is best read together."""
        chunk, pairs = self.of.chunk_shape, zip(self.shape[1:], self.of.shape[1:], strict=True)
        height, width = (max(1, c * new // old) for c, (new, old) in zip(chunk[1:], pairs, strict=True))
        return chunk[0], height, width

    def read(self, box: Box) -> NDArray[np.float32]:
        """Return the voxels of a box."""
        (z0, y0, x0), (z1, y1, x1) = box.start, box.stop
        rows = _Taps(self.of.shape[1], self.shape[1], y0, y1)
        columns = _Taps(self.of.shape[2], self.shape[2], x0, x1)
        source = self.of.read(Box((z0, rows.first, columns.first), (z1, rows.last, columns.last)))
        return np.stack([columns.applied(rows.applied(section).T).T for section in source])


class _Taps:
    """Which values along an axis each new value is made of, and by which weights."""

    def __init__(self, length: int, new_length: int, start: int, stop: int) -> None:
        step = length / new_length
        reach = max(step, 1.0)
        centres = (np.arange(start, stop) + 0.5) * step - 0.5
        lowest = np.floor(centres - reach).astype(np.intp) + 1
        taps = lowest[:, None] + np.arange(int(np.ceil(2 * reach)))
        weights = np.maximum(1 - np.abs(taps - centres[:, None]) / reach, 0)
        self._weights = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
        taps = np.clip(taps, 0, length - 1)
        self.first, self.last = int(taps.min()), int(taps.max()) + 1
        self._taps = taps - self.first

    def applied(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return new values, (new, n), of values, (old, n)."""
        new = np.zeros((len(self._taps), values.shape[1]), np.float32)
        for place in range(self._taps.shape[1]):
            new += values[self._taps[:, place]] * self._weights[:, place, None]
        return new


def _turned(triple: Triple, axes: Axes) -> Triple:
    return triple[axes[0]], triple[axes[1]], triple[axes[2]]
