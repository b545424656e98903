"""Painting over the whole of a 4k screen: every voxel and every pixel, at both scales of the screen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gui.canvas.large_screen import paint_across


@pytest.mark.usefixtures("qtbot")
def test_a_stroke_across_a_4k_screen_is_exact_and_drawn(tmp_path: Path) -> None:
    paint_across(tmp_path, 1)


def test_a_stroke_across_a_4k_screen_of_double_density_is_exact_and_drawn(tmp_path: Path) -> None:
    # Qt has one scale in each process.
    environment = {**os.environ, "QT_SCALE_FACTOR": "2"}
    command = [sys.executable, "-m", "tests.gui.canvas.large_screen", str(tmp_path), "2"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "exact" in done.stdout
