"""Voxel sizes that files do not say: asked for once, without getting in the way, and kept."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QBoxLayout,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from uniem.data.formats import open_volume
from uniem.data.geometry import VoxelSize
from uniem.data.store import StoredVolume, open_store
from uniem.data.volume import Volume
from uniem.data.voxel_sizes import record_voxel_size, recorded_voxel_size
from uniem.errors import UniemError
from uniem.gui.elided_label import ElidedLabel
from uniem.gui.sessions import Sessions
from uniem.workspace import OpenItem, Settings, Workspace

# The usual values, z, y, x in nm, by the technique of imaging.
TECHNIQUES = (
    ("SBEM", VoxelSize(40, 4, 4)),
    ("FIB-SEM", VoxelSize(8, 8, 8)),
    ("ssTEM", VoxelSize(50, 4, 4)),
    ("ATUM-SEM", VoxelSize(30, 6, 6)),
    ("MICrONS", VoxelSize(40, 8, 8)),
    ("electron tomography", VoxelSize(1, 1, 1)),
)
CHOSEN, ASKED = "voxel sizes", "voxel size asked"
KEPT_CHOSEN, KEPT_ASKED = 5, 2000
OFFERED = 4
MARGIN = 30
FORMAT_HINT = "z, y, x in nm, for example 50, 4.6, 4.6; one number for all three."


def usual_sizes(
    chosen: Sequence[VoxelSize], pixel: tuple[float, float] | None
) -> list[tuple[str, VoxelSize]]:
    """Return sizes to offer with what they are called: those chosen before first, each once.

    Where the file tells the `pixel`, its y and x in nm, only the thickness of sections is left to be told.
    """
    offered = [("", size) for size in chosen] + list(TECHNIQUES)
    if pixel is not None:
        offered = [("", VoxelSize(size.z, *pixel)) for _, size in offered]
        offered.append(("as thick as wide", VoxelSize(pixel[1], *pixel)))
    names = {size: name for name, size in reversed(offered) if name}
    return [(names.get(size, ""), size) for size in dict.fromkeys(size for _, size in offered)]


class VoxelSizeBar(QWidget):
    """Ask for the voxel size of a volume, or of several of one shape, in one line."""

    given = Signal(object)
    more_wanted = Signal()
    put_off = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.label = ElidedLabel("")
        self._offers = QHBoxLayout()
        self.offers: list[QPushButton] = []
        other, later = QPushButton("Other…"), QToolButton()
        other.clicked.connect(self.more_wanted)
        later.setText("Not now")
        later.setAutoRaise(True)
        later.setToolTip("Do not ask again; it can be set from the list of data at any time.")
        later.clicked.connect(self.put_off)
        for button in (other, later):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._buttons = QHBoxLayout()
        self._buttons.addLayout(self._offers)
        self._buttons.addWidget(other)
        self._buttons.addWidget(later)
        self._buttons.addStretch(1)
        self._always = (other, later)
        self._whole = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._whole.setContentsMargins(10, 4, 6, 4)
        self._whole.setSpacing(4)
        self._whole.addWidget(self.label)
        self._whole.addLayout(self._buttons, 1)
        self.hide()

    def ask(self, text: str, offers: Sequence[tuple[str, VoxelSize]]) -> None:
        """Show a question with the sizes to choose from."""
        self.label.setText(text)
        for button in self.offers:
            button.deleteLater()
        self.offers = []
        for name, size in offers:
            button = QPushButton(f"{size} ({name})" if name else str(size))
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setToolTip("z × y × x")
            button.clicked.connect(functools.partial(self._give, size))
            self._offers.addWidget(button)
            self.offers.append(button)
        self._arrange()
        self.show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take one line, or two where one is too short."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Take a second line where one is too short, and leave out sizes for which there is no room."""
        # Summed here, since a layout within a layout learns too late of what is hidden in it.
        gap = self._buttons.spacing()
        widths = [button.sizeHint().width() + gap for button in self.offers]
        others = sum(button.sizeHint().width() + gap for button in self._always) + MARGIN
        room = self.width() - others
        direction = QBoxLayout.Direction
        is_wide = room >= self.label.sizeHint().width() + sum(widths)
        self._whole.setDirection(direction.LeftToRight if is_wide else direction.TopToBottom)
        for place, button in enumerate(self.offers):
            button.setVisible(place == 0 or sum(widths[: place + 1]) <= room)

    def _give(self, size: VoxelSize, _checked: bool = False) -> None:
        self.given.emit(size)


class VoxelSizeDialog(QDialog):
    """Ask for a voxel size: written, or chosen from the usual ones."""

    def __init__(
        self,
        name: str,
        size: VoxelSize | None,
        offers: Sequence[tuple[str, VoxelSize]],
        can_forget: bool,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Voxel size")
        self.size_given: VoxelSize | None = None
        self.is_forgotten = False
        self.line = QLineEdit(_text_of(size) if size else "")
        self.line.setPlaceholderText("50, 4.6, 4.6")
        self.line.textChanged.connect(self._check)
        self.fault = QLabel(FORMAT_HINT)
        self.list = QListWidget()
        self._offers = list(offers)
        for title, offered in offers:
            self.list.addItem(f"{offered}{f'   {title}' if title else ''}")
        self.list.currentRowChanged.connect(lambda row: self.line.setText(_text_of(self._offers[row][1])))
        self.list.itemActivated.connect(lambda _: self.accept())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.set_button = buttons.addButton("Set", QDialogButtonBox.ButtonRole.AcceptRole)
        self.set_button.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        if can_forget:
            forget = buttons.addButton("As the file says", QDialogButtonBox.ButtonRole.ResetRole)
            forget.setToolTip("Forget the voxel size that was given here.")
            forget.clicked.connect(self._forget)
        form = QFormLayout()
        form.addRow("z, y, x in nm:", self.line)
        column = QVBoxLayout(self)
        column.addWidget(QLabel(f"Voxel size of {name}"))
        column.addLayout(form)
        column.addWidget(self.fault)
        column.addWidget(self.list)
        column.addWidget(buttons)
        self.resize(420, 330)
        self.line.selectAll()
        self.line.setFocus()
        self._check()

    def _check(self, _text: str = "") -> None:
        try:
            self.size_given, fault = VoxelSize.parse(self.line.text()), ""
        except UniemError:
            self.size_given, fault = None, FORMAT_HINT
        self.fault.setText(fault or "z × y × x: " + str(self.size_given))
        self.set_button.setEnabled(self.size_given is not None)

    def _forget(self) -> None:
        self.is_forgotten = True
        self.accept()


class VoxelSizes(QObject):
    """Ask for missing voxel sizes once per volume, and keep what was given.

    A store of this suite is told in its own metadata. Any other file is never written to: what was given for
    it is kept by its location, where every job and command finds it too.
    """

    told = Signal(str)
    failed = Signal(str)
    changed = Signal(object)

    def __init__(self, workspace: Workspace, settings: Settings, sessions: Sessions, window: QWidget) -> None:
        super().__init__(window)
        self._workspace, self._settings, self._sessions = workspace, settings, sessions
        self._window = window
        self._waiting: list[OpenItem] = []
        self.bar = VoxelSizeBar()
        self.bar.given.connect(self._take)
        self.bar.more_wanted.connect(self._ask_more)
        self.bar.put_off.connect(self._put_off)
        workspace.removed.connect(self._forget_item)

    def close_down(self) -> None:
        """Stop listening to the workspace."""
        self._workspace.removed.disconnect(self._forget_item)

    def want(self, item: OpenItem) -> None:
        """Ask for the voxel size of a volume that was opened, unless it is known or was asked for before."""
        asked = self._settings.get(ASKED, [])
        if isinstance(item.noun, Volume) and item.noun.voxel_size is None and item.location not in asked:
            if item not in self._waiting:
                self._waiting.append(item)
            self._show()

    def ask(self, item: OpenItem) -> None:
        """Ask for a voxel size in a dialog and keep it."""
        if self._ask([item]):
            self._done([item])

    def set(self, item: OpenItem, size: VoxelSize | None) -> None:
        """Keep a voxel size: in a store's metadata, else by the location; None: as the file says."""
        noun = item.noun
        assert isinstance(noun, Volume)
        if self._sessions.item is item and self._sessions.session is not None and size is not None:
            self._sessions.session.set_voxel_size(size)
        elif isinstance(noun, StoredVolume) and noun.attributes and size is not None:
            open_store(noun.path, writable=True).set_voxel_size(size)
        elif noun.source:
            record_voxel_size(noun, size)
        self._renew(item, size)

    def _renew(self, item: OpenItem, size: VoxelSize | None) -> None:
        noun = item.noun
        assert isinstance(noun, Volume)
        noun.voxel_size = size if size is not None else open_volume(item.location, noun.kind).voxel_size
        self._workspace.changed.emit(item)
        self.changed.emit(item)

    def _ask(self, items: Sequence[OpenItem]) -> bool:
        """Ask in a dialog; return whether an answer was given."""
        noun = items[0].noun
        if not isinstance(noun, Volume):
            return False
        dialog = VoxelSizeDialog(
            _listed(items),
            noun.voxel_size,
            self._offers(noun),
            bool(noun.source) and recorded_voxel_size(noun) is not None,
            self._window,
        )
        if dialog.exec_() != QDialog.DialogCode.Accepted:
            return False
        return self._give(items, None if dialog.is_forgotten else dialog.size_given)

    def _give(self, items: Sequence[OpenItem], size: VoxelSize | None) -> bool:
        try:
            for item in items:
                self.set(item, size)
        except UniemError as error:
            self.failed.emit(str(error))
            return False
        if size is not None:
            others = [list(other) for other in self._chosen() if other != size]
            self._settings.set(CHOSEN, [list(size), *others][:KEPT_CHOSEN])
            self.told.emit(f"The voxel size of {_listed(items)} is {size} now.")
        return True

    def _take(self, size: VoxelSize) -> None:
        items = self._group()
        if items and self._give(items, size):
            self._done(items)

    def _ask_more(self) -> None:
        items = self._group()
        if items and self._ask(items):
            self._done(items)

    def _put_off(self) -> None:
        items = self._group()
        asked = [*self._settings.get(ASKED, []), *(item.location for item in items)]
        self._settings.set(ASKED, asked[-KEPT_ASKED:])
        self._done(items)

    def _done(self, items: Sequence[OpenItem]) -> None:
        self._waiting = [item for item in self._waiting if item not in items]
        self._show()

    def _forget_item(self, item: OpenItem) -> None:
        if item in self._waiting:
            self._done([item])

    def _group(self) -> list[OpenItem]:
        """Return the first item that waits and all others of its shape, which are likely of one specimen."""
        shapes = [item.noun.shape for item in self._waiting if isinstance(item.noun, Volume)]
        alike = zip(self._waiting, shapes, strict=True)
        return [item for item, shape in alike if shape == shapes[0]]

    def _show(self) -> None:
        items = self._group()
        if not items:
            self.bar.hide()
            return
        noun = items[0].noun
        assert isinstance(noun, Volume)
        text = f"Voxel size of {_listed(items)} is not known:"
        if noun.pixel_size is not None:
            y, x = noun.pixel_size
            text = f"{_listed(items)}: pixels are {y:g} × {x:g} nm; section thickness is not known:"
        self.bar.ask(text, self._offers(noun)[:OFFERED])

    def _offers(self, noun: Volume) -> list[tuple[str, VoxelSize]]:
        return usual_sizes(self._chosen(), noun.pixel_size if noun.voxel_size is None else None)

    def _chosen(self) -> list[VoxelSize]:
        return [VoxelSize(*size) for size in self._settings.get(CHOSEN, [])]


def _text_of(size: VoxelSize) -> str:
    return ", ".join(f"{edge:g}" for edge in size)


def _listed(items: Sequence[OpenItem]) -> str:
    names = [item.name for item in items]
    if len(names) < 3:
        return " and ".join(names)
    return f"{names[0]} and {len(names) - 1} others of its size"
