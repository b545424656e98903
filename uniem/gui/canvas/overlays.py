"""What lies over the view without being part of it: the invitation of an empty canvas and short messages."""

from __future__ import annotations

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QLabel, QWidget

_TOAST_MS = 2500
# Below the titles of the views.
_TOAST_TOP = 44


class Invitation(QLabel):
    """Say what to do with an empty canvas."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setText("Drop an image stack here\nor File › Open")
        self.setStyleSheet(
            "color: #a9adb5; font-size: 15pt; background: transparent;"
            "border: 2px dashed #4a4d55; border-radius: 14px;"
        )

    def fill(self) -> None:
        """Take the middle of the parent."""
        self.resize(420, 150)
        self.move(self.parentWidget().rect().center() - self.rect().center())


class Toast(QLabel):
    """Show a sentence at the top of the view for a moment."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setStyleSheet(
            "color: white; background: rgba(0, 0, 0, 190); border-radius: 8px; padding: 6px 14px;"
        )
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_TOAST_MS)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def say(self, text: str) -> None:
        """Show a sentence."""
        self.setText(text)
        self.adjustSize()
        self.place()
        self.show()
        self.raise_()
        self._timer.start()

    def place(self) -> None:
        """Keep to the top of the parent, in the middle."""
        self.move((self.parentWidget().width() - self.width()) // 2, _TOAST_TOP)
