"""A painter that lets go of what it paints on, whatever happens while it paints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from qtpy.QtGui import QPaintDevice, QPainter


@contextmanager
def painter_on(device: QPaintDevice) -> Iterator[QPainter]:
    """Yield a painter and end it.

    Qt crashes when one is still at work after its paint event, as long as an error's traceback or a debugger
    keeps it alive.
    """
    painter = QPainter(device)
    try:
        yield painter
    finally:
        painter.end()
