"""What a person says about objects, made into edits: name, colour, lock, visibility."""

from __future__ import annotations

from collections.abc import Iterable

from uniem.errors import UniemError
from uniem.proofreading.edits import Edit, FieldChange, FieldValue
from uniem.proofreading.objects import ObjectTable


def rename(objects: ObjectTable, label: int, name: str) -> Edit | None:
    """Name an object; an empty name takes the name away."""
    return _change(objects, [label], "name", name.strip(), f"Rename {label}")


def recolour(objects: ObjectTable, labels: Iterable[int], colour: tuple[int, int, int] | None) -> Edit | None:
    """Give objects a red, green, blue colour, 0 to 255 each; None gives the palette's back."""
    return _change(objects, labels, "colour", colour, "Recolour")


def classify(objects: ObjectTable, labels: Iterable[int], class_name: str) -> Edit | None:
    """Say which kind of thing objects are; an empty name takes that back."""
    return _change(objects, labels, "class_name", class_name.strip(), "Classify")


def rate(objects: ObjectTable, labels: Iterable[int], confidence: int | None) -> Edit | None:
    """Say how sure one is of objects, 0 to 100 percent; None takes that back."""
    if confidence is not None and not 0 <= confidence <= 100:
        raise UniemError(f"{confidence} is no confidence.", "Give 0 to 100 percent.")
    return _change(objects, labels, "confidence", confidence, "Rate")


def annotate(objects: ObjectTable, labels: Iterable[int], note: str) -> Edit | None:
    """Write a note about objects; an empty one takes it away."""
    return _change(objects, labels, "note", note.strip(), "Note on")


def lock(objects: ObjectTable, labels: Iterable[int]) -> Edit | None:
    """Protect objects from every tool."""
    return _change(objects, labels, "locked", True, "Lock")


def unlock(objects: ObjectTable, labels: Iterable[int]) -> Edit | None:
    """Let tools change objects again."""
    return _change(objects, labels, "locked", False, "Unlock")


def show(objects: ObjectTable, labels: Iterable[int]) -> Edit | None:
    """Show objects."""
    return _change(objects, labels, "visible", True, "Show")


def hide(objects: ObjectTable, labels: Iterable[int]) -> Edit | None:
    """Hide objects."""
    return _change(objects, labels, "visible", False, "Hide")


def _change(
    objects: ObjectTable, labels: Iterable[int], field: str, value: FieldValue, title: str
) -> Edit | None:
    """Return one edit for all objects whose field differs, or None."""
    parts = []
    for label in labels:
        before = getattr(objects.fields_of(label), field)
        if before != value:
            parts.append(FieldChange(label, field, before, value))
    if not parts:
        return None
    subject = "" if title.startswith("Rename") else f" {listed([part.label for part in parts])}"
    return Edit(title + subject, tuple(parts))


def listed(labels: list[int]) -> str:
    """Name objects, or count them if they are many."""
    return ", ".join(map(str, labels)) if len(labels) <= 3 else f"{len(labels)} objects"
