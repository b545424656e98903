"""What is painted in a label volume, as far as it bears on the choice of a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from uniem.data.geometry import Box
from uniem.data.volume import Volume

BAND_PIXELS = 16_000_000
MOST_CLASSES = 32


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """What is painted.

    Attributes
    ----------
    sections : the number of sections in which anything is painted.
    pixels : all pixels of those sections.
    counts : the number of pixels of each label but 0 in them.
    """

    sections: int
    pixels: int
    counts: dict[int, int]

    @property
    def share(self) -> float:
        """The painted share of the sections in which anything is painted, from 0 to 1."""
        return sum(self.counts.values()) / max(self.pixels, 1)

    @property
    def classes(self) -> tuple[int, ...]:
        """The labels, where they are few enough to mean kinds of things rather than numbers of objects."""
        return tuple(sorted(self.counts)) if 1 < len(self.counts) <= MOST_CLASSES else ()

    def share_of(self, label: int | None) -> float:
        """Return the share of one label, or of all that is painted."""
        return self.share if label is None else self.counts.get(label, 0) / max(self.pixels, 1)


def look_through(labels: Volume, should_stop: Callable[[], bool] = lambda: False) -> LabelFacts:
    """Count the pixels of each label, section by section; return what is counted until it should stop."""
    counts: Counter[int] = Counter()
    sections = 0
    for z in range(labels.shape[0]):
        if should_stop():
            break
        found = Counter[int]()
        for band in _bands(labels.shape, z):
            found.update(_counted(labels.read(band)))
        found.pop(0, None)
        sections += bool(found)
        counts.update(found)
    return LabelFacts(sections, sections * labels.shape[1] * labels.shape[2], dict(counts))


def _counted(values: NDArray[np.generic]) -> dict[int, int]:
    if values.dtype == np.uint8 or values.dtype == np.bool_:
        found = np.bincount(values.ravel())
        return {int(label): int(found[label]) for label in np.flatnonzero(found)}
    import fastremap

    labels, sizes = fastremap.unique(values, return_counts=True)
    return dict(zip(labels.tolist(), sizes.tolist(), strict=True))


def _bands(shape: tuple[int, int, int], z: int) -> Iterator[Box]:
    rows = max(1, BAND_PIXELS // max(shape[2], 1))
    for y in range(0, shape[1], rows):
        yield Box((z, y, 0), (z + 1, min(y + rows, shape[1]), shape[2]))
