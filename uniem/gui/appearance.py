"""Theme and size of type: chosen in the menu, remembered in the settings."""

from __future__ import annotations

from collections.abc import Callable

from uniem.gui import style
from uniem.workspace import Settings


class Appearance:
    """Dress the application as remembered, and in another way when asked."""

    def __init__(self, settings: Settings, redress: Callable[[], None]) -> None:
        self._settings = settings
        self._redress = redress

    @property
    def theme(self) -> style.Theme:
        """The theme in use."""
        kept = self._settings.get("theme", "dark")
        return next((theme for theme in style.THEMES if theme == kept), "dark")

    @property
    def font_size(self) -> int:
        """The size of type in points."""
        kept = self._settings.get("font size", 10)
        low, high = style.FONT_SIZES
        return min(high, max(low, kept)) if isinstance(kept, int) else 10

    @property
    def is_dark(self) -> bool:
        """Tell whether the dark theme is chosen."""
        return self.theme == "dark"

    @property
    def is_light(self) -> bool:
        """Tell whether the light theme is chosen."""
        return self.theme == "light"

    @property
    def is_system(self) -> bool:
        """Tell whether the desktop's theme is followed."""
        return self.theme == "system"

    def set_theme(self, theme: str) -> None:
        """Use a theme, and remember it."""
        self._settings.set("theme", theme)
        self.apply()

    def larger(self) -> None:
        """Use larger type."""
        self.set_font_size(self.font_size + 1)

    def smaller(self) -> None:
        """Use smaller type."""
        self.set_font_size(self.font_size - 1)

    def set_font_size(self, points: int) -> None:
        """Use type of a size, and remember it."""
        low, high = style.FONT_SIZES
        self._settings.set("font size", min(high, max(low, points)))
        self.apply()

    def apply(self) -> None:
        """Dress the application as remembered."""
        style.apply_theme(self.theme, self.font_size)
        self._redress()
