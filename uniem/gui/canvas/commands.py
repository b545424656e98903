"""What each shortcut of the canvas does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from qtpy.QtCore import QObject, QTimer

from uniem.data.geometry import Triple
from uniem.gui.canvas.mouse import MouseInput
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.tools import ToolHost
from uniem.gui.canvas.view_grid import ViewGrid
from uniem.gui.canvas.view_model import CanvasModel, Only, Tool
from uniem.proofreading.tools.plane import Plane

HOLD_MS = 200
OPACITY_STEP = 0.1
BRUSH_STEP_PX = 5
ZOOM_STEP = 1.25


class Commands(QObject):
    """Hold one function per shortcut id: `actions` for its start, `endings` for the end of those held."""

    def __init__(
        self, model: CanvasModel, painting: PaintingController, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._peeked_from: Triple | None = None
        self._space_timer = QTimer(self)
        self._space_timer.setSingleShot(True)
        self._space_timer.setInterval(HOLD_MS)
        self._space_timer.timeout.connect(partial(setattr, model.display, "peek_raw", True))
        hand, display = model.hand, model.display
        self.actions: dict[str, Callable[[], None]] = {
            "peek": self._peek,
            "navigate": partial(setattr, hand, "tool", Tool.NAVIGATE),
            "brush": partial(setattr, hand, "tool", Tool.BRUSH),
            "eraser": partial(setattr, hand, "tool", Tool.ERASER),
            "smaller-brush": partial(hand.grow_brush, -1),
            "larger-brush": partial(hand.grow_brush, 1),
            "five-smaller": lambda: hand.set_brush(hand.brush_px - BRUSH_STEP_PX),
            "five-larger": lambda: hand.set_brush(hand.brush_px + BRUSH_STEP_PX),
            "new-label": painting.new_label,
            "pick": self.pick,
            "swap": hand.swap_with_background,
            "less-opacity": partial(self._change_opacity, -OPACITY_STEP),
            "more-opacity": partial(self._change_opacity, OPACITY_STEP),
            "solo": self._toggle_solo,
            "outlines": lambda: setattr(display, "outlines", not display.outlines),
        }
        for slot in range(1, 10):
            self.actions[f"slot-{slot}"] = partial(hand.take_slot, slot)
            self.actions[f"pin-{slot}"] = partial(self._pin, painting, slot)
        self.endings: dict[str, Callable[[], None]] = {"peek": self._return}

    def add_views(self, grid: ViewGrid, hosts: Mapping[Plane, ToolHost]) -> None:
        """Add what concerns the view under the mouse: sections, zoom, fit, cancel, and Space."""

        def step(by: int) -> None:
            view = grid.current_view
            self._model.move_along(view.axes.across, view.position + by)

        self.actions |= {
            "next-section": partial(step, 1),
            "previous-section": partial(step, -1),
            "ten-sections-on": partial(step, 10),
            "ten-sections-back": partial(step, -10),
            "zoom-in": lambda: grid.current_view.zoom(ZOOM_STEP),
            "zoom-out": lambda: grid.current_view.zoom(1 / ZOOM_STEP),
            "fit": lambda: grid.current_view.fit(),
            "maximise": grid.toggle,
            "accept": lambda: self._accept(hosts[grid.current]),
            "cancel": lambda: self._cancel(grid.current_view.mouse, hosts[grid.current]),
            "see-raw": lambda: self._space_down(grid.current_view.mouse),
        }
        self.endings["see-raw"] = lambda: self._space_up([view.mouse for view in grid.views])

    def pick(self) -> None:
        """Take the label under the mouse into the hand."""
        voxel = self._model.hovered
        if voxel is not None and voxel.label:
            self._model.hand.label = voxel.label

    def _pin(self, painting: PaintingController, slot: int) -> None:
        self._model.hand.pin(slot)
        painting.message.emit(f"Label {self._model.hand.label} pinned to {slot}")

    def _accept(self, host: ToolHost) -> None:
        host.accept()

    def _cancel(self, mouse: MouseInput, host: ToolHost) -> None:
        mouse.cancel()
        host.cancel()

    def _change_opacity(self, step: float) -> None:
        layer = self._model.labels_layer or self._model.image_layer
        if layer is not None:
            layer.change_opacity(step)

    def _toggle_solo(self) -> None:
        display = self._model.display
        display.only = Only.ALL if display.only is Only.SELECTED else Only.SELECTED

    def _peek(self) -> None:
        self._peeked_from = self._model.position

    def _return(self) -> None:
        if self._peeked_from is not None:
            self._model.move_to(self._peeked_from)
            self._peeked_from = None

    def _space_down(self, mouse: MouseInput) -> None:
        mouse.space_is_held, mouse.space_was_used = True, False
        self._space_timer.start()

    def _space_up(self, mice: list[MouseInput]) -> None:
        was_used = any(mouse.space_was_used for mouse in mice if mouse.space_is_held)
        for mouse in mice:
            mouse.space_is_held = False
        was_tap = self._space_timer.isActive()
        self._space_timer.stop()
        display = self._model.display
        display.peek_raw = False
        if was_tap and not was_used:
            display.show_labels = not display.show_labels
