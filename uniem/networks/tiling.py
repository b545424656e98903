"""Cutting sections into tiles that overlap so far that no seam can be seen."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.data.volume import Volume
from uniem.networks.reflection import reflected

LARGEST_BATCH = 16
# What a band of tiles, over the sections that are stored together, may take.
BAND_BYTES = 192 << 20


class Footprint(Protocol):
    """What of a network, or of several that predict together, decides how sections are cut."""

    @property
    def stride(self) -> int:
        """What the sides of an input must be multiples of."""

    @property
    def margin(self) -> int:
        """How many pixels around a tile the network must see; a multiple of the stride."""

    @property
    def bytes_per_pixel(self) -> int:
        """About how much memory prediction takes per input pixel."""

    @property
    def sections(self) -> int:
        """How many neighbouring sections the network sees at a time."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """How the sections of a volume are cut: equal tiles, each seen with a margin around it.

    Tiles begin at multiples of the network's stride and the margin covers its receptive field, so every
    pixel is computed from the same inputs as if the whole section, mirrored at its borders, were computed at
    once.
    """

    section_yx: tuple[int, int]
    tile_yx: tuple[int, int]
    margin: int
    batch: int

    @property
    def input_yx(self) -> tuple[int, int]:
        """The size of what the network sees of a tile."""
        return self.tile_yx[0] + 2 * self.margin, self.tile_yx[1] + 2 * self.margin

    @property
    def grid_yx(self) -> tuple[int, int]:
        """The number of tiles along each axis."""
        (height, width), (tile_y, tile_x) = self.section_yx, self.tile_yx
        return math.ceil(height / tile_y), math.ceil(width / tile_x)

    @property
    def overlap(self) -> float:
        """How many pixels are computed per pixel kept, less one."""
        rows, columns = self.grid_yx
        computed = rows * columns * math.prod(self.input_yx)
        return computed / math.prod(self.section_yx) - 1


class Tile(NamedTuple):
    """The place of a tile, its band's, and the gray values the network sees of it, (y, x, sections)."""

    box: Box
    band: Box
    window: NDArray[Any]


def plan_tiles(
    network: Footprint,
    section_yx: tuple[int, int],
    sections: int,
    memory_mb: int,
    tile_size: int | None = None,
) -> Tiling:
    """Choose the largest equal tiles that the memory allows, or those asked for, and the batch."""
    stride, margin = network.stride, network.margin
    budget = memory_mb * 1_000_000 // network.bytes_per_pixel
    whole = [rounded_up(length, stride) for length in section_yx]
    if tile_size is not None:
        side = rounded_up(tile_size, stride)
        tile = (min(side, whole[0]), min(side, whole[1]))
    else:
        tile = _largest_tile(section_yx, stride, margin, budget)
    pixels = (tile[0] + 2 * margin) * (tile[1] + 2 * margin)
    planned = Tiling(section_yx, tile, margin, 1)
    batch = min(max(budget // pixels, 1), LARGEST_BATCH, sections * math.prod(planned.grid_yx))
    return Tiling(section_yx, tile, margin, batch)


def bands(image: Volume, outs: Sequence[Volume], tiling: Tiling, sections: int) -> Iterator[Box]:
    """Cut a volume into bands, each a row of tiles over sections that are stored together, in order.

    `outs` are what is written to. Where rows of tiles are long, bands have fewer sections, of which a whole
    number of bands are stored together.
    """
    depth, height, width = image.shape
    tile_y, together = tiling.tile_yx[0], outs[0].chunk_shape[0]
    written = tile_y * sum(out.dtype.itemsize for out in outs)
    row_bytes = width * (tiling.input_yx[0] * image.dtype.itemsize + written)
    thick = max(1, min(max(image.chunk_shape[0], together), BAND_BYTES // row_bytes - sections + 1))
    step = next(n for n in range(thick, 0, -1) if n % together == 0 or together % n == 0)
    for z in range(0, depth, step):
        for y in range(0, height, tile_y):
            yield Box((z, y, 0), (min(z + step, depth), min(y + tile_y, height), width))


def tiles(image: Volume, band: Box, tiling: Tiling, sections: int) -> Iterator[Tile]:
    """Yield the tiles of a band in order, which is read once; beyond the borders it is mirrored."""
    depth, height, width = image.shape
    (z0, y0, _), (z1, y1, _) = band.start, band.stop
    margin, (tile_y, tile_x) = tiling.margin, tiling.tile_yx
    layers = reflected(depth, z0 - sections // 2, z1 + sections // 2)
    rows = reflected(height, y0 - margin, y0 + tile_y + margin)
    low, top = int(layers.min()), int(rows.min())
    block = image.read(Box((low, top, 0), (int(layers.max()) + 1, int(rows.max()) + 1, width)))
    for z in range(z0, z1):
        seen = layers[z - z0 : z - z0 + sections] - low
        for x in range(0, width, tile_x):
            columns = reflected(width, x - margin, x + tile_x + margin)
            left, right = int(columns.min()), int(columns.max()) + 1
            part = block[:, :, left:right]
            window = np.stack([part[layer][np.ix_(rows - top, columns - left)] for layer in seen], -1)
            box = Box((z, y0, x), (z + 1, y1, min(x + tile_x, width)))
            yield Tile(box, band, window)


def rounded_up(length: int, step: int) -> int:
    """Return the least multiple of a step that is no less than a length."""
    return math.ceil(length / step) * step


def _largest_tile(section_yx: tuple[int, int], stride: int, margin: int, budget: int) -> tuple[int, int]:
    """Return the sides of the fewest equal tiles of which one fits in the budget of pixels.

    Below the size of the margin, smaller tiles would cost more than they save: there the budget is exceeded.
    """
    smallest = max(stride, margin)
    counts = [1, 1]
    while True:
        tile = [
            rounded_up(math.ceil(length / count), stride)
            for length, count in zip(section_yx, counts, strict=True)
        ]
        longer = 0 if tile[0] >= tile[1] else 1
        if (tile[0] + 2 * margin) * (tile[1] + 2 * margin) <= budget or tile[longer] <= smallest:
            return tile[0], tile[1]
        counts[longer] += 1
