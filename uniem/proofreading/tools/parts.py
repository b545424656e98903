"""An object that an edit divides, looked at part by part: which part is where, and which keeps the label."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.progress import Context
from uniem.proofreading.edits import Edit, Patch
from uniem.proofreading.tools.masks import tiles
from uniem.proofreading.tools.plane import Plane, Point
from uniem.proofreading.tools.protect import Protect
from uniem.proofreading.tools.split import MOST_VOXELS, split_by_line, split_by_seeds

# So many voxels of each side of a line in a section are the seeds in 3D, not so near to the line.
_MOST_SEEDS, _CLEAR_PX = 64, 4.0


def labels_after(volume: Volume, edit: Edit, box: Box) -> NDArray[Any]:
    """Return the labels of a box as an edit of patches would make them."""
    array: NDArray[Any] = np.array(volume.read(box))
    for patch in edit.patches:
        common = patch.box.intersection(box)
        if common.is_empty:
            continue
        part = patch if common == patch.box else patch.within(common)
        array[common.relative_to(box.start).slices][part.selection()] = part.after
    return array


def exchange(
    volume: Volume, edit: Edit, label: int, part: int, box: Box, context: Context | None = None
) -> Edit:
    """Let another part of a split object keep its label, and the one that kept it get that part's.

    `box` holds the voxels that the split concerned. What was not divided keeps the label either way. Raises
    `UniemError` if the box is too large to tell which pieces of the object that is.
    """
    import cc3d

    if box.size > MOST_VOXELS:
        raise UniemError(
            f"A box of {box.size:,} voxels is too large to let another part keep label {label}.",
            "Accept the split as it is, and relabel the two objects in the table.",
        )
    after, mask = labels_after(volume, edit, box), volume.read(box) == label
    (context or Context()).check_cancelled()
    pieces = cc3d.connected_components(after == label, connectivity=6)
    changed = mask & (after != label)
    kept = np.isin(pieces, sorted(_touching(pieces, changed)))
    (context or Context()).check_cancelled()
    swapped = np.where(mask & (after == part), label, after)
    swapped[kept] = part
    return _edit_to(volume, swapped.astype(after.dtype), edit.title, box)


def split_through(
    volume: Volume,
    label: int,
    line_zyx: Sequence[Point],
    box: Box,
    new_label: Callable[[], int],
    *,
    image: Volume | None = None,
    plane: Plane = Plane.XY,
    band_px: float = 8,
    places: Iterable[Box] | None = None,
    protect: Protect | None = None,
    context: Context | None = None,
) -> Edit:
    """Cut an object through all sections where a line drawn across it in one section says.

    The sides of the line in that section, as `split_by_line` finds them, are the seeds of `split_by_seeds`.
    `box` and `places` are as for `split_by_seeds`. The part on the larger side keeps the label.
    """
    ways = {"image": image, "protect": protect, "context": context}
    numbers = iter(range(1, np.iinfo(volume.dtype).max))
    flat = split_by_line(
        volume,
        label,
        line_zyx,
        box,
        lambda: next(n for n in numbers if n != label),
        plane=plane,
        band_px=band_px,
        **ways,  # type: ignore[arg-type]
    )
    where = box.intersection(plane.section(int(line_zyx[0][plane.fixed_axis]), volume.shape))
    groups = _sides(labels_after(volume, flat, where), volume.read(where) == label, label, where)
    if len(groups) < 2:
        raise UniemError(f"The line does not cut object {label} in two here.", "Draw it right across.")
    return split_by_seeds(volume, label, groups, box, new_label, places=places, **ways)  # type: ignore[arg-type]


def _sides(after: NDArray[Any], mask: NDArray[np.bool_], label: int, box: Box) -> list[list[Point]]:
    """Return some voxels of each part of a section, that which keeps the label first."""
    import cc3d
    from scipy.ndimage import distance_transform_edt

    changed = mask & (after != label)
    pieces = cc3d.connected_components(mask & ~changed, connectivity=6)
    kept = np.isin(pieces, sorted(_touching(pieces, changed)))
    parts = [kept, *(mask & (after == number) for number in np.unique(after[changed]).tolist())]
    groups = []
    for part in parts:
        others = (kept | changed) & ~part
        depth = np.where(part, distance_transform_edt(~others), 0)
        clear = np.argwhere(depth > min(_CLEAR_PX, depth.max() / 2))
        step = max(1, len(clear) // _MOST_SEEDS)
        groups.append([tuple((place + box.start).tolist()) for place in clear[::step]])
    return [group for group in groups if group]


def _touching(pieces: NDArray[Any], changed: NDArray[np.bool_]) -> set[int]:
    """Return the numbers of pieces that share a face with changed voxels."""
    found: set[int] = set()
    for axis in range(pieces.ndim):
        low, high = (
            tuple(part if a == axis else slice(None) for a in range(pieces.ndim))
            for part in (slice(None, -1), slice(1, None))
        )
        for one, two in ((low, high), (high, low)):
            found.update(np.unique(pieces[one][changed[two]]).tolist())
    return found - {0}


def _edit_to(volume: Volume, after: NDArray[Any], title: str, box: Box) -> Edit:
    patches = []
    for tile in tiles(box):
        before = volume.read(tile)
        wanted = after[tile.relative_to(box.start).slices]
        patch = Patch.of(tile.start, wanted != before, before, wanted)
        patches += [patch] if patch is not None else []
    return Edit(title, tuple(patches))
