"""Kill the window with SIGKILL while it paints by mouse, again and again; count what was lost.

Run `python -m benchmarks.crash_window`, under xvfb-run where there is no display.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from uniem.data.geometry import Box, Triple, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import Kind
from uniem.proofreading.edits import Edit
from uniem.proofreading.journal import FILE_NAME, EntryKind, Journal
from uniem.proofreading.session import ProofreadingSession

SHAPE: Triple = (4, 512, 512)
STROKES_PER_SAVE = 15


def paint_for_ever(labels: Path, image: Path, seed: int) -> None:
    """Open the real window, paint by mouse and save now and then, telling of each stroke, until killed."""
    os.environ.setdefault("QT_API", "pyqt5")
    from qtpy.QtCore import QPoint, Qt
    from qtpy.QtTest import QTest

    from uniem.gui.app import make_application, make_window
    from uniem.gui.canvas.view_model import Tool

    application = make_application()
    window = make_window()
    window.show()
    window.opening.open([str(image), str(labels)])
    while window.opening.is_busy or len(window.workspace.items) < 2:
        application.processEvents()
    (item,) = [item for item in window.workspace.items if item.location == str(labels)]
    window.sessions.edit(item)
    while window.canvas.painting.session is None:
        application.processEvents()
    QTest.qWait(50)
    rng = random.Random(seed)
    view = window.canvas.view.viewport()
    window.canvas.model.hand.tool = Tool.BRUSH
    changes: list[object] = []

    def note(box: object, labels: object) -> None:
        changes.append(box)

    window.canvas.painting.session.changed.connect(note)
    strokes = told = 0
    print("open", flush=True)
    while True:
        window.canvas.model.go_to(rng.randrange(SHAPE[0]))
        window.canvas.model.hand.label = rng.randrange(1, 20)
        xs = [rng.randrange(150, view.width() - 150) for _ in range(3)]
        places = [QPoint(x, rng.randrange(80, view.height() - 80)) for x in xs]
        QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, places[0])
        for place in places[1:]:
            QTest.mouseMove(view, place)
            application.processEvents()
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, places[-1])
        application.processEvents()
        strokes += 1
        # A stroke beside the image, or over voxels that have this label already, changes nothing.
        if len(changes) > told:
            told = len(changes)
            print("stroke", flush=True)
        if strokes % STROKES_PER_SAVE == 0:
            window.sessions.save()
            print("saved", flush=True)


def kill_once(labels: Path, image: Path, rng: random.Random) -> int:
    """Let the window paint for a random time, kill it, and return how many strokes it told of."""
    command = [sys.executable, "-m", "benchmarks.crash_window", "--paint", str(labels), "--image", str(image)]
    command += ["--seed", str(rng.randrange(2**30))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        opened = child.stdout.readline()
        if opened != "open\n":
            raise SystemExit(f"the window did not open: {opened!r}")
        time.sleep(rng.uniform(0.05, 1.5))
        child.send_signal(signal.SIGKILL)
        return child.stdout.read().split().count("stroke")


def journalled(labels: Path) -> list[Edit]:
    """Return every stroke that the journal holds, in order."""
    journal = Journal.open(labels / FILE_NAME)
    edits = [journal.edit(entry.id) for entry in journal.entries() if entry.kind is EntryKind.APPLY]
    journal.close()
    return edits


def replayed(edits: list[Edit]) -> np.ndarray:
    """Return the volume that the strokes alone make of an empty one."""
    array = np.zeros(SHAPE, np.uint32)
    for edit in edits:
        for patch in edit.patches:
            array[patch.box.slices][patch.selection()] = patch.after
    return array


def crash(kills: int, seed: int) -> dict[str, int]:
    """Kill the window many times; return what was painted, recovered and lost."""
    rng = random.Random(seed)
    counts = dict.fromkeys(("kills", "strokes", "recovered", "lost_beyond_last_stroke", "wrong_volumes"), 0)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["UNIEM_HOME"] = folder
        labels, image = Path(folder) / "labels.zarr", Path(folder) / "image.zarr"
        create_store(labels, SHAPE, "uint32", VoxelSize(50, 5, 5), Kind.LABELS).build_pyramid()
        grey = create_store(image, SHAPE, "uint8", VoxelSize(50, 5, 5), Kind.IMAGE)
        grey[:] = np.random.default_rng(seed).integers(60, 200, SHAPE, dtype=np.uint8)
        for _ in range(kills):
            told = counts["strokes"] + kill_once(labels, image, rng)
            session = ProofreadingSession.open(labels, "checker")
            voxels = session.volume.read(Box.of_shape(SHAPE)).copy()
            counts["recovered"] += session.recovered_edits
            session.close()
            edits = journalled(labels)
            counts["kills"] += 1
            counts["strokes"] = len(edits)
            counts["lost_beyond_last_stroke"] += max(0, told - len(edits))
            counts["wrong_volumes"] += not np.array_equal(voxels, replayed(edits))
    return counts


def main() -> None:
    """Read the flags; print the counts as JSON and end with 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--paint", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--image", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.paint:
        paint_for_ever(arguments.paint, arguments.image, arguments.seed)
        return
    counts = crash(arguments.kills, arguments.seed)
    print(json.dumps(counts, indent=2))
    sys.exit(int(bool(counts["lost_beyond_last_stroke"] or counts["wrong_volumes"])))


if __name__ == "__main__":
    main()
