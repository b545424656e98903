"""Volumes that somebody edits: a job reads them as they are seen there, and what is said of their objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uniem.data.palette import Colour

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


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says of an object; a colour of None is the palette's."""

    name: str = ""
    is_locked: bool = False
    colour: Colour | None = None


Opener = Callable[[Path], SeenAsEdited | None]
Teller = Callable[[Path], Mapping[int, Said]]


def _nobody(path: Path) -> SeenAsEdited | None:
    return None


def _nothing(path: Path) -> Mapping[int, Said]:
    return {}


# This room does not know journals; whoever starts operations and does says how their edits are seen.
_opener: list[Opener] = [_nobody]
_teller: list[Teller] = [_nothing]


def see_edits_by(opener: Opener, teller: Teller) -> None:
    """Open volumes with edits that are not saved by a function, which returns None for any other.

    The second one tells what is said of a volume's objects, by their ids.
    """
    _opener[0], _teller[0] = opener, teller


def said_of(store: Path) -> Mapping[int, Said]:
    """Return what a person says of the objects of a store, by their ids, saved or not."""
    return _teller[0](store)


def as_edited(volume: Volume) -> SeenAsEdited | None:
    """Return a volume as its editor sees it; None if the disk has it so."""
    from uniem.data.store import StoredVolume

    return _opener[0](volume.path) if isinstance(volume, StoredVolume) else None
