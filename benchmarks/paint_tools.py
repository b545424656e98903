"""How much processor time each paint tool takes on a store that is being edited, and what the journal keeps.

The times are those between the gesture's end and the edit's being applied, without any window.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind
from uniem.proofreading.edits import Edit
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.between import copy_shape, interpolate
from uniem.proofreading.tools.brush import GrayRange, Stroke, Tip, paint
from uniem.proofreading.tools.fill import fill_gray, fill_holes, fill_labels
from uniem.proofreading.tools.lasso import paint_polygon
from uniem.proofreading.tools.plane import Plane
from uniem.proofreading.tools.reshape import grow, smooth
from uniem.proofreading.tools.split import split_by_seeds
from uniem.proofreading.tools.supervoxels import make_supervoxels, paint_supervoxels

SHAPE = (64, 4096, 4096)
SIZE = VoxelSize(50, 5, 5)
Gesture = Callable[[], Edit | None]


def report(title: str, times: list[float], note: str = "") -> None:
    median, high = np.percentile(np.array(times) * 1e3, (50, 95))
    print(f"{title:<44} median {median:8.2f} ms   p95 {high:8.2f} ms   {note}")


def timed(action: Callable[[], object]) -> float:
    begin = time.process_time()
    action()
    return time.process_time() - begin


def measure(session: ProofreadingSession, title: str, gestures: Sequence[Gesture]) -> None:
    """Print the time of making the edits, of applying and undoing them, and their bytes."""
    making, applying, undoing, sizes, voxels = [], [], [], [], []
    for gesture in gestures:
        begin = time.process_time()
        edit = gesture()
        making.append(time.process_time() - begin)
        if edit is None:
            raise SystemExit(f"{title}: nothing changed")
        begin = time.process_time()
        session.apply(edit)
        applying.append(time.process_time() - begin)
        sizes.append(len(edit.to_bytes()))
        voxels.append(sum(patch.count for patch in edit.patches))
        undoing.append(timed(session.undo))
        session.redo()
    report(title, making, f"({np.mean(voxels):,.0f} voxels)")
    report("   its edit applied", applying, f"({np.mean(sizes):,.0f} bytes in the journal)")
    report("   and undone", undoing)


def round_image(depth: int, side: int) -> ArrayVolume:
    noise = gaussian_filter(np.random.default_rng(0).random((depth, side, side), dtype=np.float32), (0, 6, 6))
    return ArrayVolume(((noise - noise.min()) / np.ptp(noise) * 255).astype(np.uint8), SIZE)


def measure_brushes(session: ProofreadingSession) -> None:
    rng = np.random.default_rng(0)
    for diameter, rounds in ((64, 40), (256, 20), (2000, 5)):
        for tip in Tip:
            strokes = [
                Stroke(((float(z), *rng.integers(1000, 3000, 2).tolist()),), diameter / 2, tip=tip)
                for z in rng.integers(0, 64, rounds if tip is Tip.DISC else max(1, rounds // 5))
            ]
            gestures = [
                (lambda s=s, label=100 + i: paint(session.volume, s, label)) for i, s in enumerate(strokes)
            ]
            measure(
                session,
                f"{tip} of {diameter} px",
                gestures[: 1 if diameter > 1000 and tip is Tip.BALL else None],
            )
    way = tuple((5.0, 2000 + 900 * np.sin(t), 2000 + 900 * np.cos(t)) for t in np.linspace(0, 6, 400))
    measure(session, "stroke of 400 points, 40 px", [lambda: paint(session.volume, Stroke(way, 20), 7)])
    across = Stroke(((30.0, 100.0, 1000.0), (30.0, 100.0, 1400.0)), 128, Plane.XZ)
    measure(session, "stroke of 256 px in xz", [lambda: paint(session.volume, across, 8)])


def measure_regions(session: ProofreadingSession, image: ArrayVolume) -> None:
    volume = session.volume
    section = Plane.XY.section(20, SHAPE)
    disc = paint(volume, Stroke(((20.0, 1000.0, 1000.0),), 512), 11)
    assert disc is not None
    session.apply(disc)
    angles = np.linspace(0, 2 * np.pi, 2000)
    outline = [(21.0, 1500 + 500 * np.sin(t), 1500 + 500 * np.cos(3 * t)) for t in angles]
    measure(session, "lasso of 2000 points, 1000 px wide", [lambda: paint_polygon(volume, outline, 12)])
    measure(
        session,
        "fill of a label 1024 px wide",
        [lambda: fill_labels(volume, (20, 1000, 1000), 13, within=section)],
    )
    box = Box((20, 400, 400), (21, 1600, 1600))
    measure(
        session,
        "fill by gray, tolerance 60, in a 1200² box",
        [lambda: fill_gray(volume, image, (20, 700, 700), 60, 14, within=box)],
    )
    whole = Box((16, 400, 400), (24, 1600, 1600))
    measure(
        session,
        "fill of background in 3D, 8 x 1200²",
        [lambda: fill_labels(volume, (23, 500, 500), 15, within=whole)],
    )
    measure(session, "grow by 25 nm in a section", [lambda: grow(volume, 14, box, 25, plane=Plane.XY)])
    measure(session, "smooth by 50 nm in a section", [lambda: smooth(volume, 14, box, 50, plane=Plane.XY)])
    gray = GrayRange(image, 0, 120)
    stroke = Stroke(((25.0, 2000.0, 2000.0),), 128)
    measure(session, "dab of 256 px by gray", [lambda: paint(volume, stroke, 16, gray=gray)])
    speckled = paint(volume, Stroke(((26.0, 1000.0, 1000.0),), 512), 17, gray=gray)
    assert speckled is not None
    session.apply(speckled)
    around = Box((26, 480, 480), (27, 1520, 1520))
    measure(session, "holes in a section, 1024²", [lambda: fill_holes(volume, 17, around, plane=Plane.XY)])


def measure_sections(session: ProofreadingSession) -> None:
    """Two shapes of 1024², eleven sections apart: ten are made."""
    volume = session.volume
    for z, y, x, radius in ((40, 2000, 2000, 511), (51, 2060, 1960, 400)):
        edit = paint(volume, Stroke(((float(z), float(y), float(x)),), radius), 21)
        assert edit is not None
        session.apply(edit)
    box = Box((40, 1400, 1400), (52, 2600, 2600))
    measure(session, "interpolate 10 sections of 1024²", [lambda: interpolate(volume, 21, box)])
    measure(
        session, "copy a shape of 1024² to the next section", [lambda: copy_shape(volume, 21, 51, [52], box)]
    )


def measure_supervoxels(session: ProofreadingSession, image: ArrayVolume) -> None:
    box = Box((55, 1000, 1000), (56, 2024, 2024))
    slab = Box((52, 1000, 1000), (60, 1512, 1512))
    report(
        "supervoxels of 16 px in 1024²", [timed(lambda: make_supervoxels(image, box, 16)) for _ in range(3)]
    )
    report("supervoxels of 16 px in 8 x 512²", [timed(lambda: make_supervoxels(image, slab, 16))])
    made = make_supervoxels(image, box, 16)
    stroke = Stroke(((55.0, 1200.0, 1200.0), (55.0, 1600.0, 1700.0)), 4)
    measure(
        session,
        "supervoxels under a line painted",
        [lambda: paint_supervoxels(session.volume, made, stroke, 31)],
    )


def measure_split() -> None:
    """Two balls with a wide contact and a dark line between them, in a box of 300³ voxels."""
    z, y, x = np.ogrid[:300, :300, :300]
    first, second = ((z - 150) ** 2 + (y - 150) ** 2 + (x - c) ** 2 <= 90**2 for c in (90, 210))
    labels = ArrayVolume(np.where(first | second, np.uint32(7), np.uint32(0)), SIZE, Kind.LABELS)
    gray = np.random.default_rng(0).integers(120, 200, (300, 300, 300), np.uint8)
    gray[:, :, 148:152] = 50
    seeds = [[(150.0, 150.0, 90.0)], [(150.0, 150.0, 210.0)]]
    box = Box.of_shape(labels.shape)

    def split() -> Edit:
        return split_by_seeds(labels, 7, seeds, box, lambda: 8, image=ArrayVolume(gray))

    report("split by seeds in 300³", [timed(split) for _ in range(3)])


def main() -> None:
    """Print every figure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.zarr"
        create_store(path, SHAPE, np.uint32, SIZE, Kind.LABELS)
        session = ProofreadingSession.open(path, "benchmark")
        session.objects.scan()
        section = round_image(1, 4096).array
        image = ArrayVolume(np.broadcast_to(section, SHAPE), SIZE)
        measure_sections(session)
        measure_regions(session, image)
        measure_supervoxels(session, image)
        measure_brushes(session)
        measure_split()
        session.close()


if __name__ == "__main__":
    main()
