"""The pages of the preferences that are plain forms: appearance, canvas, files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from uniem import paths
from uniem.data.palette import Hues, Palette, colours_of
from uniem.gui import style
from uniem.gui.canvas.block_cache import default_budget
from uniem.gui.painter import painter_on

if TYPE_CHECKING:
    from uniem.gui.preferences.preferences import Preferences

_HUES = {
    Hues.ALL: "All hues",
    Hues.SAFE: "Safe for every colour vision (Okabe and Ito)",
}
SHOWN_LABELS = 28


class ColourStrip(QWidget):
    """The colours of the first labels."""

    def __init__(self) -> None:
        super().__init__()
        self._palette = Palette()
        self.setMinimumSize(SHOWN_LABELS * 14, 28)

    def show_palette(self, palette: Palette) -> None:
        """Show the colours of another palette."""
        self._palette = palette
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a patch for each label."""
        with painter_on(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            width = self.width() / SHOWN_LABELS
            for place, colour in enumerate(colours_of(range(1, SHOWN_LABELS + 1), self._palette).tolist()):
                painter.setBrush(QColor(*colour))
                painter.drawRoundedRect(round(place * width), 2, round(width) - 2, self.height() - 4, 3, 3)


class AppearancePage(QWidget):
    """Theme, size of type, and the colours of labels."""

    def __init__(self, preferences: Preferences) -> None:
        super().__init__()
        self._preferences = preferences
        appearance = preferences.appearance
        self.theme, self.font_size, self.hues = QComboBox(), QSpinBox(), QComboBox()
        for theme in style.THEMES:
            self.theme.addItem({"system": "As the desktop"}.get(theme, theme.capitalize()), theme)
        self.theme.setCurrentIndex(self.theme.findData(appearance.theme))
        self.theme.currentIndexChanged.connect(lambda: appearance.set_theme(self.theme.currentData()))
        self.font_size.setRange(*style.FONT_SIZES)
        self.font_size.setSuffix(" pt")
        self.font_size.setValue(appearance.font_size)
        self.font_size.valueChanged.connect(appearance.set_font_size)
        for hues, words in _HUES.items():
            self.hues.addItem(words, hues)
        self.hues.setCurrentIndex(self.hues.findData(preferences.palette.hues))
        self.vividness = QSlider(Qt.Orientation.Horizontal)
        self.vividness.setRange(10, 100)
        self.vividness.setValue(round(preferences.palette.vividness * 100))
        self.vividness.setToolTip(
            "How strong the colours of labels are; the image under them stays as it is."
        )
        self.strip = ColourStrip()
        self.strip.show_palette(preferences.palette)
        self.hues.currentIndexChanged.connect(self._take_palette)
        self.vividness.valueChanged.connect(self._take_palette)
        form = _form(self, "Appearance")
        form.addRow("Theme", self.theme)
        form.addRow("Size of type", self.font_size)
        form.addRow("Colours of labels", self.hues)
        form.addRow("Vividness", self.vividness)
        form.addRow("", self.strip)
        form.addRow("", _quiet("A label keeps its colour for ever; colours that you chose yourself stay."))

    def _take_palette(self) -> None:
        palette = Palette(self.hues.currentData(), self.vividness.value() / 100)
        self._preferences.set_palette(palette)
        self.strip.show_palette(palette)


class CanvasPage(QWidget):
    """Memory for pictures, and saving by itself."""

    def __init__(self, preferences: Preferences) -> None:
        super().__init__()
        self._preferences = preferences
        self.automatic = QCheckBox(f"A share of this computer's ({default_budget() >> 20:,} MB)")
        self.memory, self.autosave = QSpinBox(), QSpinBox()
        self.memory.setRange(64, 1 << 20)
        self.memory.setSingleStep(256)
        self.memory.setSuffix(" MB")
        chosen = preferences.memory_mb
        self.memory.setValue(chosen or default_budget() >> 20)
        self.automatic.setChecked(chosen is None)
        self.memory.setEnabled(chosen is not None)
        self.automatic.toggled.connect(self._take_memory)
        self.memory.editingFinished.connect(self._take_memory)
        self.autosave.setRange(1, 120)
        self.autosave.setSuffix(" min")
        self.autosave.setValue(preferences.autosave_minutes)
        self.autosave.valueChanged.connect(preferences.set_autosave_minutes)
        form = _form(self, "Canvas")
        form.addRow("Memory for pictures", self.automatic)
        form.addRow("", self.memory)
        form.addRow(
            "", _quiet("Sections that were looked at stay in memory, so that they are there at once.")
        )
        form.addRow("Save labels every", self.autosave)
        self.power = QCheckBox("Force every stroke to the disk")
        self.power.setToolTip(
            "A power cut then costs one stroke at most, but each takes some milliseconds longer. Without it a"
            " power cut may cost the strokes of the last seconds, never what was saved."
        )
        self.power.setChecked(preferences.survives_power_cuts)
        self.power.toggled.connect(preferences.set_survives_power_cuts)
        form.addRow("Power cuts", self.power)
        form.addRow("", _quiet("Every stroke is kept in the journal at once, saved or not."))

    def _take_memory(self) -> None:
        self.memory.setEnabled(not self.automatic.isChecked())
        self._preferences.set_memory_mb(None if self.automatic.isChecked() else self.memory.value())


class FilesPage(QWidget):
    """Where new volumes go."""

    def __init__(self, preferences: Preferences) -> None:
        super().__init__()
        self._preferences = preferences
        self.folder, self.choose = QLineEdit(), QPushButton("Choose…")
        self.usual = QPushButton("Usual folder")
        self.folder.setReadOnly(True)
        self.choose.clicked.connect(self._ask)
        self.usual.clicked.connect(lambda: self.take(None))
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(self.choose)
        row.addWidget(self.usual)
        form = _form(self, "Files")
        form.addRow("Work folder", row)
        form.addRow("", _quiet("New labels, imports and results go here; with a project, into its folder."))
        self._show()

    def take(self, folder: Path | None) -> None:
        """Use a folder for new volumes; None: the usual one."""
        self._preferences.set_work_folder(folder)
        self._show()

    def _ask(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Work folder", self.folder.text())
        if chosen:
            self.take(Path(chosen))

    def _show(self) -> None:
        chosen = self._preferences.work_folder
        self.folder.setText(str(chosen or paths.usual_work_folder()))
        self.usual.setEnabled(chosen is not None)


def _form(page: QWidget, title: str) -> QFormLayout:
    """Return the form of a page, under its title."""
    heading = QLabel(title)
    heading.setProperty("role", "heading")
    form = QFormLayout()
    form.setVerticalSpacing(10)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(12)
    column.addWidget(heading)
    column.addLayout(form)
    column.addStretch(1)
    return form


def _quiet(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "quiet")
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return label
