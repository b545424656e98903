"""Objects among millions put in order: by what was measured, or by what a person says of a few of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.proofreading.object_search import places_in_order
from uniem.proofreading.objects import Fields, ObjectTable
from uniem.proofreading.tally import Columns

Order = NDArray[np.intp]
ID, VOXELS, PLACE, EDITED = "id", "voxels", "place", "edited"
# For these it helps to know an order that is nearly right.
MEASURED = (VOXELS, PLACE)
_TEXTS = ("name", "class_name", "note")


def ascending(objects: ObjectTable, columns: Columns, by: str, start: Order | None = None) -> Order:
    """Return the rows of columns in ascending order: by 'id', 'voxels', 'place', 'edited', or a field.

    Objects of which nothing is said come first, those that are alike by their ids. `start` is an order of all
    rows that is nearly the one wanted, such as that from before an edit; it makes this many times faster.
    """
    ids = columns.ids
    if by == ID:
        return np.arange(len(ids))
    if by == VOXELS:
        return _sorted(columns.voxels, start)
    if by == PLACE:
        return _sorted(_places(columns), start)
    said = objects.edited.items() if by == EDITED else _said(objects.said.items(), by)
    listed = sorted((value, label) for label, value in said)
    labels = np.array([label for _, label in listed], np.uint64)
    last = places_in_order(ids, labels)
    is_first = np.ones(len(ids), np.bool_)
    is_first[last] = False
    return np.concatenate([np.flatnonzero(is_first), last])


def carried_over(order: Order, old: NDArray[np.uint64], new: NDArray[np.uint64]) -> Order:
    """Return an order of objects as one of those there are now, ids ascending; new ones come last."""
    if len(old) == len(new) and bool((old == new).all()):
        return order
    places = np.searchsorted(new, old)
    stays = places < len(new)
    stays[stays] = new[places[stays]] == old[stays]
    is_new = np.ones(len(new), np.bool_)
    is_new[places[stays]] = False
    return np.concatenate([places[order][stays[order]], np.flatnonzero(is_new)])


def _sorted(key: NDArray[np.int64], start: Order | None) -> Order:
    if start is None:
        return np.argsort(key, kind="stable")
    order: Order = start[np.argsort(key[start], kind="stable")]
    return order


def _places(columns: Columns) -> NDArray[np.int64]:
    """Return where the boxes begin as one number each, that grows with z, then y, then x."""
    if not len(columns.ids):
        return np.zeros(0, np.int64)
    _, height, width = (int(n) for n in columns.stop.max(axis=0))
    z, y, x = columns.start.T
    places: NDArray[np.int64] = (z * height + y) * width + x
    return places


def _said(said: Iterable[tuple[int, Fields]], by: str) -> list[tuple[int, Any]]:
    """Return label and value of the objects that do not come first."""
    if by in _TEXTS:
        return [(label, text.lower()) for label, fields in said if (text := getattr(fields, by))]
    if by == "visible":
        return [(label, True) for label, fields in said if not fields.visible]
    if by == "locked":
        return [(label, True) for label, fields in said if fields.locked]
    return [(label, value) for label, fields in said if (value := getattr(fields, by)) is not None]
