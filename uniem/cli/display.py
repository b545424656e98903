"""Whether a window can be shown."""

from __future__ import annotations

import os
import sys


def has_display() -> bool:
    """Tell whether a window can be shown."""
    if sys.platform in ("win32", "darwin"):
        return True
    wished = os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if wished not in ("", "xcb", "wayland"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
