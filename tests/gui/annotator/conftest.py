"""An annotator on the screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from uniem.gui.annotator.annotator import MeshAnnotator


@pytest.fixture
def annotator(qtbot: QtBot) -> Iterator[MeshAnnotator]:
    """Show an annotator and close it properly."""
    widget = MeshAnnotator()
    qtbot.addWidget(widget)
    widget.resize(1000, 640)
    with qtbot.waitExposed(widget):
        widget.show()
    yield widget
    widget.close()
