"""Fields that choose the inputs and outputs of an operation."""

from __future__ import annotations

import functools
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from uniem.data.formats import endings
from uniem.data.formats.contents import Part, parts_at
from uniem.data.location import name_of_location, read_location
from uniem.data.model_folder import ModelFolder
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.gui.background import Background
from uniem.gui.forms.editors import QuietComboBox
from uniem.gui.opening.dropping import locations_in
from uniem.gui.opening.part_chooser import PartDialog
from uniem.operations.operation import Role
from uniem.workspace import OpenItem, Workspace

VOLUME_FILES = f"Volumes ({' '.join(f'*{ending}' for ending in endings())});;All files (*)"
_FILES = {Role.TABLE: "Tables (*.csv)", Role.PACKAGE: "bioimage.io packages (*.zip)"}
_WORDS = {
    Role.IMAGE: "an image volume",
    Role.LABELS: "a label volume",
    Role.VOLUME: "a volume",
    Role.MODEL: "a model folder",
    Role.MESHES: "a folder of meshes",
    Role.TABLE: "a table",
    Role.PACKAGE: "a bioimage.io package",
}


def suitability(item: OpenItem, role: Role) -> int | None:
    """Return how well an open item suits a role: 0 well, 1 possible, None not at all."""
    noun = item.noun
    if isinstance(noun, Volume):
        if not role.is_volume:
            return None
        if role is Role.LABELS:
            return 0 if noun.kind is Kind.LABELS else 1 if noun.dtype.kind in "bui" else None
        return 1 if role is Role.IMAGE and noun.kind is Kind.LABELS else 0
    if role is Role.MODEL:
        return 0 if isinstance(noun, ModelFolder) else None
    return 0 if not role.is_volume and item.role == role else None


class InputPicker(QWidget):
    """Choose an input: an open item of the right kind, a file or folder, or one dropped here."""

    changed = Signal()

    def __init__(self, role: Role, workspace: Workspace) -> None:
        super().__init__()
        self._role = role
        self._workspace = workspace
        self._background = Background(self)
        self._chosen_by_hand: list[str] = []
        self._is_by_hand = False
        self.combo = QuietComboBox()
        self.combo.setPlaceholderText(f"Choose or drop {_WORDS[role]}")
        self.combo.activated.connect(self._take_choice)
        self.combo.currentIndexChanged.connect(self._show_facts)
        self.combo.currentIndexChanged.connect(self.changed)
        self._facts = QLabel()
        self._facts.setProperty("role", "quiet")
        self._facts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(1)
        grid.addWidget(self.combo, 0, 0)
        grid.addWidget(self._make_browse(), 0, 1)
        grid.addWidget(self._facts, 1, 0, 1, 2)
        self.setAcceptDrops(True)
        self.setFocusProxy(self.combo)
        for signal in (workspace.added, workspace.removed, workspace.changed):
            signal.connect(self._refill)
        self._refill()

    def close_down(self) -> None:
        """Stop listening to the workspace."""
        self._background.cancel()
        for signal in (self._workspace.added, self._workspace.removed, self._workspace.changed):
            signal.disconnect(self._refill)

    @property
    def location(self) -> str:
        """The location chosen; empty where none is."""
        return str(self.combo.currentData() or "")

    @property
    def item(self) -> OpenItem | None:
        """The open item chosen; None where it is a file that is not open."""
        return next((item for item in self._workspace.items if str(item.location) == self.location), None)

    def choose(self, location: str) -> None:
        """Choose a location, open or not."""
        self._is_by_hand = True
        if self.combo.findData(location) < 0:
            self._chosen_by_hand.append(location)
            self._refill()
        self.combo.setCurrentIndex(self.combo.findData(location))

    def take(self, text: str) -> None:
        """Choose what was named by hand; where it holds several volumes, ask which."""
        try:
            location = read_location(text)
        except UniemError as error:
            self._facts.setText(str(error))
            return
        self.choose(location)
        if self._role.is_volume:
            self._background.run(
                lambda task: parts_at(location, should_stop=lambda: task.is_cancelled),
                functools.partial(self._ask_part, location),
                lambda error: self._facts.setText(str(error)),
            )

    def follow_the_canvas(self) -> None:
        """Choose the labels that are shown now, unless the user chose others here.

        Images stay: after a filter its result is shown, and the next run is likelier meant for its input.
        """
        if self._is_by_hand or self._role is Role.IMAGE:
            return
        shown = [
            item
            for item in self._workspace.items
            if isinstance(item.noun, Volume) and item.is_visible and suitability(item, self._role) == 0
        ]
        if shown and self.location not in [str(item.location) for item in shown]:
            self.combo.setCurrentIndex(self.combo.findData(str(shown[-1].location)))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take one file, folder or address."""
        if locations_in(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Choose what was dropped."""
        self.take(locations_in(event.mimeData())[0])
        event.acceptProposedAction()

    def _make_browse(self) -> QToolButton:
        button = QToolButton()
        button.setText("Browse…")
        if self._role.is_volume:
            menu = QMenu(button)
            menu.addAction("File…", self._browse_file)
            menu.addAction("Folder or store…", self._browse_folder)
            button.setMenu(menu)
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        elif self._role in _FILES:
            button.clicked.connect(self._browse_file)
        else:
            button.clicked.connect(self._browse_folder)
        return button

    def _browse_file(self) -> None:
        kinds = _FILES.get(self._role, VOLUME_FILES)
        path, _ = QFileDialog.getOpenFileName(self, f"Choose {_WORDS[self._role]}", self._start(), kinds)
        if path:
            self.take(path)

    def _browse_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, f"Choose {_WORDS[self._role]}", self._start())
        if path:
            self.take(path)

    def _ask_part(self, location: str, parts: list[Part]) -> None:
        if not parts or self.location != location:
            return
        dialog = PartDialog(name_of_location(location), parts, self, is_single=True)
        dialog.accepted.connect(lambda: self._take_part(location, dialog.chosen[0]))
        dialog.open()

    def _take_part(self, whole: str, part: str) -> None:
        self._chosen_by_hand.remove(whole)
        self.choose(part)

    def _start(self) -> str:
        return str(Path(self.location.partition("::")[0]).parent) if self.location else ""

    def _refill(self, _item: object = None) -> None:
        kept = self.location
        found = [(suitability(item, self._role), item) for item in self._workspace.items]
        self.combo.blockSignals(True)
        self.combo.clear()
        for wanted in (0, 1):
            for suits, item in found:
                if suits == wanted:
                    self.combo.addItem(item.name, str(item.location))
        for location in self._chosen_by_hand:
            if self.combo.findData(location) < 0:
                self.combo.addItem(name_of_location(location), location)
        self.combo.setCurrentIndex(self._index_after_refill(kept, found))
        self.combo.blockSignals(False)
        self._show_facts()
        if self.location != kept:
            self.changed.emit()

    def _index_after_refill(self, kept: str, found: list[tuple[int | None, OpenItem]]) -> int:
        place = self.combo.findData(kept) if kept else -1
        if place < 0:
            self._is_by_hand = False
        suiting = [item for suits, item in found if suits == 0]
        # What is on the canvas is likelier to be meant than what was opened last.
        suiting.sort(key=lambda item: isinstance(item.noun, Volume) and item.is_visible)
        return place if place >= 0 or not suiting else int(self.combo.findData(str(suiting[-1].location)))

    def _take_choice(self) -> None:
        self._is_by_hand = True

    def _show_facts(self) -> None:
        item = self.item
        self._facts.setText(facts_of(item) if item else self.location)
        self._facts.setToolTip(self.location)
        self.combo.setToolTip(self.location)


def facts_of(item: OpenItem) -> str:
    """Return the size, data type and voxel size of an open item in one line."""
    noun = item.noun
    if isinstance(noun, Volume):
        shape, size = "×".join(map(str, noun.shape)), noun.voxel_size
        edges = "×".join(f"{edge:g}" for edge in size) + " nm" if size else "no voxel size"
        if size is None and noun.pixel_size:
            edges = "pixels {:g}×{:g} nm".format(*noun.pixel_size)
        return f"{shape} {noun.dtype} {edges}"
    if isinstance(noun, ModelFolder):
        return f"{noun.record.architecture.get('kind', 'network')}  ·  {noun.record.parameters:,} weights"
    return f"{len(noun):,} objects" if isinstance(noun, list) else "table"


class OutputField(QWidget):
    """Where an output goes: a suggested place that follows the inputs until the user writes another."""

    changed = Signal()

    def __init__(self, role: Role) -> None:
        super().__init__()
        self._role = role
        self._is_suggested = True
        self.line = QLineEdit()
        self.line.textEdited.connect(self._take_over)
        browse = QToolButton()
        browse.setText("Browse…")
        browse.clicked.connect(self._browse)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.line, 0, 0)
        grid.addWidget(browse, 0, 1)
        self.setFocusProxy(self.line)

    @property
    def location(self) -> str:
        """The location written."""
        return str(self.line.text()).strip()

    @property
    def is_suggested(self) -> bool:
        """Tell whether the place is still our own suggestion."""
        return self._is_suggested

    def suggest(self, path: Path) -> None:
        """Show a suggested place, unless the user chose one."""
        if self._is_suggested:
            self.line.setText(str(path))
            self.line.setToolTip(str(path))

    def choose(self, location: str) -> None:
        """Take a place that the user chose; an empty one gives the field back to suggestions."""
        self.line.setText(location)
        self._take_over(location)

    def _take_over(self, text: str) -> None:
        self._is_suggested = not text.strip()
        self.line.setToolTip(text)
        self.changed.emit()

    def _browse(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self,
            "Write the result to",
            self.location,
            "All files (*)",
            options=QFileDialog.Options(QFileDialog.Option.DontConfirmOverwrite),
        )
        if path:
            self.choose(path)
