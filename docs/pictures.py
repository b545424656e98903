"""Take the pictures of the manual: a session on the synthetic sample, and real data looked at.

Run `python -m docs.pictures`, under `xvfb-run -s "-screen 0 3840x2400x24 -dpi 96"` where there is no display.
The mouse and the keys are real, and so are the worker processes; it takes about four minutes. The pictures of
real data are left out where there are none.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("QT_API", "pyqt5")

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from docs import real_pictures
from docs.player import HANDS, Player, playing
from uniem.data.store import open_store
from uniem.demo import make_sample
from uniem.gui.app import make_application
from uniem.gui.panels.training_panel import TrainingPanel

FOLDER = Path(__file__).resolve().parent / "pictures"
# As the tests do, real volumes are looked for beside the checkout.
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
WIDTH, HEIGHT = 1600, 1000
TRAINING = {"steps": 5000, "patch_size": 128, "network": {"kind": "unet", "depth": 3, "base_features": 8}}
GOOD_ENOUGH = 0.85


def play(player: Player, sample: Path) -> None:
    """Do the main job from dropping to measuring."""
    paint(player, sample)
    train(player)
    infer_and_label(player)
    proofread_in_3d(player)
    filters_and_palette(player)


def paint(player: Player, sample: Path) -> None:
    """Drop the image, and paint the mitochondria of one section, each with a label of its own."""
    from scipy import ndimage

    window, truth = player.window, open_store(sample / "mitochondria.zarr")
    player.picture("start")
    player.drop(sample / "image.zarr")
    sections = [np.array(truth[z]) > 0 for z in range(truth.shape[0])]
    best = int(np.argmax([section.sum() for section in sections]))
    player.do("new-labels")
    window.canvas.model.go_to(best)
    player.wait(lambda: window.sessions.session is not None and window.sessions.session.objects.is_counted)
    player.key(Qt.Key.Key_B)
    while window.canvas.model.hand.brush_px > 5:
        player.key(Qt.Key.Key_BracketLeft)
    parts, count = ndimage.label(sections[best])
    for part in range(1, count + 1):
        player.paint(parts == part)
        player.key(Qt.Key.Key_N)
    window.message.hide()
    player.picture("paint")
    player.do("save")


def train(player: Player) -> None:
    """Start a training, wait until it is good, and stop it."""
    window = player.window
    panel = window.panels.open("train-2d")
    if not isinstance(panel, TrainingPanel):
        raise SystemExit("there is no training panel")
    panel.form.set_values(TRAINING)
    docks = window.layout_of_docks.docks
    window.splitDockWidget(docks["data"], docks["objects"], Qt.Orientation.Vertical)
    docks["objects"].show()
    window.resizeDocks([docks["data"], docks["objects"]], [180, 560], Qt.Orientation.Vertical)
    window.resizeDocks([docks["data"], docks["panels"]], [375, 390], Qt.Orientation.Horizontal)
    player.click(panel.run_button)
    job = panel.job
    if job is None:
        raise SystemExit("the training did not start")

    def is_good() -> bool:
        scores = job.status.metrics.get("val_f1", ())
        return len(scores) > 5 and max(score for _, score in scores) > GOOD_ENOUGH

    player.wait(lambda: is_good() or job.status.ending is not None)
    window.message.hide()
    player.picture("window")
    player.click(panel.progress.cancel)
    player.wait(lambda: job.status.ending is not None)
    window.tabifyDockWidget(docks["panels"], docks["objects"])
    window.layout_of_docks.arrange()
    window.layout_of_docks.bring_up("panels")
    player.rest(1.0)


def infer_and_label(player: Player) -> None:
    """Try the network on the section in view, apply it to the volume, and number the objects."""
    window = player.window
    panel: Any = window.panels.open("infer-2d")
    player.run(panel, panel.try_button)
    player.picture("try")
    player.run(panel)
    labelling = window.panels.open("label")
    labelling.form.set_values({"min_size_voxels": 300, "connectivity": 26})
    images = {item.name: item for item in window.workspace.items}
    labelling.inputs["image"].choose(next(i.location for name, i in images.items() if "infer" in name))
    player.run(labelling)
    window.showing.show(images["image.zarr"])
    window.message.hide()
    player.picture("label")


def proofread_in_3d(player: Player) -> None:
    """Measure the objects, and show them in 3D."""
    window = player.window
    player.run(window.panels.open("measure"))
    player.do("mesh-all")
    player.wait(lambda: window.annotator is not None and len(window.annotator.objects) > 0)
    player.rest(2.0)
    window.message.hide()
    player.picture("annotator")
    player.do("theme-light")
    player.picture("light")
    player.do("theme-dark")


def filters_and_palette(player: Player) -> None:
    """Try a filter on what is in view, and find an action by its name."""
    window = player.window
    panel = window.panels.open("gaussian")
    panel.form.set_values({"sigma": 2.0})
    player.click(panel.preview_button)
    player.wait(lambda: panel.curtain.has_picture)
    player.picture("filter")
    window.show_palette()
    palette: Any = QApplication.activePopupWidget()
    for key in (Qt.Key.Key_M, Qt.Key.Key_E, Qt.Key.Key_S, Qt.Key.Key_H):
        HANDS.keyClick(palette.line, key)
    player.picture("palette")
    palette.close()


def take_sample(folder: Path) -> None:
    """Play the session on the sample in a private home folder."""
    with tempfile.TemporaryDirectory(prefix="uniem-pictures-") as home:
        os.environ["UNIEM_HOME"] = home
        sample = Path(home) / "sample"
        make_sample(sample)
        with playing(make_application(), folder, WIDTH, HEIGHT) as player:
            play(player, sample)


def take_real(folder: Path, data: Path, scale: int, takes_all: bool) -> None:
    """Take the pictures of real data at a scale, in a private home folder."""
    with tempfile.TemporaryDirectory(prefix="uniem-pictures-") as home:
        real_pictures.take(make_application(), folder, data, Path(home), scale, takes_all)


def main() -> None:
    """Take all pictures, each kind in a process of its own, for Qt has one scale in each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the real volumes")
    parser.add_argument("--only", choices=("sample", "real"), help="one kind of pictures")
    parser.add_argument("--scale", type=int, choices=real_pictures.SCALES, help="real data at one scale only")
    parser.add_argument(
        "--all", action="store_true", help="also those of real data that the manual leaves out"
    )
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    if asked.only == "sample":
        take_sample(asked.folder)
    elif asked.only == "real" and asked.scale is not None:
        take_real(asked.folder, asked.data, asked.scale, asked.all)
    else:
        own = ["--folder", str(asked.folder), "--data", str(asked.data), *(["--all"] if asked.all else [])]
        parts = [["--only", "real", "--scale", str(scale)] for scale in real_pictures.SCALES]
        for part in [["--only", "sample"], *parts] if asked.only is None else parts:
            scale = part[-1] if part[1] == "real" else "1"
            environment = {**os.environ, "QT_SCALE_FACTOR": scale}
            subprocess.run([sys.executable, "-m", "docs.pictures", *own, *part], check=True, env=environment)


if __name__ == "__main__":
    main()
