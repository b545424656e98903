"""Patches to train on and windows to judge by, prepared ahead of the network."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.data.model_folder import Normalisation
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.networks.augmentation import Augmentation, augmented
from uniem.networks.reflection import read_reflected
from uniem.networks.splitting import CELL, Survey, bands
from uniem.progress import Context

Result = TypeVar("Result")
Floats = NDArray[np.float32]

CACHE_BYTES = 192 * 2**20
LARGEST_CACHED_SECTION = 64 * 2**20
MOST_BOXES_FOR_STATISTICS = 32


class Batch(NamedTuple):
    """Network inputs, (batch, y, x, 1), and truths, (batch, y, x, 2): target and weight; float32."""

    images: Floats
    truths: Floats


class Sections:
    """A volume read part by part, which remembers the sections used last; threads may share it."""

    def __init__(self, volume: Volume, cache_bytes: int = CACHE_BYTES) -> None:
        self._volume = volume
        self._lock = threading.Lock()
        self._sections: OrderedDict[int, NDArray[Any]] = OrderedDict()
        section_bytes = max(1, volume.nbytes // max(volume.shape[0], 1))
        self._capacity = cache_bytes // section_bytes if section_bytes <= LARGEST_CACHED_SECTION else 0

    def read(self, box: Box) -> NDArray[Any]:
        """Return a (y, x) part of one section, which the caller must not change."""
        with self._lock:
            if not self._capacity:
                part: NDArray[Any] = self._volume.read(box)[0]
            else:
                part = self._section(box.start[0])[box.slices[1:]]
        return part

    def _section(self, z: int) -> NDArray[Any]:
        section = self._sections.pop(z, None)
        if section is None:
            section = self._volume[z]
        self._sections[z] = section
        if len(self._sections) > self._capacity:
            self._sections.popitem(last=False)
        return section


@dataclass(frozen=True, slots=True)
class Pairs:
    """An image and its labels, read in windows as the network sees them."""

    image: Sections
    labels: Sections
    normalisation: Normalisation
    ignore_label: int | None = None
    background_label: int = 0

    def window(self, region: Box, corner_yx: tuple[int, int], side: int) -> tuple[Floats, Floats]:
        """Return image, (y, x), and truth, (y, x, 2), of a square; beyond the region they are mirrored.

        The corner is relative to the region, which is one section thick.
        """
        gray = self._read(self.image, region, corner_yx, side)
        labels = self._read(self.labels, region, corner_yx, side)
        truth = np.empty((side, side, 2), np.float32)
        truth[..., 0] = labels != self.background_label
        truth[..., 1] = 1 if self.ignore_label is None else labels != self.ignore_label
        return normalised(gray, self.normalisation), truth

    @staticmethod
    def _read(sections: Sections, region: Box, corner_yx: tuple[int, int], side: int) -> NDArray[Any]:
        def read(y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
            z, top, left = region.start
            return sections.read(Box((z, top + y0, left + x0), (z + 1, top + y1, left + x1)))

        return read_reflected(read, region.shape[1:], corner_yx, (side, side))


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

    def batch(self, index: int, size: int) -> Batch:
        """Return batch number `index` of so many patches."""
        patches = [self.patch(index * size + i) for i in range(size)]
        return Batch(
            np.stack([image for image, _ in patches])[..., None], np.stack([truth for _, truth in patches])
        )

    def patch(self, index: int) -> tuple[Floats, Floats]:
        """Return patch number `index`: its image, (side, side), and its truth, (side, side, 2)."""
        rng = np.random.default_rng((self._seed, index))
        place = self._on_an_object if rng.random() < self._foreground else self._anywhere
        region, corner_yx = place(rng)
        image, truth = self._pairs.window(region, corner_yx, self._side)
        return augmented(image, truth, self._augmentation, rng)

    def _anywhere(self, rng: np.random.Generator) -> tuple[Box, tuple[int, int]]:
        region = self._regions[int(rng.choice(len(self._regions), p=self._chances))]
        bounds = [self._bounds(length) for length in region.shape[1:]]
        y, x = (int(rng.integers(low, high, endpoint=True)) for low, high in bounds)
        return region, (y, x)

    def _on_an_object(self, rng: np.random.Generator) -> tuple[Box, tuple[int, int]]:
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
    pairs: Pairs, held_out: Sequence[Box], survey: Survey, side: int, most: int, batch_size: int
) -> list[Batch]:
    """Return windows that show the held-out boxes once each, with their surroundings at weight 0.

    Of more than `most` windows, as many are taken, evenly spread.
    """
    cells = [(Box.section(box.start[0], survey.shape), cell) for box in held_out for cell in _grid(box, side)]
    if len(cells) > most:
        cells = [cells[i] for i in np.linspace(0, len(cells) - 1, most).round().astype(int)]
    windows = [_window_around(pairs, section, cell, side) for section, cell in cells]
    batches = [windows[i : i + batch_size] for i in range(0, len(windows), batch_size)]
    return [
        Batch(np.stack([image for image, _ in group])[..., None], np.stack([truth for _, truth in group]))
        for group in batches
    ]


def prepared_ahead(make: Callable[[int], Result], threads: int = 2, ahead: int = 4) -> Generator[Result]:
    """Yield make(0), make(1), ... without end, computing some ahead in threads; close it when done."""
    with ThreadPoolExecutor(threads, thread_name_prefix="patches") as pool:
        pending = deque(pool.submit(make, index) for index in range(ahead))
        try:
            for index in count(ahead):
                pending.append(pool.submit(make, index))
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def measure_normalisation(image: Volume, boxes: Sequence[Box], context: Context) -> Normalisation:
    """Return mean and standard deviation of the gray values in boxes; of many, 32 are measured."""
    if len(boxes) > MOST_BOXES_FOR_STATISTICS:
        chosen = np.linspace(0, len(boxes) - 1, MOST_BOXES_FOR_STATISTICS).round().astype(int)
        boxes = [boxes[i] for i in chosen]
    number, total, squares = 0, 0.0, 0.0
    for box in context.track(boxes, "Measuring gray values"):
        for band in bands(box):
            values = image.read(band).astype(np.float64)
            number += values.size
            total += float(values.sum())
            squares += float(np.square(values).sum())
    mean = total / number
    std = float(np.sqrt(max(squares / number - mean**2, 0.0)))
    if not np.isfinite(mean + std):
        raise UniemError(
            f"{image.name or 'The image'} holds values that are no numbers (NaN or infinite).",
            "Convert it to 8 or 16 bit first.",
        )
    if std <= 1e-6 * max(abs(mean), 1e-6):
        raise UniemError(
            f"{image.name or 'The image'} has the same gray value everywhere that is annotated.",
            "Choose the image that the labels were painted on.",
        )
    return Normalisation(mean=mean, std=std)


def normalised(gray: NDArray[Any], normalisation: Normalisation) -> Floats:
    """Return gray values of any type as float32 network inputs."""
    shifted = gray.astype(np.float32) - np.float32(normalisation.mean)
    return np.asarray(shifted / np.float32(normalisation.std), np.float32)


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
    image, truth = pairs.window(section, (corner[0], corner[1]), side)
    inside = cell.relative_to((cell.start[0], corner[0], corner[1])).slices[1:]
    weight = np.zeros((side, side), np.float32)
    weight[inside] = truth[..., 1][inside]
    return image, np.stack([truth[..., 0], weight], -1)
