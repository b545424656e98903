"""One object split in two or more: by a line, by seeds, around a place, or where it is in pieces already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.dividing import flood
from uniem.algorithms.rasterise import disc_stroke
from uniem.data.geometry import Box, Triple
from uniem.data.volume import Volume, check_same_shape
from uniem.errors import UniemError
from uniem.progress import Context
from uniem.proofreading.edits import Edit, Patch
from uniem.proofreading.tools.masks import tiles
from uniem.proofreading.tools.object_bits import ObjectBits
from uniem.proofreading.tools.plane import Plane, Point
from uniem.proofreading.tools.protect import Protect, check_label
from uniem.proofreading.tools.sharing import share, share_out

# Gives a label that was never used, as `ProofreadingSession.next_label`.
NewLabel = Callable[[], int]
MOST_VOXELS = 1 << 27


def split_by_line(
    volume: Volume,
    label: int,
    line_zyx: Sequence[Point],
    box: Box,
    new_label: NewLabel,
    *,
    image: Volume | None = None,
    plane: Plane = Plane.XY,
    band_px: float = 8,
    protect: Protect | None = None,
    context: Context | None = None,
) -> Edit:
    """Cut an object in one section along the best border near a line drawn across it.

    `box` holds the object's voxels in that section. Within `band_px` pixels of the line the border follows
    narrow places and, with an image, dark lines. The largest part keeps the label, each other gets a fresh
    one; parts that the line does not cut keep it. Raises `UniemError` if the line cuts nothing in two.
    """
    _check(volume, label, image, protect)
    section = box.intersection(plane.section(int(line_zyx[0][plane.fixed_axis]), volume.shape))
    mask = _mask(volume, label, section, context)
    row, column = plane.axes
    corner = (section.start[row], section.start[column])
    points = [(float(p[row]) - corner[0], float(p[column]) - corner[1]) for p in line_zyx]
    seeds = _sides(plane.flat(mask), points, band_px)
    if seeds.max(initial=0) < 2:
        raise UniemError(
            f"The line does not cut object {label} in two here.",
            "Draw it right across the object, from one side to the other.",
        )
    gray = None if image is None else image.read(section)
    numbers = flood(mask, plane.solid(seeds), gray, volume.voxel_size or (1.0, 1.0, 1.0))
    return Edit(
        f"Split {label}",
        _relabelled(volume, numbers, section, _fresh(numbers, label, new_label), label),
    )


def split_by_seeds(
    volume: Volume,
    label: int,
    seeds: Sequence[Sequence[Point]],
    box: Box,
    new_label: NewLabel,
    *,
    image: Volume | None = None,
    places: Iterable[Box] | None = None,
    protect: Protect | None = None,
    context: Context | None = None,
) -> Edit:
    """Share an object among two or more groups of points, in 3D.

    `box` holds the object's voxels, `places` smaller boxes that together hold them all: not necessary, but
    objects in large boxes are read faster with them. Parts meet where the object is narrowest between the
    groups and, with an image, darkest; see `divide`. The first group's part keeps the label, each other
    gets a fresh one; what no group connects to keeps it. To refine a split that is previewed, call it again
    with more points. Raises `UniemError` if there are fewer than two groups, or one has no point on the
    object.
    """
    _check(volume, label, image, protect)
    marked = _marked(volume, label, seeds, box)
    bits = ObjectBits.read(volume, label, box, places, context)
    shares = share(bits, marked, image, volume.voxel_size or (1.0, 1.0, 1.0), context)
    labels = [label, label, *(new_label() for _ in seeds[1:])]
    return Edit(f"Split {label}", _patches(volume, label, shares, labels))


def cut_from_neighbours(
    volume: Volume,
    label: int,
    voxel: Triple,
    box: Box,
    new_label: NewLabel,
    *,
    image: Volume | None = None,
    places: Iterable[Box] | None = None,
    protect: Protect | None = None,
    context: Context | None = None,
) -> Edit:
    """Cut the part of an object around a voxel of it from all parts next to it, in 3D.

    The part ends where the object is narrow and, with an image, dark: see `part_around`. It gets a fresh
    label, whatever it was joined to keeps the old one. `box` and `places` are as for `split_by_seeds`.
    Raises `UniemError` if the voxel is not of the object, or nothing sets a part off there.
    """
    _check(volume, label, image, protect)
    if not box.contains(_one(voxel)) or int(volume.read(_one(voxel)).item()) != label:
        raise UniemError(f"The voxel {voxel} is not of object {label}.", "Point at the part to be cut out.")
    bits = ObjectBits.read(volume, label, box, places, context)
    shares = share_out(bits, voxel, image, volume.voxel_size or (1.0, 1.0, 1.0), context)
    if shares is None:
        raise UniemError(
            f"Nothing sets a part of object {label} off here: no narrow place, no dark line.",
            "Split it by a line or by marks.",
        )
    patches = _patches(volume, label, shares, [label, label, new_label()])
    return Edit(f"Cut a part of {label} from its neighbours", patches)


def _marked(volume: Volume, label: int, seeds: Sequence[Sequence[Point]], box: Box) -> dict[Triple, int]:
    """Return the voxels of an object that are marked, and their groups; raise if one has none."""
    marked: dict[Triple, int] = {}
    for number, group in enumerate(seeds, 1):
        places = [place for point in group if (place := _inside(point, box)) is not None]
        on_object = [place for place in places if int(volume.read(_one(place)).item()) == label]
        if not on_object:
            raise UniemError(
                f"Group {number} of the seeds has no point on object {label}.",
                "Mark the object on each side.",
            )
        marked |= dict.fromkeys(on_object, number)
    if len(set(marked.values())) < max(2, len(seeds)):
        raise UniemError(
            f"There are not two groups of seeds on object {label}, each of its own voxels.",
            "Mark each of its parts.",
        )
    return marked


def _patches(
    volume: Volume, label: int, shares: Iterable[tuple[Box, NDArray[Any]]], labels: Sequence[int]
) -> tuple[Patch, ...]:
    """Return the changes that give the numbered parts of an object their labels."""
    lookup, patches = np.array(labels, volume.dtype), list[Patch]()
    for box, parts in shares:
        after = lookup[parts]
        before = np.broadcast_to(np.asarray(label, volume.dtype), after.shape)
        patch = Patch.of(box.start, parts > 0, before, after)
        patches += [patch] if patch is not None else []
    return tuple(patches)


def split_pieces(
    volume: Volume,
    label: int,
    box: Box,
    new_label: NewLabel,
    protect: Protect | None = None,
    context: Context | None = None,
) -> Edit | None:
    """Give each piece of an object but the largest a fresh label; None if it is in one piece.

    `box` holds the object's voxels. Pieces are what does not touch, not even with corners of voxels (cc3d).
    """
    import cc3d

    _check(volume, label, None, protect)
    mask = _mask(volume, label, box, context)
    pieces = cc3d.connected_components(mask, connectivity=26)
    parts = _relabelled(volume, pieces, box, _fresh(pieces, label, new_label), label)
    return Edit(f"Split {label} into its pieces", parts) if parts else None


def _fresh(numbers: NDArray[Any], label: int, new_label: NewLabel, keeps: int | None = None) -> list[int]:
    """Return the label of each number from 0: the largest, or the one that `keeps` it, has the old one."""
    sizes = np.bincount(numbers.ravel())
    sizes[0] = 0
    kept = int(sizes.argmax()) if keeps is None else keeps
    return [label if n in (0, kept) or sizes[n] == 0 else new_label() for n in range(len(sizes))]


def _relabelled(
    volume: Volume, numbers: NDArray[Any], box: Box, labels: list[int], old: int
) -> tuple[Patch, ...]:
    """Return the changes that give numbered voxels their labels."""
    lookup = np.array(labels, dtype=volume.dtype)
    parts = []
    for tile in tiles(box):
        after = lookup[numbers[tile.relative_to(box.start).slices]]
        changing = after != old
        if changing.any():
            patch = Patch.of(tile.start, changing, volume.read(tile), after)
            parts += [patch] if patch is not None else []
    return tuple(parts)


def _sides(mask: NDArray[np.bool_], points: list[tuple[float, float]], band_px: float) -> NDArray[np.int32]:
    """Return seeds, numbered from 1, of the parts into which a line cuts a (row, column) mask."""
    import cc3d
    from scipy.ndimage import distance_transform_edt

    y0, x0, drawn = disc_stroke(points, 0.5, (mask.shape[0], mask.shape[1]))
    line = np.zeros(mask.shape, np.bool_)
    line[y0 : y0 + drawn.shape[0], x0 : x0 + drawn.shape[1]] = drawn
    seeds = np.zeros(mask.shape, np.int32)
    whole = cc3d.connected_components(mask, connectivity=4)
    cut = np.unique(whole[line & mask])
    if not len(cut):
        return seeds
    distance = distance_transform_edt(~line)
    pieces = cc3d.connected_components(mask & ~line & np.isin(whole, cut), connectivity=4)
    count = 0
    for number in cut.tolist():
        sides = _sides_of(pieces, whole == number, distance, band_px)
        for side in sides if len(sides) > 1 else ():
            count += 1
            seeds[side] = count
    return seeds


def _sides_of(
    pieces: NDArray[Any], whole: NDArray[np.bool_], distance: NDArray[Any], band_px: float
) -> list[NDArray[np.bool_]]:
    """Return the pixels of each part of a cut piece that are certainly on its side of the line.

    Slivers that a line running along a border leaves within the band are no parts, unless there is nothing
    else.
    """
    numbers = np.unique(pieces[whole])
    sides = [whole & (pieces == number) for number in numbers.tolist() if number]
    far = [side & (distance > band_px) for side in sides]
    clear = [pixels for pixels in far if pixels.any()]
    if len(clear) > 1:
        return clear
    return [
        pixels if pixels.any() else side & (distance == distance[side].max())
        for pixels, side in zip(far, sides, strict=True)
    ]


def _mask(volume: Volume, label: int, box: Box, context: Context | None) -> NDArray[np.bool_]:
    """Return which voxels of a box have a label, read tile by tile."""
    if box.size > MOST_VOXELS:
        raise UniemError(
            f"A box of {box.size:,} voxels around object {label} is too large to be split at once.",
            "Split it by a line in 3D or by marks first, which work for objects of any size.",
        )
    mask = np.zeros(box.shape, np.bool_)
    for tile in (context or Context()).track(list(tiles(box)), "reading the object"):
        mask[tile.relative_to(box.start).slices] = volume.read(tile) == label
    return mask


def _check(volume: Volume, label: int, image: Volume | None, protect: Protect | None) -> None:
    check_label(volume, label, Protect(locked=(protect or Protect()).locked))
    if image is not None:
        check_same_shape(volume, image)


def _inside(point: Point, box: Box) -> Triple | None:
    """Return a point's voxel, or None if it is outside of the box."""
    z, y, x = (int(np.floor(p)) for p in point)
    return (z, y, x) if box.contains(_one((z, y, x))) else None


def _one(voxel: Triple) -> Box:
    z, y, x = voxel
    return Box(voxel, (z + 1, y + 1, x + 1))
