"""What each shortcut of the canvas does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import QObject, QTimer

from uniem.gui.canvas.mouse import MouseInput
from uniem.gui.canvas.painting import PaintingController
from uniem.gui.canvas.slice_view import SliceView
from uniem.gui.canvas.view_model import CanvasModel, Tool

HOLD_MS = 200
OPACITY_STEP = 0.1
ZOOM_STEP = 1.25


class Commands(QObject):
    """Hold one function per shortcut id: `actions` for its start, `endings` for the end of those held."""

    def __init__(
        self, model: CanvasModel, painting: PaintingController, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._peeked_from: int | None = None
        self._space_timer = QTimer(self)
        self._space_timer.setSingleShot(True)
        self._space_timer.setInterval(HOLD_MS)
        self._space_timer.timeout.connect(partial(setattr, model.display, "peek_raw", True))
        hand, display = model.hand, model.display
        self.actions: dict[str, Callable[[], None]] = {
            "next-section": lambda: model.go_to(model.z + 1),
            "previous-section": lambda: model.go_to(model.z - 1),
            "ten-sections-on": lambda: model.go_to(model.z + 10),
            "ten-sections-back": lambda: model.go_to(model.z - 10),
            "peek": self._peek,
            "navigate": partial(setattr, hand, "tool", Tool.NAVIGATE),
            "brush": partial(setattr, hand, "tool", Tool.BRUSH),
            "eraser": partial(setattr, hand, "tool", Tool.ERASER),
            "smaller-brush": partial(hand.grow_brush, -1),
            "larger-brush": partial(hand.grow_brush, 1),
            "new-label": painting.new_label,
            "pick": self.pick,
            "swap": hand.swap_with_background,
            "less-opacity": partial(display.change_opacity, -OPACITY_STEP),
            "more-opacity": partial(display.change_opacity, OPACITY_STEP),
            "outlines": lambda: setattr(display, "outlines", not display.outlines),
        }
        for slot in range(1, 10):
            self.actions[f"slot-{slot}"] = partial(hand.take_slot, slot)
            self.actions[f"pin-{slot}"] = partial(self._pin, painting, slot)
        self.endings: dict[str, Callable[[], None]] = {"peek": self._return}

    def add_view(self, view: SliceView) -> None:
        """Add what concerns a view: zoom, fit, cancel, and Space, which also moves it."""
        self.actions |= {
            "zoom-in": partial(view.zoom, ZOOM_STEP),
            "zoom-out": partial(view.zoom, 1 / ZOOM_STEP),
            "fit": view.fit,
            "cancel": view.mouse.cancel,
            "see-raw": partial(self._space_down, view.mouse),
        }
        self.endings["see-raw"] = partial(self._space_up, view.mouse)

    def pick(self) -> None:
        """Take the label under the mouse into the hand."""
        voxel = self._model.hovered
        if voxel is not None and voxel.label:
            self._model.hand.label = voxel.label

    def _pin(self, painting: PaintingController, slot: int) -> None:
        self._model.hand.pin(slot)
        painting.message.emit(f"Label {self._model.hand.label} pinned to {slot}")

    def _peek(self) -> None:
        self._peeked_from = self._model.z

    def _return(self) -> None:
        if self._peeked_from is not None:
            self._model.go_to(self._peeked_from)
            self._peeked_from = None

    def _space_down(self, mouse: MouseInput) -> None:
        mouse.space_is_held, mouse.space_was_used = True, False
        self._space_timer.start()

    def _space_up(self, mouse: MouseInput) -> None:
        mouse.space_is_held = False
        was_tap = self._space_timer.isActive()
        self._space_timer.stop()
        display = self._model.display
        display.peek_raw = False
        if was_tap and not mouse.space_was_used:
            display.show_labels = not display.show_labels
