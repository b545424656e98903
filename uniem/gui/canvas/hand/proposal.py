"""An edit that is shown before it is made: accepted with Enter, forgotten with Esc."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QColor

from uniem.data.geometry import Box
from uniem.gui.canvas.hand.edit_maker import Make
from uniem.gui.canvas.hand.preview import Pixels, Preview, outline, tinted
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.planes import ViewAxes
from uniem.proofreading.edits import Edit

_KEPT = 64
Draw = Callable[[Edit, ViewAxes, int], Preview | None]
_GAINED, _LOST = QColor(255, 230, 90, 70), QColor(255, 70, 60, 90)


@dataclass(frozen=True)
class Manner:
    """How a proposed edit is completed when it is accepted, drawn, commented, and told of afterwards."""

    finish: Callable[[Edit], Edit] = lambda edit: edit
    draw: Draw = lambda edit, axes, position: _preview(edit, axes, position)
    advice: str = ""
    told: Callable[[Edit], str] = lambda edit: ""


class Proposal(QObject):
    """Hold at most one edit that is proposed; a change of the labels makes it void.

    `changed()` is emitted when there is another one, or none.
    """

    changed = Signal()

    def __init__(self, painting: PaintingController) -> None:
        super().__init__(painting)
        self._painting = painting
        self.edit: Edit | None = None
        self._manner = Manner()
        self._previews: dict[tuple[int, int], Preview | None] = {}
        painting.changed.connect(lambda _: self._set(None))
        painting.restyled.connect(self._check_session)
        self._session = painting.session

    @property
    def advice(self) -> str:
        """What else can be done about the edit."""
        return self._manner.advice if self.edit is not None else ""

    def make(self, title: str, make: Make, nothing: str, manner: Manner | None = None) -> None:
        """Make an edit in a thread and propose it; say `nothing` if there is nothing to be done."""
        manner = manner or Manner()

        def take(edit: Edit | None) -> None:
            if edit is None:
                self._painting.message.emit(nothing)
            self._manner = manner
            self._set(edit)

        self._set(None)
        self._painting.maker.run(title, make, take, lambda error: self._painting.message.emit(str(error)))

    def accept(self) -> bool:
        """Make the edit; return whether there was one."""
        edit = self.edit
        if edit is None:
            return False
        manner = self._manner
        self._set(None)

        def tell(done: Edit | None) -> None:
            if done is not None and (text := manner.told(done)):
                self._painting.message.emit(text)

        self._painting.carry_out(edit.title, lambda context: manner.finish(edit), done=tell)
        return True

    def forget(self) -> bool:
        """Propose nothing; return whether there was anything."""
        had_any = self.edit is not None
        self._set(None)
        return had_any

    def preview(self, axes: ViewAxes, position: int) -> Preview | None:
        """Return what the edit changes in a section, as outlines in a tint."""
        if self.edit is None:
            return None
        key = axes.across, position
        if key not in self._previews:
            if len(self._previews) >= _KEPT:
                self._previews.clear()
            self._previews[key] = self._manner.draw(self.edit, axes, position)
        return self._previews[key]

    def positions(self, axis: int) -> range:
        """Return the sections across an axis that the edit changes."""
        box = self.edit.box if self.edit is not None else Box((0, 0, 0), (0, 0, 0))
        return range(box.start[axis], box.stop[axis])

    def _set(self, edit: Edit | None) -> None:
        if edit is not self.edit:
            self.edit = edit
            self._previews.clear()
            self.changed.emit()

    def _check_session(self) -> None:
        if self._painting.session is not self._session:
            self._session = self._painting.session
            self.forget()


def _preview(edit: Edit, axes: ViewAxes, position: int) -> Preview | None:
    """Return a preview of what an edit changes in a section; None if nothing."""
    met = [p for p in edit.patches if p.box.start[axes.across] <= position < p.box.stop[axes.across]]
    if not met:
        return None
    around = met[0].box
    for patch in met[1:]:
        around = around.union(patch.box)
    row, column = around.start[axes.rows], around.start[axes.columns]
    changing: Pixels = np.zeros(axes.shape(around.shape), np.bool_)
    is_erasing = False
    for patch in met:
        part = axes.section_of(patch.selection(), position - patch.box.start[axes.across])
        r, c = patch.box.start[axes.rows] - row, patch.box.start[axes.columns] - column
        changing[r : r + part.shape[0], c : c + part.shape[1]] |= part
        is_erasing = is_erasing or not bool(patch.after[0])
    if not changing.any():
        return None
    tint = tinted(changing, _LOST if is_erasing else _GAINED, row, column)
    return Preview(outline(changing, row, column), tint=tint.tint, place=tint.place)
