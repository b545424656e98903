"""How the window looks: Fusion with our own dark and light colours, and the size of the type."""

from __future__ import annotations

from typing import Literal, cast

from qtpy.QtGui import QColor, QFont, QPalette
from qtpy.QtWidgets import QApplication

from uniem import paths
from uniem.gui.icons import Icons, Ink

Theme = Literal["dark", "light", "system"]
THEMES: tuple[Theme, ...] = ("dark", "light", "system")
FONT_SIZES = (8, 20)

_DARK = {
    "Window": "#24262b",
    "WindowText": "#d9dce1",
    "Base": "#1a1c20",
    "AlternateBase": "#202227",
    "ToolTipBase": "#33363d",
    "ToolTipText": "#e6e8eb",
    "PlaceholderText": "#7d828c",
    "Text": "#d9dce1",
    "Button": "#31343b",
    "ButtonText": "#d9dce1",
    "BrightText": "#ff6b60",
    "Link": "#6cb0ff",
    "LinkVisited": "#a78bda",
    "Highlight": "#2f6fc4",
    "HighlightedText": "#ffffff",
    "Light": "#3c4048",
    "Midlight": "#34373e",
    "Mid": "#1c1e22",
    "Dark": "#141518",
    "Shadow": "#000000",
}
_LIGHT = {
    "Window": "#f1f2f4",
    "WindowText": "#1d2024",
    "Base": "#ffffff",
    "AlternateBase": "#f6f7f9",
    "ToolTipBase": "#fffff0",
    "ToolTipText": "#1d2024",
    "PlaceholderText": "#8a9099",
    "Text": "#1d2024",
    "Button": "#e8eaed",
    "ButtonText": "#1d2024",
    "BrightText": "#c62828",
    "Link": "#1a5fb4",
    "LinkVisited": "#6a3fa0",
    "Highlight": "#3a7bd5",
    "HighlightedText": "#ffffff",
    "Light": "#ffffff",
    "Midlight": "#f7f8fa",
    "Mid": "#c3c7cd",
    "Dark": "#a0a5ad",
    "Shadow": "#70757d",
}
_FADED = {"dark": "#6a6f78", "light": "#9aa0a8"}
_ACCENTS = {
    "dark": {
        "error": "#ff7b70",
        "warning": "#f0b455",
        "good": "#67c587",
        "quiet": "#8e949e",
        "line": "#3a3d45",
    },
    "light": {
        "error": "#c3271d",
        "warning": "#a86400",
        "good": "#1f8a47",
        "quiet": "#6b717a",
        "line": "#d3d6db",
    },
}
_SHEET = """
QToolTip {{ color: {tip_text}; background: {tip}; border: 1px solid {line}; padding: 3px; }}
QMainWindow::separator {{ background: {line}; width: 3px; height: 3px; }}
QMainWindow::separator:hover {{ background: {highlight}; }}
QDockWidget::title {{ background: {title}; padding: 5px 8px; }}
QLabel[role="error"] {{ color: {error}; }}
QLabel[role="warning"] {{ color: {warning}; }}
QLabel[role="good"] {{ color: {good}; }}
QLabel[role="quiet"] {{ color: {quiet}; }}
QLabel[role="heading"] {{ font-size: {heading}pt; font-weight: 600; }}
QWidget[role="bar"] {{ background: {title}; }}
QToolButton[role="choice"] {{ border: 1px solid {line}; padding: 3px 8px; background: {base}; }}
QToolButton[role="choice"]:checked {{ background: {highlight}; color: {highlighted}; }}
QRadioButton::indicator {{
    width: 13px; height: 13px; border: 1px solid {quiet}; border-radius: 7px; background: {base};
}}
QRadioButton::indicator:checked {{
    width: 7px; height: 7px; border: 4px solid {highlight}; background: {highlighted};
}}
"""
# Fusion draws the frame of an empty box in a shade of the window: on dark it cannot be seen.
_TICKED = ("QCheckBox", "QGroupBox", "QTreeView", "QTableView", "QListView")
_BOXES = {
    "": "width: 13px; height: 13px; border: 1px solid {quiet}; border-radius: 2px; background: {base};",
    ":hover": "border-color: {highlight};",
    ":checked": 'background: {highlight}; border-color: {highlight}; image: url("{icons}/tick.svg");',
    ":indeterminate": 'background: {highlight}; border-color: {highlight}; image: url("{icons}/part.svg");',
    ":disabled": "border-color: {line}; background: {window};",
    ":checked:disabled": "background: {line};",
}


def apply_theme(theme: Theme, font_size: int) -> None:
    """Dress the application in a theme, with type of a size in points."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    tone = _tone(application, theme)
    if application.style().objectName().lower() != "fusion":
        application.setStyle("Fusion")
    colours = _DARK if tone == "dark" else _LIGHT
    # Before the palette: widgets draw their icons anew while it changes.
    application.setProperty("uniem-tone", tone)
    icon.cache_clear()
    application.setPalette(_palette(colours, tone))
    font = QFont(application.font())
    font.setPointSize(max(FONT_SIZES[0], min(FONT_SIZES[1], font_size)))
    application.setFont(font)
    accents = _ACCENTS[tone]
    boxes = "".join(
        f"{', '.join(f'{widget}::indicator{state}' for widget in _TICKED)} {{{{ {rule} }}}}\n"
        for state, rule in _BOXES.items()
    )
    application.setStyleSheet(
        (_SHEET + boxes).format(
            base=colours["Base"],
            window=colours["Window"],
            icons=paths.resources().as_posix(),
            tip=colours["ToolTipBase"],
            tip_text=colours["ToolTipText"],
            highlight=colours["Highlight"],
            highlighted=colours["HighlightedText"],
            title=colours["Midlight"] if tone == "dark" else "#e4e7eb",
            heading=font.pointSize() + 3,
            **accents,
        )
    )


def tone() -> Literal["dark", "light"]:
    """Tell which colours are on screen now."""
    application = QApplication.instance()
    return "light" if application is not None and application.property("uniem-tone") == "light" else "dark"


def accent(name: Literal["error", "warning", "good", "quiet", "line"]) -> QColor:
    """Return a colour that carries a meaning, as the present theme shows it."""
    return QColor(_ACCENTS[tone()][name])


def _ink() -> Ink:
    return Ink(QApplication.palette().color(QPalette.ColorRole.WindowText).name(), _FADED[tone()])


icon = Icons(_ink)


def _tone(application: QApplication, theme: Theme) -> Literal["dark", "light"]:
    if theme != "system":
        return theme
    kept = application.property("uniem-system-tone")
    if kept is None:
        is_dark = application.palette().color(QPalette.ColorRole.Window).lightness() < 128
        kept = "dark" if is_dark else "light"
    return cast(Literal["dark", "light"], kept)


def remember_system(application: QApplication) -> None:
    """Note whether the desktop is dark, before a palette of ours hides it."""
    is_dark = application.palette().color(QPalette.ColorRole.Window).lightness() < 128
    application.setProperty("uniem-system-tone", "dark" if is_dark else "light")


def _palette(colours: dict[str, str], tone: str) -> QPalette:
    palette = QPalette()
    for role, colour in colours.items():
        palette.setColor(getattr(QPalette.ColorRole, role), QColor(colour))
    for role in ("WindowText", "Text", "ButtonText"):
        palette.setColor(
            QPalette.ColorGroup.Disabled, getattr(QPalette.ColorRole, role), QColor(_FADED[tone])
        )
    palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Highlight, QColor(colours["Mid"]))
    palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Base, QColor(colours["Window"]))
    return palette
