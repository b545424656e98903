"""Two real neurons made one object are split again where the membrane between them is."""

from __future__ import annotations

from pathlib import Path

import edt
import numpy as np

from uniem.data.formats import open_volume
from uniem.data.geometry import Box, VoxelSize
from uniem.data.volume import ArrayVolume
from uniem.proofreading.tools.plane import Point
from uniem.proofreading.tools.split import split_by_seeds

from .edited import carry_out, volume_of

FIRST, SECOND = 81, 174


def deepest(mask: np.ndarray) -> Point:
    z, y, x = np.unravel_index(edt.edt(np.ascontiguousarray(mask)).argmax(), mask.shape)
    return (float(z), float(y), float(x))


def test_two_neurons_are_split_by_one_mark_in_each(shared_data: Path) -> None:
    neurons = open_volume(str(shared_data / "fib25_train_neurons.tif"))[:]
    raw = open_volume(str(shared_data / "fib25_train_raw.tif"))[:]
    joined = np.isin(neurons, (FIRST, SECOND)).astype(np.uint32)
    edit = split_by_seeds(
        volume_of(joined, VoxelSize(10, 10, 10)),
        1,
        [[deepest(neurons == FIRST)], [deepest(neurons == SECOND)]],
        Box.of_shape(joined.shape),  # type: ignore[arg-type]
        lambda: 2,
        image=ArrayVolume(raw),
    )
    found = carry_out(joined, edit)
    right = ((found == 1) & (neurons == FIRST)) | ((found == 2) & (neurons == SECOND))
    assert right.sum() > 0.95 * joined.sum()
