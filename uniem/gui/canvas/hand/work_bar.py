"""What lies over the views while an edit is made or proposed: what it is, with buttons for mouse and pen."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from uniem.gui.canvas.hand.edit_maker import EditMaker
from uniem.gui.canvas.hand.proposal import Proposal
from uniem.gui.canvas.keymap import Keymap
from uniem.gui.canvas.keymap_presets import keymap_of

# Work that is over sooner is not worth a word.
PATIENCE_MS, EVERY_MS = 250, 100


class WorkBar(QFrame):
    """Tell the progress of an edit with a button to give it up, or ask about one that is proposed."""

    def __init__(self, parent: QWidget, maker: EditMaker, proposal: Proposal) -> None:
        super().__init__(parent)
        self._maker, self._proposal = maker, proposal
        self._keymap = keymap_of()
        self.setAutoFillBackground(True)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.text, self.progress = QLabel(), QProgressBar()
        self.accept, self.forget = QPushButton("Accept"), QPushButton()
        self._build()
        self._clock = QTimer(self)
        self._clock.setInterval(EVERY_MS)
        self._clock.timeout.connect(self._show_progress)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE_MS)
        self._patience.timeout.connect(self.show_state)
        maker.busy_changed.connect(self._take_busy)
        proposal.changed.connect(self.show_state)
        parent.installEventFilter(self)
        self.hide()

    def show_state(self) -> None:
        """Show what is under way or proposed, or hide."""
        is_busy, edit = self._maker.is_busy, self._proposal.edit
        for widget, is_wanted in ((self.progress, is_busy), (self.accept, not is_busy)):
            widget.setVisible(is_wanted)
        self.forget.setText("Cancel" if is_busy else "Forget")
        if is_busy:
            self.text.setText(f"{self._maker.title}…")
            self._show_progress()
            self._clock.start()
        else:
            self._clock.stop()
            if edit is not None:
                count = sum(patch.count for patch in edit.patches)
                advice = f". {self._proposal.advice}" if self._proposal.advice else ""
                self.text.setText(f"{edit.title}: {count:,} voxels change{advice}")
        self.setVisible(is_busy or edit is not None)
        self._place()

    def show_keys(self, keymap: Keymap) -> None:
        """Tell the keys of a keymap in the tooltips."""
        self._keymap = keymap
        for button, id, words in (
            (self.accept, "accept", "Make this edit"),
            (self.forget, "cancel", "Leave everything as it is"),
        ):
            keys = ", ".join(keymap.of(id)[:1])
            button.setToolTip(f"{words}  ({keys})" if keys else words)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep to the top of the views."""
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(8)
        self.progress.setFixedWidth(140)
        self.progress.setTextVisible(False)
        for widget in (self.text, self.progress, self.accept, self.forget):
            row.addWidget(widget)
        for button in (self.accept, self.forget):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.accept.clicked.connect(lambda: self._accept())
        self.forget.clicked.connect(self._forget)
        self.show_keys(self._keymap)

    def _accept(self) -> None:
        self._proposal.accept()

    def _forget(self) -> None:
        if not self._maker.cancel():
            self._proposal.forget()

    def _take_busy(self) -> None:
        if self._maker.is_busy:
            self._patience.start()
        else:
            self._patience.stop()
            self.show_state()

    def _show_progress(self) -> None:
        part = self._maker.part_done
        self.progress.setRange(0, 0 if part is None else 100)
        if part is not None:
            self.progress.setValue(round(part * 100))

    def _place(self) -> None:
        self.adjustSize()
        parent = self.parentWidget()
        # Below the sentences that come and go.
        self.move((parent.width() - self.width()) // 2, 80)
        self.raise_()
