"""Correct a few errors of a real segmentation by mouse, and take the pictures of `docs/proofreading.md`.

Run `python -m docs.proofreading_pictures --data FOLDER`, under `xvfb-run -s "-screen 0 1600x1000x24 -dpi 96"`
where there is no display; the folder holds FIB-25 (`docs/pictures/LICENSES.md` says whose data that is).
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

os.environ.setdefault("QT_API", "pyqt5")

from qtpy.QtCore import QPointF, Qt

from benchmarks.fib25_errors import CUT_IN_TWO, LINE, THREE, Place
from benchmarks.real_proofreading import NAMES, make_labels
from docs.player import Player, move_to, playing
from uniem.gui.app import make_application

FOLDER = Path(__file__).resolve().parent / "pictures"
WIDTH, HEIGHT = 1360, 850
PART_KEYS = (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3)


def merge_what_was_cut(player: Player) -> None:
    """Click each neuron and what belongs to it; take a picture before the first click that merges."""
    player.key(Qt.Key.Key_M)
    for number, (stays, joins) in enumerate(CUT_IN_TWO):
        _click(player, stays)
        if number == 0:
            # A stroke that is not at its end shows what it has touched.
            view = player.window.canvas.view
            way = [view.place_of(*place[1:]) for place in (stays, joins)]
            player.drag([way[0], *_along(way)], is_released=False)
            player.picture("proofreading-merge")
            player.release(way[-1])
        else:
            _click(player, joins)
        player.key(Qt.Key.Key_Escape)


def split_by_a_line(player: Player) -> None:
    """Draw a line between two neurons, look at what it divides, and accept."""
    canvas = player.window.canvas
    player.key(Qt.Key.Key_C)
    canvas.run("scope")
    _go_to(player, LINE[0])
    canvas.view.zoom(1.4)
    canvas.view.look_at(*LINE[0][1:])
    player.settle()
    way = [canvas.view.place_of(*place[1:]) for place in LINE]
    player.drag([way[0], *_along(way)])
    player.settle()
    player.picture("proofreading-split")
    player.key(Qt.Key.Key_Return)
    player.settle()
    canvas.view.fit()


def split_by_marks(player: Player) -> None:
    """Mark three neurons in several sections, look at them in three planes, and accept."""
    canvas = player.window.canvas
    player.key(Qt.Key.Key_K)
    for key, places in zip(PART_KEYS, THREE, strict=True):
        player.key(key)
        for place in places:
            _click(player, place)
    canvas.grid.show_three()
    player.rest(0.5)
    canvas.go_to(*THREE[1][0])
    for view in canvas.grid.views:
        view.zoom(2.0)
    player.rest(0.5)
    canvas.go_to(*THREE[1][0])
    canvas.view.look_from(canvas.view.camera.scale, 55, 165)
    player.settle()
    player.rest(2.0)
    player.picture("proofreading-split-3d")
    player.key(Qt.Key.Key_Return)
    player.settle()


def look_back(player: Player) -> None:
    """Save, and show the history and the table of objects."""
    window = player.window
    window.canvas.grid.show_alone(window.canvas.view.axes.plane)
    window.canvas.view.fit()
    player.do("save")
    player.do("history")
    player.rest(1.0)
    player.picture("proofreading-history")


def _click(player: Player, place: Place) -> None:
    _go_to(player, place)
    player.click_at(player.window.canvas.view.place_of(*place[1:]))
    player.settle()


def _go_to(player: Player, place: Place) -> None:
    player.window.canvas.model.go_to(place[0])
    player.settle()


def _along(way: Sequence[QPointF]) -> list[QPointF]:
    """Return places along a way, as many as a hand would pass."""
    parts = np.linspace(0, 1, 12)[1:].tolist()
    return [start + (end - start) * part for start, end in pairwise(way) for part in parts]


def main() -> None:
    """Play in a private home folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go")
    arguments = parser.parse_args()
    raw, segmentation, _ = (arguments.data / name for name in NAMES)
    with tempfile.TemporaryDirectory(prefix="uniem-pictures-") as home:
        os.environ["UNIEM_HOME"] = home
        labels = Path(home) / "neurons.zarr"
        make_labels(segmentation, labels)
        with playing(make_application(), arguments.folder, WIDTH, HEIGHT) as player:
            window = player.window
            player.drop(raw)
            player.edit(labels)
            window.voxel_sizes.bar.hide()
            window.message.hide()
            for name in ("jobs", "table", "log"):
                window.layout_of_docks.docks[name].hide()
            move_to(window.canvas.view, QPointF(300, 300))
            for part in (merge_what_was_cut, split_by_a_line, split_by_marks, look_back):
                part(player)


if __name__ == "__main__":
    main()
