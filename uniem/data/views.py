"""Volumes seen otherwise: cropped, downsampled, stretched, renumbered; voxels are computed when read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from uniem.data.geometry import Box, Triple, VoxelSize, blocks
from uniem.data.pyramid import downsample
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError

# What is read from the source at once, so that a view needs little memory beside what it returns.
PIECE_BYTES = 32 << 20
NAMED_IDS = 5
# Beyond so many voxels per cell, sorting finds the commonest label faster than comparing each with each.
COMPARED_VOXELS = 8


class View(Volume):
    """A volume whose voxels follow from those of another; nothing is kept."""

    def __init__(self, of: Volume, shape: Triple, dtype: DTypeLike, voxel_size: VoxelSize | None) -> None:
        super().__init__(shape, dtype, voxel_size, of.kind)
        self.of = of
        self.name = of.name


class RestatedVolume(View):
    """The same voxels with another voxel size and kind."""

    def __init__(self, of: Volume, voxel_size: VoxelSize | None, kind: Kind) -> None:
        super().__init__(of, of.shape, of.dtype, voxel_size)
        self.kind = kind

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box."""
        return self.of.read(box)


class CroppedVolume(View):
    """A box of a volume."""

    def __init__(self, of: Volume, box: Box) -> None:
        if box.is_empty or not Box.of_shape(of.shape).contains(box):
            raise UniemError(f"The box {box} does not lie in {of}.", "Choose a box inside the volume.")
        super().__init__(of, box.shape, of.dtype, of.voxel_size)
        self.box = box

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box, counted from the corner of the crop."""
        return self.of.read(box.translated(self.box.start))


class DownsampledVolume(View):
    """A volume made coarser by whole factors: means of an image, commonest labels; the voxels grow.

    A cell at the border that is not full repeats its last voxels. Among labels equally common, the first in
    z, y, x order wins in cells of up to 8 voxels, the smallest in larger ones.
    """

    def __init__(self, of: Volume, factor: Triple) -> None:
        shape = [-(-n // f) for n, f in zip(of.shape, factor, strict=True)]
        size = of.voxel_size
        coarse = VoxelSize(*(edge * f for edge, f in zip(size, factor, strict=True))) if size else None
        super().__init__(of, (shape[0], shape[1], shape[2]), of.dtype, coarse)
        self.factor = factor

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box."""
        coarse = np.empty(box.shape, self.dtype)
        for piece in _pieces(box.shape, self.dtype.itemsize * int(np.prod(self.factor))):
            fine = self.of.read(self._source_box(piece.translated(box.start)))
            coarse[piece.slices] = self._shrunk(fine)
        return coarse

    def _source_box(self, box: Box) -> Box:
        start = [a * f for a, f in zip(box.start, self.factor, strict=True)]
        stop = [min(b * f, n) for b, f, n in zip(box.stop, self.factor, self.of.shape, strict=True)]
        return Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))

    def _shrunk(self, fine: NDArray[Any]) -> NDArray[Any]:
        is_labels = self.kind is Kind.LABELS
        if is_labels and np.prod(self.factor) > COMPARED_VOXELS:
            return _commonest(fine, self.factor)
        if fine.dtype == np.bool_:  # the mean of truths is the commonest
            return downsample(fine, self.factor, is_labels=True)
        return downsample(fine, self.factor, is_labels=is_labels)


class StretchedVolume(View):
    """Grey values from `low` to `high` spread over an integer type, or over 0 to 1 of floats; no value wraps.

    What lies outside the range becomes its end; NaN becomes the darkest.
    """

    def __init__(self, of: Volume, dtype: DTypeLike, low: float, high: float) -> None:
        super().__init__(of, of.shape, dtype, of.voxel_size)
        self._low, self._high = low, high
        self._table = self._make_table() if of.dtype.itemsize <= 2 and of.dtype.kind in "bui" else None

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box."""
        return _piecewise(
            self.of, box, self.dtype, self._stretched if self._table is None else self._looked_up
        )

    def _looked_up(self, voxels: NDArray[Any]) -> NDArray[Any]:
        assert self._table is not None
        return np.take(self._table, np.ascontiguousarray(voxels).view(f"u{voxels.dtype.itemsize}"))

    def _make_table(self) -> NDArray[Any]:
        bits = 8 * self.of.dtype.itemsize
        return self._stretched(np.arange(1 << bits, dtype=f"u{bits // 8}").view(self.of.dtype))

    def _stretched(self, voxels: NDArray[Any]) -> NDArray[Any]:
        top = float(np.iinfo(self.dtype).max) if self.dtype.kind in "ui" else 1.0
        # Multiplied before it is divided: halves stay halves.
        scaled = (voxels.astype(np.float64) - self._low) * top
        scaled = scaled / (self._high - self._low) if self._high > self._low else scaled * 0.0
        np.clip(np.nan_to_num(scaled, copy=False, posinf=top, neginf=0.0), 0.0, top, out=scaled)
        if self.dtype.kind not in "ui":
            return scaled.astype(self.dtype)
        np.rint(scaled, out=scaled)
        # The largest 64-bit numbers are no float64: what rounds up to beyond them is taken back.
        fitting = np.minimum(scaled, np.nextafter(top, 0)) if top > 2**53 else scaled
        return fitting.astype(self.dtype)


class CastVolume(View):
    """Grey values in another type that holds them all."""

    def __init__(self, of: Volume, dtype: DTypeLike) -> None:
        super().__init__(of, of.shape, dtype, of.voxel_size)

    def read(self, box: Box) -> NDArray[Any]:
        """Return the voxels of a box."""
        return self.of.read(box).astype(self.dtype, copy=False)


class CastLabels(View):
    """Labels in another type; an id that does not fit is an error, never wrapped."""

    def __init__(self, of: Volume, dtype: DTypeLike) -> None:
        super().__init__(of, of.shape, dtype, of.voxel_size)

    def read(self, box: Box) -> NDArray[Any]:
        """Return the labels of a box; raise a `UniemError` that names those that do not fit."""
        labels = self.of.read(box)
        if not np.can_cast(labels.dtype, self.dtype, "safe"):
            self._check(labels, box)
        return labels.astype(self.dtype, copy=False)

    def _check(self, labels: NDArray[Any], box: Box) -> None:
        if labels.dtype.kind == "f" and not np.array_equal(labels, np.trunc(labels)):
            raise UniemError(
                f"{self.name or 'The volume'} has values with fractions, which are no labels.",
                "Convert it as an image, or label its objects first.",
            )
        lowest, largest = _whole_numbers(self.dtype)
        if not labels.size or (int(labels.min()) >= lowest and int(labels.max()) <= largest):
            return
        # Compared as Python's whole numbers: a limit may not fit into the type of the labels.
        strangers = [id for id in np.unique(labels).tolist() if not lowest <= id <= largest]
        raise UniemError(
            f"{_listed(strangers)} of {self.name or 'the volume'} (sections {box.start[0]} to "
            f"{box.stop[0] - 1}) do not fit into {self.dtype}, which holds {lowest} to {largest}.",
            "Choose a larger data type, or let the objects be numbered anew (relabel).",
        )


class RenumberedLabels(View):
    """Labels numbered from 1 in the order of their ids.

    `ids` are all ids of the volume but 0, ascending; 0 stays.
    """

    def __init__(self, of: Volume, ids: NDArray[Any]) -> None:
        super().__init__(of, of.shape, np.uint32, of.voxel_size)
        self._ids = ids

    def read(self, box: Box) -> NDArray[Any]:
        """Return the labels of a box, uint32."""
        return _piecewise(self.of, box, self.dtype, self._renumbered)

    def number_of(self, label: int) -> int:
        """Return the number that a label gets; 0 where the volume has it not."""
        place = int(np.searchsorted(self._ids, label))
        return place + 1 if place < len(self._ids) and int(self._ids[place]) == label else 0

    def _renumbered(self, labels: NDArray[Any]) -> NDArray[Any]:
        numbers = np.searchsorted(self._ids, labels) + 1
        return np.where(labels == 0, 0, numbers).astype(np.uint32)


class ChosenLabels(View):
    """Labels of which some are kept, or some are left out; the others become background."""

    def __init__(self, of: Volume, ids: NDArray[Any], *, keeps: bool) -> None:
        super().__init__(of, of.shape, of.dtype, of.voxel_size)
        self._ids, self._keeps = np.unique(ids), keeps

    def read(self, box: Box) -> NDArray[Any]:
        """Return the labels of a box."""
        return _piecewise(self.of, box, self.dtype, self._chosen)

    def _chosen(self, labels: NDArray[Any]) -> NDArray[Any]:
        is_listed = np.isin(labels, self._ids)
        return np.where(is_listed == self._keeps, labels, np.zeros((), labels.dtype))


def _pieces(shape: Triple, voxel_bytes: int) -> Iterator[Box]:
    """Cut a box into pieces of whole rows for which little is read at once."""
    section_bytes = max(1, shape[1] * shape[2] * voxel_bytes)
    depth = max(1, PIECE_BYTES // section_bytes)
    rows = max(1, min(shape[1], PIECE_BYTES // max(1, shape[2] * voxel_bytes)))
    for block in blocks(shape, (depth, rows if depth == 1 else shape[1], shape[2])):
        yield block.core


def _piecewise(of: Volume, box: Box, dtype: np.dtype[Any], function: Any) -> NDArray[Any]:
    result = np.empty(box.shape, dtype)
    for piece in _pieces(box.shape, of.dtype.itemsize):
        voxels = of.read(piece.translated(box.start))
        for section, made in zip(voxels, result[piece.slices], strict=True):
            made[:] = function(section)
    return result


def _commonest(fine: NDArray[Any], factor: Triple) -> NDArray[Any]:
    """Return the commonest label of each cell, by sorting: O(n log n) in the voxels of a cell."""
    padding = [(0, -n % f) for n, f in zip(fine.shape, factor, strict=True)]
    padded = np.pad(fine, padding, mode="edge")
    depth, height, width = (n // f for n, f in zip(padded.shape, factor, strict=True))
    cells = padded.reshape(depth, factor[0], height, factor[1], width, factor[2])
    cells = np.sort(cells.transpose(1, 3, 5, 0, 2, 4).reshape(-1, depth, height, width), axis=0)
    best: NDArray[Any] = cells[0].copy()
    run = np.ones(cells.shape[1:], np.int32)
    longest = run.copy()
    for before, labels in itertools.pairwise(cells):
        run = np.where(labels == before, run + 1, 1)
        is_longer = run > longest
        best[is_longer] = labels[is_longer]
        np.maximum(longest, run, out=longest)
    return best


def _whole_numbers(dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return the least and the largest whole number up to which a type holds every one."""
    if dtype.kind in "ui":
        limits = np.iinfo(dtype)
        return int(limits.min), int(limits.max)
    exact = 1 << (np.finfo(dtype).nmant + 1)
    return -exact, exact


def _listed(ids: list[Any]) -> str:
    named = ", ".join(str(int(id)) for id in ids[:NAMED_IDS])
    more = f" and {len(ids) - NAMED_IDS:,} more" if len(ids) > NAMED_IDS else ""
    return f"{'Label' if len(ids) == 1 else 'Labels'} {named}{more}"
