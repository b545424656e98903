"""Mouse, wheel and pen events turned into gestures: pan, zoom, strokes, picks, steps."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, QPoint, QPointF, Qt, Signal
from qtpy.QtGui import QMouseEvent, QTabletEvent, QWheelEvent

from uniem.gui.canvas.keymap import Gesture, Keymap
from uniem.gui.canvas.view_model import Tool

CLICK_RADIUS_PX = 4
ZOOM_PER_PX = 1.01
_BUTTONS = {
    Qt.MouseButton.LeftButton: "Left",
    Qt.MouseButton.MiddleButton: "Middle",
    Qt.MouseButton.RightButton: "Right",
}
# What a button that opens a menu when it is clicked does when it is dragged.
_DRAGS = {
    Gesture.ERASE_OR_MENU: Gesture.ERASE,
    Gesture.PAN_OR_MENU: Gesture.PAN,
    Gesture.ZOOM_OR_MENU: Gesture.ZOOM,
}


def modifier_name(modifiers: Qt.KeyboardModifiers, space_is_held: bool) -> str:
    """Return the modifier that counts: 'Space', 'Ctrl', 'Shift', 'Ctrl+Shift' or ''."""
    if space_is_held:
        return "Space"
    down = (
        ("Ctrl", Qt.KeyboardModifier.ControlModifier),
        ("Shift", Qt.KeyboardModifier.ShiftModifier),
    )
    return "+".join(name for name, modifier in down if modifiers & modifier)


class MouseInput(QObject):
    """Turn the events of a view into gestures; places are in the view's pixels."""

    panned = Signal(QPointF)
    zoomed = Signal(float, QPointF)
    stroke_began = Signal(bool, QPointF)
    stroke_moved = Signal(QPointF)
    stroke_ended = Signal()
    stroke_cancelled = Signal()
    picked = Signal(QPointF)
    placed = Signal(QPointF)
    menu_wanted = Signal(QPoint)
    stepped = Signal(int)
    resized = Signal(int)

    def __init__(
        self, tool: Callable[[], Tool], keymap: Callable[[], Keymap], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.space_is_held = False
        self.space_was_used = False
        # How hard the pen is pressed, from 0 to 1; a mouse always is.
        self.pressure = 1.0
        # Asked before a click opens the menu whether the tool in hand takes it instead.
        self.takes_click: Callable[[QPointF], bool] = lambda place: False
        self._tool, self._keymap = tool, keymap
        self._gesture: Gesture | None = None
        self._button = ""
        self._press = QPointF()
        self._last = QPointF()
        self._wheel_rest = 0

    @property
    def is_stroking(self) -> bool:
        """Tell whether a stroke is being drawn."""
        return self._gesture in (Gesture.PAINT, Gesture.ERASE)

    def press(self, event: QMouseEvent) -> None:
        """Begin a gesture; further buttons during one are ignored."""
        name = _BUTTONS.get(event.button())
        self.pressure = 1.0
        if name is not None:
            self._begin(name, self._gesture_of(name, event.modifiers()), event.localPos())

    def move(self, event: QMouseEvent) -> None:
        """Carry a gesture on, or drop it if the release of its button was never seen."""
        if self._button and not event.buttons():
            self.finish()
            self._gesture, self._button = None, ""
        self._carry_on(event.localPos())

    def release(self, event: QMouseEvent) -> None:
        """End the gesture of this button."""
        if _BUTTONS.get(event.button()) == self._button:
            self._end(event.globalPos())

    def wheel(self, event: QWheelEvent) -> None:
        """Step, leap, zoom or resize, once per notch; fine wheels and touch pads add up to notches."""
        # Some window systems turn the wheel sideways while Alt or Shift is down.
        delta = event.angleDelta().y() or event.angleDelta().x()
        gesture = self._gesture_of("Wheel", event.modifiers())
        if gesture is Gesture.ZOOM:
            self.zoomed.emit(1.25 ** (delta / 120), QPointF(event.position()))
            return
        self._wheel_rest += delta
        notches = int(self._wheel_rest / 120)
        self._wheel_rest -= notches * 120
        if not notches:
            return
        if gesture is Gesture.RESIZE:
            self.resized.emit(notches)
        else:
            self.stepped.emit(notches * (10 if gesture is Gesture.LEAP else 1))

    def tablet(self, event: QTabletEvent) -> None:
        """Paint with a pen; its eraser end erases whatever the tool."""
        self.pressure = event.pressure()
        if event.type() == QEvent.Type.TabletPress:
            name = _BUTTONS.get(event.button(), "Left")
            gesture = self._gesture_of(name, event.modifiers())
            if event.pointerType() == QTabletEvent.PointerType.Eraser and gesture is not Gesture.PAN:
                gesture = Gesture.ERASE
            self._begin(name, gesture, event.posF())
        elif event.type() == QEvent.Type.TabletMove:
            self._carry_on(event.posF())
        elif event.type() == QEvent.Type.TabletRelease:
            self._end(event.globalPos())

    def finish(self) -> None:
        """End the stroke being drawn as if the button had come up; the rest of the drag does nothing."""
        if self.is_stroking:
            self._gesture = None
            self.stroke_ended.emit()

    def cancel(self) -> None:
        """Forget the stroke being drawn; the rest of the drag does nothing."""
        if self.is_stroking:
            self._gesture = None
            self.stroke_cancelled.emit()

    def _gesture_of(self, button: str, modifiers: Qt.KeyboardModifiers) -> Gesture | None:
        return self._keymap().gesture_of(button, modifier_name(modifiers, self.space_is_held), self._tool())

    def _begin(self, button: str, gesture: Gesture | None, place: QPointF) -> None:
        if self._button or gesture is None:
            return
        self._button, self._gesture = button, gesture
        self._press = self._last = QPointF(place)
        if gesture in (Gesture.PAINT, Gesture.ERASE):
            self.stroke_began.emit(gesture is Gesture.ERASE, place)
        elif gesture is Gesture.PICK:
            self.picked.emit(place)
        elif gesture is Gesture.PAN:
            self.space_was_used = self.space_was_used or self.space_is_held

    def _carry_on(self, place: QPointF) -> None:
        if self._gesture in _DRAGS:
            if (place - self._press).manhattanLength() <= CLICK_RADIUS_PX:
                return
            self._gesture = _DRAGS[self._gesture]
            if self._gesture is Gesture.ERASE:
                self.stroke_began.emit(True, self._press)
        if self._gesture is Gesture.PAN:
            self.panned.emit(place - self._last)
        elif self._gesture is Gesture.ZOOM:
            self.zoomed.emit(ZOOM_PER_PX ** (self._last.y() - place.y()), self._press)
        elif self.is_stroking:
            self.stroke_moved.emit(place)
        self._last = QPointF(place)

    def _end(self, global_place: QPoint) -> None:
        gesture, self._gesture, self._button = self._gesture, None, ""
        if gesture in (Gesture.PAINT, Gesture.ERASE):
            self.stroke_ended.emit()
        elif gesture is Gesture.PAN and not self.space_is_held and self._is_click():
            self.placed.emit(self._press)
        elif gesture is Gesture.MENU or gesture in _DRAGS:
            self._end_click(global_place)

    def _end_click(self, global_place: QPoint) -> None:
        if self._is_click() and not self.takes_click(self._press):
            self.menu_wanted.emit(global_place)

    def _is_click(self) -> bool:
        return (self._last - self._press).manhattanLength() <= CLICK_RADIUS_PX
