"""Finding objects among millions: by the beginning of their id, or by what a person says of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from uniem.proofreading.objects import ObjectTable

_LARGEST = int(np.iinfo(np.uint64).max)


def matching(objects: ObjectTable, ids: NDArray[np.uint64], text: str) -> NDArray[np.bool_]:
    """Return which ids, ascending, begin with a text or have it in their name, class or note."""
    wanted = text.strip().lower()
    found = begins_with(ids, wanted)
    if not wanted:
        return found
    said = objects.said.items()
    named = [
        label
        for label, fields in said
        if any(wanted in each.lower() for each in (fields.name, fields.class_name, fields.note))
    ]
    found[places_of(ids, named)] = True
    return found


def begins_with(ids: NDArray[np.uint64], digits: str) -> NDArray[np.bool_]:
    """Return which ids, ascending, begin with some digits: they are a few ranges of numbers."""
    if not digits:
        return np.ones(len(ids), np.bool_)
    found = np.zeros(len(ids), np.bool_)
    if not (digits.isascii() and digits.isdecimal()) or (digits[0] == "0" and digits != "0"):
        return found
    first, last = int(digits), int(digits)
    while first <= _LARGEST:
        start = np.searchsorted(ids, np.uint64(first), "left")
        end = np.searchsorted(ids, np.uint64(min(last, _LARGEST)), "right")
        found[start:end] = True
        if first == 0:
            break
        first, last = first * 10, last * 10 + 9
    return found


def places_of(ids: NDArray[np.uint64], labels: Iterable[int]) -> NDArray[np.intp]:
    """Return where labels are among ids, which ascend; those that are not there are left out."""
    return places_in_order(ids, np.array(sorted(labels), np.uint64))


def places_in_order(ids: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return where labels, in any order, are among ids, which ascend; in the order of the labels."""
    places = np.searchsorted(ids, wanted)
    is_there = places < len(ids)
    is_there[is_there] = ids[places[is_there]] == wanted[is_there]
    return places[is_there]
