"""The options of the tools that split objects."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QIcon, QPixmap
from qtpy.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QLabel, QSpinBox, QToolButton, QWidget

from uniem.gui.canvas.hand.options import MOST_BAND_PX, Reach, ToolOptions
from uniem.gui.canvas.hand.splitting import part_colour
from uniem.gui.canvas.view_model import Tool

_PARTS = 4


class SplitOptions(QWidget):
    """Show and change how objects are split, and which part is marked."""

    def __init__(self, options: ToolOptions) -> None:
        super().__init__()
        self._options = options
        self.reach, self.band, self.on_image = QComboBox(), QSpinBox(), QToolButton()
        self.parts: list[QToolButton] = []
        self._line_only: list[QWidget] = [QLabel("Cut"), self.reach, QLabel("within"), self.band]
        self._seeds_only: list[QWidget] = [QLabel("Mark part")]
        self._build()

    def show_state(self, tool: Tool) -> None:
        """Show the options, and only those of the tool in hand."""
        options = self._options
        for widgets, is_wanted in ((self._line_only, Tool.SPLIT), (self._seeds_only, Tool.SEEDS)):
            for widget in widgets:
                widget.setVisible(tool is is_wanted)
        for part, button in enumerate(self.parts, 1):
            button.setChecked(part == options.seed_part)
        self.band.blockSignals(True)
        self.band.setValue(options.cut_band_px)
        self.band.blockSignals(False)
        self.reach.setCurrentText(str(options.split_reach))
        self.on_image.blockSignals(True)
        self.on_image.setChecked(options.cut_on_image)
        self.on_image.blockSignals(False)

    def _build(self) -> None:
        options = self._options
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self._build_parts()
        self.reach.addItems([f"{reach}" for reach in Reach])
        self.reach.setToolTip("Cut in this section only, or through the whole object")
        self.reach.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.band.setRange(1, MOST_BAND_PX)
        self.band.setSuffix(" px")
        self.band.setToolTip("How far the cut may leave the line to follow a dark border or a narrow place")
        self.on_image.setText("Along dark lines")
        self.on_image.setCheckable(True)
        self.on_image.setAutoRaise(True)
        self.on_image.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.on_image.setToolTip("Let the image guide the cut along membranes; else only the shape counts.")
        for widget in (*self._line_only, *self._seeds_only, self.on_image):
            row.addWidget(widget)
        reaches = list(Reach)
        self.reach.activated.connect(lambda index: setattr(options, "split_reach", reaches[index]))
        self.band.valueChanged.connect(lambda value: setattr(options, "cut_band_px", value))
        self.on_image.toggled.connect(lambda on: setattr(options, "cut_on_image", on))

    def _build_parts(self) -> None:
        group = QButtonGroup(self)
        for part in range(1, _PARTS + 1):
            button = QToolButton()
            button.setText(str(part))
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setToolTip(
                f"Mark part {part}, by the key {part} as well"
                + (
                    "; it keeps the label"
                    if part == 1
                    else "; the right button marks part 2"
                    if part == 2
                    else ""
                )
            )
            colour = QPixmap(10, 10)
            colour.fill(part_colour(part))
            button.setIcon(QIcon(colour))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setAutoRaise(True)
            button.clicked.connect(lambda _=False, part=part: setattr(self._options, "seed_part", part))
            group.addButton(button)
            self.parts.append(button)
            self._seeds_only.append(button)
