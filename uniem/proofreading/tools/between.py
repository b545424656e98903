"""Sections filled in between painted ones, and shapes copied from section to section."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.shape_interpolation import bounding_box, shapes_between
from uniem.data.geometry import Box
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.progress import Context
from uniem.proofreading.edits import Edit
from uniem.proofreading.tools.masks import Mask, edit_of, tiles
from uniem.proofreading.tools.plane import Plane
from uniem.proofreading.tools.protect import Protect, check_label

_Painted = tuple[int, NDArray[np.bool_]]


def interpolate(
    volume: Volume,
    label: int,
    box: Box,
    protect: Protect | None = None,
    plane: Plane = Plane.XY,
    follow_centroid: bool = True,
    context: Context | None = None,
) -> Edit | None:
    """Fill every gap between sections that a label is painted in; None if there is no gap.

    `box` holds the painted voxels: the object's box, or a part of it. In each gap the shape changes from
    that of the section before to that of the section after; see `shapes_between`. Other labels are spared
    unless `protect` selects them. To preview the edit, draw its patches. Raises `UniemError` if fewer than
    two sections are painted.
    """
    protect = (protect or Protect()).sparing_others()
    check_label(volume, label, protect)
    context = context or Context()
    box = box.intersection(Box.of_shape(volume.shape))
    painted: list[int] = []
    sections = _painted(volume, label, box, plane, context, painted)
    masks = _between(sections, volume, box, plane, follow_centroid)
    edit = edit_of(f"Interpolate {label}", volume, masks, label, protect, context)
    if len(painted) < 2:
        raise UniemError(
            f"Label {label} is painted in {len(painted)} of these {plane} sections.",
            "Paint it in at least two sections with a gap between them.",
        )
    return edit


def copy_shape(
    volume: Volume,
    label: int,
    position: int,
    to: Iterable[int],
    box: Box,
    protect: Protect | None = None,
    plane: Plane = Plane.XY,
    context: Context | None = None,
) -> Edit | None:
    """Give a label the shape in other sections that it has in one, on top of what it has there.

    `box` holds the label's voxels in the section at `position`; positions in `to` that are not in the volume
    are left out. Other labels are spared unless `protect` selects them.
    """
    protect = (protect or Protect()).sparing_others()
    check_label(volume, label, protect)
    whole = Box.of_shape(volume.shape)
    source = box.intersection(whole).intersection(plane.section(position, volume.shape))
    mask = volume.read(source) == label if not source.is_empty else np.zeros((0, 0, 0), np.bool_)
    if not mask.any():
        raise UniemError(
            f"Label {label} is not in {plane} section {position}.", "Choose a section it is painted in."
        )
    masks = (
        piece
        for target in sorted(set(to) - {position})
        if 0 <= target < volume.shape[plane.fixed_axis]
        for piece in _pieces(_at(source, target, plane), mask)
    )
    return edit_of(f"Copy {label} from section {position}", volume, masks, label, protect, context)


def _painted(
    volume: Volume, label: int, box: Box, plane: Plane, context: Context, found: list[int]
) -> Iterator[_Painted]:
    """Yield the sections in which the label is, with their masks, and note their positions in `found`."""
    axis = plane.fixed_axis
    for position in context.track(range(box.start[axis], box.stop[axis]), "looking for painted sections"):
        mask = plane.flat(volume.read(_at(box, position, plane)) == label)
        if mask.any():
            found.append(position)
            yield position, mask


def _between(
    painted: Iterator[_Painted], volume: Volume, box: Box, plane: Plane, follow_centroid: bool
) -> Iterator[Mask]:
    """Yield the shapes in the gaps between painted sections."""
    row, column = plane.axes
    size = volume.voxel_size or (1.0, 1.0, 1.0)
    for (start, first), (stop, second) in itertools.pairwise(painted):
        if stop == start + 1:
            continue
        rows, columns = bounding_box([first, second])
        shapes = shapes_between(
            first[rows, columns],
            second[rows, columns],
            stop - start - 1,
            (size[row], size[column]),
            follow_centroid,
        )
        corner = (box.start[row] + rows.start, box.start[column] + columns.start)
        for position, shape in zip(range(start + 1, stop), shapes, strict=True):
            end = (corner[0] + shape.shape[0], corner[1] + shape.shape[1])
            yield from _pieces(plane.box(position, corner, end), plane.solid(shape))


def _pieces(box: Box, mask: NDArray[np.bool_]) -> Iterator[Mask]:
    """Cut a mask into tiles."""
    for tile in tiles(box):
        yield tile, mask[tile.relative_to(box.start).slices]


def _at(box: Box, position: int, plane: Plane) -> Box:
    """Return a box's part in one section, or what it would be there."""
    (row, column) = plane.axes
    start, stop = (box.start[row], box.start[column]), (box.stop[row], box.stop[column])
    return plane.box(position, start, stop)
