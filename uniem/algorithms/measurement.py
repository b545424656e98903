"""Sizes, bounding boxes and centroids of all labels in one pass over a volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.blockwise import boxes, map_blocks
from uniem.data.geometry import Box, VoxelSize
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.progress import Context

# Above this many rows, the measures of the same label in different blocks are added up in between.
PENDING_ROWS = 1 << 20


@dataclass(frozen=True, slots=True)
class LabelMeasures:
    """What was measured of n labels, in ascending order of their ids.

    Attributes
    ----------
    ids : (n,) uint64
        The labels, without 0.
    voxels : (n,) int64
        How many voxels each has.
    starts, stops : (n, 3) int64
        The half-open bounding boxes in voxels, z, y, x.
    centroids : (n, 3) float64
        The mean voxel indices, z, y, x; the centre of voxel (0, 0, 0) is (0, 0, 0).
    voxel_size : VoxelSize or None
        In nm; without it there are no measures in nm.
    """

    ids: NDArray[np.uint64]
    voxels: NDArray[np.int64]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    centroids: NDArray[np.float64]
    voxel_size: VoxelSize | None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def volumes_nm3(self) -> NDArray[np.float64]:
        """The volumes in cubic nm, (n,)."""
        return np.asarray(self.voxels * self._size.volume_nm3)

    @property
    def centroids_nm(self) -> NDArray[np.float64]:
        """The centroids in nm from the volume's corner, (n, 3); voxel centres are at integer + 0.5."""
        return np.asarray((self.centroids + 0.5) * np.array(self._size))

    def box(self, label: int) -> Box:
        """Return the bounding box of one label."""
        row = int(np.searchsorted(self.ids, np.uint64(label)))
        if row == len(self.ids) or self.ids[row] != label:
            raise UniemError(f"There is no label {label}.", "Choose one of the labels in the table.")
        (z0, y0, x0), (z1, y1, x1) = self.starts[row].tolist(), self.stops[row].tolist()
        return Box((z0, y0, x0), (z1, y1, x1))

    @property
    def _size(self) -> VoxelSize:
        if self.voxel_size is None:
            raise UniemError("The voxel size of the labels is unknown.", "Set it, in nm, to measure in nm.")
        return self.voxel_size


@dataclass(frozen=True, slots=True)
class _Rows:
    """The measures of labels within some part of a volume; centroids as sums over voxels."""

    ids: NDArray[np.uint64]
    voxels: NDArray[np.int64]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    sums: NDArray[np.float64]


def measure_labels(labels: Volume, context: Context | None = None) -> LabelMeasures:
    """Measure every label but 0: voxels, bounding box, centroid.

    Works block by block, with rows only for the labels that are there: ids may be as sparse as they like.
    """
    if labels.dtype.kind not in "uib":
        raise UniemError(f"{labels} does not hold labels.", "Give a volume of whole numbers.")

    def measure(box: Box) -> _Rows:
        return _measure_block(labels.read(box), box)

    parts: list[_Rows] = []
    cut = boxes(labels.shape)
    for rows in map_blocks(measure, cut, context or Context(), "measuring", workers=2):
        parts.append(rows)
        if len(parts) > 1 and sum(len(part.ids) for part in parts[1:]) > PENDING_ROWS:
            parts = [_summed(parts)]
    total = _summed(parts)
    centroids = total.sums / np.maximum(total.voxels, 1)[:, None]
    return LabelMeasures(total.ids, total.voxels, total.starts, total.stops, centroids, labels.voxel_size)


def _measure_block(array: NDArray[Any], box: Box) -> _Rows:
    import cc3d
    import fastremap

    ids: NDArray[Any] | None = None
    dense = np.ascontiguousarray(array)
    if dense.dtype.kind != "u":
        dense = dense.view(f"u{dense.dtype.itemsize}")
    # cc3d keeps a row for every id up to the highest, and wants the highest below the number of voxels.
    if dense.size and int(dense.max()) >= max(2, dense.size // 8):
        dense, mapping = fastremap.renumber(dense, in_place=False)
        ids = np.zeros(len(mapping) + 1, np.uint64)
        ids[np.array(list(mapping.values()), np.int64)] = np.array(list(mapping.keys()), np.uint64)
    found = cc3d.statistics(np.require(dense, requirements=["W"]), no_slice_conversion=True)
    present = np.flatnonzero(found["voxel_counts"])
    present = present[present > 0]
    voxels = found["voxel_counts"][present].astype(np.int64)
    extents = found["bounding_boxes"][present].astype(np.int64).reshape(-1, 3, 2)
    origin = np.array(box.start)
    return _Rows(
        (present if ids is None else ids[present]).astype(np.uint64),
        voxels,
        extents[:, :, 0] + origin,
        extents[:, :, 1] + 1 + origin,
        (found["centroids"][present] + origin) * voxels[:, None],
    )


def _summed(parts: list[_Rows]) -> _Rows:
    """Add up the rows of the same labels."""
    if not parts:
        none = np.zeros((0, 3), np.int64)
        return _Rows(np.zeros(0, np.uint64), np.zeros(0, np.int64), none, none, np.zeros((0, 3)))
    every = np.concatenate([part.ids for part in parts])
    ids, row = np.unique(every, return_inverse=True)
    voxels = np.zeros(len(ids), np.int64)
    sums = np.zeros((len(ids), 3))
    starts = np.full((len(ids), 3), np.iinfo(np.int64).max)
    stops = np.zeros((len(ids), 3), np.int64)
    np.add.at(voxels, row, np.concatenate([part.voxels for part in parts]))
    np.add.at(sums, row, np.concatenate([part.sums for part in parts]))
    np.minimum.at(starts, row, np.concatenate([part.starts for part in parts]))
    np.maximum.at(stops, row, np.concatenate([part.stops for part in parts]))
    return _Rows(ids, voxels, starts, stops, sums)
