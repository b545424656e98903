"""Painting that lets go of what it paints on."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtGui import QImage, QPainter

import uniem.gui
from uniem.gui.painter import painter_on


def test_a_painter_ends_even_if_an_error_keeps_it_alive(qtbot: QtBot) -> None:
    image, kept = QImage(8, 8, QImage.Format.Format_RGB32), list[QPainter]()
    with pytest.raises(ValueError, match="amid"), painter_on(image) as painter:
        kept.append(painter)
        raise ValueError("amid painting")
    assert not kept[0].isActive()
    with painter_on(image) as painter:
        assert painter.isActive()


def test_no_widget_paints_without_it() -> None:
    folder = Path(uniem.gui.__file__).parent
    found = [path.name for path in folder.rglob("*.py") if "QPainter(self)" in path.read_text("utf-8")]
    assert found == []
