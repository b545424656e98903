"""Label volumes in memory, and what an edit makes of them."""

from __future__ import annotations

import numpy as np

from uniem.data.geometry import VoxelSize
from uniem.data.volume import ArrayVolume, Kind
from uniem.proofreading.edits import Edit


def volume_of(array: np.ndarray, voxel_size: VoxelSize | None = None) -> ArrayVolume:
    return ArrayVolume(array, voxel_size, Kind.LABELS, "labels")


def carry_out(array: np.ndarray, edit: Edit | None) -> np.ndarray:
    """Apply an edit, which must fit exactly, change each voxel once, and leave no empty part."""
    result, changed = array.copy(), np.zeros(array.shape, int)
    for patch in edit.patches if edit else []:
        selection = patch.selection()
        assert patch.count == np.count_nonzero(selection) > 0
        assert np.all(result[patch.box.slices][selection] == patch.before)
        result[patch.box.slices][selection] = patch.after
        changed[patch.box.slices][selection] += 1
    assert changed.max(initial=0) <= 1
    assert np.array_equal(changed == 1, result != array)
    return result
