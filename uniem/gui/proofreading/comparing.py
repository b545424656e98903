"""Comparing two points of the history: what differs is found in the background and drawn over sections."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from qtpy.QtCore import QObject, QTimer, Signal

from uniem.errors import UniemError
from uniem.gui.background import Background, Task
from uniem.gui.canvas.canvas import Canvas
from uniem.gui.canvas.slice_view import SliceView
from uniem.gui.proofreading.comparison_bar import ComparisonBar
from uniem.gui.proofreading.comparison_item import ComparisonItem, Side, Tile, tile_of
from uniem.gui.sessions import Sessions
from uniem.proofreading.comparison import BlockDifference, Comparison

EVERY_MS, SLICE_S = 15, 0.008


class Comparing(QObject):
    """Show what differs until Esc, until the labels change, or until another comparison.

    `told(str)`; `failed(str)` why nothing can be compared.
    """

    told = Signal(str)
    failed = Signal(str)

    def __init__(self, sessions: Sessions, canvas: Canvas, parent: QObject) -> None:
        super().__init__(parent)
        self._sessions, self._canvas = sessions, canvas
        self.bar = ComparisonBar(canvas.grid)
        self.side = Side.BOTH
        self._comparison: Comparison | None = None
        self._found: list[BlockDifference] = []
        self._overlays: list[_Overlay] = []
        self._steps: Iterator[float] | None = None
        self._labels_were_shown = True
        self._background = Background(self)
        self._clock = QTimer(self)
        self._clock.setInterval(EVERY_MS)
        self._clock.timeout.connect(self._prepare_on)
        self.bar.side_chosen.connect(self._show_side)
        self.bar.next_wanted.connect(self._go_on)
        self.bar.left.connect(self.close_down)
        sessions.history_changed.connect(self._end_by_change)
        sessions.session_changed.connect(self.close_down)
        actions = canvas.commands.actions
        cancel = actions["cancel"]
        actions["cancel"] = lambda: None if self.leave() else cancel()

    @property
    def is_active(self) -> bool:
        """Tell whether two points are being compared."""
        return self._comparison is not None

    @property
    def is_complete(self) -> bool:
        """Tell whether all that differs has been found and can be seen."""
        is_found = self.is_active and not self._clock.isActive() and not self._background.is_busy
        return is_found and all(overlay.is_complete for overlay in self._overlays)

    @property
    def comparison(self) -> Comparison | None:
        """What is compared now."""
        return self._comparison

    def begin(self, first: int, second: int, title: str) -> None:
        """Compare just after one edit with just after another (0: before all)."""
        session, painting = self._sessions.session, self._canvas.painting
        if session is None or painting.session is not session:
            self.failed.emit("Show the labels that are being edited first.")
            return
        if painting.maker.is_busy:
            self.failed.emit(painting.refusal())
            return
        self.leave()
        self._comparison = Comparison(session, first, second)
        self._steps = self._comparison.prepare()
        self.side = Side.BOTH
        display = self._canvas.model.display
        self._labels_were_shown, display.show_labels = display.show_labels, False
        self._overlays = [_Overlay(view, self) for view in self._canvas.views.values()]
        self.bar.begin(title)
        self._clock.start()

    def leave(self) -> bool:
        """Show the labels as they are again; return whether two points were compared."""
        if self._comparison is None:
            return False
        self._clock.stop()
        self._background.cancel()
        self._comparison, self._steps = None, None
        for overlay in self._overlays:
            overlay.release()
        self._overlays, self._found = [], []
        self._canvas.model.display.show_labels = self._labels_were_shown
        self.bar.hide()
        return True

    def close_down(self, *_: object) -> None:
        """End what is under way."""
        self.leave()

    def tile(self, difference: BlockDifference, view: SliceView) -> Tile | None:
        """Draw what differs in a block in the section of a view."""
        own = self._canvas.painting.colours()
        return tile_of(difference, view.axes, view.position, self.side, own)

    @property
    def found(self) -> list[BlockDifference]:
        """What was found to differ so far."""
        return self._found

    def _prepare_on(self) -> None:
        comparison, end = self._comparison, time.monotonic() + SLICE_S
        if comparison is None or self._steps is None or self._canvas.is_stroking:
            return
        try:
            while time.monotonic() < end:
                self.bar.show_part(0.3 * next(self._steps))
        except StopIteration:
            self._clock.stop()
            self._background.run(partial(self._look, comparison), lambda _: self._finish(), self._give_up)
        except UniemError as error:
            self._give_up(error)

    def _look(self, comparison: Comparison, task: Task) -> None:
        """Compare block by block, in a thread."""
        blocks = comparison.blocks
        for number, block in enumerate(blocks, 1):
            if task.is_cancelled:
                return
            difference = comparison.find(block)
            part = 0.3 + 0.7 * number / len(blocks)
            self._background.tell(task, partial(self._take, difference, part))

    def _take(self, difference: BlockDifference | None, part: float) -> None:
        self.bar.show_part(part)
        if difference is not None:
            self._found.append(difference)
            for overlay in self._overlays:
                overlay.add(difference)

    def _finish(self) -> None:
        if self._comparison is not None:
            self.bar.show_part(None)
            self.bar.show_totals(self._comparison.totals, self._comparison.edits)

    def _give_up(self, error: UniemError) -> None:
        self.leave()
        self.failed.emit(str(error))

    def _show_side(self, side: Side) -> None:
        self.side = side
        for overlay in self._overlays:
            overlay.draw_again()

    def _go_on(self) -> None:
        """Go to the first place that differs and lies after the one in view; after the last, to the first."""
        boxes = sorted((each.box for each in self._found), key=lambda box: box.start)
        here = self._canvas.model.z
        box = next((box for box in boxes if box.start[0] > here), boxes[0] if boxes else None)
        if box is not None:
            z, y, x = ((a + b) // 2 for a, b in zip(box.start, box.stop, strict=True))
            self._canvas.go_to(box.start[0] if box.start[0] > here else z, y, x)

    def _end_by_change(self) -> None:
        if self.leave():
            self.told.emit("The comparison ended, for the labels changed.")


class _Overlay(QObject):
    """What differs in one view: the tiles of its section, drawn a few at a time."""

    def __init__(self, view: SliceView, comparing: Comparing) -> None:
        super().__init__(view)
        self._view, self._comparing = view, comparing
        self._tiles: list[Tile] = []
        self._missing: list[BlockDifference] = []
        self._item = ComparisonItem(view.axes.shape(view.model.shape), lambda: self._tiles)
        self._item.setParentItem(view.scene_box)
        self._position = view.position
        self._clock = QTimer(self)
        self._clock.setInterval(0)
        self._clock.timeout.connect(self._draw_on)
        view.model.position_changed.connect(self._follow)

    @property
    def is_complete(self) -> bool:
        """Tell whether all that differs in the section is drawn."""
        return not self._missing

    def add(self, difference: BlockDifference) -> None:
        """Draw another block if the section meets it."""
        across = self._view.axes.across
        if difference.box.start[across] <= self._view.position < difference.box.stop[across]:
            self._missing.append(difference)
            self._clock.start()

    def draw_again(self) -> None:
        """Draw all blocks of the section."""
        self._tiles, self._missing = [], []
        for difference in self._comparing.found:
            self.add(difference)
        self._item.update()

    def release(self) -> None:
        """Draw nothing any more."""
        self._clock.stop()
        self._view.model.position_changed.disconnect(self._follow, missing_ok=True)
        self._view.scene().removeItem(self._item)
        self.deleteLater()

    def _follow(self) -> None:
        if self._view.position != self._position:
            self._position = self._view.position
            self.draw_again()

    def _draw_on(self) -> None:
        end = time.monotonic() + SLICE_S
        while self._missing and time.monotonic() < end:
            tile = self._comparing.tile(self._missing.pop(), self._view)
            if tile is not None:
                self._tiles.append(tile)
        if not self._missing:
            self._clock.stop()
        self._item.update()
