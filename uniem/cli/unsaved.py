"""Commands read volumes as they are edited in a window, with what is not saved and what is said there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from uniem.data.edited import Said, SeenAsEdited, see_edits_by


def see_unsaved_edits() -> None:
    """Let every operation of this process see edits that are not saved."""
    see_edits_by(_as_edited, _said_of)


def _as_edited(path: Path) -> SeenAsEdited | None:
    # Only when there is a volume to read: most commands need no journal.
    from uniem.proofreading.viewing import see_unsaved

    return see_unsaved(path)


def _said_of(path: Path) -> Mapping[int, Said]:
    from uniem.proofreading.viewing import said_of_objects

    return said_of_objects(path)
