"""The question of the first start: which tool do you come from? The answer chooses the keymap."""

from __future__ import annotations

import html

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from uniem.gui.canvas.essentials import main_keys
from uniem.gui.canvas.keymap_presets import PRESETS, Preset, keymap_of
from uniem.gui.preferences.keymaps import Keymaps

COLUMNS = 3


class PresetCard(QPushButton):
    """A card with a preset's name and main keys, to be pressed."""

    def __init__(self, preset: Preset) -> None:
        super().__init__()
        self.preset = preset
        self.setCheckable(True)
        self.setAccessibleName(preset.title)
        self.setAccessibleDescription(preset.about)
        rows = "".join(
            f"<tr><td>{what}&nbsp;&nbsp;</td><td><b>{html.escape(keys)}</b></td></tr>"
            for what, keys in main_keys(keymap_of(preset.id))
        )
        title, about = QLabel(preset.title), QLabel(preset.about)
        title.setProperty("role", "heading")
        about.setProperty("role", "quiet")
        table = QLabel(f"<table cellspacing='0' cellpadding='1'>{rows}</table>")
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        for label in (title, about, table):
            label.setWordWrap(True)
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            column.addWidget(label)
        column.addStretch(1)
        self.setMinimumSize(300, 285)


class KeymapChooser(QDialog):
    """Six cards, one for each preset; a press on one uses it at once, and Skip leaves everything as it is."""

    def __init__(self, keymaps: Keymaps, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keys and mouse")
        self._keymaps = keymaps
        column = QVBoxLayout(self)
        column.setSpacing(12)
        question = QLabel("Which tool do you come from?")
        question.setProperty("role", "heading")
        about = QLabel(
            "Your hands know its keys and mouse buttons, so the canvas can use them. "
            "You can change this, and every single key, under Edit > Preferences."
        )
        about.setWordWrap(True)
        column.addWidget(question)
        column.addWidget(about)
        column.addLayout(self._build_cards())
        buttons = QDialogButtonBox()
        self.skip = buttons.addButton("Skip", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)

    def _build_cards(self) -> QGridLayout:
        grid = QGridLayout()
        self._group = QButtonGroup(self)
        self.cards: dict[str, PresetCard] = {}
        for place, preset in enumerate(PRESETS):
            card = self.cards[preset.id] = PresetCard(preset)
            card.setChecked(preset.id == self._keymaps.preset)
            card.clicked.connect(lambda _=False, card=card: self._take(card))
            self._group.addButton(card)
            grid.addWidget(card, place // COLUMNS, place % COLUMNS)
        return grid

    def _take(self, card: PresetCard) -> None:
        self._keymaps.use(card.preset.id)
        self.accept()
