"""A headed part of a form that opens and closes, and the area in which a long form scrolls."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import QFrame, QScrollArea, QSizePolicy, QToolButton, QVBoxLayout, QWidget


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


class TallArea(QScrollArea):
    """Scrolls up and down only: it is never narrower than what is inside."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the width that the inside needs."""
        if watched is self.widget() and event.type() == QEvent.Type.LayoutRequest:
            bar = self.verticalScrollBar().sizeHint().width()
            self.setMinimumWidth(self.widget().minimumSizeHint().width() + bar)
        return bool(super().eventFilter(watched, event))
