"""Pictures of a section at the resolution of the screen: their cost follows the window, not the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.palette import TABLE_SIZE, slots_of
from uniem.gui.canvas.sections import Section

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Axis:
    """Which voxels a run of buffer pixels shows along one axis.

    Attributes
    ----------
    index : (n,) intp
        The voxel of each pixel.
    step : float
        Voxels per pixel: 1 when voxels are drawn larger than pixels, more when they are smaller.
    origin : float
        Where the first pixel starts, in voxels.
    """

    index: Index
    step: float
    origin: float

    @staticmethod
    def of_view(start: float, stop: float, scale: float, length: int) -> Axis:
        """Return the pixels for the voxels [start, stop) of `length`, at `scale` device pixels per voxel."""
        if scale >= 1:
            first, last = max(0, int(np.floor(start))), min(length, int(np.ceil(stop)))
            return Axis(np.arange(first, max(first, last), dtype=np.intp), 1.0, float(first))
        step = 1 / scale
        low = max(0, int(np.ceil((0 - start) * scale - 0.5)))
        high = min(int(np.ceil((stop - start) * scale)), int(np.ceil((length - start) * scale - 0.5)))
        places = start + (np.arange(low, max(low, high)) + 0.5) * step
        return Axis(np.clip(places.astype(np.intp), 0, length - 1), step, start + low * step)

    @property
    def stop(self) -> float:
        """Where the last pixel ends, in voxels."""
        return self.origin + self.step * len(self.index)

    def pixels_of(self, start: int, stop: int) -> tuple[int, int]:
        """Return the half-open range of pixels that show any voxel of [start, stop)."""
        low, high = np.searchsorted(self.index, (start, stop))
        return int(low), int(high)

    def cut(self, start: int, stop: int) -> Axis:
        """Return a run of the pixels."""
        return Axis(self.index[start:stop], self.step, self.origin + start * self.step)


@dataclass(frozen=True, slots=True)
class Grid:
    """Which voxel each pixel of a buffer shows."""

    rows: Axis
    columns: Axis

    @property
    def shape(self) -> tuple[int, int]:
        """The height and width of the buffer in pixels."""
        return len(self.rows.index), len(self.columns.index)

    @property
    def is_empty(self) -> bool:
        """Tell whether no voxel is in view."""
        return 0 in self.shape


def sample_nearest(section: Section, rows: Axis, columns: Axis) -> NDArray[Any]:
    """Return the voxel of each pixel."""
    array = section.array
    row_index = local_index(section, 0, rows.index)
    column_index = local_index(section, 1, columns.index)
    if len(row_index) == 0 or len(column_index) == 0:
        return array[:0, :0]
    left, right = int(column_index[0]), int(column_index[-1]) + 1
    if _is_run(row_index) and _is_run(column_index):
        return array[int(row_index[0]) : int(row_index[-1]) + 1, left:right]
    if right - left > 2 * len(column_index):
        # Whole rows would be copied for a few of their voxels.
        return array[np.ix_(row_index, column_index)]
    # `np.take` would first copy all of the part between left and right.
    return np.take(array[row_index, left:right], column_index - left, axis=1)


def local_index(section: Section, axis: int, places: Index) -> Index:
    """Return which rows (axis 0) or columns of a section's array show places of the reference."""
    factor, first, length = section.factors[axis], section.origin[axis], section.array.shape[axis]
    if factor != 1:
        places = (places / factor).astype(np.intp)
    return np.clip(places - first, 0, length - 1)


def sample_mean(section: Section, grid: Grid) -> NDArray[Any]:
    """Return the mean gray of each pixel's voxels, of at most 8 x 8 of them to bound the cost."""
    steps = [grid.rows.step / section.factors[0], grid.columns.step / section.factors[1]]
    if max(steps) <= 1 or section.array.dtype.name not in ("uint8", "uint16", "float32"):
        return sample_nearest(section, grid.rows, grid.columns)
    import cv2

    strides = [max(1, int(step / (4 if step < 8 else 2))) for step in steps]
    crop = section.array[_span(grid.rows, section, 0), _span(grid.columns, section, 1)]
    crop = crop[:: strides[0], :: strides[1]]
    steps = [step / stride for step, stride in zip(steps, strides, strict=True)]
    while max(halves := [2 if s >= 2 and n >= 2 else 1 for s, n in zip(steps, crop.shape, strict=True)]) == 2:
        # Whole halvings are OpenCV's fast path: 16 million voxels take about 1 ms.
        height, width = crop.shape[0] // halves[0], crop.shape[1] // halves[1]
        crop = cv2.resize(
            crop[: height * halves[0], : width * halves[1]], (width, height), interpolation=cv2.INTER_AREA
        )
        steps = [step / half for step, half in zip(steps, halves, strict=True)]
    height, width = grid.shape
    resized: NDArray[Any] = cv2.resize(crop, (width, height), interpolation=cv2.INTER_LINEAR)
    return resized


def to_gray(sample: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return the sample as 8-bit gray, `low` black and `high` white."""
    if sample.dtype == np.uint8 or sample.dtype == np.uint16:
        table = _gray(np.arange(np.iinfo(sample.dtype).max + 1, dtype=np.float32), low, high)
        return _looked_up(table, sample)
    return _gray(sample.astype(np.float32), low, high)


def percentile_range(section: NDArray[Any], low: float = 0.35, high: float = 99.65) -> tuple[float, float]:
    """Return the gray values between which nearly all voxels lie, from at most about a million of them."""
    stride = max(1, int(np.sqrt(section.size / 1e6)))
    sample = section[::stride, ::stride]
    if sample.dtype == np.bool_:
        sample = sample.view(np.uint8)
    finite = sample[np.isfinite(sample)] if sample.dtype.kind == "f" else sample
    if finite.size == 0:
        return 0.0, 1.0
    bottom, top = np.percentile(finite, (low, high))
    return float(bottom), float(max(top, bottom + (1e-6 if sample.dtype.kind == "f" else 1)))


def edges_only(labels: NDArray[Any]) -> NDArray[Any]:
    """Return the labels with 0 wherever all four neighbours are the same; the border counts as the same."""
    differs = np.zeros(labels.shape, dtype=bool)
    vertical, horizontal = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    differs[1:] |= vertical
    differs[:-1] |= vertical
    differs[:, 1:] |= horizontal
    differs[:, :-1] |= horizontal
    return np.where(differs, labels, 0)


def colour(labels: NDArray[Any], table: NDArray[np.uint32], out: NDArray[np.uint32]) -> None:
    """Write the ARGB colour of each label into `out`; the table is that of `uniem.data.palette`."""
    is_small = labels.dtype.itemsize <= 2 or labels.size == 0 or labels.max() < TABLE_SIZE
    slots = labels.astype(np.uint16) if is_small else slots_of(labels)
    # "clip" spares numpy the check of each index.
    out[...] = np.take(table, slots, mode="clip")


def _looked_up(table: NDArray[np.uint8], sample: NDArray[Any]) -> NDArray[np.uint8]:
    if sample.dtype != np.uint8 or sample.size == 0:
        return np.take(table, sample)
    import cv2

    found: Any = cv2.LUT(np.ascontiguousarray(sample), table)
    gray: NDArray[np.uint8] = found
    return gray


def _gray(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    scaled = (values - np.float32(low)) * np.float32(255 / max(high - low, 1e-12))
    return np.clip(np.nan_to_num(scaled), 0, 255).astype(np.uint8)


def _is_run(index: Index) -> bool:
    return int(index[-1]) - int(index[0]) + 1 == len(index) and (
        len(index) < 2 or int(index[1]) > int(index[0])
    )


def _span(axis: Axis, section: Section, number: int) -> slice:
    factor, length = section.factors[number], section.array.shape[number]
    first = min(max(0, round(axis.origin / factor) - section.origin[number]), length - 1)
    last = round(axis.stop / factor) - section.origin[number]
    return slice(first, max(first + 1, min(length, last)))
