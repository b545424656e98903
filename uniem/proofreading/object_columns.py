"""The columns of the object table kept up to date at the cost of what changed, not of all objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.proofreading.occupancy import Occupancy
from uniem.proofreading.tally import Columns

# More than so many changes at once are cheaper to put together anew.
_FEW = 200
# What is new at a place lies before what is gone from there.
_NEW, _GONE = 0, 1


class LiveColumns:
    """Hold the columns of a table whose counts change edit by edit."""

    def __init__(self) -> None:
        self._columns: Columns | None = None
        self._changed: set[int] = set()
        # The arrays are our own, so that they may be written to.
        self._is_own = False

    def note(self, labels: Iterable[int]) -> None:
        """Note which objects an edit concerns."""
        if self._columns is not None:
            self._changed.update(labels)

    def take(self, counts: Occupancy) -> Columns:
        """Return the columns as they are now; arrays got before may follow the edits, or may not."""
        if self._columns is None or len(self._changed) > _FEW:
            self._columns, self._is_own = counts.columns(), False
        elif self._changed:
            self._columns = self._brought_on(self._columns, counts)
            self._is_own = True
        self._changed.clear()
        return self._columns

    def _brought_on(self, columns: Columns, counts: Occupancy) -> Columns:
        totals = {label: counts.total_of(label) for label in sorted(self._changed)}
        there = np.array([label for label, (_, box) in totals.items() if box is not None], np.uint64)
        gone = np.array([label for label, (_, box) in totals.items() if box is None], np.uint64)
        new = there[~_are_among(columns.ids, there)]
        gone = gone[_are_among(columns.ids, gone)]
        if len(new) or len(gone):
            columns = _spliced(columns, new, gone)
        elif not self._is_own:
            columns = Columns(columns.ids, columns.voxels.copy(), columns.start.copy(), columns.stop.copy())
        for label, place in zip(there.tolist(), np.searchsorted(columns.ids, there).tolist(), strict=True):
            voxels, box = totals[label]
            assert box is not None
            columns.voxels[place], columns.start[place], columns.stop[place] = voxels, box.start, box.stop
        return columns


def _are_among(ids: NDArray[np.uint64], labels: NDArray[np.uint64]) -> NDArray[np.bool_]:
    places = np.searchsorted(ids, labels)
    found = places < len(ids)
    found[found] = ids[places[found]] == labels[found]
    return found


def _spliced(columns: Columns, new: NDArray[np.uint64], gone: NDArray[np.uint64]) -> Columns:
    """Return columns without some rows and with room for others, whose numbers are not set yet.

    What lies between is copied piece by piece, many times faster than by NumPy's own `insert` and `delete`.
    """
    cuts = sorted(
        [(int(place), _NEW) for place in np.searchsorted(columns.ids, new)]
        + [(int(place), _GONE) for place in np.searchsorted(columns.ids, gone)]
    )
    made = []
    for array in (columns.ids, columns.voxels, columns.start, columns.stop):
        row, at = np.zeros_like(array, shape=(1, *array.shape[1:])), 0
        pieces: list[NDArray[Any]] = []
        for place, kind in cuts:
            pieces += [array[at:place], row] if kind == _NEW else [array[at:place]]
            at = place if kind == _NEW else place + 1
        made.append(np.concatenate([*pieces, array[at:]]))
    ids, voxels, start, stop = made
    ids[np.searchsorted(columns.ids, new) + np.arange(len(new)) - np.searchsorted(gone, new)] = new
    return Columns(ids, voxels, start, stop)
