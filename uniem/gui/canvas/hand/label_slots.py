"""Labels kept under the number keys, as a row of swatches."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QRectF, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QHBoxLayout, QToolTip, QWidget

from uniem.data.palette import Colour
from uniem.gui.canvas.hand.keyed import KeyedBar
from uniem.gui.canvas.keymap import Keymap
from uniem.gui.painter import painter_on

SIDE = 20


class SlotSwatch(QWidget):
    """The number of a slot on the colour of its label: a left click takes it, a right one pins."""

    taken = Signal()
    pinned = Signal()

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.setFixedSize(SIDE, SIDE)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._colour: QColor | None = None
        self._is_pinned = self._is_in_hand = False

    def show_label(self, colour: Colour | None, is_pinned: bool, is_in_hand: bool) -> None:
        """Show the colour of its label, None for background; whether it was pinned and is in hand."""
        self._colour = QColor(*colour) if colour is not None else None
        self._is_pinned, self._is_in_hand = is_pinned, is_in_hand
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take or pin."""
        if event.button() == Qt.MouseButton.RightButton:
            self.pinned.emit()
            QToolTip.showText(event.globalPos(), self.toolTip(), self)
        elif event.button() == Qt.MouseButton.LeftButton:
            self.taken.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a filled square if it was pinned, a bar of colour if not, and a frame if it is in hand."""
        with painter_on(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            box = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
            colour = self._colour or self.palette().color(QPalette.ColorRole.Base)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            bar = box if self._is_pinned else QRectF(box.left(), box.bottom() - 3, box.width(), 3)
            painter.drawRoundedRect(bar, 3, 3)
            ink = self.palette().color(QPalette.ColorRole.WindowText)
            if self._is_pinned:
                ink = QColor("black") if colour.lightness() > 110 else QColor("white")
            painter.setPen(ink)
            text = box if self._is_pinned else box.adjusted(0, -1, 0, -2)
            painter.drawText(text, int(Qt.AlignmentFlag.AlignCenter), str(self.number))
            if self._is_in_hand:
                pen = painter.pen()
                pen.setColor(self.palette().color(QPalette.ColorRole.Highlight))
                pen.setWidthF(2)
                painter.setPen(pen)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 4, 4)


class LabelSlots(KeyedBar):
    """Nine swatches. Signals: `taken(number)` and `pinned(number)`."""

    taken = Signal(int)
    pinned = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._labels: dict[int, int] = {}
        self._keymap: Keymap | None = None
        self.swatches = [SlotSwatch(number) for number in range(1, 10)]
        for swatch in self.swatches:
            row.addWidget(swatch)
            swatch.taken.connect(partial(self.taken.emit, swatch.number))
            swatch.pinned.connect(partial(self.pinned.emit, swatch.number))

    def show_slots(self, slots: dict[int, int], in_hand: int, colours: dict[int, Colour | None]) -> None:
        """Show what is pinned; `colours` are those of the labels in question."""
        for swatch in self.swatches:
            label = self._labels[swatch.number] = slots.get(swatch.number, swatch.number)
            swatch.show_label(colours.get(label), swatch.number in slots, label == in_hand)
        if self._keymap is not None:
            self.show_keys(self._keymap)

    def show_keys(self, keymap: Keymap) -> None:
        """Tell label and keys of each slot in its tooltip."""
        self._keymap = keymap
        for swatch in self.swatches:
            take, pin = (", ".join(keymap.of(f"{verb}-{swatch.number}")[:1]) for verb in ("slot", "pin"))
            swatch.setToolTip(
                f"Label {self._labels.get(swatch.number, swatch.number)}"
                f"\nClick{f' or {take}' if take else ''}: take it into the hand"
                f"\nRight click{f' or {pin}' if pin else ''}: pin the label in hand here"
            )
