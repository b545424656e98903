"""VTK loaded by a thread, since it takes half a second, before or while the 3D view is opened."""

from __future__ import annotations

import importlib
import threading

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

LOOK_AGAIN_MS = 20

_begun = threading.Lock()
_is_over = threading.Event()


def begin() -> None:
    """Load VTK in a thread, where that is not done or under way."""
    if _begun.acquire(blocking=False):
        threading.Thread(target=_load, name="load VTK", daemon=True).start()


def is_awaited(widget: QWidget) -> bool:
    """Tell whether VTK is still to come; if so, have it loaded, and the widget painted again soon.

    Where it cannot be loaded it is awaited no longer, and to import it raises the reason.
    """
    if _is_over.is_set():
        return False
    begin()
    QTimer.singleShot(LOOK_AGAIN_MS, widget.update)
    return True


def _load() -> None:
    try:
        importlib.import_module("uniem.gui.annotator.scene")
    finally:
        _is_over.set()
