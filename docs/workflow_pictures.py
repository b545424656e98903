"""Paint one section by mouse, train, and go all the way to 3D; take the pictures of `docs/workflow.md`.

Run `python -m docs.workflow_pictures --data FOLDER`, under `xvfb-run -s "-screen 0 1600x1000x24 -dpi 96"`
where there is no display; the folder holds the SNEMI3D stack (`docs/pictures/LICENSES.md` says whose data
that is). It trains for five minutes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_API", "pyqt5")

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QPushButton

from docs.player import HANDS, LEFT, Player, playing
from uniem.data.formats import open_volume
from uniem.gui.app import make_application
from uniem.gui.panels.simple_page import MINUTES
from uniem.gui.panels.training_panel import TrainingPanel
from uniem.operations.operation import Role
from uniem.workspace import OpenItem

FOLDER = Path(__file__).resolve().parent / "pictures"
WIDTH, HEIGHT = 1360, 850
SECTION, TRUTH, STACK = "snemi3d_mito2d_raw.tif", "snemi3d_mito2d_mito.tif", "snemi3d_raw.tif"
THICKNESS = "30 "
# Every third corner of an outline is as near as a hand draws.
CORNERS = 3
SMALLEST_VOXELS = 2000
FIRST_LOOK = 0


def play(player: Player, data: Path) -> None:
    """Do what UNI-EM's first workflow does, from one section to objects in 3D."""
    labels = paint_section(player, data)
    train(player, labels)
    probability = infer(player, data)
    objects = number(player, probability)
    proofread(player, objects)
    annotate(player)


def paint_section(player: Player, data: Path) -> OpenItem:
    """Draw around every mitochondrion of the section with the lasso."""
    from skimage.measure import find_contours

    window = player.window
    player.drop(data / SECTION)
    # One section does not say how thick it is, so a bar asks.
    bar = window.voxel_sizes.bar
    player.wait(bar.isVisible)
    player.click(next(one for one in bar.findChildren(QPushButton) if one.text().startswith(THICKNESS)))
    player.wait(bar.isHidden)
    player.do("new-labels")
    player.wait(lambda: window.sessions.session is not None and window.sessions.session.objects.is_counted)
    player.key(Qt.Key.Key_T)
    truth = np.asarray(open_volume(str(data / TRUTH))[0]) > 0
    outlines = find_contours(np.pad(truth, 1).astype(float), 0.5)  # type: ignore[no-untyped-call]
    view = window.canvas.view
    for outline in outlines:
        player.drag([view.place_of(int(y), int(x)) for y, x in outline[::CORNERS] - 1])
        player.settle()
    window.message.hide()
    player.picture("workflow-paint")
    player.do("save")
    player.wait(lambda: window.sessions.unsaved == 0)
    painted = np.asarray(window.sessions.session.volume[0]) > 0  # type: ignore[union-attr]
    agrees = (painted == truth).mean()
    sys.stdout.write(f"painted {len(outlines)} outlines; {agrees:.1%} of the pixels as in the ground truth\n")
    item = window.sessions.item
    if item is None:
        raise SystemExit("nothing is being edited")
    return item


def train(player: Player, labels: OpenItem) -> None:
    """Train with the simple page, as long as a first look takes."""
    panel = player.window.panels.open("train-2d")
    if not isinstance(panel, TrainingPanel) or panel.inputs["labels"].location != labels.location:
        raise SystemExit("the panel has not chosen the labels that were painted")
    minutes = panel.setup.simple.minutes
    minutes.setCurrentIndex(FIRST_LOOK)
    minutes.activated.emit(FIRST_LOOK)
    player.wait(lambda: MINUTES[FIRST_LOOK][0].split()[0] in panel.setup.plan.text(), 60)
    job = player.run(panel)
    player.window.message.hide()
    player.picture("workflow-train")
    scores = [score for _, score in job.status.metrics["val_f1"]]
    sys.stdout.write(f"trained: F1 {max(scores):.3f} on what was held out\n")


def infer(player: Player, data: Path) -> OpenItem:
    """Apply the model to the whole stack, which it never saw."""
    window = player.window
    stack = window.workspace.open(str(data / STACK))
    window.showing.show(stack)
    window.data.select(window.workspace.find(Role.MODEL)[-1])
    player.click(window.data.card.use)
    panel = window.panels.shown
    if panel is None:
        raise SystemExit("there is no inference panel")
    panel.inputs["image"].choose(stack.location)
    player.run(panel)
    window.message.hide()
    player.picture("workflow-infer")
    return window.workspace.items[-1]


def number(player: Player, probability: OpenItem) -> OpenItem:
    """Make a mask of the probabilities, and number its parts in 3D, without specks."""
    window = player.window
    threshold = window.panels.open("threshold")
    threshold.inputs["image"].choose(probability.location)
    player.run(threshold)
    label = window.panels.open("label")
    label.inputs["image"].choose(window.workspace.find(Role.LABELS)[-1].location)
    label.form.set_values({"min_size_voxels": SMALLEST_VOXELS})
    player.run(label)
    return window.workspace.find(Role.LABELS)[-1]


def proofread(player: Player, objects: OpenItem) -> None:
    """Look through the largest objects, and erase a part of one by mouse."""
    window = player.window
    window.sessions.edit(objects)
    session = window.sessions.session
    if session is None:
        raise SystemExit("the objects are not being edited")
    player.wait(lambda: session.objects.is_counted)
    middle = session.volume.shape[0] // 2
    window.canvas.model.go_to(middle)
    player.settle()
    section = np.asarray(session.volume[middle])
    ids, sizes = np.unique(section[section > 0], return_counts=True)
    chosen = int(ids[np.argmax(sizes)])
    window.objects.select(chosen)
    window.message.hide()
    player.picture("workflow-proofread")
    player.key(Qt.Key.Key_E)
    y, x = np.argwhere(section == chosen)[0].tolist()
    player.click_at(window.canvas.view.place_of(y, x))
    player.settle()
    player.do("save")
    player.wait(lambda: window.sessions.unsaved == 0)
    sys.stdout.write(f"{len(session.objects)} objects\n")


def annotate(player: Player) -> None:
    """Show all objects in 3D, and set a marker on one of them by mouse."""
    window = player.window
    player.do("mesh-all")
    player.wait(lambda: window.annotator is not None and len(window.annotator.objects) > 0)
    annotator: Any = window.annotator
    player.rest(4.0)
    annotator.marker_panel.tool.setChecked(True)
    view = annotator.view
    for y, x in [(y, x) for y in range(20, view.height(), 25) for x in range(20, view.width(), 25)]:
        if view.pick(QPoint(x, y)) is not None:
            HANDS.mouseClick(view, LEFT, pos=QPoint(x, y))
            break
    player.rest(2.0)
    window.message.hide()
    player.picture("workflow-3d")


def main() -> None:
    """Play in a private home folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go")
    parser.add_argument("--data", type=Path, required=True, help="folder of the real volumes")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="uniem-pictures-") as home:
        os.environ["UNIEM_HOME"] = home
        with playing(make_application(), asked.folder, WIDTH, HEIGHT) as player:
            play(player, asked.data)


if __name__ == "__main__":
    main()
