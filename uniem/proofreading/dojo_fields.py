"""Names, locks and colours of a Dojo folder's segments, carried over to the labels imported from it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from uniem.data.formats import mojo, split_location
from uniem.data.formats.contents import format_of
from uniem.data.formats.mojo import MojoSegment, read_segments
from uniem.data.palette import colour_of
from uniem.data.provenance import Provenance
from uniem.data.store import open_store
from uniem.errors import UniemError
from uniem.proofreading.edits import Edit, FieldChange, FieldValue
from uniem.proofreading.objects import ObjectTable
from uniem.proofreading.session import ProofreadingSession

KEY = "dojo fields"
OPERATION = "convert"


def take_dojo_fields(session: ProofreadingSession) -> int:
    """Give labels that were imported from a Dojo folder the names, locks and colours they had there, once.

    It is one edit, which is saved and can be undone. Returns how many objects got something.
    """
    folder = _dojo_folder_of(session.path)
    if folder is None:
        return 0
    edit = edit_of(session.objects, read_segments(folder), folder.name)
    if not session.apply_once(KEY, edit) or edit is None:
        return 0
    session.save()
    return len(edit.labels)


def edit_of(objects: ObjectTable, segments: Iterable[MojoSegment], source: str) -> Edit | None:
    """Return the edit that makes objects what segments were called and looked like; None if nothing changes.

    A name that UNI-EM made up, segment<id>, and a colour that the palette gives anyway are left out.
    """
    parts: list[FieldChange] = []
    for segment in segments:
        fields = objects.fields_of(segment.id)
        wanted: dict[str, FieldValue] = {
            "name": "" if segment.name == f"segment{segment.id}" else segment.name,
            "locked": segment.is_locked,
            "colour": None if segment.colour == colour_of(segment.id) else segment.colour,
        }
        for field, value in wanted.items():
            if value and getattr(fields, field) != value:
                parts.append(FieldChange(segment.id, field, getattr(fields, field), value))
    return Edit(f"Take names, locks and colours from {source}", tuple(parts)) if parts else None


def _dojo_folder_of(store: Path) -> Path | None:
    """Return the Dojo folder whose ids a store is a copy of, None if it is none or the folder is gone."""
    record = open_store(store).attributes.get("provenance")
    if not record:
        return None
    provenance = Provenance.of_attributes(record)
    source = provenance.inputs.get("source")
    if provenance.operation != OPERATION or source is None or provenance.parameters.get("relabel"):
        return None
    try:
        path, _ = split_location(source.location)
        if format_of(path) is not mojo.FORMAT:
            return None
    except UniemError:
        return None
    return path.parent if path.name in mojo.PARTS else path
