"""How long splits take, and how much of the truth they find: two neighbours made one, then split again.

Run `python -m benchmarks.splits [--data FOLDER]`; the variable UNIEM_DATA names the folder of the real data,
`fib25_train_*.tif` and `pinky40_labels.tif`, too.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from contextlib import closing
from itertools import combinations
from pathlib import Path
from typing import Any

import edt
import numpy as np
from numpy.typing import NDArray

from uniem.data.formats import open_volume
from uniem.data.geometry import Box, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import ArrayVolume, Kind, Volume
from uniem.proofreading.session import ProofreadingSession
from uniem.proofreading.tools.contacts import neighbours
from uniem.proofreading.tools.parts import labels_after, split_through
from uniem.proofreading.tools.plane import Point
from uniem.proofreading.tools.split import cut_from_neighbours, split_by_seeds

BAR_S = 1.5
MERGED = 1


class Result:
    """The figures of several splits of one kind."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.walls, self.cpus, self.shares = list[float](), list[float](), list[float]()

    def show(self) -> None:
        """Print the figures beside the bar."""
        found = f", {np.mean(self.shares):6.1%} of the voxels right" if self.shares else ""
        print(
            f"{self.title:<44} {np.mean(self.walls):5.2f} s, at most {max(self.walls):5.2f} s "
            f"(bar {BAR_S} s), cpu {np.mean(self.cpus):5.2f} s, {len(self.walls)} times{found}",
            flush=True,
        )


def deep_points(mask: NDArray[np.bool_], count: int, rng: np.random.Generator) -> list[Point]:
    """Return some places deep inside an object, where a person would click."""
    depth = edt.edt(np.ascontiguousarray(mask))
    places = np.argwhere(depth > 0.6 * depth.max())
    chosen = places[rng.choice(len(places), count, replace=False)]
    return [(float(z), float(y), float(x)) for z, y, x in chosen]


def pairs(labels: NDArray[Any], count: int, least: int) -> list[tuple[int, int]]:
    """Return the largest pairs of objects that touch."""
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    large = np.argsort(sizes)[::-1][:40]
    volume, whole = ArrayVolume(labels, kind=Kind.LABELS), Box.of_shape(labels.shape)
    near = {int(label): neighbours(volume, int(label), [whole]) for label in large if sizes[label] >= least}
    touching = [(a, b) for a, b in combinations(near, 2) if b in near[a]]
    return sorted(touching, key=lambda pair: -sizes[pair[0]] - sizes[pair[1]])[:count]


def measure(
    title: str, folder: Path, labels: NDArray[Any], image: Volume | None, size: VoxelSize, points: int
) -> None:
    """Make one object of each pair, and split it by points, a line and from all its neighbours."""
    rng = np.random.default_rng(0)
    by_points, by_line = Result(f"{title}, {points} points a side"), Result(f"{title}, a line in 3D")
    cut_out = Result(f"{title}, cut from all neighbours")
    for number, pair in enumerate(pairs(labels, 8, 50_000)):
        path = folder / f"{title} {points} {number}.zarr"
        store = create_store(path, labels.shape, np.uint32, size, Kind.LABELS)
        store[:] = np.isin(labels, pair).astype(np.uint32) * MERGED
        with closing(ProofreadingSession.open(path, "benchmark")) as session:
            session.objects.scan()
            box, places = session.objects[MERGED].box, session.objects.boxes_of(MERGED)
            assert box is not None
            groups = [deep_points(labels == label, points, rng) for label in pair]
            given: dict[str, Any] = {"image": image, "places": places}
            begin, cpu = time.perf_counter(), time.process_time()
            edit = split_by_seeds(session.volume, MERGED, groups, box, session.next_label, **given)
            note(by_points, begin, cpu)
            after = labels_after(session.volume, edit, Box.of_shape(session.volume.shape))
            right = ((after == MERGED) & (labels == pair[0])) | ((after > MERGED) & (labels == pair[1]))
            by_points.shares.append(float(right.sum() / np.isin(labels, pair).sum()))
            line = across(groups[0][0], box)
            begin, cpu = time.perf_counter(), time.process_time()
            split_through(session.volume, MERGED, line, box, session.next_label, **given)
            note(by_line, begin, cpu)
            z, y, x = (int(p) for p in groups[1][0])
            begin, cpu = time.perf_counter(), time.process_time()
            cut_from_neighbours(session.volume, MERGED, (z, y, x), box, session.next_label, **given)
            note(cut_out, begin, cpu)
    for result in (by_points, by_line, cut_out):
        result.show()


def across(point: Point, box: Box) -> list[Point]:
    """Return a line through the section of a point, from one side of a box to the other."""
    z, _, x = point
    return [(z, float(box.start[1] - 1), x), (z, float(box.stop[1]), x)]


def note(result: Result, begin: float, cpu: float) -> None:
    """Add the time since a beginning."""
    result.walls.append(time.perf_counter() - begin)
    result.cpus.append(time.process_time() - cpu)


def crop(labels: NDArray[Any], side: int) -> NDArray[Any]:
    """Return a cube around the middle of the largest object."""
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    middle = np.median(np.argwhere(labels == sizes.argmax()), axis=0).astype(int)
    starts = [int(np.clip(m - side // 2, 0, n - side)) for m, n in zip(middle, labels.shape, strict=True)]
    return np.ascontiguousarray(labels[tuple(slice(start, start + side) for start in starts)])


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("UNIEM_DATA"))
    arguments, _ = parser.parse_known_args()
    if not arguments.data:
        print("Name the folder of the real data with --data: there is nothing to split else.")
        return
    data = Path(arguments.data)
    neurons = open_volume(str(data / "fib25_train_neurons.tif"))[:]
    raw = open_volume(str(data / "fib25_train_raw.tif"))
    pinky = crop(open_volume(str(data / "pinky40_labels.tif"))[:], 300)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for points in (1, 5):
            measure("FIB-25 with its image", folder, neurons, raw, VoxelSize(10, 10, 10), points)
        measure("FIB-25 by shape", folder, neurons, None, VoxelSize(10, 10, 10), 5)
        measure("pinky40, 300³, by shape", folder, pinky, None, VoxelSize(40, 32, 32), 3)


if __name__ == "__main__":
    main()
