"""The strip beside the views: every tool of the canvas, and what is done between sections."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QButtonGroup, QGridLayout, QToolButton, QWidget

from uniem.gui.canvas.hand.keyed import KeyedBar, separator
from uniem.gui.canvas.keymap_presets import keymap_of
from uniem.gui.canvas.view_model import CanvasModel, Tool

_TOOLS: tuple[tuple[Tool, str, str] | None, ...] = (
    (Tool.NAVIGATE, "hand-back-right-outline", "navigate"),
    (Tool.PICK, "eyedropper-variant", "pick"),
    None,
    (Tool.BRUSH, "brush", "brush"),
    (Tool.ERASER, "eraser", "eraser"),
    (Tool.LINE, "vector-line", "line"),
    (Tool.LASSO, "lasso", "lasso"),
    (Tool.FILL, "format-color-fill", "fill"),
    (Tool.SUPERVOXELS, "puzzle-outline", "superpixels"),
    (Tool.RESHAPE, "arrow-expand-all", "reshape"),
    None,
    (Tool.MERGE, "call-merge", "merge"),
    (Tool.SPLIT, "box-cutter", "split"),
    (Tool.SEEDS, "set-split", "split-3d"),
)
_COMMANDS = (
    ("layers-triple-outline", "interpolate"),
    ("page-next-outline", "copy-next"),
    ("page-previous-outline", "copy-previous"),
)

_GAP = 2


class ToolStrip(KeyedBar):
    """Choose a tool; `wanted(shortcut id)` asks for what is done between sections."""

    wanted = Signal(str)

    def __init__(self, model: CanvasModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.tools: dict[Tool, QToolButton] = {}
        self.commands: dict[str, QToolButton] = {}
        self._build()
        model.hand.events.tool.connect(self.show_tool)
        self.show_keys(keymap_of())
        self.show_tool()

    def set_painting_allowed(self, is_allowed: bool) -> None:
        """Offer what needs labels that can be painted, or not."""
        for tool, button in self.tools.items():
            button.setEnabled(is_allowed or not tool.paints)
        for button in self.commands.values():
            button.setEnabled(is_allowed)

    def show_tool(self) -> None:
        """Show which tool is in the hand."""
        self.tools[self._model.hand.tool].setChecked(True)

    def release(self) -> None:
        """Let go of the model."""
        self._model.hand.events.tool.disconnect(self.show_tool, missing_ok=True)

    def minimumSizeHint(self) -> QSize:
        """Return room for two columns, into which the strip goes where it is low."""
        rows = -(-len(self._entries) // 2)
        return QSize(super().sizeHint().width(), self._height_of(self._entries[:rows]))

    def sizeHint(self) -> QSize:
        """Return room for one column."""
        return QSize(super().sizeHint().width(), self._height_of(self._entries))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Go into a second column, or back into one."""
        super().resizeEvent(event)
        self._arrange(event.size().height() < self._height_of(self._entries))

    def _build(self) -> None:
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(3, 5, 3, 5)
        self._grid.setSpacing(_GAP)
        self._entries: list[QWidget] = []
        self._is_wide: bool | None = None
        group = QButtonGroup(self)
        for entry in _TOOLS:
            if entry is None:
                self._entries.append(separator(is_vertical=False))
                continue
            tool, icon_name, shortcut_id = entry
            button = self.tools[tool] = self._button(icon_name, shortcut_id, checkable=True)
            button.clicked.connect(lambda _=False, tool=tool: setattr(self._model.hand, "tool", tool))
            group.addButton(button)
            self._entries.append(button)
        self._entries.append(separator(is_vertical=False))
        for icon_name, shortcut_id in _COMMANDS:
            button = self.commands[shortcut_id] = self._button(icon_name, shortcut_id)
            button.clicked.connect(lambda _=False, id=shortcut_id: self.wanted.emit(id))
            self._entries.append(button)
        self._arrange(is_wide=False)
        self.draw_icons()

    def _arrange(self, is_wide: bool) -> None:
        """Put the buttons into one column or two."""
        if is_wide == self._is_wide:
            return
        self._is_wide = is_wide
        rows = -(-len(self._entries) // 2) if is_wide else len(self._entries)
        for number, entry in enumerate(self._entries):
            self._grid.addWidget(entry, number % rows, number // rows, Qt.AlignmentFlag.AlignCenter)
        for row in range(len(self._entries) + 1):
            self._grid.setRowStretch(row, 1 if row == rows else 0)

    def _height_of(self, entries: list[QWidget]) -> int:
        margins = self._grid.contentsMargins()
        heights = [entry.sizeHint().height() + _GAP for entry in entries]
        return sum(heights) + margins.top() + margins.bottom()
