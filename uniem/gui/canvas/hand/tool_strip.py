"""The strip beside the views: every tool of the canvas, and what is done between sections."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QButtonGroup, QToolButton, QVBoxLayout, QWidget

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

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(3, 5, 3, 5)
        column.setSpacing(2)
        group = QButtonGroup(self)
        for entry in _TOOLS:
            if entry is None:
                column.addWidget(separator(is_vertical=False), 0, Qt.AlignmentFlag.AlignHCenter)
                continue
            tool, icon_name, shortcut_id = entry
            button = self.tools[tool] = self._button(icon_name, shortcut_id, checkable=True)
            button.clicked.connect(lambda _=False, tool=tool: setattr(self._model.hand, "tool", tool))
            group.addButton(button)
            column.addWidget(button)
        column.addWidget(separator(is_vertical=False), 0, Qt.AlignmentFlag.AlignHCenter)
        for icon_name, shortcut_id in _COMMANDS:
            button = self.commands[shortcut_id] = self._button(icon_name, shortcut_id)
            button.clicked.connect(lambda _=False, id=shortcut_id: self.wanted.emit(id))
            column.addWidget(button)
        column.addStretch(1)
        self.draw_icons()
