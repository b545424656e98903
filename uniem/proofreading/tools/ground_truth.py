"""Sparse ground truth: 0 says that nobody has looked, and background is painted as a class."""

from __future__ import annotations

from uniem.proofreading.edits import Edit, FieldChange, FieldValue
from uniem.proofreading.objects import ObjectTable

# Painted where there is no object; training takes it as background and ignores 0.
BACKGROUND_CLASS = 1
_COLOUR = (128, 128, 128)


def begin_sparse(objects: ObjectTable) -> Edit | None:
    """Name label 1 background and make it gray; None if it is so already."""
    wanted: dict[str, FieldValue] = {"name": "background", "colour": _COLOUR}
    fields = objects.fields_of(BACKGROUND_CLASS)
    parts = tuple(
        FieldChange(BACKGROUND_CLASS, field, getattr(fields, field), value)
        for field, value in wanted.items()
        if getattr(fields, field) != value
    )
    return Edit("Begin sparse ground truth", parts) if parts else None
