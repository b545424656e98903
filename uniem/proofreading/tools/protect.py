"""What a tool must not change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.volume import Volume
from uniem.errors import UniemError

# Up to so many labels are looked for one by one, which beats a search.
_FEW = 4


class Over(StrEnum):
    """What a tool may paint over."""

    ALL = "all"
    BACKGROUND = "background"
    SELECTED = "selected"


@dataclass(frozen=True, slots=True)
class Protect:
    """Which voxels a tool spares: by rule, and those of locked objects always.

    With `Over.SELECTED` only voxels of the labels in `inside` may change; 0 among them is background.
    """

    over: Over = Over.ALL
    inside: frozenset[int] = frozenset()
    locked: frozenset[int] = frozenset()

    def paintable(self, labels: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which voxels may be changed, given their labels."""
        if self.over is Over.SELECTED:
            return is_among(labels, self.inside - self.locked)
        return is_among(labels, {0}) if self.over is Over.BACKGROUND else ~is_among(labels, self.locked)

    def sparing_others(self) -> Protect:
        """Return the same, but over background only where it would be over all.

        For tools that reach beyond what the hand drew, such as growing an object.
        """
        return replace(self, over=Over.BACKGROUND) if self.over is Over.ALL else self


def is_among(labels: NDArray[Any], chosen: Iterable[int]) -> NDArray[np.bool_]:
    """Return which voxels carry one of the chosen labels; fast where labels lie in runs along x."""
    largest = np.iinfo(labels.dtype).max
    wanted = np.array(sorted(label for label in chosen if 0 <= label <= largest), dtype=labels.dtype)
    if len(wanted) == 0 or labels.size == 0:
        return np.zeros(labels.shape, np.bool_)
    if len(wanted) <= _FEW:
        found: NDArray[np.bool_] = labels == wanted[0]
        for label in wanted[1:]:
            found |= labels == label
        return found
    flat = labels.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    values = flat[starts]
    places = np.searchsorted(wanted, values).clip(max=len(wanted) - 1)
    return np.repeat(wanted[places] == values, np.diff(starts, append=flat.size)).reshape(labels.shape)


def check_label(volume: Volume, label: int, protect: Protect) -> None:
    """Raise if a label must not be painted: it is locked, or larger than the volume can hold."""
    check_unlocked([label], protect)
    largest = np.iinfo(volume.dtype).max
    if not 0 <= label <= largest:
        raise UniemError(
            f"Label {label} does not fit {volume.name or 'the volume'}, which holds 0 to {largest}.",
            "Choose a smaller label, or convert the volume to a wider type.",
        )


def check_unlocked(labels: Iterable[int], protect: Protect) -> None:
    """Raise if one of the labels is locked."""
    if locked := sorted(protect.locked.intersection(labels)):
        raise UniemError(
            f"Object {locked[0]} is locked.", "Unlock it in the object table, or choose another label."
        )
