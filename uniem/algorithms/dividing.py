"""A mask shared among seeds by a minimum cut, along its narrow places and the dark lines of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.algorithms.superpixels import lowest_of_cells

# The edge of a supervoxel, in voxels of the finest axis.
_CELL = 4
# A contact through the darkest voxels holds e^-14 of what one through the brightest does.
_CONTRAST = 14.0
# How far the image is smoothed, in voxels of the finest axis.
_SMOOTH = 0.6
# How large the ball around a seed is: a part of its depth, but only so far to the next seed of another.
_SHARE_OF_DEPTH, _SHARE_OF_WAY = 0.7, 0.4
# Parts of an object are joined by what is narrower than this share of their own width.
_NARROW = 0.6


def divide(
    mask: NDArray[np.bool_], seeds: NDArray[np.int32], gray: NDArray[Any] | None, spacing: Sequence[float]
) -> NDArray[np.int32]:
    """Return to which seed, numbered from 1, each voxel of a (z, y, x) mask belongs; 0 where to none.

    Seeds outside the mask do not count. The parts have the least contact: the area of the faces between
    them, where each counts less the darker it is if gray values are given. Connected parts of the mask
    without any seed belong to none. Made for up to some hundred thousand voxels in the mask; larger ones are
    divided at a coarser scale, and `refine` finds the exact border.

    Minimum cuts (Boykov and Jolly 2001) between each seed and the others, over supervoxels of the mask. A
    seed stands for a ball inside the mask, so that no cut closes around it.
    """
    seeds = np.where(mask, seeds, 0)
    count = int(seeds.max(initial=0))
    if count < 2:
        return flood(mask, seeds, gray, spacing)
    darkness = _darkness(mask, gray, spacing)
    depth = _depth(mask, spacing)
    nodes = _supervoxels(mask, darkness - depth / depth.max(), spacing)
    owners = _owners(nodes, seeds, depth, spacing)
    if len(np.unique(owners)) <= count:
        # Seeds so close together that they share supervoxels: only a watershed tells them apart.
        return flood(mask, seeds, gray, spacing)
    contacts = _contacts(nodes, darkness, spacing)
    parts = np.zeros(len(owners), np.int32)
    for number in range(2, count + 1):
        others = (owners > 0) & (owners != number)
        parts[(parts == 0) & _side_of(contacts, owners == number, others)] = number
    parts[parts == 0] = 1
    parts[~_reached(contacts, owners > 0)] = 0
    parts[owners > 0] = owners[owners > 0]
    parts[0] = 0
    return parts[nodes]


def flood(
    mask: NDArray[np.bool_], seeds: NDArray[Any], gray: NDArray[Any] | None, spacing: Sequence[float]
) -> NDArray[np.int32]:
    """Share a mask among seeds, numbered from 1, by a watershed alone: for seeds near to where they meet.

    What a flood climbs is high at the mask's surface, at its narrow places, and where it is dark.
    """
    if not seeds.any() or mask.size == 1:
        return seeds.astype(np.int32)
    finest = _finest(mask.shape, spacing)
    relief = 1 / (1 + _depth(mask, spacing) / finest) + _darkness(mask, gray, spacing)
    return _flooded(relief, seeds, mask)


def refine(
    mask: NDArray[np.bool_],
    parts: NDArray[Any],
    near: NDArray[np.bool_],
    gray: NDArray[Any] | None,
    spacing: Sequence[float],
) -> NDArray[np.int32]:
    """Return the parts of a mask with those of the voxels that are `near` the border found anew.

    A watershed from the parts around climbs to the dark lines of the image or, without one, to where the
    mask is narrow. What of the near voxels touches no other part of the mask stays as it is.
    """
    from scipy.ndimage import binary_dilation, gaussian_filter

    wanted = near & mask
    rim = binary_dilation(wanted) & mask & ~wanted
    sigmas = [_SMOOTH * _finest(mask.shape, spacing) / step for step in spacing]
    openness = _depth(mask, spacing) if gray is None else gaussian_filter(_filled(gray), sigmas, truncate=3)
    found = _flooded(-openness, np.where(rim, parts, 0), wanted | rim)
    return np.where(wanted & (found > 0), found, np.where(mask, parts, 0)).astype(np.int32, copy=False)


def part_around(
    mask: NDArray[np.bool_], place: Sequence[int], gray: NDArray[Any] | None, spacing: Sequence[float]
) -> NDArray[np.bool_]:
    """Return which voxels of a (z, y, x) mask belong to the part around a place in it.

    A part ends where all ways on lead through a place much narrower, or darker if gray values are given,
    than what lies on either side. Supervoxels join from the widest contacts on, like the basins of a
    watershed whose dynamics (Grimaud 1992) are small, here in proportion to their depth.
    """
    openness = _depth(mask, spacing) * (1 - _darkness(mask, gray, spacing))
    nodes = _supervoxels(mask, -openness, spacing)
    peaks = np.zeros(int(nodes.max()) + 1, np.float32)
    np.maximum.at(peaks, nodes[mask], openness[mask])
    roots = _joined(*_saddles(nodes, openness), peaks)
    here = nodes[tuple(place)]
    found: NDArray[np.bool_] = (roots == roots[here])[nodes] & mask
    return found


def _saddles(
    nodes: NDArray[np.int32], openness: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return which supervoxels meet, as pairs, and the widest place between them, the widest first."""
    pairs, widths = [], []
    for axis in range(3):
        low, high = _neighbours(axis, 3)
        one, two = nodes[low], nodes[high]
        meets = (one != two) & (one > 0) & (two > 0)
        pairs.append(np.sort(np.stack([one[meets], two[meets]], axis=1), axis=1))
        widths.append(np.minimum(openness[low][meets], openness[high][meets]))
    pair, width = np.concatenate(pairs).astype(np.int64), np.concatenate(widths)
    order = np.argsort(-width, kind="stable")
    pair, width = pair[order], width[order]
    _, first = np.unique(pair[:, 0] * (int(nodes.max()) + 1) + pair[:, 1], return_index=True)
    first.sort()
    return pair[first], width[first]


def _joined(
    pairs: NDArray[np.int64], widths: NDArray[np.float32], peaks: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Return of which part each supervoxel is, given the widest places between them in descending order."""
    parent, peak = list(range(len(peaks))), peaks.tolist()

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for (one, two), width in zip(pairs.tolist(), widths.tolist(), strict=True):
        first, second = root(one), root(two)
        if first != second and width >= _NARROW * min(peak[first], peak[second]):
            parent[second] = first
            peak[first] = max(peak[first], peak[second])
    return np.array([root(node) for node in range(len(parent))])


def borders(parts: NDArray[Any]) -> NDArray[np.bool_]:
    """Return the voxels next to a voxel of another part; 0 is no part."""
    border = np.zeros(parts.shape, np.bool_)
    for axis in range(parts.ndim):
        low, high = _neighbours(axis, parts.ndim)
        differs = (parts[low] != parts[high]) & (parts[low] > 0) & (parts[high] > 0)
        border[low] |= differs
        border[high] |= differs
    return border


def _flooded(relief: NDArray[Any], seeds: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return a watershed of a (z, y, x) mask from seeds; axes of one voxel are left out."""
    from skimage.segmentation import watershed

    parts: NDArray[np.int32] = watershed(np.squeeze(relief), np.squeeze(seeds), mask=np.squeeze(mask))  # type: ignore[no-untyped-call]
    return parts.astype(np.int32, copy=False).reshape(mask.shape)


def _supervoxels(
    mask: NDArray[np.bool_], ground: NDArray[np.float32], spacing: Sequence[float]
) -> NDArray[np.int32]:
    """Return supervoxels of a mask, numbered from 1."""
    flat = np.squeeze(mask)
    steps = [step for step, n in zip(spacing, mask.shape, strict=True) if n > 1]
    cell = [max(1, round(_CELL * min(steps) / step)) for step in steps]
    lowest = lowest_of_cells(np.where(flat, np.squeeze(ground), np.float32(np.inf)), cell)
    nodes = _flooded(ground, np.where(flat, lowest, 0).reshape(mask.shape), mask)
    is_used = np.bincount(nodes.ravel(), minlength=1) > 0
    is_used[0] = False
    dense = np.where(is_used, np.cumsum(is_used), 0).astype(np.int32)
    numbered: NDArray[np.int32] = dense[nodes]
    return numbered


def _owners(
    nodes: NDArray[np.int32], seeds: NDArray[np.int32], depth: NDArray[np.float32], spacing: Sequence[float]
) -> NDArray[np.int32]:
    """Return the seed that each supervoxel belongs to, 0 for none: those within balls around the seeds.

    A ball has most of the radius that fits inside the mask, and ends well before the other seeds.
    """
    owners = np.zeros(int(nodes.max()) + 1, np.int32)
    places = np.argwhere(seeds)
    numbers = seeds[seeds > 0]
    for place, number in zip(places, numbers.tolist(), strict=True):
        rivals = places[numbers != number] * np.array(spacing) - place * np.array(spacing)
        nearest = float(np.linalg.norm(rivals, axis=1).min(initial=np.inf))
        radius = min(_SHARE_OF_DEPTH * float(depth[tuple(place)]), _SHARE_OF_WAY * nearest)
        reach = [int(radius / step) for step in spacing]
        box = tuple(
            slice(max(0, p - r), min(n, p + r + 1))
            for p, r, n in zip(place.tolist(), reach, nodes.shape, strict=True)
        )
        grid = np.ogrid[box]
        square = sum(
            ((axis - p) * step) ** 2 for axis, p, step in zip(grid, place.tolist(), spacing, strict=True)
        )
        owners[nodes[box][np.broadcast_to(square <= radius**2, nodes[box].shape)]] = number
    for number in np.unique(numbers).tolist():
        owners[nodes[seeds == number]] = number
    owners[0] = 0
    return owners


def _contacts(nodes: NDArray[np.int32], darkness: NDArray[np.float32], spacing: Sequence[float]) -> Any:
    """Return how much each two supervoxels hold together, as a symmetric sparse matrix."""
    from scipy.sparse import coo_matrix

    rows, columns, values = [], [], []
    for axis in range(3):
        low, high = _neighbours(axis, 3)
        one, two = nodes[low], nodes[high]
        meets = (one != two) & (one > 0) & (two > 0)
        area = np.prod([step for a, step in enumerate(spacing) if a != axis])
        rows.append(one[meets])
        columns.append(two[meets])
        values.append(area * np.exp(-_CONTRAST * np.maximum(darkness[low][meets], darkness[high][meets])))
    count = int(nodes.max()) + 1
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    matrix = coo_matrix(entries, shape=(count, count)).tocsr()
    return matrix + matrix.T


def _side_of(contacts: Any, source: NDArray[np.bool_], sink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the supervoxels on the source's side of the least cut between source and sink."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    count = contacts.shape[0]
    # Whole numbers are needed; no supervoxel's whole contact may exceed what its owner holds it with.
    scale = 1e7 / max(float(contacts.sum(axis=1).max()), 1e-30)
    inner = contacts.tocoo()
    ends = [np.flatnonzero(source), np.flatnonzero(sink)]
    rows = np.concatenate([inner.row, np.full(len(ends[0]), count), ends[1]])
    columns = np.concatenate([inner.col, ends[0], np.full(len(ends[1]), count + 1)])
    strong = np.full(len(ends[0]) + len(ends[1]), 1 << 30)
    capacities = np.concatenate([np.ceil(inner.data * scale).astype(np.int64), strong]).astype(np.int32)
    graph = csr_matrix((capacities, (rows, columns)), shape=(count + 2, count + 2))
    residual = graph - maximum_flow(graph, count, count + 1).flow
    residual.data[residual.data < 0] = 0
    residual.eliminate_zeros()
    reached = breadth_first_order(residual, count, return_predecessors=False)
    side = np.zeros(count + 2, np.bool_)
    side[reached] = True
    return side[:count]


def _reached(contacts: Any, start: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the supervoxels that connect to some of those given."""
    from scipy.sparse.csgraph import connected_components

    _, numbers = connected_components(contacts, directed=False)
    found: NDArray[np.bool_] = np.isin(numbers, np.unique(numbers[start]))
    return found


def _depth(mask: NDArray[np.bool_], spacing: Sequence[float]) -> NDArray[np.float32]:
    """Return the distance of each voxel in the mask to the nearest outside."""
    import edt

    flat = np.squeeze(mask)
    steps = tuple(step for step, n in zip(spacing, mask.shape, strict=True) if n > 1)
    if flat.all():
        return np.full(mask.shape, max(steps, default=1.0), np.float32)
    # Of a single row it takes a number, not a tuple of one.
    anisotropy = steps if len(steps) > 1 else steps[0]
    distance: NDArray[np.float32] = edt.edt(np.ascontiguousarray(flat), anisotropy=anisotropy)
    return distance.reshape(mask.shape)


def _darkness(
    mask: NDArray[np.bool_], gray: NDArray[Any] | None, spacing: Sequence[float]
) -> NDArray[np.float32]:
    """Return how dark the image is, from 0 for the brightest of the mask to 1; all 0 without an image.

    What is outside of the mask does not count.
    """
    from scipy.ndimage import gaussian_filter

    if gray is None:
        return np.zeros(mask.shape, np.float32)
    finest = _finest(mask.shape, spacing)
    sigmas = [_SMOOTH * finest / step if n > 1 else 0 for step, n in zip(spacing, mask.shape, strict=True)]
    weight = gaussian_filter(mask.astype(np.float32), sigmas, truncate=3)
    total = gaussian_filter(np.where(mask, _filled(gray), 0), sigmas, truncate=3)
    smooth = total[mask] / weight[mask]
    dark, bright = np.percentile(smooth, (2, 98))
    share = np.zeros(mask.shape, np.float32)
    # What rounding makes of an even image is no contrast.
    if bright - dark > 1e-4 * max(abs(bright), abs(dark)):
        share[mask] = ((bright - smooth) / (bright - dark)).clip(0, 1)
    return share


def _filled(gray: NDArray[Any]) -> NDArray[np.float32]:
    """Return gray values with the mean in place of what is no number, which would spread to all around."""
    values = gray.astype(np.float32)
    is_number = np.isfinite(values)
    if not is_number.all():
        values[~is_number] = values[is_number].mean() if is_number.any() else 0
    return values


def _finest(shape: Sequence[int], spacing: Sequence[float]) -> float:
    """Return the shortest edge of a voxel, along axes of more than one."""
    return min((step for step, n in zip(spacing, shape, strict=True) if n > 1), default=min(spacing))


def _neighbours(axis: int, ndim: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the indices of all voxels and of the next ones along an axis, as far as there are any."""
    low, high = (
        tuple(slice(None) if a != axis else part for a in range(ndim))
        for part in (slice(None, -1), slice(1, None))
    )
    return low, high
