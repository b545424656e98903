"""The View tab of the annotator: background, lights, box, scale bar."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from uniem.gui.annotator.controls import tool_button
from uniem.gui.annotator.look import Look

BACKGROUNDS = (("theme", "As the theme"), ("black", "Black"), ("white", "White"))
_SLIDERS = (
    ("directional", "Directional light", "Light that falls from the upper left and models the shape"),
    ("ambient", "Ambient light", "Even light that brightens the shade"),
    ("opacity", "Opacity of all", "Opacity of all objects, on top of their own"),
)
_CHECKS = (
    ("box", "Bounding box", "Box around all objects (B)"),
    ("scale_bar", "Scale bar", "Bar of known length in the lower right corner"),
    ("axes", "Axes", "Directions of x, y and z in the lower left corner"),
    (
        "perspective",
        "Perspective",
        "Let far things look smaller; the scale bar then holds at the centre only",
    ),
)


class LookPanel(QWidget):
    """Edit a `Look`; `look_changed` carries the new one."""

    look_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = Look()
        self._sliders: dict[str, QSlider] = {}
        self._checks: dict[str, QCheckBox] = {}
        self.background = QComboBox(self)
        for key, text in BACKGROUNDS:
            self.background.addItem(text, key)
        self.background.setToolTip("Colour behind the objects")
        self.background.currentIndexChanged.connect(
            lambda: self._set("background", self.background.currentData())
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        column.setSpacing(10)
        column.addWidget(self._make_light())
        column.addWidget(self._make_display())
        reset = tool_button("restore", "Defaults", "Set everything on this tab back", self.restore, self)
        column.addWidget(reset, 0, Qt.AlignmentFlag.AlignRight)
        column.addStretch(1)

    @property
    def look(self) -> Look:
        """The look as set."""
        return self._look

    def set_look(self, look: Look) -> None:
        """Show a look in the controls and tell of it."""
        for name, slider in self._sliders.items():
            slider.setValue(getattr(look, name))
        for name, check in self._checks.items():
            check.setChecked(getattr(look, name))
        self.background.setCurrentIndex(self.background.findData(look.background))

    def toggle_box(self) -> None:
        """Show or hide the bounding box."""
        self._checks["box"].toggle()

    def restore(self) -> None:
        """Go back to the look of the first start."""
        self.set_look(Look())

    def _make_light(self) -> QGroupBox:
        group = QGroupBox("Light and colour", self)
        form = QFormLayout(group)
        form.addRow("Background", self.background)
        for name, title, tip in _SLIDERS:
            caption = QLabel(title, group)
            caption.setToolTip(tip)
            form.addRow(caption, self._make_slider(name, tip))
        return group

    def _make_slider(self, name: str, tip: str) -> QWidget:
        holder = QWidget(self)
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        slider = QSlider(Qt.Orientation.Horizontal, holder)
        slider.setRange(0, 100)
        slider.setPageStep(5)
        slider.setValue(getattr(self._look, name))
        slider.setToolTip(tip)
        reading = QLabel(f"{slider.value()} %", holder)
        reading.setMinimumWidth(reading.fontMetrics().horizontalAdvance("100 %"))
        reading.setAlignment(Qt.AlignmentFlag.AlignRight)
        slider.valueChanged.connect(lambda value: reading.setText(f"{value} %"))
        slider.valueChanged.connect(lambda value: self._set(name, value))
        row.addWidget(slider, 1)
        row.addWidget(reading)
        self._sliders[name] = slider
        return holder

    def _make_display(self) -> QGroupBox:
        group = QGroupBox("Show", self)
        column = QVBoxLayout(group)
        for name, title, tip in _CHECKS:
            check = QCheckBox(title, group)
            check.setToolTip(tip)
            check.setChecked(getattr(self._look, name))
            check.toggled.connect(lambda on, name=name: self._set(name, on))
            column.addWidget(check)
            self._checks[name] = check
        return group

    def _set(self, name: str, value: Any) -> None:
        look = replace(self._look, **{name: value})
        if look != self._look:
            self._look = look
            self.look_changed.emit(look)
