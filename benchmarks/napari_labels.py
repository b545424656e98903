"""What a dab costs in napari, by its own paint call, in an environment and a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

_REQUIREMENTS = ("napari", "PyQt5")
_DABS = 40


def measure(sizes: Sequence[int], brush_px: int) -> dict[int, dict[str, float]]:
    """Return the median processor time of a dab in ms, by the size of the section and what it includes."""
    python = _environment()
    command = [str(python), __file__, str(brush_px), *map(str, sizes)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if run.returncode:
        sys.exit(f"napari could not be measured:\n{run.stderr[-2000:]}")
    return {int(size): times for size, times in json.loads(run.stdout.splitlines()[-1]).items()}


def _environment() -> Path:
    """Make an environment with napari, or find the one made before; return its Python."""
    folder = Path(tempfile.gettempdir()) / "uniem-benchmark-napari"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *_REQUIREMENTS], check=True)
        (folder / "complete").touch()
    return python


def _paint_in_napari(brush_px: int, size: int) -> dict[str, float]:
    """Paint along a circle by the layer's own call and refresh, without and with the window drawn."""
    import napari
    import numpy as np
    from qtpy.QtWidgets import QApplication

    viewer = napari.Viewer(show=True)
    viewer.window._qt_window.resize(1600, 960)
    layer = viewer.add_labels(np.zeros((size, size), np.uint32))
    layer.brush_size = brush_px
    layer.selected_label = 5
    QApplication.processEvents()
    kinds = {
        "paint and refresh": [layer.refresh],
        "paint, refresh and drawn window": [layer.refresh, QApplication.processEvents],
    }
    medians = {}
    for name, rest in kinds.items():
        times = []
        for angle in np.linspace(0, 6 * np.pi, _DABS):
            QApplication.processEvents()
            begin = time.process_time()
            layer.paint((size / 2 + 200 * np.sin(angle), size / 2 + 200 * np.cos(angle)), 5)
            for step in rest:
                step()
            times.append((time.process_time() - begin) * 1e3)
        medians[name] = float(np.median(times[5:]))
    viewer.close()
    return medians


if __name__ == "__main__":
    brush, *asked = map(int, sys.argv[1:])
    sys.stdout.write("\n" + json.dumps({size: _paint_in_napari(brush, size) for size in asked}) + "\n")
