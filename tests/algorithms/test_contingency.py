"""Tables of label pairs against numpy, whatever the ids and blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from uniem.algorithms import contingency as module
from uniem.algorithms.contingency import contingency
from uniem.data.volume import ArrayVolume
from uniem.errors import UniemError

RNG = np.random.default_rng(3)


def labels(shape: Any, count: int, scale: int = 1) -> Any:
    return np.kron(RNG.integers(0, count, shape, np.uint64) * scale, np.ones((2, 3, 4), np.uint64))


@pytest.mark.parametrize("scale", [1, 100_003, 10**9 + 7, 2**40])
@pytest.mark.parametrize("block_voxels", [100, 1 << 22])
def test_contingency(scale: int, block_voxels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_VOXELS", block_voxels)
    truth, prediction = labels((6, 5, 4), 9, scale), labels((6, 5, 4), 7, scale)
    table = contingency(ArrayVolume(prediction), ArrayVolume(truth))
    pairs, counts = np.unique(np.stack([truth.ravel(), prediction.ravel()]), axis=1, return_counts=True)
    assert np.array_equal(np.stack([table.truth, table.prediction]), pairs)
    assert np.array_equal(table.counts, counts)


def test_labels_are_whole_numbers() -> None:
    with pytest.raises(UniemError, match="does not hold labels"):
        contingency(ArrayVolume(np.ones((1, 2, 2))), ArrayVolume(np.ones((1, 2, 2), np.uint8)))
