"""Train on real sections by mouse, apply the network, and take the pictures of `docs/train-2d.md`.

Run `python -m docs.training_pictures --data FOLDER`, under `xvfb-run -s "-screen 0 1600x1000x24 -dpi 96"`
where there is no display; the folder holds the heart muscle of EM-net (`docs/pictures/LICENSES.md` says whose
data that is). It trains twice for five minutes; `--part folds` does the cross-validation alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_API", "pyqt5")

from qtpy.QtGui import QImage
from qtpy.QtWidgets import QWidget

from docs.player import Player, pixels_of, playing, write_small_png
from uniem.gui.app import make_application
from uniem.gui.panels.folds_panel import FoldsPanel
from uniem.gui.panels.inference_panel import InferencePanel
from uniem.gui.panels.simple_page import MINUTES
from uniem.gui.panels.training_panel import TrainingPanel
from uniem.gui.panels.training_setup import ADVANCED, SIMPLE
from uniem.jobs.queue import Job
from uniem.operations.operation import Role

FOLDER = Path(__file__).resolve().parent / "pictures"
WIDTH, HEIGHT = 1280, 800
IMAGE, LABELS, TEST = "cardiac_raw.tif", "cardiac_mito.tif", "cardiac_test_raw.tif"
JUDGEMENTS = 4
FOLDS = 3


def play(player: Player, data: Path, part: str) -> None:
    """Train, look, apply, and number the objects; then train in folds, and apply all of them."""
    if part in ("all", "train"):
        play_training(player, data)
        player.do("theme-dark")
    if part in ("all", "folds"):
        play_folds(player, data)


def play_folds(player: Player, data: Path) -> None:
    """Cross-validate in three folds, look at each, and go on with all of them."""
    window = player.window
    for name in (LABELS, IMAGE):
        item = window.workspace.open(str(data / name))
    window.showing.show(item)
    panel = window.panels.open("cross-validate-2d")
    window.layout_of_docks.bring_up("panels")
    if not isinstance(panel, FoldsPanel):
        raise SystemExit("there is no panel of folds")
    window.voxel_sizes.bar.hide()
    for name, place in (("image", IMAGE), ("labels", LABELS)):
        panel.inputs[name].choose(str(data / place))
    panel.setup.simple.asked["folds"].set_value(FOLDS)
    panel.setup.simple.minutes.setCurrentIndex(0)
    panel.setup.simple.minutes.activated.emit(0)
    player.click(panel.setup.measure)
    player.wait(lambda: panel.setup.measure.isEnabled() and "as measured" in panel.setup.plan.text())
    player.rest(2.0)
    window.message.hide()
    player.picture("folds-simple")
    player.click(panel.run_button)
    job = panel.job
    if job is None:
        raise SystemExit("the cross-validation did not start")
    name = "fold_2_val_f1"
    player.wait(lambda: len(job.status.metrics.get(name, ())) >= JUDGEMENTS or job.status.ending is not None)
    player.rest(2.0)
    player.picture("folds-progress")
    player.wait(lambda: job.status.ending is not None)
    player.rest(2.0)
    window.message.hide()
    player.picture("folds-report")
    sys.stdout.write(f"{panel.live.pace.text()}\n{job.request.outputs['model']}\n")
    player.click(panel.live.infer)
    player.do("theme-light")
    player.rest(1.0)
    player.picture("folds-infer")
    player.do("theme-dark")


def play_training(player: Player, data: Path) -> None:
    """Train, look, apply, and number the objects."""
    panel = set_up(player, data)
    job = train(player, panel)
    apply(player, data)
    sys.stdout.write(f"{panel.live.pace.text()}\n{job.request.outputs['model']}\n")


def set_up(player: Player, data: Path) -> TrainingPanel:
    """Open images and labels, and look at the pages of the panel."""
    window = player.window
    player.drop(data / IMAGE)
    window.workspace.open(str(data / LABELS))
    panel = window.panels.open("train-2d")
    if not isinstance(panel, TrainingPanel):
        raise SystemExit("there is no training panel")
    window.voxel_sizes.bar.hide()
    panel.setup.simple.minutes.setCurrentIndex(0)
    panel.setup.simple.minutes.activated.emit(0)
    player.wait(lambda: MINUTES[0][0].split()[0] in panel.setup.plan.text(), 60)
    player.rest(2.0)
    player.picture("train-simple")
    player.click(panel.setup.modes[ADVANCED])
    panel.setup.search.setText("rotation")
    player.picture("train-advanced")
    panel.setup.search.clear()
    player.click(panel.setup.modes[SIMPLE])
    player.click(panel.setup.patches)
    patches = panel.window_of_patches
    player.wait(lambda: patches.grid.count > 0, 60)
    player.rest()
    _picture_of(player, patches, "train-patches")
    patches.close()
    return panel


def train(player: Player, panel: TrainingPanel) -> Job:
    """Train to the end; after some judgements try the network on the section in view."""
    tried: list[object] = []
    panel.tried.connect(lambda *trial: tried.append(trial))
    player.click(panel.run_button)
    job = panel.job
    if job is None:
        raise SystemExit("the training did not start")
    player.wait(
        lambda: len(job.status.metrics.get("val_f1", ())) >= JUDGEMENTS or job.status.ending is not None
    )
    player.click(panel.try_button)
    player.wait(lambda: bool(tried))
    player.rest(2.0)
    player.window.message.hide()
    player.picture("train-progress")
    player.wait(lambda: job.status.ending is not None)
    player.rest(2.0)
    player.window.message.hide()
    player.picture("train-verdict")
    return job


def apply(player: Player, data: Path) -> None:
    """Use the model on sections that it has never seen."""
    window = player.window
    model = window.workspace.find(Role.MODEL)[-1]
    window.data.select(model)
    player.click(window.data.card.use)
    panel = window.panels.shown
    if not isinstance(panel, InferencePanel):
        raise SystemExit("there is no inference panel")
    window.showing.show(window.workspace.open(str(data / TEST)))
    panel.inputs["image"].choose(str(data / TEST))
    panel.form.set_values({"output": {"kind": "objects"}})
    player.run(panel)
    window.showing.show(window.workspace.find(Role.LABELS)[-1])
    window.data.select(model)
    window.layout_of_docks.bring_up("panels")
    window.message.hide()
    window.voxel_sizes.bar.hide()
    player.do("theme-light")
    player.rest(1.0)
    player.picture("train-apply")


def _picture_of(player: Player, widget: QWidget, name: str) -> None:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    write_small_png(pixels_of(image), player.folder / f"{name}.png")


def main() -> None:
    """Play in a private home folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go")
    parser.add_argument("--data", type=Path, required=True, help="folder of the real volumes")
    parser.add_argument("--part", choices=("all", "train", "folds"), default="all", help="what to play")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="uniem-pictures-") as home:
        os.environ["UNIEM_HOME"] = home
        with playing(make_application(), asked.folder, WIDTH, HEIGHT) as player:
            play(player, asked.data, asked.part)


if __name__ == "__main__":
    main()
