"""Tiles of the volume itself, to calibrate 8-bit networks and to compare arithmetic with float32."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box, Triple
from uniem.data.volume import Volume
from uniem.networks.ensembles import Ensemble, Predictor
from uniem.networks.reflection import reflected
from uniem.networks.tiling import rounded_up

SIDE = 256
CALIBRATION_TILES = 32
# Tiles to compare on: one for so many voxels of the volume, so that it takes about a twentieth of the time.
VOXELS_PER_TILE, MOST_TILES = 20 * SIDE**2, 16
# Halton's sequence in these bases lies evenly along each axis, however many of its members are taken.
BASES_ZYX = (2, 3, 5)

Window = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far probabilities are from those in float32.

    Attributes
    ----------
    mean, largest : of the absolute differences.
    changed : share of the voxels that change the side of one half, or their class; None for gray values.
    tiles : how many were compared.
    """

    mean: float
    largest: float
    changed: float | None
    tiles: int

    def sentence(self, arithmetic: str) -> str:
        """Say it in words."""
        where = f"On {self.tiles} {'tile' if self.tiles == 1 else 'tiles'} of this volume"
        apart = f"by {self.mean:.2g} on average and {self.largest:.2g} at most"
        if self.changed is None:
            return f"{where} gray values in {arithmetic} differ from those in float32 {apart}, of 1."
        return (
            f"{where} probabilities in {arithmetic} differ from those in float32 {apart}; {self.changed:.2%} "
            "of the voxels are decided otherwise."
        )

    def results(self) -> dict[str, float]:
        """Return the numbers by name, for the record of a run."""
        found = {"mean_difference": self.mean, "largest_difference": self.largest}
        return found if self.changed is None else {**found, "decided_otherwise": self.changed}


def calibration_windows(ensemble: Ensemble, volumes: Sequence[Volume]) -> list[Window]:
    """Return tiles of volumes as networks see them; they depend on nothing else, and lie all over."""
    each = math.ceil(CALIBRATION_TILES / len(volumes))
    return [window for volume in volumes for window in _windows(ensemble, volume, 0, each)]


def compare(ensemble: Ensemble, volume: Volume, one: Predictor, other: Callable[[], Predictor]) -> Deviation:
    """Measure how far one predictor's answers are from another's, on tiles it was not calibrated on."""
    tiles = min(max(math.prod(volume.shape) // VOXELS_PER_TILE, 1), MOST_TILES)
    exact = other()
    total, largest, changed, values, voxels = 0.0, 0.0, 0, 0, 0
    for window in _windows(ensemble, volume, CALIBRATION_TILES, tiles):
        answer, truth = (each.probabilities(each.inputs([window])) for each in (one, exact))
        apart = np.abs(answer - truth)
        total, largest = total + float(apart.sum(dtype=np.float64)), max(largest, float(apart.max()))
        changed += int(np.count_nonzero(_decided(answer) != _decided(truth)))
        values, voxels = values + apart.size, voxels + apart[..., 0].size
    share = None if ensemble.record.task == "gray" else changed / voxels
    return Deviation(total / values, largest, share, tiles)


def _decided(probabilities: NDArray[np.float32]) -> NDArray[Any]:
    """Return on which side of a half a voxel is, or its most probable class."""
    if probabilities.shape[-1] == 1:
        return np.asarray(probabilities[..., 0] > 0.5)
    return np.asarray(probabilities.argmax(-1))


def _windows(ensemble: Ensemble, volume: Volume, first: int, number: int) -> list[Window]:
    """Return tiles with their margins, (y, x, sections), from the first to so many of an endless sequence."""
    side = tuple(min(SIDE, length) for length in volume.shape[1:])
    kept = tuple(rounded_up(length, ensemble.stride) for length in side)
    room = (volume.shape[0], volume.shape[1] - side[0] + 1, volume.shape[2] - side[1] + 1)
    corners = islice(_corners(room), first, first + number)
    return [_window(ensemble, volume, corner, (kept[0], kept[1])) for corner in corners]


def _corners(room: Triple) -> Iterator[Triple]:
    for number in count(1):
        z, y, x = (
            int(_radical_inverse(number, base) * length) for base, length in zip(BASES_ZYX, room, strict=True)
        )
        yield z, y, x


def _radical_inverse(number: int, base: int) -> float:
    """Return the digits of a number, mirrored at the point (Halton 1960, eq. 3)."""
    mirrored, share = 0.0, 1.0
    while number:
        number, digit = divmod(number, base)
        share /= base
        mirrored += digit * share
    return mirrored


def _window(ensemble: Ensemble, volume: Volume, corner: Triple, side: tuple[int, int]) -> Window:
    (z, y, x), margin, around = corner, ensemble.margin, ensemble.sections // 2
    layers = reflected(volume.shape[0], z - around, z + around + 1)
    rows = reflected(volume.shape[1], y - margin, y + side[0] + margin)
    columns = reflected(volume.shape[2], x - margin, x + side[1] + margin)
    axes = (layers, rows, columns)
    low = [int(axis.min()) for axis in axes]
    high = [int(axis.max()) + 1 for axis in axes]
    block = volume.read(Box((low[0], low[1], low[2]), (high[0], high[1], high[2])))
    seen = block[np.ix_(*(axis - start for axis, start in zip(axes, low, strict=True)))]
    return np.moveaxis(seen, 0, -1)
