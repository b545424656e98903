"""Merge: click the object that stays, then click or stroke over those that join it."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QObject, QPointF, Signal
from qtpy.QtGui import QColor, QPainterPath

from uniem.errors import UniemError
from uniem.gui.canvas.hand.preview import Preview
from uniem.gui.canvas.hand.section_shape import outline_in, tint_of
from uniem.gui.canvas.hand.section_tool import SectionTool
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.slice_view import SliceView
from uniem.proofreading.tools.fields import listed
from uniem.proofreading.tools.whole_objects import merge_objects

_JOINS = QColor(255, 230, 90, 110)
# A fast stroke is looked at in so many places between two positions of the mouse at most.
_MOST_PLACES = 2000


class Merging(QObject):
    """The object that others are merged into, the same in all views. `changed()`: it is another one."""

    changed = Signal()

    def __init__(self, painting: PaintingController) -> None:
        super().__init__(painting)
        self._painting = painting
        self._session = painting.session
        self.master = 0
        painting.restyled.connect(self._check_session)

    def take(self, label: int) -> None:
        """Merge into this object from now on; 0: into none."""
        if label != self.master:
            self.master = label
            self.changed.emit()

    def let_go(self) -> bool:
        """Merge into no object any more; return whether there was one."""
        had_one = self.master != 0
        self.take(0)
        return had_one

    def join(self, others: frozenset[int]) -> None:
        """Merge objects into the master at once, and tell which."""
        session, master = self._painting.session, self.master
        others -= {0, master}
        if session is None or not others:
            return
        try:
            if reason := self._painting.refusal(master):
                raise UniemError(reason)
            if not session.objects.is_counted:
                raise UniemError("The objects of these labels are still being counted.", "Wait a moment.")
            if master not in session.objects:
                self.let_go()
                raise UniemError(
                    f"Object {master} is gone: it was deleted, merged or undone.", "Click another."
                )
            spared = others & session.objects.locked()
            edit = merge_objects(session.objects, master, others)
            if edit is not None:
                session.apply(edit)
        except UniemError as error:
            self._painting.message.emit(str(error))
            return
        self._painting.message.emit(_told(sorted(others - spared), sorted(spared), master))

    def _check_session(self) -> None:
        if self._painting.session is not self._session:
            self._session = self._painting.session
            self.let_go()


class MergeTool(SectionTool):
    """Take a master by a click; what is then clicked, or touched by a stroke, becomes part of it."""

    def __init__(self, view: SliceView, painting: PaintingController, merging: Merging) -> None:
        super().__init__(view, painting)
        self._merging = merging
        self._stroke: list[tuple[int, int]] = []
        self._touched: frozenset[int] = frozenset()
        self._outline: tuple[int, QPainterPath | None] | None = None
        view.section_shown.connect(self._forget_outline)
        painting.changed.connect(self._forget_outline)

    def press(self, place: QPointF, is_erasing: bool) -> None:
        """Take the master, or begin a stroke over what joins it."""
        if is_erasing:
            self.cancel()
            return
        voxel = self._voxel(place)
        label = self._label_at(*voxel) if voxel is not None else 0
        if not self._merging.master and not self._take(label):
            return
        self._stroke, self._touched = [], frozenset()
        self.move(place)

    def move(self, place: QPointF) -> None:
        """Touch what lies on the way to a place."""
        if not self._merging.master:
            return
        point = self._view.voxel_under(place)
        start = self._stroke[-1] if self._stroke else point
        self._stroke.append(point)
        self._touched |= self._labels_between(start, point) - {0, self._merging.master}

    def release(self) -> None:
        """Merge what was touched."""
        touched = self._touched
        self._stroke, self._touched = [], frozenset()
        self._merging.join(touched)

    def click_right(self, place: QPointF) -> bool:
        """Let the master go."""
        return self.cancel()

    def cancel(self) -> bool:
        """Forget the stroke and let the master go."""
        self._stroke, self._touched = [], frozenset()
        return self._merging.let_go()

    def preview(self) -> Preview | None:
        """Return the outline of the master, the way of the stroke, and what it touched in a tint."""
        section, master = self._view.item.overlay.section, self._merging.master
        if section is None or not master:
            return None
        if self._outline is None or self._outline[0] != master:
            self._outline = master, outline_in(section, [master])
        path = QPainterPath(self._outline[1] or QPainterPath())
        if len(self._stroke) > 1:
            path.moveTo(self._stroke[0][1] + 0.5, self._stroke[0][0] + 0.5)
            for row, column in self._stroke[1:]:
                path.lineTo(column + 0.5, row + 0.5)
        tint = tint_of(section, self._touched, _JOINS) if self._touched else None
        if tint is None:
            return Preview(path)
        return Preview(path, tint=tint.tint, place=tint.place)

    def _take(self, label: int) -> bool:
        """Take the object of a label as the master; return whether that can be."""
        if self._refusal(label):
            return False
        if not label:
            self.refused.emit("Click an object: those that you click next become part of it.")
            return False
        self._merging.take(label)
        self._view.model.hand.label = label
        self._painting.message.emit(f"Click what becomes part of {label}, or draw over it.")
        return True

    def _labels_between(self, start: tuple[int, int], end: tuple[int, int]) -> frozenset[int]:
        height, width = self._view.axes.shape(self._view.model.shape)
        count = min(_MOST_PLACES, max(abs(a - b) for a, b in zip(start, end, strict=True)) + 1)
        rows = np.linspace(start[0], end[0], count).round().astype(int).tolist()
        columns = np.linspace(start[1], end[1], count).round().astype(int).tolist()
        return frozenset(
            self._label_at(row, column)
            for row, column in zip(rows, columns, strict=True)
            if 0 <= row < height and 0 <= column < width
        )

    def _forget_outline(self, *_: object) -> None:
        self._outline = None


def _told(joined: list[int], spared: list[int], master: int) -> str:
    """Return what was merged, and what was not because it is locked."""
    verbs = ("is", "stays", "it is") if len(spared) == 1 else ("are", "stay", "they are")
    kept = f"{listed(spared)} {verbs[0]} locked and {verbs[1]} as {verbs[2]}."
    done = f"Merged {listed(joined)} into {master}." if joined else ""
    return " ".join(part for part in (done, kept if spared else "") if part)
