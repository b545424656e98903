"""What a view shows: a part of a section, and what it looks at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """A part of a section in the rows and columns of a view.

    Attributes
    ----------
    array : (row, column) array
        Its voxels, of one level.
    position : int
        The section of the reference it shows.
    factors : (row, column)
        How many voxels of the reference one of its voxels spans.
    origin : (row, column)
        The place of its first voxel, in voxels of its own level.
    is_copy : bool
        The array is not the data themselves.
    """

    array: NDArray[Any]
    position: int
    factors: tuple[float, float] = (1.0, 1.0)
    origin: tuple[int, int] = (0, 0)
    is_copy: bool = False

    @property
    def is_full(self) -> bool:
        """Tell whether it shows every voxel as it is."""
        return self.factors == (1.0, 1.0)

    def value_at(self, row: int, column: int) -> Any:
        """Return the voxel at a place of the reference; the nearest one outside of what is there."""
        index = [
            min(max(0, math.floor(place / factor) - first), length - 1)
            for place, factor, first, length in zip(
                (row, column), self.factors, self.origin, self.array.shape, strict=True
            )
        ]
        return self.array[index[0], index[1]]


@dataclass(frozen=True, slots=True)
class Window:
    """What a view looks at, in voxels of the reference.

    Attributes
    ----------
    coarseness : (row, column)
        How many voxels a pixel of the screen spans.
    direction : int
        Where the sections went last: 1 or -1, 0 if nowhere.
    """

    position: int
    rows: tuple[float, float]
    columns: tuple[float, float]
    coarseness: tuple[float, float] = (1.0, 1.0)
    direction: int = 0
