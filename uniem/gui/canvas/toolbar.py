"""The strip above the views: label in hand, slots, what may be painted over, opacity and contrast."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import QActionGroup, QHBoxLayout, QMenu, QSlider, QToolButton, QWidget
from superqt import QDoubleRangeSlider, QLargeIntSpinBox

from uniem.data.palette import Colour
from uniem.gui.canvas.hand.keyed import KeyedBar, separator
from uniem.gui.canvas.hand.label_slots import LabelSlots
from uniem.gui.canvas.keymap import Keymap
from uniem.gui.canvas.keymap_presets import keymap_of
from uniem.gui.canvas.label_style import LabelStyle
from uniem.gui.canvas.view_model import MAX_LABEL, CanvasModel
from uniem.gui.painter import painter_on
from uniem.gui.style import icon
from uniem.proofreading.tools.protect import Over

# Icon, words, and a few words, of what may be painted over.
OVERS = {
    Over.ALL: ("shield-off-outline", "Paint over everything", "over all"),
    Over.BACKGROUND: ("shield-outline", "Paint over background only", "over background"),
    Over.SELECTED: ("shield-half-full", "Paint inside one label only", "inside one label"),
}


class Swatch(QWidget):
    """A patch of the colour of the label in hand."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(20, 20)
        self._colour: QColor | None = None

    def set_colour(self, colour: Colour | None) -> None:
        """Show a colour, or None for background."""
        self._colour = None if colour is None else QColor(*colour)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the colour, or a crossed-out patch for background."""
        with painter_on(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(self.palette().color(self.foregroundRole()))
            painter.setBrush(self._colour or Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.rect().adjusted(2, 2, -3, -3), 4, 4)
            if self._colour is None:
                painter.drawLine(5, self.height() - 6, self.width() - 6, 5)


class ShrinkingButton(QToolButton):
    """A button whose words are left out where there is no room for them."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show the words, or the icon alone."""
        has_room = event.size().width() >= self.maximumWidth()
        beside, alone = Qt.ToolButtonStyle.ToolButtonTextBesideIcon, Qt.ToolButtonStyle.ToolButtonIconOnly
        self.setToolButtonStyle(beside if has_room else alone)
        super().resizeEvent(event)


class CanvasToolbar(KeyedBar):
    """Show and change the label in hand, what may be painted over, and how things are drawn."""

    new_label_wanted = Signal()
    pin_wanted = Signal(int)
    auto_wanted = Signal()
    reset_wanted = Signal()
    three_wanted = Signal(bool)
    left = Signal()

    def __init__(self, model: CanvasModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._build()
        self._connect()
        self.show_keys(keymap_of())
        self.show_state()

    def set_painting_allowed(self, is_allowed: bool) -> None:
        """Offer what needs labels that can be painted, or not."""
        self.new_label.setEnabled(is_allowed)

    def set_style(self, style: LabelStyle) -> None:
        """Show the colours of the label in hand and of those in the slots."""
        hand = self._model.hand
        self.swatch.set_colour(style.colour(hand.label) if hand.label else None)
        labels = [hand.slots.get(number, number) for number in range(1, 10)]
        colours = {label: style.colour(label) if label else None for label in labels}
        self.slots.show_slots(hand.slots, hand.label, colours)

    def set_three(self, shows_three: bool) -> None:
        """Show whether all three planes are shown."""
        put_silently(self.three, shows_three)

    def show_state(self) -> None:
        """Show what the model holds."""
        hand, display = self._model.hand, self._model.display
        put_silently(self.label, hand.label)
        put_silently(self.outlines, display.outlines)
        put_silently(self.visible, display.show_labels)
        self._show_over()
        self.show_layers()

    def show_layers(self) -> None:
        """Show the opacity of the labels and the contrast of the image."""
        labels, image = self._model.labels_layer, self._model.image_layer
        self.opacity.setEnabled(labels is not None)
        if labels is not None:
            put_silently(self.opacity, round(labels.opacity * 100))
        for widget in (self.contrast, self.auto, self.reset):
            widget.setEnabled(image is not None)
        if image is None:
            return
        low, high = image.limits
        self.contrast.blockSignals(True)
        self.contrast.setRange(low, high)
        self.contrast.setSingleStep((high - low) / 255)
        self.contrast.setValue((image.low, image.high))
        self.contrast.blockSignals(False)
        self.contrast.setToolTip(f"Contrast: {image.low:g} is black, {image.high:g} is white")

    def show_keys(self, keymap: Keymap) -> None:
        """Tell the keys of a keymap in the tooltips."""
        super().show_keys(keymap)
        self.slots.show_keys(keymap)

    def release(self) -> None:
        """Let go of the model."""
        hand = self._model.hand
        for group in (hand.events, hand.options.events, self._model.display.events):
            group.disconnect(self.show_state, missing_ok=True)
        for signal in (self._model.volumes_changed, self._model.layer_changed):
            signal.disconnect(self.show_layers, missing_ok=True)

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 3, 6, 3)
        row.setSpacing(2)
        self._build_label(row)
        row.addStretch(1)
        self._build_display(row)
        self.draw_icons()

    def _build_label(self, row: QHBoxLayout) -> None:
        self.swatch = Swatch()
        self.label = QLargeIntSpinBox()
        self.label.setRange(0, MAX_LABEL)  # type: ignore[no-untyped-call]
        self.label.setFixedWidth(84)
        self._explain(self.label, "The label in hand; 0 is background", ("swap", "pick"))
        self.new_label = self._button("plus", "new-label")
        self.swap = self._button("swap-horizontal", "swap")
        self.slots = LabelSlots()
        self.over = ShrinkingButton()
        self.over.setAutoRaise(True)
        self.over.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.over.setIconSize(QSize(20, 20))
        self.over.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.over.setMenu(self._over_menu())
        self.over.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self._explain(
            self.over,
            "What may be painted over",
            ("protect",),
            "\nLocked labels never are. Erasing over background only takes away just the label in hand."
            "\nInside one label: those selected in the object table, else the one that a stroke begins on.",
        )
        for widget in (self.swatch, self.label, self.new_label, self.swap, self.slots, self.over):
            row.addWidget(widget)
        widest = max(self.over.fontMetrics().horizontalAdvance(words) for _, _, words in OVERS.values())
        _let_shrink(row, self.over, 30, widest + 38)

    def _over_menu(self) -> QMenu:
        menu = QMenu(self)
        group = QActionGroup(menu)
        self._over_actions = {}
        for over, (icon_name, words, _) in OVERS.items():
            action = menu.addAction(icon(icon_name), words)
            action.setCheckable(True)
            group.addAction(action)
            action.triggered.connect(lambda _=False, over=over: self._take_over(over))
            self._over_actions[over] = action
        return menu

    def _build_display(self, row: QHBoxLayout) -> None:
        self.visible = self._button("eye-outline", "see-raw", checkable=True)
        self.outlines = self._button("vector-square", "outlines", checkable=True)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._explain(self.opacity, "Opacity of the labels", ("less-opacity", "more-opacity"))
        self.contrast = QDoubleRangeSlider(Qt.Orientation.Horizontal)  # type: ignore[no-untyped-call]
        self.contrast.setRange(0, 255)
        self.contrast.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.auto = self._button("auto-fix", "", tooltip="Contrast that suits this section")
        self.reset = self._button("contrast-box", "", tooltip="Contrast over all gray values")
        self.three = self._button("view-dashboard-outline", "maximise", checkable=True)
        for widget in (
            self.visible,
            self.outlines,
            self.opacity,
            separator(),
            self.contrast,
            self.auto,
            self.reset,
            self.three,
        ):
            row.addWidget(widget)
        _let_shrink(row, self.opacity, 26, 80)
        _let_shrink(row, self.contrast, 44, 120)

    def draw_icons(self) -> None:
        """Draw the icons in the colours of the present theme."""
        super().draw_icons()
        for over, action in self._over_actions.items():
            action.setIcon(icon(OVERS[over][0]))
        self._show_over()

    def _show_over(self) -> None:
        over = self._model.hand.options.over
        self.over.setIcon(icon(OVERS[over][0]))
        self.over.setText(OVERS[over][2])
        self._over_actions[over].setChecked(True)

    def _take_over(self, over: Over) -> None:
        self._model.hand.options.over = over

    def _connect(self) -> None:
        hand, display = self._model.hand, self._model.display
        self.label.valueChanged.connect(lambda value: setattr(hand, "label", int(value)))
        self.label.lineEdit().returnPressed.connect(self.left)
        self.new_label.clicked.connect(self.new_label_wanted)
        self.swap.clicked.connect(lambda: hand.swap_with_background())
        self.slots.taken.connect(hand.take_slot)
        self.slots.pinned.connect(self.pin_wanted)
        self.visible.toggled.connect(lambda on: setattr(display, "show_labels", on))
        self.outlines.toggled.connect(lambda on: setattr(display, "outlines", on))
        self.opacity.valueChanged.connect(self._take_opacity)
        self.three.toggled.connect(self.three_wanted)
        self.contrast.valueChanged.connect(self._take_contrast)
        self.auto.clicked.connect(self.auto_wanted)
        self.reset.clicked.connect(self.reset_wanted)
        for group in (hand.events, hand.options.events, display.events):
            group.connect(self.show_state)
        self._model.volumes_changed.connect(self.show_layers)
        self._model.layer_changed.connect(self.show_layers)

    def _take_contrast(self, values: tuple[float, float]) -> None:
        if (image := self._model.image_layer) is not None:
            image.low, image.high = values

    def _take_opacity(self, value: int) -> None:
        if (labels := self._model.labels_layer) is not None:
            labels.opacity = value / 100


def put_silently(widget: QWidget, value: object) -> None:
    """Set a widget's value without its telling so."""
    widget.blockSignals(True)
    if isinstance(widget, QToolButton):
        widget.setChecked(bool(value))
    else:
        widget.setValue(value)
    widget.blockSignals(False)


def _let_shrink(row: QHBoxLayout, widget: QWidget, least: int, most: int) -> None:
    """Give a widget up to a width, before empty space gets any, but let a small window take some of it."""
    widget.setMinimumWidth(least)
    widget.setMaximumWidth(most)
    row.setStretchFactor(widget, 100)
