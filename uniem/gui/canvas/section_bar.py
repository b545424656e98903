"""The strip below the view: which section is shown."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QSpinBox, QWidget

from uniem.gui.canvas.planes import AXIS_NAMES
from uniem.gui.canvas.toolbar import put_silently
from uniem.gui.canvas.view_model import CanvasModel


class SectionBar(QWidget):
    """Choose the section along an axis: a slider with a number."""

    left = Signal()

    def __init__(self, model: CanvasModel, axis: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "bar")
        self._model, self._axis = model, axis
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.slider.setToolTip("Section  (wheel, F and D)")
        self.number = QSpinBox()
        self.count = QLabel()
        for widget in (QLabel(AXIS_NAMES[axis]), self.slider, self.number, self.count):
            row.addWidget(widget)
        self.slider.valueChanged.connect(self._go_to)
        self.number.valueChanged.connect(self._go_to)
        self.number.lineEdit().returnPressed.connect(self.left)
        model.volumes_changed.connect(self._show_depth)
        model.position_changed.connect(self._show_place)
        self._show_depth()

    def release(self) -> None:
        """Let go of the model."""
        self._model.volumes_changed.disconnect(self._show_depth, missing_ok=True)
        self._model.position_changed.disconnect(self._show_place, missing_ok=True)

    def _go_to(self, index: int) -> None:
        self._model.move_along(self._axis, index)

    def _show_depth(self) -> None:
        length = self._model.shape[self._axis]
        last = max(0, length - 1)
        for widget in (self.slider, self.number):
            widget.blockSignals(True)
            widget.setRange(0, last)
            widget.blockSignals(False)
        self.count.setText(f"/ {last}")
        self.setEnabled(length > 0)
        self._show_place()

    def _show_place(self) -> None:
        put_silently(self.slider, self._model.position[self._axis])
        put_silently(self.number, self._model.position[self._axis])
