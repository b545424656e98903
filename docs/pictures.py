"""Play a session on the synthetic sample, and take the pictures of the manual on the way.

Run `python -m docs.pictures`, under `xvfb-run -s "-screen 0 1600x1000x24 -dpi 96"` where there is no display.
The mouse and the keys are real, and so are the worker processes; it takes about three minutes.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("QT_API", "pyqt5")

from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QImage, QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from uniem.data.store import open_store
from uniem.demo import make_sample
from uniem.gui.app import make_application, make_window
from uniem.gui.main_window import MainWindow
from uniem.gui.panels.operation_panel import OperationPanel
from uniem.gui.panels.training_panel import TrainingPanel
from uniem.jobs.events import Ending
from uniem.jobs.queue import Job

FOLDER = Path(__file__).resolve().parent / "pictures"
WIDTH, HEIGHT = 1600, 1000
MAX_BYTES = 400_000
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
TRAINING = {"steps": 5000, "patch_size": 128, "network": {"kind": "unet", "depth": 3, "base_features": 8}}
GOOD_ENOUGH = 0.85
LONGEST_S = 200.0


class Player:
    """Someone at the window: drops, paints, clicks, waits, and takes pictures."""

    def __init__(self, application: QApplication, window: MainWindow, folder: Path) -> None:
        self.application, self.window, self.folder = application, window, folder

    def wait(self, until: Callable[[], bool], seconds: float = LONGEST_S) -> None:
        """Let the window live until something is true."""
        end = time.monotonic() + seconds
        while not until():
            self.application.processEvents()
            time.sleep(0.005)
            if time.monotonic() > end:
                raise SystemExit(f"waited for {seconds:.0f} s in vain")

    def rest(self, seconds: float = 0.4) -> None:
        """Let everything be painted."""
        end = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() > end)

    def picture(self, name: str) -> None:
        """Write what is on the screen as a PNG of at most 256 colours."""
        self.rest()
        screen: Any = self.application.primaryScreen()
        image = screen.grabWindow(0).toImage().convertToFormat(QImage.Format.Format_RGB888)
        write_small_png(pixels_of(image), self.folder / f"{name}.png")

    def drop(self, *paths: Path) -> None:
        """Drop files on the window."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        copy = Qt.DropActions(Qt.DropAction.CopyAction)
        for event in (
            QDragEnterEvent(QPoint(300, 300), copy, data, LEFT, NONE),
            QDropEvent(QPointF(300, 300), copy, data, LEFT, NONE),
        ):
            QApplication.sendEvent(self.window, event)
        self.wait(lambda: self.window.canvas.view.image_section is not None)

    def do(self, action: str) -> None:
        """Choose an entry of a menu."""
        self.window.action_set[action].trigger()
        self.rest(0.1)

    def key(self, key: Qt.Key) -> None:
        """Press a key over the canvas."""
        QTest.keyClick(self.window.canvas.view, key)

    def click(self, widget: QWidget) -> None:
        """Click in the middle of a widget."""
        QTest.mouseClick(widget, LEFT)

    def paint(self, mask: NDArray[np.bool_]) -> None:
        """Paint over an object of the section, row by row, with one drag of the mouse."""
        view = self.window.canvas.view
        points = [view.place_of(*voxel) for voxel in zigzag(mask, self.window.canvas.model.hand.radius_px)]
        if not points:
            return
        kinds = [QMouseEvent.Type.MouseButtonPress, *[QMouseEvent.Type.MouseMove] * len(points)]
        for kind, point in zip(kinds, [points[0], *points], strict=True):
            button = LEFT if kind == QMouseEvent.Type.MouseButtonPress else Qt.MouseButton.NoButton
            event = QMouseEvent(kind, point, point, button, LEFT, NONE)
            QApplication.sendEvent(view.viewport(), event)
        up = QMouseEvent.Type.MouseButtonRelease
        event = QMouseEvent(up, points[-1], points[-1], LEFT, Qt.MouseButton.NoButton, NONE)
        QApplication.sendEvent(view.viewport(), event)
        self.application.processEvents()

    def run(self, panel: OperationPanel, button: QWidget | None = None) -> Job:
        """Click Run, or another button, and wait for the job's end."""
        self.click(button or panel.run_button)
        if panel.job is None:
            raise SystemExit(f"{panel.operation.title} did not start")
        job = panel.job
        self.wait(lambda: job.status.ending is not None)
        if job.status.ending is not Ending.FINISHED:
            raise SystemExit(f"{panel.operation.title}: {job.status.error}")
        self.rest(1.0)
        return job


def zigzag(mask: NDArray[np.bool_], radius: float) -> list[tuple[int, int]]:
    """Return the voxels (y, x) a brush passes to fill a mask, from side to side."""
    from scipy import ndimage

    inside = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1] >= radius
    rows = [int(row) for row in np.flatnonzero(inside.any(axis=1))]
    ends = [np.flatnonzero(inside[row])[[0, -1]] for row in rows]
    turned = [pair if place % 2 else pair[::-1] for place, pair in enumerate(ends)]
    return [(row, int(x)) for row, pair in zip(rows, turned, strict=True) for x in pair]


def pixels_of(image: QImage) -> NDArray[np.uint8]:
    """Return a picture of three bytes per pixel as (y, x, 3) uint8."""
    bits: Any = image.constBits()
    bits.setsize(image.sizeInBytes())
    rows: NDArray[np.uint8] = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def write_small_png(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write a picture with as many colours, 256 at most, as its file may have bytes."""
    from PIL import Image

    for colours in (256, 128, 64, 48, 32):
        small = Image.fromarray(pixels).quantize(
            colours, method=Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE
        )
        small.save(path, optimize=True)
        if path.stat().st_size <= MAX_BYTES:
            return
    raise SystemExit(f"{path.name} has {path.stat().st_size:,} bytes")


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
    player.picture("train")
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
        QTest.keyClick(palette.line, key)
    player.picture("palette")
    palette.close()


def main() -> None:
    """Play the session in a private home folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="uniem-pictures-") as home:
        os.environ["UNIEM_HOME"] = home
        sample = Path(home) / "sample"
        make_sample(sample)
        application = make_application()
        window = make_window()
        window.move(0, 0)
        window.resize(WIDTH, HEIGHT)
        window.layout_of_docks.arrange()
        window.show()
        try:
            play(Player(application, window, folder), sample)
        finally:
            window.queue.stop_all()
            window.sessions.end()
            window.close()
            application.processEvents()


if __name__ == "__main__":
    main()
