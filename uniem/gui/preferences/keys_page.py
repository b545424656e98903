"""The page of keys: the preset, every action with its keys, and a way to change them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from uniem.errors import UniemError
from uniem.gui.canvas.essentials import unreachable
from uniem.gui.canvas.keymap import WINDOW
from uniem.gui.canvas.keymap_presets import PRESETS, preset_of
from uniem.gui.preferences.key_capture import KeyCapture
from uniem.gui.preferences.keymaps import Keymaps
from uniem.gui.shortcuts import shown

_ADDRESS = Qt.ItemDataRole.UserRole


class KeysPage(QWidget):
    """Change keys one by one on top of a preset; one that is in use elsewhere moves only when told to."""

    def __init__(self, keymaps: Keymaps) -> None:
        super().__init__()
        self.keymaps = keymaps
        self._pending = ""
        self._build()
        self._fill()
        self.show_keys()
        keymaps.changed.connect(self.show_keys)

    def release(self) -> None:
        """Stop listening."""
        self.keymaps.changed.disconnect(self.show_keys, missing_ok=True)

    @property
    def address(self) -> str:
        """The address whose keys are shown below the table."""
        row = self.table.currentItem()
        return str(row.data(0, _ADDRESS) or "") if row is not None else ""

    def choose(self, address: str) -> None:
        """Select the row of an address."""
        self.table.setCurrentItem(self._rows[address])

    def show_keys(self) -> None:
        """Show the keys as they are now."""
        keymap = self.keymaps.keymap
        self.preset.blockSignals(True)
        self.preset.setCurrentIndex(self.preset.findData(keymap.preset))
        self.preset.blockSignals(False)
        self.about.setText(preset_of(keymap.preset).about)
        self.reset_all.setEnabled(self.keymaps.has_changes)
        for address, row in self._rows.items():
            row.setText(1, shown(keymap.keys.get(address, ())))
            font = row.font(1)
            font.setBold(self.keymaps.is_changed(address))
            row.setFont(1, font)
        missing = unreachable(keymap)
        self.warning.setText(f"Nothing does this now: {', '.join(missing)}." if missing else "")
        self.warning.setVisible(bool(missing))
        self._show_chosen()

    def take_key(self, key: str) -> None:
        """Give the chosen action a key, or ask first where another has it."""
        self._pending = ""
        address = self.address
        refusal = _refusal(address, key)
        holders = self.keymaps.holders(key, address)
        if refusal or not holders:
            if not refusal:
                self.keymaps.add_key(address, key)
            self._say(refusal)
            return
        self._pending = key
        names = " and ".join(f"“{self.keymaps.title(holder)}”" for holder in holders)
        self._say(f"{shown((key,))} is the key of {names}, not of “{self.keymaps.title(address)}”.")

    def _build(self) -> None:
        self.preset, self.about = QComboBox(), QLabel()
        for preset in PRESETS:
            self.preset.addItem(preset.title, preset.id)
        self.preset.activated.connect(lambda _: self.keymaps.use(self.preset.currentData()))
        self.about.setProperty("role", "quiet")
        self.reset_all = _button("Reset all", "Take back every change of keys and buttons in this preset")
        self.load = _button("Import…", "Use a keymap written on another computer")
        self.write = _button("Export…", "Write preset and changes to a file")
        self.reset_all.clicked.connect(self.keymaps.reset_all)
        self.load.clicked.connect(self._ask_import)
        self.write.clicked.connect(self._ask_export)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search for an action or a key")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._narrow)
        self.table = QTreeWidget()
        self.table.setHeaderLabels(["Action", "Keys"])
        self.table.setColumnWidth(0, 330)
        self.table.setUniformRowHeights(True)
        self.table.currentItemChanged.connect(self._take_row)
        self.warning = QLabel()
        self.warning.setProperty("role", "warning")
        self.warning.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        heading = QLabel("Keys")
        heading.setProperty("role", "heading")
        column.addWidget(heading)
        column.addLayout(_row(QLabel("Preset"), self.preset, None, self.reset_all, self.load, self.write))
        column.addWidget(self.about)
        column.addWidget(self.search)
        column.addWidget(self.table, 1)
        column.addLayout(self._build_editor())
        column.addWidget(self.warning)

    def _build_editor(self) -> QVBoxLayout:
        self.name = QLabel()
        self.caps = QHBoxLayout()
        self.capture = KeyCapture(lambda key: bool(self.keymaps.keymap.begun(key)))
        self.capture.captured.connect(self.take_key)
        self.reset = _button("Reset", "The keys that the preset gives")
        self.reset.clicked.connect(lambda: self.keymaps.reset(self.address))
        self.conflict = QLabel()
        self.conflict.setProperty("role", "warning")
        self.conflict.setWordWrap(True)
        self.move_here = _button("Move it here", "Take the key from the other action")
        self.leave = _button("Leave it", "Change nothing")
        self.move_here.clicked.connect(self._move_here)
        self.leave.clicked.connect(lambda: self._say(""))
        editor = QVBoxLayout()
        first = _row(self.name, None)
        first.addLayout(self.caps)
        first.addWidget(self.capture)
        first.addWidget(self.reset)
        editor.addLayout(first)
        second = QHBoxLayout()
        second.addWidget(self.conflict, 1)
        second.addWidget(self.move_here)
        second.addWidget(self.leave)
        editor.addLayout(second)
        self._say("")
        return editor

    def _fill(self) -> None:
        self._rows: dict[str, QTreeWidgetItem] = {}
        groups: dict[str, QTreeWidgetItem] = {}
        for address, bound in self.keymaps.bound():
            menu = str(getattr(bound, "menu", "")).replace("/", " › ")
            group = "Canvas" if not address.startswith(f"{WINDOW}/") else f"Window › {menu}"
            if group not in groups:
                groups[group] = QTreeWidgetItem(self.table, [group])
                groups[group].setFlags(Qt.ItemFlag.ItemIsEnabled)
                groups[group].setExpanded(True)
            row = QTreeWidgetItem(groups[group], [self.keymaps.title(address), ""])
            row.setData(0, _ADDRESS, address)
            row.setToolTip(0, str(getattr(bound, "tooltip", "") or getattr(bound, "tip", "")))
            row.setData(1, _ADDRESS, str(getattr(bound, "synonyms", "")))
            self._rows[address] = row
        self.choose(next(iter(self._rows)))

    def _narrow(self, text: str) -> None:
        words = text.lower().split()
        for row in self._rows.values():
            known = f"{row.text(0)} {row.text(1)} {row.data(1, _ADDRESS)}".lower()
            row.setHidden(not all(word in known for word in words))
        for place in range(self.table.topLevelItemCount()):
            group = self.table.topLevelItem(place)
            group.setHidden(all(group.child(n).isHidden() for n in range(group.childCount())))

    def _take_row(self) -> None:
        self._say("")
        self._show_chosen()

    def _show_chosen(self) -> None:
        while (item := self.caps.takeAt(0)) is not None:
            item.widget().deleteLater()
        address = self.address
        for widget in (self.capture, self.reset):
            widget.setEnabled(bool(address))
        self.name.setText(self.keymaps.title(address) if address else "")
        if not address:
            return
        self.reset.setEnabled(self.keymaps.is_changed(address))
        for key in self.keymaps.keymap.keys.get(address, ()):
            cap = QToolButton()
            cap.setText(f"{shown((key,))}  ✕")
            cap.setToolTip(f"Take {shown((key,))} away from {self.keymaps.title(address)}")
            cap.clicked.connect(lambda _=False, key=key: self.keymaps.remove_key(address, key))
            self.caps.addWidget(cap)

    def _say(self, text: str) -> None:
        if not text:
            self._pending = ""
        self.conflict.setText(text)
        for widget in (self.move_here, self.leave):
            widget.setVisible(bool(self._pending))

    def _move_here(self) -> None:
        key = self._pending
        self._say("")
        self.keymaps.add_key(self.address, key)

    def _ask_export(self) -> None:
        place, _ = QFileDialog.getSaveFileName(self, "Export keymap", "keymap.json", "Keymaps (*.json)")
        if place:
            self._try(lambda: self.keymaps.write(Path(place)))

    def _ask_import(self) -> None:
        place, _ = QFileDialog.getOpenFileName(self, "Import keymap", "", "Keymaps (*.json)")
        if place:
            self.import_file(Path(place))

    def import_file(self, path: Path) -> None:
        """Use the keymap of a file, and tell what in it is not known."""

        def read() -> None:
            unknown = self.keymaps.read(path)
            self._say(f"Not known here and left out: {', '.join(unknown)}." if unknown else "")

        self._try(read)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except UniemError as error:
            self._say(str(error))


def _refusal(address: str, key: str) -> str:
    """Return why a key is none for an action; empty if it is one."""
    if not address.startswith(f"{WINDOW}/") or "Ctrl+" in key or _is_function_key(key):
        return ""
    return f"{key} alone would act while you type in a field: take a key with Ctrl, or F1 to F12."


def _is_function_key(key: str) -> bool:
    name = key.removeprefix("Shift+")
    return name[0] == "F" and name[1:].isdigit()


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    return button


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    return row
