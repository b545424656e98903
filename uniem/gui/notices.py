"""What lies over the top of the canvas below the message bar: work under way, and small questions."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt, QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

# Shorter work is over before anybody could read that it goes on.
PATIENCE_MS = 300


class NoticeArea(QWidget):
    """Bars one below the other over the top of a widget, so that nothing moves away under the mouse."""

    def __init__(self, over: QWidget, below: QWidget) -> None:
        super().__init__(over)
        self._below = below
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        for watched in (over, below):
            watched.installEventFilter(self)
        self.hide()

    def add(self, bar: QWidget) -> None:
        """Give a bar, hidden or not, a place at the end."""
        bar.setProperty("role", "bar")
        bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._column.addWidget(bar)
        bar.installEventFilter(self)
        self.place()

    def place(self) -> None:
        """Keep to the width of the widget below, and to the bars that are shown."""
        bars = [self._column.itemAt(i).widget() for i in range(self._column.count())]
        shown = [bar for bar in bars if bar is not None and not bar.isHidden()]
        self.setVisible(bool(shown))
        if shown:
            self._column.invalidate()
            top = self._below.height() if not self._below.isHidden() else 0
            width = self.parentWidget().width()
            self.setGeometry(0, top, width, self._column.totalSizeHint().height())
            self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the sizes of the widget below and of the message bar."""
        kinds = (
            QEvent.Type.Resize,
            QEvent.Type.ShowToParent,
            QEvent.Type.HideToParent,
            QEvent.Type.LayoutRequest,
        )
        if event.type() in kinds:
            self.place()
        return False


class BusyBar(QWidget):
    """Say what takes a while, with Cancel."""

    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.label = QLabel()
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        running = QProgressBar()
        running.setRange(0, 0)
        running.setTextVisible(False)
        running.setFixedSize(120, 6)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(self.cancelled)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 6, 4)
        row.addWidget(self.label)
        row.addWidget(running)
        row.addStretch(1)
        row.addWidget(self.cancel)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PATIENCE_MS)
        self._soon.timeout.connect(self.show)
        self.hide()

    def say(self, text: str) -> None:
        """Show a text soon, unless it is over before; an empty one ends it."""
        self.label.setText(text)
        if not text:
            self._soon.stop()
            self.hide()
        elif self.isHidden() and not self._soon.isActive():
            self._soon.start()
