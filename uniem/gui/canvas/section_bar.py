"""The strip below the view: which section is shown."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QSpinBox, QWidget

from uniem.gui.canvas.toolbar import put_silently
from uniem.gui.canvas.view_model import CanvasModel


class SectionBar(QWidget):
    """Choose the section: a slider with a number."""

    left = Signal()

    def __init__(self, model: CanvasModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "bar")
        self._model = model
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 2, 8, 2)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.slider.setToolTip("Section  (wheel, F and D)")
        self.number = QSpinBox()
        self.count = QLabel()
        for widget in (QLabel("z"), self.slider, self.number, self.count):
            row.addWidget(widget)
        self.slider.valueChanged.connect(model.go_to)
        self.number.valueChanged.connect(model.go_to)
        self.number.lineEdit().returnPressed.connect(self.left)
        model.volumes_changed.connect(self._show_depth)
        model.z_changed.connect(self._show_z)
        self._show_depth()

    def release(self) -> None:
        """Let go of the model."""
        self._model.volumes_changed.disconnect(self._show_depth, missing_ok=True)
        self._model.z_changed.disconnect(self._show_z, missing_ok=True)

    def _show_depth(self) -> None:
        last = max(0, self._model.depth - 1)
        for widget in (self.slider, self.number):
            widget.blockSignals(True)
            widget.setRange(0, last)
            widget.blockSignals(False)
        self.count.setText(f"/ {last}")
        self.setEnabled(self._model.depth > 0)
        self._show_z(self._model.z)

    def _show_z(self, z: int) -> None:
        put_silently(self.slider, z)
        put_silently(self.number, z)
