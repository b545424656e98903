"""Where resources, plugins, job folders and settings are, in a source tree and in a frozen bundle."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from pathlib import Path


def is_frozen() -> bool:
    """Tell whether this is a bundled executable."""
    return bool(getattr(sys, "frozen", False))


def root() -> Path:
    """Return the folder that holds `resources` and `plugins`."""
    if is_frozen():
        return Path(getattr(sys, "_MEIPASS", Path(sys.executable).parent))
    return Path(__file__).resolve().parents[1]


def resources() -> Path:
    """Return the folder of icons, palettes and examples."""
    return root() / "resources"


def user_data() -> Path:
    """Return the folder of this user's settings, jobs and plugins; `UNIEM_HOME` moves it."""
    if home := os.environ.get("UNIEM_HOME"):
        return Path(home)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "uniem"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "uniem"


def jobs() -> Path:
    """Return the folder that holds one folder per job."""
    return user_data() / "jobs"


def settings_file() -> Path:
    """Return the file of remembered settings."""
    return user_data() / "settings.json"


def sessions() -> Path:
    """Return the folder that remembers what windows without a project showed."""
    return user_data() / "sessions"


def work_folder() -> Path:
    """Return where new volumes go when the user named no other place: the open project, if there is one."""
    return _project_folder or _work_folder or usual_work_folder()


def usual_work_folder() -> Path:
    """Return where new volumes go when the user named no place at all."""
    return user_data() / "work"


def use_work_folder(folder: Path | None) -> None:
    """Let new volumes of this process go into a folder while no project is open; None: the usual one."""
    global _work_folder
    _work_folder = folder


def use_project_folder(folder: Path | None) -> None:
    """Let new volumes of this process go into a project's folder; None: into the user's work folder again."""
    global _project_folder
    _project_folder = folder


_project_folder: Path | None = None
_work_folder: Path | None = None


def plugin_folders() -> list[Path]:
    """Return the folders searched for plugins: shipped ones, then the user's."""
    return [root() / "plugins", user_data() / "plugins"]


def unused(path: Path, taken: Collection[Path] = ()) -> Path:
    """Return the path, or with the first number behind its name that nothing has yet."""
    stem, suffix, number, free = path.name.removesuffix(path.suffix), path.suffix, 2, path
    while free.exists() or free in taken:
        free = path.with_name(f"{stem}-{number}{suffix}")
        number += 1
    return free
