"""Volumes that somebody edits: a job reads them as they are seen, with the edits that are not saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uniem.data.volume import Volume


@dataclass(frozen=True)
class SeenAsEdited:
    """A volume with edits that are not saved.

    Attributes
    ----------
    notice : str
        What to tell who reads it.
    warning : callable
        Returns what to tell after it was read; nothing if all is well.
    """

    volume: Volume
    notice: str
    warning: Callable[[], str]


Opener = Callable[[Path], SeenAsEdited | None]


def _nobody(path: Path) -> SeenAsEdited | None:
    return None


# This room does not know journals; whoever starts operations and does says how their edits are seen.
_opener: list[Opener] = [_nobody]


def see_edits_by(opener: Opener) -> None:
    """Open volumes with edits that are not saved by a function, which returns None for any other."""
    _opener[0] = opener


def as_edited(volume: Volume) -> SeenAsEdited | None:
    """Return a volume as its editor sees it; None if the disk has it so."""
    from uniem.data.store import StoredVolume

    return _opener[0](volume.path) if isinstance(volume, StoredVolume) else None
