"""How the 3D view looks: background, lights, box, scale bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qtpy.QtGui import QColor, QPalette

Background = Literal["theme", "black", "white"]


@dataclass(frozen=True, slots=True)
class Look:
    """The look of the 3D view; lights and opacity in percent."""

    background: Background = "theme"
    directional: int = 80
    ambient: int = 50
    opacity: int = 100
    box: bool = True
    scale_bar: bool = True
    axes: bool = True
    perspective: bool = False

    def background_colour(self, palette: QPalette) -> QColor:
        """Return the colour behind the objects in a theme's palette."""
        if self.background == "theme":
            return QColor(palette.color(QPalette.ColorRole.Base))
        return QColor(self.background)


def ink_on(background: QColor) -> QColor:
    """Return black or white, whichever can be read on a background."""
    return QColor("white") if background.lightness() < 128 else QColor("black")
