"""A headed part of a form that opens and closes."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget


class Section(QWidget):
    """A header with an arrow, and a body shown while open."""

    toggled = Signal(bool)

    def __init__(self, title: str, body: QWidget, is_open: bool = True) -> None:
        super().__init__()
        self.body = body
        self.header = QToolButton()
        self.header.setText(title)
        self.header.setCheckable(True)
        self.header.setAutoRaise(True)
        self.header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.header.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.header.toggled.connect(self._show_body)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(2)
        column.addWidget(self.header)
        column.addWidget(body)
        body.layout().setContentsMargins(14, 0, 0, 4)
        self.header.setChecked(is_open)
        self._show_body(is_open)

    @property
    def is_open(self) -> bool:
        """Tell whether the body is shown."""
        return bool(self.header.isChecked())

    def open(self) -> None:
        """Show the body."""
        self.header.setChecked(True)

    def _show_body(self, is_open: bool) -> None:
        self.header.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self.body.setVisible(is_open)
        self.toggled.emit(is_open)
