"""Flood fill and filling of holes, in a plane or in 3D, block by block."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.flood import Candidates, Region, block_boxes, grow_region
from uniem.data.geometry import Box, Triple
from uniem.data.volume import Volume, check_same_shape
from uniem.errors import UniemError
from uniem.progress import Context
from uniem.proofreading.edits import Edit
from uniem.proofreading.tools.masks import Mask, edit_of
from uniem.proofreading.tools.plane import Plane
from uniem.proofreading.tools.protect import Protect, check_label

MOST_VOXELS = 1 << 26


class RegionTooLarge(UniemError):
    """A fill found more voxels than it may; repeat it with a higher limit if that is meant."""


def fill_labels(
    volume: Volume,
    point: Triple,
    label: int,
    protect: Protect | None = None,
    *,
    within: Box | None = None,
    max_voxels: int = MOST_VOXELS,
    context: Context | None = None,
) -> Edit | None:
    """Give the connected region of the label at a point, which may be background, another label.

    `within` bounds the region: `plane.section(position, shape)` for a fill in one plane, None for the whole
    volume. Voxels connect through faces. Raises `RegionTooLarge` above `max_voxels`, with nothing changed.
    """
    protect = protect or Protect()
    check_label(volume, label, protect)
    clicked = value_at(volume, point)
    _check_paintable(volume, clicked, protect)
    if clicked == label:
        return None

    def has_label(box: Box) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = volume.read(box) == clicked
        return found

    region = _region(volume, point, has_label, within, max_voxels, context)
    return edit_of(_title(label), volume, region.masks(), label, protect, context)


def fill_gray(
    volume: Volume,
    image: Volume,
    point: Triple,
    tolerance: float,
    label: int,
    protect: Protect | None = None,
    *,
    within: Box | None = None,
    max_voxels: int = MOST_VOXELS,
    context: Context | None = None,
) -> Edit | None:
    """Give a label to the connected region whose gray value differs at most `tolerance` from a point's.

    It does not go through voxels that are protected. Otherwise as `fill_labels`.
    """
    protect = protect or Protect()
    check_label(volume, label, protect)
    check_same_shape(volume, image)
    _check_paintable(volume, value_at(volume, point), protect, label)
    centre = float(image.read(_voxel(image, point))[0, 0, 0])

    def is_similar(box: Box) -> NDArray[np.bool_]:
        labels, gray = volume.read(box), image.read(box)
        near = (gray >= centre - tolerance) & (gray <= centre + tolerance)
        similar: NDArray[np.bool_] = near & (protect.paintable(labels) | (labels == label))
        return similar

    region = _region(volume, point, is_similar, within, max_voxels, context)
    return edit_of(_title(label), volume, region.masks(), label, protect, context)


def fill_holes(
    volume: Volume,
    label: int,
    box: Box,
    protect: Protect | None = None,
    plane: Plane | None = None,
    context: Context | None = None,
) -> Edit | None:
    """Give a label to what it encloses, in 3D or in every section of a plane; None if nothing changes.

    `box` holds the label's voxels: the object's box, or its part in one section. A hole is what cannot be
    left through faces of voxels without crossing the label; what is open at the border of the volume is no
    hole. Other labels inside are spared unless `protect` selects them.
    """
    protect = (protect or Protect()).sparing_others()
    check_label(volume, label, protect)
    boxes = [box] if plane is None else _sections(box, plane)
    masks = (mask for part in boxes for mask in _holes(volume, label, part, plane, context or Context()))
    return edit_of(f"Fill holes of {label}", volume, masks, label, protect, context)


def value_at(volume: Volume, point: Triple) -> int:
    """Return the label of a voxel."""
    return int(volume.read(_voxel(volume, point))[0, 0, 0])


def _region(
    volume: Volume,
    point: Triple,
    candidates: Candidates,
    within: Box | None,
    max_voxels: int,
    context: Context | None,
) -> Region:
    whole = Box.of_shape(volume.shape)
    bounds = whole if within is None else within.intersection(whole)
    region = grow_region([_voxel(volume, point)], candidates, bounds, max_voxels, context)
    if not region.is_complete:
        raise RegionTooLarge(
            f"The region at {_place(point)} has more than {max_voxels:,} voxels.",
            "Fill in one section or in a box, lower the tolerance, or raise the limit.",
        )
    return region


def _holes(volume: Volume, label: int, box: Box, plane: Plane | None, context: Context) -> Iterator[Mask]:
    """Yield what a label encloses in a box: what growth from all around the box does not reach."""
    whole = Box.of_shape(volume.shape)
    halo = [1, 1, 1]
    if plane is not None:
        halo[plane.fixed_axis] = 0
    bounds = box.expanded((halo[0], halo[1], halo[2]))

    def is_other(part: Box) -> NDArray[np.bool_]:
        inner, other = part.intersection(whole), np.ones(part.shape, np.bool_)
        if not inner.is_empty:
            other[inner.relative_to(part.start).slices] = volume.read(inner) != label
        return other

    outside = grow_region(_shell(bounds, plane), is_other, bounds, bounds.size, context)
    for part in block_boxes(bounds, bounds):
        inner = part.intersection(box)
        if not inner.is_empty:
            reached = outside.mask(part)[inner.relative_to(part.start).slices]
            yield inner, ~reached & (volume.read(inner) != label)


def _shell(bounds: Box, plane: Plane | None) -> list[Box]:
    """Return the outermost layers of a box, those across a plane left out."""
    layers = []
    for axis in range(3):
        if plane is None or axis != plane.fixed_axis:
            for position in (bounds.start[axis], bounds.stop[axis] - 1):
                start, stop = list(bounds.start), list(bounds.stop)
                start[axis], stop[axis] = position, position + 1
                layers.append(Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2])))
    return layers


def _sections(box: Box, plane: Plane) -> list[Box]:
    """Cut a box into sections of a plane."""
    axis = plane.fixed_axis
    return [
        box.intersection(plane.section(position, box.stop))
        for position in range(box.start[axis], box.stop[axis])
    ]


def _check_paintable(volume: Volume, clicked: int, protect: Protect, label: int | None = None) -> None:
    if clicked == label or bool(protect.paintable(np.array([clicked], dtype=volume.dtype))[0]):
        return
    if clicked in protect.locked:
        raise UniemError(f"Object {clicked} is locked.", "Unlock it in the object table.")
    what = f"Object {clicked}" if clicked else "Background"
    raise UniemError(
        f"{what} is protected from painting now.", "Choose another rule of what may be painted over."
    )


def _voxel(volume: Volume, point: Triple) -> Box:
    voxel = Box(point, (point[0] + 1, point[1] + 1, point[2] + 1))
    if not Box.of_shape(volume.shape).contains(voxel):
        raise UniemError(f"{_place(point)} is outside of {volume}.", "Click inside the volume.")
    return voxel


def _place(point: Triple) -> str:
    return f"z {point[0]}, y {point[1]}, x {point[2]}"


def _title(label: int) -> str:
    return f"Fill with {label}" if label else "Erase a region"
