"""Fresh labels for edits that a thread makes: it takes stand-ins, and the session's own come at the end."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from uniem.errors import UniemError
from uniem.proofreading.edits import Edit, Part, Patch, distinct


class StandIns:
    """Give labels that stand for fresh ones, 1, 2, and so on; never that of the object being divided."""

    def __init__(self, old: int, dtype: DTypeLike) -> None:
        self._old, self._last = old, 0
        self._largest = int(np.iinfo(np.dtype(dtype)).max)

    def __call__(self) -> int:
        """Return the next one."""
        self._last += 2 if self._last + 1 == self._old else 1
        if self._last > self._largest:
            raise UniemError(
                f"Object {self._old} has more parts than these labels can number.",
                "Convert the labels to uint32 or uint64.",
            )
        return self._last


def labels_given(edit: Edit) -> list[int]:
    """Return the labels that an edit gives, ascending."""
    return sorted({label for patch in edit.patches for label in distinct(patch.after)})


def with_fresh(edit: Edit, new_label: Callable[[], int]) -> Edit:
    """Return an edit whose stand-ins are labels that were never used."""
    return _with(edit, {each: new_label() for each in labels_given(edit)})


def _with(edit: Edit, fresh: dict[int, int]) -> Edit:
    parts: list[Part] = []
    for part in edit.parts:
        if not isinstance(part, Patch):
            parts.append(part)
            continue
        after = part.after.copy()
        for stand_in, label in fresh.items():
            after[part.after == stand_in] = label
        parts.append(Patch(part.box, part.count, part.mask, part.before, after))
    return Edit(edit.title, tuple(parts))
