"""Places with a name, by the volume in which they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from psygnal import Signal

from uniem.data.geometry import Triple


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A place: a voxel, how large it was drawn (screen pixels per voxel along x), and a name."""

    name: str
    z: int
    y: int
    x: int
    scale: float

    @property
    def zyx(self) -> Triple:
        """The voxel."""
        return (self.z, self.y, self.x)


class Bookmarks:
    """The bookmarks of all volumes ever marked; `record` and `take` keep them as plain values.

    Signals: `changed()`.
    """

    changed = Signal()

    def __init__(self) -> None:
        self._of: dict[str, tuple[Bookmark, ...]] = {}

    def of(self, source: str) -> tuple[Bookmark, ...]:
        """Return the bookmarks of a volume, by where it comes from."""
        return self._of.get(source, ())

    def add(self, source: str, bookmark: Bookmark) -> None:
        """Remember a place."""
        self._set(source, (*self.of(source), bookmark))

    def remove(self, source: str, bookmark: Bookmark) -> None:
        """Forget a place."""
        self._set(source, [each for each in self.of(source) if each is not bookmark])

    def rename(self, source: str, bookmark: Bookmark, name: str) -> None:
        """Give a place another name."""
        self._set(
            source, [replace(each, name=name) if each is bookmark else each for each in self.of(source)]
        )

    def record(self) -> dict[str, list[dict[str, object]]]:
        """Return all bookmarks as plain values, for settings and projects."""
        return {source: [asdict(each) for each in places] for source, places in self._of.items()}

    def take(self, record: object) -> None:
        """Take bookmarks that `record` returned; what is none is left out."""
        self._of = {}
        for source, places in record.items() if isinstance(record, dict) else ():
            if isinstance(source, str) and isinstance(places, list):
                found = [bookmark for bookmark in map(_read, places) if bookmark is not None]
                self._of[source] = tuple(found)
        self.changed.emit()

    def _set(self, source: str, bookmarks: Sequence[Bookmark]) -> None:
        self._of = {**self._of, source: tuple(bookmarks)}
        if not bookmarks:
            del self._of[source]
        self.changed.emit()


def _read(values: object) -> Bookmark | None:
    if not isinstance(values, dict):
        return None
    try:
        place = [int(values[axis]) for axis in ("z", "y", "x")]
        return Bookmark(str(values["name"]), *place, scale=max(1e-3, float(values["scale"])))
    except (KeyError, TypeError, ValueError):
        return None
