"""The strip above the view: tools, brush, label in hand, opacity and contrast."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QPainter, QPaintEvent
from qtpy.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QSlider, QSpinBox, QToolButton, QWidget
from superqt import QDoubleRangeSlider, QLargeIntSpinBox

from uniem.data.palette import Colour
from uniem.gui.canvas.keymap import Keymap
from uniem.gui.canvas.keymap_presets import SHORTCUTS, keymap_of
from uniem.gui.canvas.view_model import MAX_BRUSH_PX, MAX_LABEL, CanvasModel, Tool
from uniem.gui.style import icon

_TOOLS = (
    (Tool.NAVIGATE, "hand-back-right-outline", "navigate"),
    (Tool.BRUSH, "brush", "brush"),
    (Tool.ERASER, "eraser", "eraser"),
    (Tool.PICK, "eyedropper-variant", "pick"),
)
_SHORTCUTS = {shortcut.id: shortcut for shortcut in SHORTCUTS}


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
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.setBrush(self._colour or Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(self.rect().adjusted(2, 2, -3, -3), 4, 4)
        if self._colour is None:
            painter.drawLine(5, self.height() - 6, self.width() - 6, 5)


class CanvasToolbar(QWidget):
    """Show and change what the shared model holds; ids travel as Python ints."""

    new_label_wanted = Signal()
    auto_wanted = Signal()
    reset_wanted = Signal()
    three_wanted = Signal(bool)
    left = Signal()

    def __init__(self, model: CanvasModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "bar")
        self._model = model
        self._icons: list[tuple[QToolButton, str]] = []
        self._keyed: list[tuple[QWidget, str, tuple[str, ...], str]] = []
        self._build()
        self._connect()
        self.show_keys(keymap_of())
        self.show_state()

    def set_painting_allowed(self, is_allowed: bool) -> None:
        """Offer what needs labels that can be painted, or not."""
        for tool in (Tool.BRUSH, Tool.ERASER):
            self._tools[tool].setEnabled(is_allowed)
        self.new_label.setEnabled(is_allowed)

    def set_swatch(self, colour: Colour | None) -> None:
        """Show the colour of the label in hand; None for background."""
        self.swatch.set_colour(colour)

    def set_three(self, shows_three: bool) -> None:
        """Show whether all three planes are shown."""
        put_silently(self.three, shows_three)

    def show_state(self) -> None:
        """Show what the model holds."""
        hand, display = self._model.hand, self._model.display
        if hand.tool in self._tools:
            self._tools[hand.tool].setChecked(True)
        put_silently(self.brush_size, hand.brush_px)
        put_silently(self.brush_slider, _to_slider(hand.brush_px))
        put_silently(self.label, hand.label)
        put_silently(self.outlines, display.outlines)
        put_silently(self.visible, display.show_labels)
        for widget in (self.brush_slider, self.brush_size):
            widget.setEnabled(hand.tool.is_brush_like)
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
        for widget, title, ids, more in self._keyed:
            keys = ", ".join(key for id in ids for key in keymap.of(id)[:1])
            widget.setToolTip(f"{title}  ({keys}){more}" if keys else f"{title}{more}")

    def release(self) -> None:
        """Let go of the model."""
        for group in (self._model.hand.events, self._model.display.events):
            group.disconnect(self.show_state, missing_ok=True)
        for signal in (self._model.volumes_changed, self._model.layer_changed):
            signal.disconnect(self.show_layers, missing_ok=True)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icons in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            # After the theme is complete, its icons included.
            QTimer.singleShot(0, self._draw_icons)

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 3, 6, 3)
        row.setSpacing(4)
        self._build_tools(row)
        self._build_brush(row)
        self._build_label(row)
        row.addStretch(1)
        self._build_display(row)
        self._draw_icons()

    def _build_tools(self, row: QHBoxLayout) -> None:
        self._tools: dict[Tool, QToolButton] = {}
        self._group = QButtonGroup(self)
        for tool, icon_name, shortcut_id in _TOOLS:
            button = self._button(icon_name, shortcut_id, checkable=True)
            self._group.addButton(button)
            self._tools[tool] = button
            row.addWidget(button)
        row.addWidget(_separator())

    def _build_brush(self, row: QHBoxLayout) -> None:
        self.brush_slider = QSlider(Qt.Orientation.Horizontal)
        self.brush_slider.setRange(0, 100)
        self.brush_size = QSpinBox()
        self.brush_size.setRange(1, MAX_BRUSH_PX)
        self.brush_size.setSuffix(" px")
        for widget in (self.brush_slider, self.brush_size):
            self._keyed.append((widget, "Diameter of the brush", ("smaller-brush", "larger-brush"), ""))
            row.addWidget(widget)
        _let_shrink(row, self.brush_slider, 26, 90)
        self.brush_slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        row.addWidget(_separator())

    def _build_label(self, row: QHBoxLayout) -> None:
        self.swatch = Swatch()
        self.label = QLargeIntSpinBox()
        self.label.setRange(0, MAX_LABEL)  # type: ignore[no-untyped-call]
        self.label.setMinimumWidth(70)
        self._keyed.append((self.label, "The label in hand; 0 is background", ("swap", "pick"), ""))
        self.new_label = self._button("plus", "new-label")
        for widget in (self.swatch, self.label, self.new_label):
            row.addWidget(widget)

    def _build_display(self, row: QHBoxLayout) -> None:
        self.visible = self._button("eye-outline", "see-raw", checkable=True)
        self.outlines = self._button("vector-square", "outlines", checkable=True)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._keyed.append((self.opacity, "Opacity of the labels", ("less-opacity", "more-opacity"), ""))
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
            _separator(),
            self.contrast,
            self.auto,
            self.reset,
            self.three,
        ):
            row.addWidget(widget)
        _let_shrink(row, self.opacity, 26, 80)
        _let_shrink(row, self.contrast, 44, 120)

    def _button(
        self, icon_name: str, shortcut_id: str, checkable: bool = False, tooltip: str = ""
    ) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setCheckable(checkable)
        button.setIconSize(QSize(20, 20))
        # A focused button would take Space and Enter for itself.
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        shortcut = _SHORTCUTS.get(shortcut_id)
        button.setToolTip(tooltip)
        if shortcut is not None:
            self._keyed.append((button, shortcut.title, (shortcut.id,), f"\n{shortcut.tooltip}"))
        button.setAccessibleName(shortcut.title if shortcut else tooltip)
        self._icons.append((button, icon_name))
        return button

    def _draw_icons(self) -> None:
        for button, name in self._icons:
            button.setIcon(icon(name))

    def _connect(self) -> None:
        hand, display = self._model.hand, self._model.display
        for tool, button in self._tools.items():
            button.clicked.connect(lambda _=False, tool=tool: setattr(hand, "tool", tool))
        self.brush_size.valueChanged.connect(hand.set_brush)
        self.brush_slider.valueChanged.connect(lambda value: hand.set_brush(_from_slider(value)))
        self.label.valueChanged.connect(lambda value: setattr(hand, "label", int(value)))
        for field in (self.brush_size, self.label):
            field.lineEdit().returnPressed.connect(self.left)
        self.new_label.clicked.connect(self.new_label_wanted)
        self.visible.toggled.connect(lambda on: setattr(display, "show_labels", on))
        self.outlines.toggled.connect(lambda on: setattr(display, "outlines", on))
        self.opacity.valueChanged.connect(self._take_opacity)
        self.three.toggled.connect(self.three_wanted)
        self.contrast.valueChanged.connect(self._take_contrast)
        self.auto.clicked.connect(self.auto_wanted)
        self.reset.clicked.connect(self.reset_wanted)
        hand.events.connect(self.show_state)
        display.events.connect(self.show_state)
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


def _to_slider(size_px: int) -> int:
    """Return the place of a brush size on a slider of 0 to 100, where small sizes get as much room."""
    return round(100 * ((size_px - 1) / (MAX_BRUSH_PX - 1)) ** (1 / 3))


def _from_slider(value: int) -> int:
    return round(1 + (MAX_BRUSH_PX - 1) * (value / 100) ** 3)


def _let_shrink(row: QHBoxLayout, widget: QWidget, least: int, most: int) -> None:
    """Give a widget up to a width, before empty space gets any, but let a small window take some of it."""
    widget.setMinimumWidth(least)
    widget.setMaximumWidth(most)
    row.setStretchFactor(widget, 100)


def _separator() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.VLine)
    line.setFrameShadow(QFrame.Shadow.Sunken)
    line.setFixedHeight(22)
    return line
