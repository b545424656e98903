"""What lies over the views while two points of the history are compared: what differs, and what to see."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QTextDocument
from qtpy.QtWidgets import (
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QWidget,
)

from uniem.gui.proofreading.comparison_item import GAINED, LOST, MOVED, Side
from uniem.proofreading.comparison import Totals

_TOP, _MARGIN = 48, 12
_CHECKED = "QToolButton:checked { background: palette(highlight); color: palette(highlighted-text); }"
_SIDES = (
    (Side.BOTH, "Difference", "Green became an object, red became background, yellow changed its object."),
    (Side.BEFORE, "Before", "The voxels that differ as they were at the first point; black is background."),
    (Side.AFTER, "After", "The voxels that differ as they were at the second point; black is background."),
)


class ComparisonBar(QFrame):
    """Tell what differs, with buttons.

    Signals: `side_chosen(Side)`; `next_wanted()`; `left()`.
    """

    side_chosen = Signal(object)
    next_wanted = Signal()
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.title, self.text, self.progress = QLabel(), QLabel(), QProgressBar()
        self.sides = {side: QToolButton() for side, _, _ in _SIDES}
        self.next, self.close_button = QPushButton("Next place"), QPushButton("Close")
        self._build()
        parent.installEventFilter(self)
        self.hide()

    def begin(self, title: str) -> None:
        """Show what is compared."""
        self.title.setText(title)
        self.text.setText("Looking for what differs…")
        self.sides[Side.BOTH].setChecked(True)
        self.next.setEnabled(False)
        self.show_part(0.0)
        self.show()
        self._place()

    def show_part(self, part: float | None) -> None:
        """Show how much has been looked at; None when all has."""
        self.progress.setVisible(part is not None)
        self.progress.setValue(round(1000 * (part or 0.0)))

    def show_totals(self, totals: Totals, edits: int) -> None:
        """Tell what was found so far."""
        self.next.setEnabled(totals.voxels > 0)
        if not totals.voxels:
            self.text.setText("No voxel differs.")
        else:
            kinds = ((GAINED, totals.gained, "added"), (LOST, totals.lost, "removed"))
            squares = " &nbsp; ".join(
                f'<span style="color:{colour.name()}">■</span> {count:,} {word}'
                for colour, count, word in (*kinds, (MOVED, totals.moved, "changed"))
                if count
            )
            objects = f"{len(totals.labels):,} object{'s' if len(totals.labels) != 1 else ''}"
            done = f"{edits:,} edit{'s' if edits != 1 else ''}"
            self.text.setText(f"<b>{totals.voxels:,} voxels</b> of {objects}, {done}: &nbsp; {squares}")
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep to the top of the views."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _build(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 8, 8, 8)
        grid.setVerticalSpacing(6)
        self.title.setProperty("role", "quiet")
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.setStyleSheet(_CHECKED)
        for label in (self.title, self.text):
            label.setWordWrap(True)
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(6)
        row, group = QHBoxLayout(), QButtonGroup(self)
        for side, words, tip in _SIDES:
            button = self.sides[side]
            button.setText(words)
            button.setToolTip(tip)
            button.setCheckable(True)
            button.clicked.connect(partial(self.side_chosen.emit, side))
            group.addButton(button)
            row.addWidget(button)
        row.addSpacing(12)
        row.addStretch(1)
        self.next.setToolTip("Go to the next place that differs.")
        self.next.clicked.connect(self.next_wanted)
        self.close_button.setToolTip("End the comparison  (Esc)")
        self.close_button.clicked.connect(self.left)
        for button in (self.next, self.close_button):
            row.addWidget(button)
        for button in (*self.sides.values(), self.next, self.close_button):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        grid.addWidget(self.title, 0, 0)
        grid.addWidget(self.text, 1, 0)
        grid.addWidget(self.progress, 2, 0)
        grid.addLayout(row, 3, 0)

    def _place(self) -> None:
        room = max(260, self.parentWidget().width() - 2 * _MARGIN)
        # A label that wraps does not say how wide it would like to be.
        wanted = max(
            self.text.fontMetrics().horizontalAdvance(_plain(label)) for label in (self.text, self.title)
        )
        self.setFixedWidth(min(room, max(wanted + 48, 420)))
        self.adjustSize()
        self.move((self.parentWidget().width() - self.width()) // 2, _TOP)
        self.raise_()


def _plain(label: QLabel) -> str:
    document = QTextDocument()
    document.setHtml(label.text())
    return document.toPlainText()
