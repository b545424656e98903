"""Questions to the user, and the bar in which the window says what went wrong."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QMessageBox, QPushButton, QSizePolicy, QToolButton, QWidget

from uniem.gui import style
from uniem.gui.forms.editors import repolish

SHOWN_MS = 12_000


class MessageBar(QWidget):
    """A message over the top of a widget, until it is closed or has been there for a while.

    It lies over the widget rather than above it, so that nothing moves away under the mouse or the pen.
    """

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        over.installEventFilter(self)
        self.label = QLabel()
        self.label.setWordWrap(True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._icon, self._icon_name = QLabel(), ""
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

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep to the width of the widget below."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icon in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._icon_name:
            self._icon.setPixmap(style.icon(self._icon_name).pixmap(18, 18))

    def _show(self, text: str, role: str, icon: str) -> None:
        self.label.setText(text)
        self.label.setProperty("role", "error" if role == "error" else "")
        repolish(self.label)
        self._icon_name = icon
        self._icon.setPixmap(style.icon(icon).pixmap(18, 18))
        self._place()
        self.show()
        self.raise_()

    def _place(self) -> None:
        width = self.parentWidget().width()
        self.setGeometry(0, 0, width, self.layout().totalHeightForWidth(width))


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
