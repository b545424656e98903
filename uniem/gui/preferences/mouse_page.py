"""The page of the mouse: what each button and the wheel do, with and without a modifier."""

from __future__ import annotations

from functools import partial

from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from uniem.gui.canvas.essentials import unreachable
from uniem.gui.canvas.keymap import BUTTONS, MODIFIERS, Gesture, Slot, Tools, gestures_for
from uniem.gui.canvas.keymap_presets import mouse_of, preset_of
from uniem.gui.preferences.keymaps import Keymaps
from uniem.gui.shortcuts import slots

NOTHING = "as without the modifier"
# The left button without a modifier uses the tool in hand: nothing could be done without it.
FIXED = Slot("Left", "")


class MousePage(QWidget):
    """A row for every button that has a meaning; the choices act at once."""

    def __init__(self, keymaps: Keymaps) -> None:
        super().__init__()
        self.keymaps = keymaps
        self._shown: list[Slot] = []
        self.about, self.warning = QLabel(), QLabel()
        self.about.setProperty("role", "quiet")
        self.warning.setProperty("role", "warning")
        self.warning.setWordWrap(True)
        self.table = QTableWidget(0, 2)
        self.table.setHorizontalHeaderLabels(["Button", "What it does"])
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        self.table.setColumnWidth(1, 240)
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.reset = QPushButton("Reset the mouse")
        self.reset.setAutoDefault(False)
        self.reset.clicked.connect(keymaps.reset_mouse)
        heading = QLabel("Mouse")
        heading.setProperty("role", "heading")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(heading)
        column.addWidget(self.about)
        column.addWidget(self.table, 1)
        column.addLayout(self._build_adding())
        column.addWidget(self.warning)
        self.show_mouse()
        keymaps.changed.connect(self.show_mouse)

    def release(self) -> None:
        """Stop listening."""
        self.keymaps.changed.disconnect(self.show_mouse, missing_ok=True)

    def show_mouse(self) -> None:
        """Show what the mouse does now."""
        keymap = self.keymaps.keymap
        normal = mouse_of(keymap.preset)
        self.about.setText(f"On top of the preset {preset_of(keymap.preset).title}.")
        self._shown = [slot for slot in slots() if slot in keymap.mouse or slot in normal]
        self.table.setRowCount(len(self._shown))
        for place, slot in enumerate(self._shown):
            name = QTableWidgetItem(slot.text)
            font = name.font()
            font.setBold(keymap.mouse.get(slot) is not normal.get(slot))
            name.setFont(font)
            self.table.setItem(place, 0, name)
            self.table.setCellWidget(place, 1, self._choice(slot, keymap.mouse.get(slot)))
        self.reset.setEnabled(dict(normal) != dict(keymap.mouse))
        missing = unreachable(keymap)
        self.warning.setText(f"Nothing does this now: {', '.join(missing)}." if missing else "")
        self.warning.setVisible(bool(missing))

    def choice(self, slot: Slot) -> QComboBox:
        """Return the field of a row."""
        widget = self.table.cellWidget(self._shown.index(slot), 1)
        assert isinstance(widget, QComboBox)
        return widget

    def _choice(self, slot: Slot, present: Gesture | None) -> QComboBox:
        box = QComboBox()
        for gesture in gestures_for(slot.button):
            box.addItem(str(gesture), gesture)
        if slot.modifier or slot.tools is not Tools.ANY:
            box.addItem(NOTHING if slot.modifier else "as with any tool", None)
        elif slot != FIXED:
            box.addItem("nothing", None)
        box.setCurrentIndex(box.findData(present))
        box.setEnabled(slot != FIXED)
        box.activated.connect(partial(self._take, slot, box))
        return box

    def _take(self, slot: Slot, box: QComboBox, _index: int = 0) -> None:
        self.keymaps.set_gesture(slot, box.currentData())

    def _build_adding(self) -> QHBoxLayout:
        self.button, self.modifier, self.tools = QComboBox(), QComboBox(), QComboBox()
        self.button.addItems(BUTTONS)
        for modifier in MODIFIERS:
            self.modifier.addItem(modifier or "no modifier", modifier)
        for tools in Tools:
            self.tools.addItem(str(tools), tools)
        self.add = QPushButton("Add")
        self.add.setAutoDefault(False)
        self.add.setToolTip("Give a button with a modifier a meaning of its own")
        self.add.clicked.connect(self._add)
        row = QHBoxLayout()
        for widget in (self.button, self.modifier, self.tools, self.add):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.reset)
        return row

    def _add(self) -> None:
        slot = Slot(self.button.currentText(), self.modifier.currentData(), self.tools.currentData())
        if slot in slots() and slot not in self._shown:
            self.keymaps.set_gesture(slot, gestures_for(slot.button)[1])
