"""Questions to the user, and the bar in which the window says what went wrong."""

from __future__ import annotations

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QMessageBox, QPushButton, QSizePolicy, QToolButton, QWidget

from uniem.gui import style
from uniem.gui.forms.editors import repolish

SHOWN_MS = 12_000


class MessageBar(QWidget):
    """A line at the top of the window: a message, until it is closed or has been there for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "bar")
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._icon = QLabel()
        close = QToolButton()
        close.setText("✕")
        close.setAutoRaise(True)
        close.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 5, 6, 5)
        row.addWidget(self._icon)
        row.addWidget(self.label, 1)
        row.addWidget(close)
        self._clock = QTimer(self)
        self._clock.setSingleShot(True)
        self._clock.timeout.connect(self.hide)
        self.hide()

    @property
    def text(self) -> str:
        """What is shown; empty while nothing is."""
        return str(self.label.text()) if self.isVisibleTo(self.parentWidget()) else ""

    def show_error(self, text: str) -> None:
        """Show what went wrong until it is closed."""
        self._show(text, "error", "alert-circle-outline")
        self._clock.stop()

    def show_note(self, text: str) -> None:
        """Show something worth knowing for a while."""
        self._show(text, "quiet", "information-outline")
        self._clock.start(SHOWN_MS)

    def _show(self, text: str, role: str, icon: str) -> None:
        self.label.setText(text)
        self.label.setProperty("role", "error" if role == "error" else "")
        repolish(self.label)
        self._icon.setPixmap(style.icon(icon).pixmap(18, 18))
        self.show()


def choose(parent: QWidget, title: str, text: str, answers: tuple[str, ...], hint: str = "") -> str:
    """Ask a question and return one of the answers; the last one is also what Esc means."""
    box = QMessageBox(QMessageBox.Icon.Question, title, text, QMessageBox.StandardButton.NoButton, parent)
    box.setInformativeText(hint)
    buttons: list[QPushButton] = []
    for place, answer in enumerate(answers):
        role = QMessageBox.ButtonRole.AcceptRole
        if place == len(answers) - 1:
            role = QMessageBox.ButtonRole.RejectRole
        button = box.addButton(answer, role)
        assert button is not None
        buttons.append(button)
    box.setDefaultButton(buttons[0])
    box.setEscapeButton(buttons[-1])
    box.exec_()
    clicked = box.clickedButton()
    return next(
        (text for text, button in zip(answers, buttons, strict=True) if button is clicked), answers[-1]
    )
