"""The question how large a picture of the 3D view should be, and writing it."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QBuffer, QIODevice, QSize
from qtpy.QtGui import QImage
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from uniem.data.formats.files import write_bytes
from uniem.errors import UniemError

# The largest picture that OpenGL drivers of today are sure to draw in one piece.
LARGEST = 16384


class PictureDialog(QDialog):
    """Ask for size, transparency and scale bar of a picture."""

    def __init__(self, view_size: QSize, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Take picture")
        self._shape = view_size
        self.preset = QComboBox(self)
        self.preset.setToolTip("Common sizes; width and height can be changed below")
        for text, size in self._presets():
            self.preset.addItem(f"{text}  ({size.width()} × {size.height()})", size)
        self.preset.currentIndexChanged.connect(self._on_preset)
        self.width_px, self.height_px = self._spin("Width in pixels"), self._spin("Height in pixels")
        self.transparent = QCheckBox("Transparent background", self)
        self.transparent.setToolTip("Leave the background out, for slides and figures")
        self.scale_bar = QCheckBox("Scale bar", self)
        self.scale_bar.setToolTip("Draw the scale bar into the picture")
        self.scale_bar.setChecked(True)
        self._arrange()
        self._on_preset()

    @property
    def size_px(self) -> QSize:
        """The size asked for."""
        return QSize(self.width_px.value(), self.height_px.value())

    def _presets(self) -> list[tuple[str, QSize]]:
        twice = self._shape * 2
        return [
            ("Twice the view", twice),
            ("As the view", self._shape),
            ("4 times the view", self._shape * 4),
            ("Full HD", QSize(1920, 1080)),
            ("4K", QSize(3840, 2160)),
            ("Square for print", QSize(4000, 4000)),
        ]

    def _spin(self, tip: str) -> QSpinBox:
        spin = QSpinBox(self)
        spin.setRange(16, LARGEST)
        spin.setSuffix(" px")
        spin.setToolTip(f"{tip}, at most {LARGEST:,}")
        return spin

    def _on_preset(self) -> None:
        size = self.preset.currentData()
        self.width_px.setValue(size.width())
        self.height_px.setValue(size.height())

    def _arrange(self) -> None:
        form = QFormLayout()
        form.addRow("Size", self.preset)
        form.addRow("Width", self.width_px)
        form.addRow("Height", self.height_px)
        form.addRow("", self.transparent)
        form.addRow("", self.scale_bar)
        note = QLabel("The picture is drawn anew in full detail, not enlarged.", self)
        note.setProperty("role", "quiet")
        buttons = QDialogButtonBox(self)
        buttons.addButton("Save…", QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(note)
        column.addWidget(buttons)


def write_picture(image: QImage, path: Path) -> None:
    """Write a picture as PNG, whole or not at all."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG"):
        raise UniemError(
            f"Cannot make a PNG of {image.width()} × {image.height()} pixels.", "Choose a smaller size."
        )
    write_bytes(path, bytes(buffer.data()))
