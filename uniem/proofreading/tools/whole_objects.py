"""Whole objects merged, deleted or relabelled at once, however large they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict

from uniem.proofreading.edits import Edit, FieldChange, Relabelling
from uniem.proofreading.objects import Fields, ObjectTable
from uniem.proofreading.tools.fields import listed
from uniem.proofreading.tools.protect import Protect, check_unlocked


def merge_objects(objects: ObjectTable, into: int, others: Iterable[int]) -> Edit | None:
    """Give other objects the label of one; None if there is nothing to merge.

    Background and locked objects among the others are spared. Raises `UniemError` if the one is locked.
    """
    locked = objects.locked()
    check_unlocked([into], Protect(locked=locked))
    chosen = [label for label in sorted(set(others)) if label in objects and label not in locked | {into}]
    return _relabelled(f"Merge {listed(chosen)} into {into}", chosen, into)


def delete_objects(objects: ObjectTable, labels: Iterable[int]) -> Edit | None:
    """Make background of objects; None if they have no voxels. Raises `UniemError` if one is locked."""
    chosen = [label for label in sorted(set(labels)) if label in objects]
    check_unlocked(chosen, Protect(locked=objects.locked()))
    return _relabelled(f"Delete {listed(chosen)}", chosen, 0)


def relabel_object(objects: ObjectTable, old: int, new: int) -> Edit | None:
    """Give an object another label; None if it has no voxels. Raises `UniemError` if one is locked.

    Name, colour and what else is said of it goes with it, unless it joins an object that is there.
    """
    check_unlocked([old, new], Protect(locked=objects.locked()))
    chosen = [old] if old in objects and old != new else []
    edit = _relabelled(f"Relabel {old} as {new}", chosen, new)
    if edit is None or new in objects:
        return edit
    said = objects.fields_of(old)
    return Edit(edit.title, (*edit.parts, *_said(objects, new, said), *_said(objects, old, Fields())))


def _said(objects: ObjectTable, label: int, wanted: Fields) -> Iterator[FieldChange]:
    """Yield the changes after which an object has some fields."""
    before, after = asdict(objects.fields_of(label)), asdict(wanted)
    for name, value in after.items():
        if before[name] != value:
            yield FieldChange(label, name, before[name], value)


def _relabelled(title: str, sources: list[int], target: int) -> Edit | None:
    if not sources:
        return None
    return Edit(title, (Relabelling(tuple((source, target) for source in sources)),))
