"""Measures of labels: block by block as cc3d in memory, with ids as large as uint32 allows."""

from __future__ import annotations

from typing import Any

import cc3d
import numpy as np
import pytest

from uniem.algorithms import measurement
from uniem.algorithms.measurement import measure_labels
from uniem.data.geometry import Box, VoxelSize
from uniem.data.volume import ArrayVolume, Kind
from uniem.errors import UniemError


def blobs(shape: Any, count: int, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, count + 1, [-(-n // 4) for n in shape], np.uint32)
    return np.repeat(np.repeat(np.repeat(coarse, 4, 0), 4, 1), 4, 2)[: shape[0], : shape[1], : shape[2]]


@pytest.mark.parametrize("block_voxels", [64, 1000, 1 << 23])
def test_equals_cc3d_in_memory(block_voxels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "boxes", lambda shape: real_boxes(shape, block_voxels))
    monkeypatch.setattr(measurement, "PENDING_ROWS", 50)
    real_boxes = measurement.__dict__["map_blocks"].__globals__["boxes"]
    labels = blobs((40, 30, 50), 60)
    expected = cc3d.statistics(labels)
    found = measure_labels(ArrayVolume(labels, VoxelSize(50, 4, 8), Kind.LABELS))
    assert len(found) == 60
    assert np.array_equal(found.ids, np.arange(1, 61))
    assert np.array_equal(found.voxels, expected["voxel_counts"][1:])
    assert np.allclose(found.centroids, expected["centroids"][1:], rtol=0, atol=1e-9)
    for label in range(1, 61):
        assert found.box(label).slices == expected["bounding_boxes"][label]
    assert np.allclose(found.volumes_nm3, found.voxels * 1600.0)
    assert np.allclose(found.centroids_nm, (found.centroids + 0.5) * [50, 4, 8])


@pytest.mark.parametrize("dtype", [np.uint32, np.uint64, np.int64])
def test_sparse_huge_ids(dtype: Any) -> None:
    labels = np.zeros((3, 4, 5), dtype)
    labels[0, 0, :2] = 2**32 - 1
    labels[1:, 1:3, 2:] = 4_000_000_000
    labels[2, 3, 4] = 5
    labels.flags.writeable = False
    found = measure_labels(ArrayVolume(labels))
    assert found.ids.tolist() == [5, 4_000_000_000, 2**32 - 1]
    assert found.voxels.tolist() == [1, 12, 2]
    assert found.box(4_000_000_000) == Box((1, 1, 2), (3, 3, 5))
    assert found.centroids[2].tolist() == [0, 0, 0.5]


def test_nothing_to_measure() -> None:
    assert len(measure_labels(ArrayVolume(np.zeros((2, 3, 4), np.uint8)))) == 0
    assert len(measure_labels(ArrayVolume(np.zeros((0, 3, 4), np.uint8)))) == 0


def test_clear_errors() -> None:
    found = measure_labels(ArrayVolume(np.ones((2, 3, 4), np.uint8)))
    with pytest.raises(UniemError, match="voxel size"):
        _ = found.volumes_nm3
    with pytest.raises(UniemError, match="no label 2"):
        found.box(2)
    with pytest.raises(UniemError, match="does not hold labels"):
        measure_labels(ArrayVolume(np.ones((2, 3, 4), np.float32)))
