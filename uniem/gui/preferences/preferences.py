"""The part of the window that applies what the user chose, and remembers it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from uniem import paths
from uniem.data.palette import Hues, Palette, palette_in_use, use_palette
from uniem.gui.appearance import Appearance
from uniem.gui.canvas.block_cache import default_budget
from uniem.gui.canvas.canvas import MEMORY_KEY
from uniem.gui.preferences.chooser import KeymapChooser
from uniem.gui.preferences.keymaps import ASKED_KEY, Keymaps
from uniem.gui.sessions import AUTOSAVE_MINUTES

if TYPE_CHECKING:
    from uniem.gui.window import Window

HUES_KEY, VIVIDNESS_KEY = "labels/hues", "labels/vividness %"
POWER_KEY = "strokes survive power cuts"
AUTOSAVE_KEY, FOLDER_KEY = "autosave minutes", "work folder"
MEMORY_MB = (64, 1 << 20)
MINUTES = (1, 120)


class Preferences:
    """Hold the choices of a window; each is applied and remembered at once."""

    def __init__(self, window: Window) -> None:
        self._window, self._settings = window, window.settings
        self.keymaps = Keymaps(window.settings, window.action_set.made())
        self.keymaps.changed.connect(self._use_keymap)
        window.action_set.filled.connect(lambda: self.keymaps.set_actions(window.action_set.made()))
        self._use_keymap()
        self._use_palette()
        window.sessions.save_every(self.autosave_minutes)
        window.sessions.force_to_disk(self.survives_power_cuts)
        paths.use_work_folder(self.work_folder)

    def choose_keymap(self) -> None:
        """Ask which tool the user comes from."""
        self._settings.set(ASKED_KEY, True)
        KeymapChooser(self.keymaps, self._window).show()

    def welcome(self) -> None:
        """Ask which tool the user comes from, at the first start only."""
        if not self._settings.get(ASKED_KEY):
            self.choose_keymap()

    @property
    def appearance(self) -> Appearance:
        """Theme and size of type."""
        return self._window.appearance

    @property
    def palette(self) -> Palette:
        """The palette of labels."""
        kept, vividness = self._settings.get(HUES_KEY), self._settings.get(VIVIDNESS_KEY, 100)
        hues = next((hues for hues in Hues if hues == kept), Hues.ALL)
        return Palette(hues, min(100, max(0, vividness)) / 100 if isinstance(vividness, int) else 1.0)

    def set_palette(self, palette: Palette) -> None:
        """Draw labels in the colours of a palette."""
        self._settings.set(HUES_KEY, str(palette.hues))
        self._settings.set(VIVIDNESS_KEY, round(palette.vividness * 100))
        self._use_palette()

    @property
    def memory_mb(self) -> int | None:
        """The memory for what is looked at; None: a share of the computer's."""
        kept = self._settings.get(MEMORY_KEY)
        return kept if isinstance(kept, int) and MEMORY_MB[0] <= kept <= MEMORY_MB[1] else None

    def set_memory_mb(self, megabytes: int | None) -> None:
        """Give so much memory to what is looked at."""
        self._settings.set(MEMORY_KEY, megabytes)
        budget = default_budget() if megabytes is None else megabytes << 20
        self._window.canvas.reader.cache.set_budget(budget)

    @property
    def autosave_minutes(self) -> int:
        """How often labels are saved by themselves."""
        kept = self._settings.get(AUTOSAVE_KEY)
        return kept if isinstance(kept, int) and MINUTES[0] <= kept <= MINUTES[1] else AUTOSAVE_MINUTES

    def set_autosave_minutes(self, minutes: int) -> None:
        """Save labels so often."""
        self._settings.set(AUTOSAVE_KEY, minutes)
        self._window.sessions.save_every(minutes)

    @property
    def survives_power_cuts(self) -> bool:
        """Whether every stroke is forced to the disk itself."""
        return self._settings.get(POWER_KEY) is True

    def set_survives_power_cuts(self, is_forced: bool) -> None:
        """Force every stroke to the disk, or leave that to the system."""
        self._settings.set(POWER_KEY, is_forced)
        self._window.sessions.force_to_disk(is_forced)

    @property
    def work_folder(self) -> Path | None:
        """The folder that the user chose for new volumes; None: the usual one."""
        kept = self._settings.get(FOLDER_KEY)
        return Path(kept) if isinstance(kept, str) and kept else None

    def set_work_folder(self, folder: Path | None) -> None:
        """Let new volumes go into a folder while no project is open."""
        self._settings.set(FOLDER_KEY, None if folder is None else str(folder))
        paths.use_work_folder(folder)

    def _use_keymap(self) -> None:
        keymap = self.keymaps.keymap
        self._window.canvas.keys.use(keymap)
        self._window.action_set.use_keys(keymap)

    def _use_palette(self) -> None:
        before = palette_in_use()
        use_palette(self.palette)
        if self._window.annotator is not None:
            self._window.annotator.objects.follow_palette(before, self.palette)
        self._window.canvas.painting.restyled.emit()
        self._window.objects.model.refresh()
