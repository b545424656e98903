"""What a project holds, as text and as JSON: its data and their places, what is missing, how large it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from uniem.cli.reference import aligned
from uniem.data.project import FILE_NAME, ProjectState, find_place, places_of, project_folder, read_state
from uniem.data.project_parts import files_of, parts_of
from uniem.errors import UniemError


def report_json(path: str) -> dict[str, Any]:
    """Return what a project holds as JSON values; nothing of it is opened."""
    folder = project_folder(path)
    if folder is None:
        raise UniemError(f"{path} is no project.", f"Name a folder that holds {FILE_NAME}.")
    state = read_state(folder / FILE_NAME)
    return {
        "project": str(folder),
        "written_by": state.written_by,
        "items": [_item(state, number, folder) for number in range(len(state.items))],
        "parts": _parts(state, folder),
    }


def report_text(report: dict[str, Any]) -> str:
    """Return a report for people to read."""
    items = [
        (item["name"], item["kind"] or item["role"], "missing" if item["is_missing"] else "", item["place"])
        for item in report["items"]
    ]
    parts = [(part["name"], f"{part['bytes']:,}", f"{part['files']:,}") for part in report["parts"]]
    lines = [f"{report['project']}, written by {report['written_by'] or 'nobody yet'}", ""]
    lines.append(aligned([("DATA", "KIND", "", "PLACE"), *items]) if items else "Nothing is open in it.")
    lines += ["", aligned([("PART", "BYTES", "FILES"), *parts])]
    return "\n".join(lines)


def _item(state: ProjectState, number: int, folder: Path) -> dict[str, Any]:
    record = state.items[number]
    place = find_place(record, folder)
    return {
        "name": record.name,
        "role": record.role,
        "kind": record.kind,
        "place": place or places_of(record, folder)[-1],
        "is_missing": place is None,
    }


def _parts(state: ProjectState, folder: Path) -> list[dict[str, Any]]:
    parts = parts_of(state, folder)
    found = []
    for part in parts:
        sizes = [path.stat().st_size for path, _ in files_of(part, parts)]
        found.append({"name": part.name, "bytes": sum(sizes), "files": len(sizes)})
    return found
