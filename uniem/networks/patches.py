"""Patches to train on and windows to judge by."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.data.model_folder import Normalisation
from uniem.networks.augmentation import Augmentation, changed_looks, flipped, warp_of
from uniem.networks.normalisation import normalised
from uniem.networks.reflection import read_reflected
from uniem.networks.sections import Sections
from uniem.networks.survey import CELL, Survey
from uniem.networks.targets import Target

Floats = NDArray[np.float32]
Corner = tuple[int, int]

# Streams of random numbers of a patch: what is switched on in one does not change the draws of another.
PLACE, WARP, MIRROR, LOOKS = range(4)


class Batch(NamedTuple):
    """Network inputs, (batch, y, x, sections), and truths, (batch, y, x, 2): target and weight; float32."""

    images: Floats
    truths: Floats


@dataclass(frozen=True, slots=True)
class Pairs:
    """An image and its labels, read in windows as the network sees them.

    Attributes
    ----------
    depth : how many neighbouring sections the network sees, as channels.
    """

    image: Sections
    labels: Sections
    normalisation: Normalisation
    target: Target
    depth: int = 1

    def window(self, region: Box, corner_yx: Corner, size_yx: tuple[int, int]) -> tuple[Floats, Floats]:
        """Return image, (y, x, sections), and truth, (y, x, 2); beyond the region they are mirrored.

        The corner is relative to the region, which is one section thick.
        """
        z = region.start[0]
        gray = [
            self._read(self.image, region.translated((other - z, 0, 0)), corner_yx, size_yx)
            for other in self.image.around(z, self.depth)
        ]
        return normalised(np.stack(gray, -1), self.normalisation), self._truth(region, corner_yx, size_yx)

    def _truth(self, region: Box, corner_yx: Corner, size_yx: tuple[int, int]) -> Floats:
        halo = self.target.halo
        corner = corner_yx[0] - halo, corner_yx[1] - halo
        labels = self._read(self.labels, region, corner, (size_yx[0] + 2 * halo, size_yx[1] + 2 * halo))
        truth = self.target.truth(labels)
        return truth[halo : halo + size_yx[0], halo : halo + size_yx[1]]

    @staticmethod
    def _read(sections: Sections, region: Box, corner_yx: Corner, size_yx: tuple[int, int]) -> NDArray[Any]:
        def read(y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
            z, top, left = region.start
            return sections.read(Box((z, top + y0, left + x0), (z + 1, top + y1, left + x1)))

        return read_reflected(read, region.shape[1:], corner_yx, size_yx)


class PatchSampler:
    """Draws training patches; patch i is the same whenever and in whatever thread it is drawn.

    A share of the patches, `foreground`, is placed on an object, so that rare objects are seen often enough.
    """

    def __init__(
        self,
        pairs: Pairs,
        regions: Sequence[Box],
        survey: Survey,
        side: int,
        foreground: float,
        augmentation: Augmentation,
        seed: int,
    ) -> None:
        self._pairs = pairs
        self._regions = regions
        self._side = side
        self._augmentation = augmentation
        self._seed = seed
        areas = np.array([region.size for region in regions], np.float64)
        self._chances = areas / areas.sum()
        cells = [survey.cells_in(region) for region in regions]
        self._cells = np.concatenate(cells)
        self._cell_regions = np.repeat(np.arange(len(regions)), [len(found) for found in cells])
        self._foreground = foreground if len(self._cells) else 0.0

    def changed(self, augmentation: Augmentation) -> PatchSampler:
        """Return a sampler that draws the same patches and changes them in another way."""
        other = copy.copy(self)
        other._augmentation = augmentation
        return other

    def batch(self, index: int, size: int) -> Batch:
        """Return batch number `index` of so many patches."""
        patches = [self.patch(index * size + i) for i in range(size)]
        return Batch(np.stack([image for image, _ in patches]), np.stack([truth for _, truth in patches]))

    def patch(self, index: int) -> tuple[Floats, Floats]:
        """Return patch number `index`: its image, (side, side, sections), and truth, (side, side, 2)."""
        draws = [np.random.default_rng((self._seed, index, stream)) for stream in range(4)]
        place = self._on_an_object if draws[PLACE].random() < self._foreground else self._anywhere
        region, corner = place(draws[PLACE])
        side, settings = self._side, self._augmentation
        warp = warp_of(settings, side, draws[WARP])
        if warp is None:
            image, truth = self._pairs.window(region, corner, (side, side))
        else:
            corner = corner[0] + warp.offset_yx[0], corner[1] + warp.offset_yx[1]
            source, source_truth = self._pairs.window(region, corner, warp.size_yx)
            image, truth = warp.image(source), warp.truth(source_truth, self._pairs.target.is_gray)
        image, truth = flipped(image, truth, settings, draws[MIRROR])
        return changed_looks(image, truth, settings, draws[LOOKS])

    def _anywhere(self, rng: np.random.Generator) -> tuple[Box, Corner]:
        region = self._regions[int(rng.choice(len(self._regions), p=self._chances))]
        bounds = [self._bounds(length) for length in region.shape[1:]]
        y, x = (int(rng.integers(low, high, endpoint=True)) for low, high in bounds)
        return region, (y, x)

    def _on_an_object(self, rng: np.random.Generator) -> tuple[Box, Corner]:
        chosen = int(rng.integers(len(self._cells)))
        region = self._regions[self._cell_regions[chosen]]
        corner = []
        for axis in (0, 1):
            inside = int(self._cells[chosen, axis]) * CELL + int(rng.integers(CELL)) - region.start[axis + 1]
            low, high = self._bounds(region.shape[axis + 1])
            corner.append(min(max(inside - int(rng.integers(self._side)), low), high))
        return region, (corner[0], corner[1])

    def _bounds(self, length: int) -> tuple[int, int]:
        """Return the first and last corner along an axis; a short region lies anywhere in the patch."""
        return (0, length - self._side) if length >= self._side else (length - self._side, 0)


def validation_batches(
    pairs: Pairs, held_out: Sequence[Box], side: int, most: int, batch_size: int
) -> list[Batch]:
    """Return windows that show the held-out boxes once each, with their surroundings at weight 0.

    Of more than `most` windows, as many are taken, evenly spread.
    """
    cells = [(pairs.labels.whole(box.start[0]), cell) for box in held_out for cell in _grid(box, side)]
    if len(cells) > most:
        cells = [cells[i] for i in np.linspace(0, len(cells) - 1, most).round().astype(int)]
    windows = [_window_around(pairs, section, cell, side) for section, cell in cells]
    batches = [windows[i : i + batch_size] for i in range(0, len(windows), batch_size)]
    return [
        Batch(np.stack([image for image, _ in group]), np.stack([truth for _, truth in group]))
        for group in batches
    ]


def _grid(box: Box, side: int) -> Iterator[Box]:
    (z, top, left), (_, bottom, right) = box.start, box.stop
    for y in range(top, bottom, side):
        for x in range(left, right, side):
            yield Box((z, y, x), (z + 1, min(y + side, bottom), min(x + side, right)))


def _window_around(pairs: Pairs, section: Box, cell: Box, side: int) -> tuple[Floats, Floats]:
    corner = []
    for axis in (1, 2):
        centred = (cell.start[axis] + cell.stop[axis] - side) // 2
        corner.append(min(max(centred, 0), max(section.shape[axis] - side, 0)))
    image, truth = pairs.window(section, (corner[0], corner[1]), (side, side))
    inside = cell.relative_to((cell.start[0], corner[0], corner[1])).slices[1:]
    weight = np.zeros((side, side), np.float32)
    weight[inside] = truth[..., 1][inside]
    return image, np.stack([truth[..., 0], weight], -1)
