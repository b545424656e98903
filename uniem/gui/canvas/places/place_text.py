"""Where to go, as somebody types it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from uniem.data.geometry import Triple, VoxelSize
from uniem.errors import UniemError

HOW = "z, y, x in voxels; or with nm after them; or a section alone; or label 123"


@dataclass(frozen=True, slots=True)
class Goal:
    """A voxel, or a label."""

    zyx: Triple | None = None
    label: int | None = None


def parse_goal(text: str, here: Triple, shape: Triple, voxel_size: VoxelSize | None) -> Goal:
    """Read 'z, y, x', 'z, y, x nm', 'z', 'label 12' or '#12'; raise what is wrong with anything else."""
    wanted = text.strip().lower()
    if found := re.fullmatch(r"(?:label|object|id|#)\s*(\d+)", wanted):
        return Goal(label=int(found[1]))
    is_nm = wanted.endswith("nm")
    numbers = [part for part in re.split(r"[\s,;]+", wanted.removesuffix("nm").strip("()[] ")) if part]
    try:
        values = [float(part) for part in numbers]
    except ValueError:
        values = []
    if len(values) not in (1, 3) or not all(math.isfinite(value) for value in values):
        raise UniemError(f"'{text}' is no place.", f"Write {HOW}.")
    if is_nm:
        if voxel_size is None:
            raise UniemError("The voxel size is not known.", "Write the place in voxels, or set the size.")
        values = [value / edge for value, edge in zip(values, voxel_size, strict=False)]
    place = [math.floor(value) for value in values] + list(here[len(values) :])
    if not all(0 <= p < n for p, n in zip(place, shape, strict=True)):
        size = " × ".join(str(n) for n in shape)
        raise UniemError(f"{tuple(place)} is outside: there are {size} voxels.", f"Write {HOW}.")
    return Goal(zyx=(place[0], place[1], place[2]))
