"""Undo and redo of markers."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtWidgets import QUndoCommand, QUndoStack

from uniem.gui.annotator.markers import Marker, MarkerSet


class _Replace(QUndoCommand):
    """Put one tuple of markers in the place of another."""

    def __init__(self, markers: MarkerSet, after: tuple[Marker, ...], title: str) -> None:
        super().__init__(title)
        self._markers, self._before, self._after = markers, markers.all, after

    def redo(self) -> None:
        """Put the new markers."""
        self._markers.put(self._after)

    def undo(self) -> None:
        """Put the old markers back."""
        self._markers.put(self._before)


class MarkerHistory:
    """Change markers so that each change can be undone."""

    def __init__(self, markers: MarkerSet) -> None:
        self.stack = QUndoStack()
        self._markers = markers

    def add(self, new: Iterable[Marker], title: str = "Place marker") -> None:
        """Add markers."""
        self._push(self._markers.all + tuple(new), title)

    def delete(self, ids: Iterable[int]) -> None:
        """Delete markers by id."""
        gone = set(ids)
        self._push(tuple(m for m in self._markers if m.id not in gone), f"Delete {_count(len(gone))}")

    def clear(self) -> None:
        """Delete all markers."""
        self._push((), f"Clear {_count(len(self._markers))}")

    def replace(self, changed: Iterable[Marker], title: str = "Edit marker") -> None:
        """Put edited markers in the place of those with the same id."""
        new = {marker.id: marker for marker in changed}
        self._push(tuple(new.get(m.id, m) for m in self._markers), title)

    def undo(self) -> str:
        """Undo the last change and return its title, empty if there was none."""
        title = str(self.stack.undoText())
        self.stack.undo()
        return title

    def redo(self) -> str:
        """Redo the last undone change and return its title, empty if there was none."""
        title = str(self.stack.redoText())
        self.stack.redo()
        return title

    def _push(self, after: tuple[Marker, ...], title: str) -> None:
        if after != self._markers.all:
            self.stack.push(_Replace(self._markers, after, title))


def _count(number: int) -> str:
    return "1 marker" if number == 1 else f"{number:,} markers"
