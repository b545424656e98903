"""Icons by name, in the colours of the present theme, drawn from the font only when they come into view."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from qtpy.QtCore import QPoint, QRect, QSize, Qt
from qtpy.QtGui import QIcon, QIconEngine, QPainter, QPixmap

if TYPE_CHECKING:
    from qtawesome.iconic_font import IconicFont

_FONT = "materialdesignicons6"


class Ink(NamedTuple):
    """The colours of an icon, as names such as "#d9dce1"."""

    plain: str
    disabled: str


class Icons:
    """Make icons of the Material Design set; each is kept until the theme changes.

    The font takes longer to read than the window to be made, so while `hold` is in force icons are blank.
    """

    def __init__(self, ink: Callable[[], Ink]) -> None:
        self._ink = ink
        self._kept: dict[tuple[str, str], QIcon] = {}
        self._font: IconicFont | None = None
        self._is_held = False

    def __call__(self, name: str, colour: str = "") -> QIcon:
        """Return an icon by its name, in the colour of type unless another is named."""
        key = (name, colour)
        if key not in self._kept:
            ink = self._ink()
            self._kept[key] = QIcon(_Engine(self, name, Ink(colour or ink.plain, ink.disabled)))
        return self._kept[key]

    def hold(self) -> None:
        """Leave icons blank for now."""
        self._is_held = True

    def release(self) -> None:
        """Draw icons from now on; whoever shows some has to be painted anew."""
        self._is_held = False
        self._load()

    def cache_clear(self) -> None:
        """Forget every icon, for the theme has changed."""
        self._kept.clear()

    def glyph(self, name: str, ink: Ink) -> QIcon | None:
        """Return the icon that the font draws, None while it is not to be read."""
        if self._is_held:
            return None
        return self._load().icon(
            f"mdi6.{name}", color=ink.plain, color_disabled=ink.disabled, color_active=ink.plain
        )

    def _load(self) -> IconicFont:
        if self._font is None:
            import qtawesome

            # This one font alone: qtawesome's own function reads and checks all twelve.
            folder, _ = qtawesome.get_fonts_info()
            files = {path.suffix: path.name for path in Path(folder).glob(f"{_FONT}*")}
            self._font = qtawesome.IconicFont(("mdi6", files[".ttf"], files[".json"]))
        return self._font


class _Engine(QIconEngine):
    """Ask for the glyph when it is to be drawn, and keep what was drawn."""

    def __init__(self, icons: Icons, name: str, ink: Ink) -> None:
        super().__init__()
        self._icons, self._name, self._ink = icons, name, ink
        self._drawn: dict[tuple[int, int, int, int], QPixmap] = {}

    def clone(self) -> QIconEngine:
        """Return another like this."""
        return _Engine(self._icons, self._name, self._ink)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the icon into a rectangle."""
        ratio = painter.device().devicePixelRatioF()
        picture = self.pixmap(rect.size() * ratio, mode, state)
        picture.setDevicePixelRatio(ratio)
        painter.drawPixmap(rect.topLeft(), picture)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return the icon in a size, in pixels of the device."""
        key = (size.width(), size.height(), int(mode), int(state))
        if key not in self._drawn:
            glyph = self._icons.glyph(self._name, self._ink)
            if glyph is None:
                return _blank(size)
            self._drawn[key] = _drawn(glyph, size, mode, state)
        return QPixmap(self._drawn[key])


def _blank(size: QSize) -> QPixmap:
    picture = QPixmap(size)
    picture.fill(Qt.GlobalColor.transparent)
    return picture


def _drawn(glyph: QIcon, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
    picture = _blank(size)
    painter = QPainter(picture)
    glyph.paint(painter, QRect(QPoint(0, 0), size), Qt.AlignmentFlag.AlignCenter, mode, state)
    painter.end()
    return picture
