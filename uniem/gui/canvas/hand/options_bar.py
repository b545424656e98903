"""The strip above the views that offers what the tool in hand needs, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QFontMetrics
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QSpinBox,
    QToolButton,
    QWidget,
)
from superqt import QDoubleRangeSlider

from uniem.algorithms.superpixels import Relief
from uniem.gui.canvas.hand.flow_layout import FlowLayout
from uniem.gui.canvas.hand.keyed import KeyedBar
from uniem.gui.canvas.hand.options import (
    GRAIN_PX,
    MOST_MILLIONS,
    MOST_RADIUS_PX,
    Change,
    FillOn,
    Reach,
)
from uniem.gui.canvas.hand.split_options import SplitOptions
from uniem.gui.canvas.keymap_presets import keymap_of
from uniem.gui.canvas.view_model import MAX_BRUSH_PX, CanvasModel, Tool
from uniem.proofreading.tools.brush import Tip

_BRUSHES = (Tool.BRUSH, Tool.ERASER, Tool.LINE)
_WORDS = {
    Tool.NAVIGATE: "Drag to move the section; click to place the cross-hair.",
    Tool.LASSO: "Drag around an object, or click corner by corner.",
    Tool.MERGE: "Click an object, then click or draw over those that become part of it.",
    Tool.PICK: "Click a label to take it into the hand.",
}


class OptionsBar(KeyedBar):
    """Show and change the options of the tool in hand.

    Signals: `gray_wanted(bool)`, whether the next press takes the gray range; `wanted(shortcut id)`;
    `left()` when a number was typed and Enter pressed.
    """

    gray_wanted = Signal(bool)
    wanted = Signal(str)
    left = Signal()

    def __init__(self, model: CanvasModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._hand, self._options = model.hand, model.hand.options
        self._groups: list[tuple[QWidget, Callable[[], bool]]] = []
        self._flow = FlowLayout(self)
        self._build_brush()
        self._build_gray()
        self._build_fill()
        self._build_superpixels()
        self._build_reshape()
        self.split = SplitOptions(self._options)
        self._group(lambda: self._hand.tool in (Tool.SPLIT, Tool.SEEDS), "", self.split)
        self._build_words()
        self._build_outline()
        for group in (self._hand.events, self._options.events):
            group.connect(self.show_state)
        model.volumes_changed.connect(self.show_state)
        self.show_keys(keymap_of())
        self.draw_icons()
        self.setMinimumHeight(self.brush_size.sizeHint().height() + 10)
        self.show_state()

    def show_state(self) -> None:
        """Show the options, and only those of the tool in hand."""
        hand, options = self._hand, self._options
        for widget, is_wanted in self._groups:
            widget.setVisible(is_wanted())
        self.words.setText(_WORDS.get(hand.tool, ""))
        self.split.show_state(hand.tool)
        _put(self.brush_size, hand.brush_px)
        _put(self.brush_slider, to_slider(hand.brush_px))
        self.brush_nm.setText(self._in_nm(hand.brush_px))
        _put(self.ball, options.tip is Tip.BALL)
        _put(self.pressure, options.uses_pressure)
        _put(self.gray, options.uses_gray)
        self._show_gray()
        for combo, value in (
            (self.fill_on, options.fill_on),
            (self.fill_reach, options.fill_reach),
            (self.relief, options.relief),
            (self.change, options.change),
            (self.change_reach, options.change_reach),
        ):
            _put(combo, value)
        _put(self.tolerance, options.fill_tolerance)
        _put(self.millions, options.fill_millions)
        _put(self.grain, options.grain_px)
        _put(self.grain_slider, options.grain_px)
        self.grain_nm.setText(self._in_nm(options.grain_px))
        _put(self.radius, options.radius_px)
        size = self._model.voxel_size
        self.radius_nm.setVisible(size is not None)
        if size is not None:
            self.radius_nm.blockSignals(True)
            self.radius_nm.setSingleStep(size.x)
            self.radius_nm.setRange(size.x, size.x * MOST_RADIUS_PX)
            self.radius_nm.setValue(options.radius_px * size.x)
            self.radius_nm.blockSignals(False)

    def show_working(self, is_working: bool) -> None:
        """Tell that superpixels are being made."""
        self.working.setText("making superpixels…" if is_working else "")

    def show_taking(self, is_taking: bool) -> None:
        """Show whether the next press takes the gray range."""
        _put(self.take_gray, is_taking)

    def release(self) -> None:
        """Let go of the model."""
        for group in (self._hand.events, self._options.events):
            group.disconnect(self.show_state, missing_ok=True)
        self._model.volumes_changed.disconnect(self.show_state, missing_ok=True)

    def _build_brush(self) -> None:
        self.brush_slider = _slider(0, 100, 110)
        self.brush_size = _spin(1, MAX_BRUSH_PX, " px")
        self.brush_nm = _quiet("8888888 nm")
        for widget in (self.brush_slider, self.brush_size):
            self._explain(widget, "Diameter of the brush", ("smaller-brush", "larger-brush"))
        self.ball = self._button(
            "sphere", "scope", True, "Paint a ball that reaches the sections on both sides."
        )
        self.pressure = self._button(
            "pen", "", True, "Pen pressure\nPressed lightly, a pen paints more thinly."
        )
        self._group(
            lambda: self._hand.tool in _BRUSHES, "Size", self.brush_slider, self.brush_size, self.brush_nm
        )
        self._group(lambda: self._hand.tool in _BRUSHES, "", self.ball, self.pressure)
        self.brush_slider.valueChanged.connect(lambda value: self._hand.set_brush(from_slider(value)))
        self.brush_size.valueChanged.connect(self._hand.set_brush)
        self.ball.toggled.connect(lambda on: self._set("tip", Tip.BALL if on else Tip.DISC))
        self.pressure.toggled.connect(lambda on: self._set("uses_pressure", on))

    def _build_gray(self) -> None:
        self.gray = self._button("chart-bell-curve", "", True, "Paint only some gray values")
        self.gray.setToolTip(
            "Paint only where the image's gray value is in a range; it shows under the brush."
        )
        self.gray_range = QDoubleRangeSlider(Qt.Orientation.Horizontal)  # type: ignore[no-untyped-call]
        self.gray_range.setFixedWidth(120)
        self.gray_range.setToolTip("The gray values that are painted")
        self.gray_range.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.gray_low, self.gray_high = _real(), _real()
        for field, words in ((self.gray_low, "Darkest"), (self.gray_high, "Brightest")):
            field.setToolTip(f"{words} gray value that is painted")
        self.take_gray = self._button("eyedropper", "", True, "Take from here")
        self.take_gray.setToolTip("Take the range from what the brush covers at the next press.")
        self._group(self._has_gray, "", self.gray)
        self._group(
            lambda: self._has_gray() and self._options.uses_gray,
            "Gray",
            self.gray_low,
            self.gray_range,
            self.gray_high,
            self.take_gray,
        )
        self.gray.toggled.connect(self._limit_to_gray)
        self.gray_range.valueChanged.connect(lambda pair: self._set_gray(*pair))
        self.gray_low.valueChanged.connect(lambda low: self._set_gray(low, max(low, self._options.gray_high)))
        self.gray_high.valueChanged.connect(
            lambda high: self._set_gray(min(high, self._options.gray_low), high)
        )
        self.take_gray.toggled.connect(self.gray_wanted)

    def _build_fill(self) -> None:
        self.fill_on = _combo(FillOn, "What the fill spreads over: equal labels, or similar gray values")
        self.tolerance = _real(1e6)
        self.tolerance.setToolTip("How much gray values may differ from that of the place clicked")
        self.fill_reach = _combo(Reach, "")
        self._explain(self.fill_reach, "Fill in this section, or through all of the volume", ("scope",))
        self.millions = _spin(1, MOST_MILLIONS, " million")
        self.millions.setToolTip("A region of more voxels is not filled, and nothing changes.")

        def is_fill() -> bool:
            return self._hand.tool is Tool.FILL

        self._group(is_fill, "Fill", self.fill_on)
        self._group(lambda: is_fill() and self._options.fill_on is FillOn.IMAGE, "±", self.tolerance)
        self._group(is_fill, "in", self.fill_reach)
        self._group(lambda: is_fill() and self._options.fill_reach is Reach.VOLUME, "at most", self.millions)
        self._choose(self.fill_on, FillOn, "fill_on")
        self._choose(self.fill_reach, Reach, "fill_reach")
        self.tolerance.valueChanged.connect(lambda value: self._set("fill_tolerance", value))
        self.millions.valueChanged.connect(lambda value: self._set("fill_millions", value))

    def _build_superpixels(self) -> None:
        self.grain_slider = _slider(*GRAIN_PX, 110)
        self.grain = _spin(*GRAIN_PX, " px")
        self.grain_nm = _quiet("88888 nm")
        for widget in (self.grain_slider, self.grain):
            self._explain(widget, "Width of the superpixels", ("smaller-brush", "larger-brush"))
        self.relief = _combo(Relief, "What superpixels keep to: dark membranes, or any edge of gray")
        self.working = _quiet("making superpixels…")

        def is_cut() -> bool:
            return self._hand.tool is Tool.SUPERVOXELS

        self._group(is_cut, "Superpixels", self.grain_slider, self.grain, self.grain_nm)
        self._group(is_cut, "along", self.relief)
        self._group(is_cut, "", self.working)
        self.grain_slider.valueChanged.connect(lambda value: self._set("grain_px", value))
        self.grain.valueChanged.connect(lambda value: self._set("grain_px", value))
        self._choose(self.relief, Relief, "relief")

    def _build_reshape(self) -> None:
        self.change = _combo(Change, "What is done to the shape of the object in hand")
        self.change_reach = _combo(Reach, "")
        self._explain(self.change_reach, "In this section, or the whole object in 3D", ("scope",))
        self.radius = _spin(1, MOST_RADIUS_PX, " px")
        self.radius_nm = _real(1e6)
        self.radius_nm.setSuffix(" nm")
        for field in (self.radius, self.radius_nm):
            field.setToolTip("By how much; the same length in every direction")
        self.propose = QToolButton()
        self.propose.setText("Preview")
        self.propose.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._explain(self.propose, "Show what would change", ("accept",), "\nOnce more: make the edit.")

        def is_reshape() -> bool:
            return self._hand.tool is Tool.RESHAPE

        self._group(is_reshape, "", self.change)
        self._group(
            lambda: is_reshape() and self._options.change.has_radius, "by", self.radius, self.radius_nm
        )
        self._group(is_reshape, "in", self.change_reach)
        self._group(is_reshape, "", self.propose)
        self._choose(self.change, Change, "change")
        self._choose(self.change_reach, Reach, "change_reach")
        self.radius.valueChanged.connect(lambda value: self._set("radius_px", value))
        self.radius_nm.valueChanged.connect(self._take_radius_nm)
        self.propose.clicked.connect(lambda: self.wanted.emit("accept"))

    def _build_words(self) -> None:
        self.words = QLabel()
        self.words.setProperty("role", "quiet")
        self._group(lambda: self._hand.tool in _WORDS, "", self.words)

    def _build_outline(self) -> None:
        """Offer to hands without a keyboard what Enter, Backspace and Esc do to an outline."""
        self.outline: dict[str, QToolButton] = {}
        for icon_name, id, words in (
            ("check", "accept", "Close the outline."),
            ("undo-variant", "step-back", ""),
            ("close", "cancel", "Forget the outline."),
        ):
            button = self.outline[id] = self._button(icon_name, id, tooltip=words)
            button.clicked.connect(lambda _=False, id=id: self.wanted.emit(id))
        self._group(lambda: self._hand.tool is Tool.LASSO, "", *self.outline.values())

    def _group(self, is_wanted: Callable[[], bool], title: str, *widgets: QWidget) -> None:
        """Add widgets that are shown together, when they are wanted."""
        group = QWidget()
        row = QHBoxLayout(group)
        row.setContentsMargins(0, 0, 6, 0)
        row.setSpacing(4)
        for widget in (*([QLabel(title)] if title else []), *widgets):
            row.addWidget(widget)
            if isinstance(widget, QSpinBox | QDoubleSpinBox):
                widget.lineEdit().returnPressed.connect(self.left)
        self._flow.addWidget(group)
        self._groups.append((group, is_wanted))

    def _set(self, name: str, value: object) -> None:
        setattr(self._options, name, value)

    def _choose(self, combo: QComboBox, choices: type[StrEnum], name: str) -> None:
        members = list(choices)
        combo.activated.connect(lambda index: self._set(name, members[index]))
        combo.activated.connect(lambda _: self.left.emit())

    def _has_gray(self) -> bool:
        return self._hand.tool in (*_BRUSHES, Tool.LASSO)

    def _limit_to_gray(self, is_on: bool) -> None:
        self._set("uses_gray", is_on)
        if not is_on:
            self.gray_wanted.emit(False)

    def _set_gray(self, low: float, high: float) -> None:
        self._options.gray_low, self._options.gray_high = low, high

    def _show_gray(self) -> None:
        image, options = self._model.image_layer, self._options
        low, high = image.limits if image is not None else (0.0, 255.0)
        low, high = min(low, options.gray_low), max(high, options.gray_high)
        self.gray_range.blockSignals(True)
        self.gray_range.setRange(low, high)
        self.gray_range.setValue((options.gray_low, options.gray_high))
        self.gray_range.blockSignals(False)
        for field, value in ((self.gray_low, options.gray_low), (self.gray_high, options.gray_high)):
            field.setDecimals(0 if high - low > 20 else 3)
            _put(field, value)

    def _take_radius_nm(self, value: float) -> None:
        size = self._model.voxel_size
        if size is not None:
            self._set("radius_px", min(MOST_RADIUS_PX, max(1, round(value / size.x))))

    def _in_nm(self, size_px: int) -> str:
        size = self._model.voxel_size
        return f"{size_px * size.x:,.0f} nm" if size is not None else ""


def to_slider(size_px: int) -> int:
    """Return the place of a brush size on a slider of 0 to 100, where small sizes get as much room."""
    return round(100 * ((size_px - 1) / (MAX_BRUSH_PX - 1)) ** (1 / 3))


def from_slider(value: int) -> int:
    """Return the brush size at a place of the slider."""
    return round(1 + (MAX_BRUSH_PX - 1) * (value / 100) ** 3)


def _put(widget: QWidget, value: object) -> None:
    """Set a widget's value without its telling so."""
    widget.blockSignals(True)
    if isinstance(widget, QToolButton):
        widget.setChecked(bool(value))
    elif isinstance(widget, QComboBox):
        widget.setCurrentText(str(value))
    else:
        widget.setValue(value)
    widget.blockSignals(False)


def _slider(low: int, high: int, width: int) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(low, high)
    slider.setFixedWidth(width)
    slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return slider


def _spin(low: int, high: int, suffix: str) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(low, high)
    spin.setSuffix(suffix)
    return spin


def _real(most: float = 1e9) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setRange(-most if most == 1e9 else 0, most)
    spin.setDecimals(0)
    spin.setKeyboardTracking(False)
    spin.setFixedWidth(QFontMetrics(spin.font()).horizontalAdvance("88888 nm") + 34)
    return spin


def _combo(choices: Iterable[StrEnum], tooltip: str) -> QComboBox:
    combo = QComboBox()
    combo.addItems([str(choice) for choice in choices])
    combo.setToolTip(tooltip)
    combo.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return combo


def _quiet(widest: str) -> QLabel:
    """Return a label of facts that does not move its neighbours when it changes."""
    label = QLabel()
    label.setProperty("role", "quiet")
    label.setMinimumWidth(QFontMetrics(label.font()).horizontalAdvance(widest))
    return label
