"""How long merges, splits, undo, opening and the object table take: the bars of proofreading.

Run `python -m benchmarks.proofreading [--data FOLDER]`; without the folder of `pinky40_labels.tif`, which
the variable UNIEM_DATA names too, only made volumes are used.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from uniem.data.formats import open_volume
from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import Kind
from uniem.proofreading.edits import Edit
from uniem.proofreading.journal import FILE_NAME
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.brush import Stroke, paint
from uniem.proofreading.tools.split import split_by_seeds
from uniem.proofreading.tools.whole_objects import merge_objects

SIDE = 2048
EDITS = 10_000


def report(title: str, seconds: float, most: float, note: str = "") -> None:
    """Print a time beside its bar."""
    print(f"{title:<58} {seconds * 1e3:9.1f} ms   (bar {most * 1e3:6.0f} ms)   {note}", flush=True)


def timed(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


@contextmanager
def opened(path: Path) -> Iterator[ProofreadingSession]:
    session = ProofreadingSession.open(path, "benchmark")
    try:
        yield session
    finally:
        session.close()


def sections(session: ProofreadingSession) -> None:
    """Read what three views of 1024² show."""
    volume = session.volume
    z, y, x = (n // 2 for n in volume.shape)
    height, width = min(1024, volume.shape[1]), min(1024, volume.shape[2])
    depth = min(1024, volume.shape[0])
    volume.read(Box((z, 0, 0), (z + 1, height, width)))
    volume.read(Box((0, y, 0), (depth, y + 1, width)))
    volume.read(Box((0, 0, x), (depth, height, x + 1)))


def measure_merge(session: ProofreadingSession, name: str) -> None:
    """Merge the two largest objects, look, undo, write, undo what is written."""
    session.objects.scan()
    columns = session.objects.columns()
    second, first = columns.ids[np.argsort(columns.voxels)[-2:]].tolist()
    plain = timed(lambda: sections(session))
    plain = min(plain, timed(lambda: sections(session)))

    def merge() -> None:
        edit = merge_objects(session.objects, second, [first])
        assert edit is not None
        session.apply(edit)

    note = f"{session.objects[first].voxels:,} + {session.objects[second].voxels:,} voxels"
    took = timed(merge)
    report(f"{name}: merge the two largest objects", took, 0.1, note)
    looked = timed(lambda: sections(session))
    report(
        f"{name}: ... and read three sections", took + looked, 0.1, f"(reading alone {plain * 1e3:.0f} ms)"
    )
    report(f"{name}: undo it at once", timed(session.undo), 0.2)
    merge()
    writing, steps, begin = session.write_steps(), list[float](), time.perf_counter()
    for _ in writing:
        steps.append(time.perf_counter() - begin)
        begin = time.perf_counter()
    found = f"{len(steps)} steps of {np.median(steps) * 1e3:.1f} ms, at most {max(steps) * 1e3:.0f} ms"
    print(f"{name + ': written in the background':<58} {found}", flush=True)
    report(f"{name}: undo it when it is written", timed(session.undo), 0.2)
    report(f"{name}: ... and redo it", timed(session.redo), 0.2)
    report(f"{name}: save it", timed(session.save), 60)
    report(f"{name}: undo it when it is saved", timed(session.undo), 0.2)
    report(f"{name}: go back to the beginning", timed(lambda: session.go_to(0)), 1)


def measure_split(folder: Path) -> None:
    """Split two touching balls in a box of 300³."""
    path = folder / "split.zarr"
    z, y, x = np.ogrid[:300, :300, :300]
    first, second = ((z - 150) ** 2 + (y - 150) ** 2 + (x - c) ** 2 <= 90**2 for c in (90, 210))
    store = create_store(path, (300, 300, 300), np.uint32, VoxelSize(8, 8, 8), Kind.LABELS)
    store[:] = np.where(first | second, np.uint32(7), np.uint32(0))
    store.build_pyramid()
    with opened(path) as session:
        session.objects.scan()
        seeds = [[(150.0, 150.0, 90.0)], [(150.0, 150.0, 210.0)]]
        made: list[Edit] = []

        def split() -> None:
            made.append(
                split_by_seeds(session.volume, 7, seeds, Box.of_shape((300, 300, 300)), session.next_label)
            )

        took = timed(split)
        report("split an object in 300³: found", took, 1.5)
        report(
            "split an object in 300³: found and applied", took + timed(lambda: session.apply(made[0])), 1.5
        )
        report("split an object in 300³: undo", timed(session.undo), 0.2)
        report("split an object in 300³: redo", timed(session.redo), 0.2)
        for _ in session.write_steps():
            pass
        report("split an object in 300³: undo when it is written", timed(session.undo), 0.2)


def sparse_volume(path: Path) -> None:
    """Make a volume of 2048³ with two long objects and many small ones."""
    store = create_store(path, (SIDE, SIDE, SIDE), np.uint32, VoxelSize(8, 8, 8), Kind.LABELS)
    rng = np.random.default_rng(0)
    for z in range(0, SIDE, 8):
        block = np.zeros((8, 256, 256), np.uint32)
        block[:, 20:120], block[:, 120:220] = 1, 2
        y = z // 8 % 8 * 256
        store.write(Box((z, y, 0), (z + 8, y + 256, 256)), block)
    for label in range(3, 300):
        z, y, x = (8 * int(rng.integers(0, SIDE // 8)), *(int(n) for n in rng.integers(0, SIDE - 64, 2)))
        store.write(Box((z, y, x), (z + 8, y + 64, x + 64)), np.full((8, 64, 64), label, np.uint32))
    store.add_levels()


def measure_many_edits(path: Path, name: str) -> None:
    """Paint 10,000 strokes, leave them unsaved, and open the volume again."""
    rng = np.random.default_rng(1)
    with opened(path) as session:
        session.objects.scan()
        shape = session.volume.shape
        for _ in range(EDITS):
            z, y, x = (int(rng.integers(0, n)) for n in shape)
            way = tuple((float(z), float(y + 9 * i), float(x + 4 * i)) for i in range(5))
            edit = paint(session.volume, Stroke(way, 8), int(rng.integers(1, 300)))
            session.apply(edit or Edit("Nothing", ()))
    files = sum(file.stat().st_size for file in path.glob(FILE_NAME + "*"))
    print(f"{name + ': journal of 10,000 strokes':<58} {files / 1e6:9.1f} MB   (bar     50 MB)")
    sessions: list[ProofreadingSession] = []
    report(
        f"{name}: open with 10,000 unsaved strokes",
        timed(lambda: sessions.append(ProofreadingSession.open(path))),
        2,
    )
    report(f"{name}: ... list them", timed(sessions[0].timeline.edits), 1)
    first = sessions[0].timeline.edits()[EDITS // 2].id
    report(f"{name}: ... go back by 5,000", timed(lambda: sessions[0].go_to(first)), 2)
    report(f"{name}: ... save", timed(sessions[0].save), 60)
    sessions[0].close()
    report(
        f"{name}: open with 10,000 saved strokes", timed(lambda: ProofreadingSession.open(path).close()), 2
    )


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("UNIEM_DATA"))
    arguments, _ = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        measure_split(folder)
        sparse_volume(folder / "sparse.zarr")
        with opened(folder / "sparse.zarr") as session:
            measure_merge(session, "2048³")
        measure_many_edits(folder / "sparse.zarr", "2048³")
        if arguments.data:
            store = create_store(
                folder / "pinky.zarr", (512, 512, 512), np.uint32, VoxelSize(40, 8, 8), Kind.LABELS
            )
            source = open_volume(str(arguments.data / "pinky40_labels.tif"))
            for z in range(0, 512, 64):
                store[z : z + 64] = source[z : z + 64].astype(np.uint32)
            store.build_pyramid()
            with opened(folder / "pinky.zarr") as session:
                measure_merge(session, "pinky40")
            measure_many_edits(folder / "pinky.zarr", "pinky40")


if __name__ == "__main__":
    main()
