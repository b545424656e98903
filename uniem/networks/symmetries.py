"""Flips and quarter turns of images, and their inverses."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from uniem.networks.prediction_settings import Flips


class Symmetry(NamedTuple):
    """An exchange of the axes y and x, where asked for, followed by flips along them."""

    transpose: bool
    flip_y: bool
    flip_x: bool

    def applied(self, images: NDArray[Any]) -> NDArray[Any]:
        """Return a view of images, (batch, y, x, ...), as the symmetry shows them."""
        if self.transpose:
            images = images.swapaxes(1, 2)
        return self._flipped(images)

    def undone(self, images: NDArray[Any]) -> NDArray[Any]:
        """Return a view of what the symmetry shows, (batch, y, x, ...), as it was."""
        images = self._flipped(images)
        return images.swapaxes(1, 2) if self.transpose else images

    def _flipped(self, images: NDArray[Any]) -> NDArray[Any]:
        return images[:, :: -1 if self.flip_y else 1, :: -1 if self.flip_x else 1]


def symmetries(flips: Flips) -> list[Symmetry]:
    """Return the symmetries that a choice means; the first changes nothing."""
    both = (False, True)
    transposed = both if flips == "all" else both[:1]
    flipped = both[:1] if flips == "none" else both
    return [Symmetry(t, y, x) for t in transposed for y in flipped for x in flipped]
