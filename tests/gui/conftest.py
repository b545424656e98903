"""A main window on real files with a real queue, and a way to answer its questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QMessageBox

from uniem.gui.app import make_window
from uniem.gui.main_window import MainWindow


@pytest.fixture
def window(qtbot: Any, home: Path) -> Iterator[MainWindow]:
    """Show a main window; at the end, stop its jobs and close it."""
    window = make_window()
    window.queue.grace_s = 2.0
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.queue.stop_all()
    window.sessions.end()
    window.close()
    window.deleteLater()
    QApplication.processEvents()


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """Write an image of bright discs on a dark ground, with a voxel size."""
    z, y, x = np.mgrid[:6, :96, :96]
    image = 60 + 20 * np.sin(y / 9.0) + 90 * (((y - 48) ** 2 + (x - 48) ** 2) < 400) + 0 * z
    noise = np.random.default_rng(0).normal(0, 5, image.shape)
    path = tmp_path / "stack.tif"
    tifffile.imwrite(
        path,
        np.clip(image + noise, 0, 255).astype(np.uint8),
        imagej=True,
        resolution=(0.25, 0.25),
        metadata={"unit": "nm", "spacing": 40.0, "axes": "ZYX"},
    )
    return path


@pytest.fixture
def discs(tmp_path: Path) -> Path:
    """Write the labels of two discs."""
    _, y, x = np.mgrid[:6, :96, :96]
    labels = 3 * (((y - 48) ** 2 + (x - 48) ** 2) < 400) + 700 * (((y - 10) ** 2 + (x - 10) ** 2) < 40)
    path = tmp_path / "discs.tif"
    tifffile.imwrite(
        path,
        labels.astype(np.uint16),
        imagej=True,
        resolution=(0.25, 0.25),
        metadata={"unit": "nm", "spacing": 40.0, "axes": "ZYX"},
    )
    return path


@pytest.fixture
def answer() -> Callable[[str], list[str]]:
    """Click the button of this text in the next question; the list returned gets the question's text."""

    def plan(button: str) -> list[str]:
        asked: list[str] = []

        def click() -> None:
            box = QApplication.activeModalWidget()
            if not isinstance(box, QMessageBox):
                QTimer.singleShot(20, click)
                return
            asked.append(box.text())
            next(each for each in box.buttons() if each.text().replace("&", "") == button).click()

        QTimer.singleShot(20, click)
        return asked

    return plan
