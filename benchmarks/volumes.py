"""Import, reading and export of large volumes, each against its bar; every measurement is a fresh process."""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SHAPE = (128, 4096, 4096)  # 2 GB of 8 bits
VAST_SHAPE = (400, 16384, 16384)  # 107 GB
NM = (40.0, 4.0, 4.0)
ROUNDS = 3
SECTIONS = 8


def make_stack(folder: Path) -> dict[str, float]:
    """Write a TIFF stack of noise, which nothing compresses."""
    import tifffile

    rng = np.random.default_rng(0)
    sections = (rng.integers(0, 256, SHAPE[1:], np.uint8) for _ in range(SHAPE[0]))
    tifffile.imwrite(folder / "stack.tif", sections, shape=SHAPE, dtype=np.uint8, bigtiff=True)
    return {}


def import_ours(folder: Path) -> dict[str, float]:
    """Import the stack into a store with its pyramid, as `convert` does."""
    from uniem.data.formats import open_volume
    from uniem.data.importing import import_volume

    before, begun = _peak_mb(), time.perf_counter()
    store = import_volume(open_volume(folder / "stack.tif"), folder / "import")
    seconds = time.perf_counter() - begun
    shutil.rmtree(folder / "store.zarr", ignore_errors=True)
    store.path.rename(folder / "store.zarr")
    shutil.rmtree(folder / "import")
    return {"seconds": seconds, "memory_mb": _peak_mb() - before}


def import_by_hand(folder: Path) -> dict[str, float]:
    """Read the stack with tifffile and write it with TensorStore: the same chunks, no pyramid."""
    import tensorstore as ts
    import tifffile

    from uniem.data.store import CHUNK_SHAPE

    begun = time.perf_counter()
    array = tifffile.imread(folder / "stack.tif")
    grid = {"name": "regular", "configuration": {"chunk_shape": list(CHUNK_SHAPE)}}
    spec = {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": str(folder / "hand")},
        "metadata": {"shape": list(SHAPE), "data_type": "uint8", "chunk_grid": grid},
    }
    ts.open(spec, create=True).result().write(array).result()
    seconds = time.perf_counter() - begun
    shutil.rmtree(folder / "hand")
    return {"seconds": seconds}


def export_ours(folder: Path) -> dict[str, float]:
    """Export the store as a TIFF stack."""
    from uniem.data.formats import export_volume
    from uniem.data.store import open_store

    before, begun = _peak_mb(), time.perf_counter()
    export_volume(open_store(folder / "store.zarr"), folder / "ours.tif")
    seconds = time.perf_counter() - begun
    (folder / "ours.tif").unlink()
    return {"seconds": seconds, "memory_mb": _peak_mb() - before}


def export_by_hand(folder: Path) -> dict[str, float]:
    """Read the store whole with TensorStore and write it with tifffile; only the writing is `written`."""
    import tensorstore as ts
    import tifffile

    begun = time.perf_counter()
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": str(folder / "store.zarr" / "0")}}
    array = ts.open(spec).result().read().result()
    written = time.perf_counter()
    tifffile.imwrite(folder / "hand.tif", array, imagej=True, metadata={"axes": "ZYX"})
    ended = time.perf_counter()
    (folder / "hand.tif").unlink()
    return {"seconds": ended - begun, "written": ended - written}


def read_sections(folder: Path) -> dict[str, float]:
    """Read sections of the store after its files were dropped from the page cache, and once more."""
    from uniem.data.store import CHUNK_SHAPE, open_store

    _forget_files(folder / "store.zarr")
    store = open_store(folder / "store.zarr")
    cold, warm = [], []
    for z in range(0, SECTIONS * CHUNK_SHAPE[0], CHUNK_SHAPE[0]):
        cold.append(_seconds(lambda z=z: store[z]))  # type: ignore[misc]
        warm.append(_seconds(lambda z=z: store[z]))  # type: ignore[misc]
    return {"cold": statistics.median(cold), "warm": statistics.median(warm)}


def first_picture(folder: Path) -> dict[str, float]:
    """Open the stack, unread before, and read its middle section, as the window does first."""
    from uniem.data.formats import open_volume

    _forget_files(folder)
    begun = time.perf_counter()
    _ = open_volume(folder / "stack.tif")[SHAPE[0] // 2]
    return {"seconds": time.perf_counter() - begun}


def make_vast(folder: Path) -> dict[str, float]:
    """Make a store of 107 GB of which hardly a chunk was written."""
    from uniem.data.geometry import VoxelSize
    from uniem.data.store import create_store
    from uniem.data.volume import Kind

    store = create_store(folder / "vast.zarr", VAST_SHAPE, "uint8", VoxelSize(*NM), Kind.IMAGE)
    store.add_levels()
    middle = VAST_SHAPE[0] // 2
    store[middle : middle + 8, 8000:9000, 8000:9000] = np.full((8, 1000, 1000), 99, np.uint8)
    return {}


def open_vast(folder: Path) -> dict[str, float]:
    """Open the vast store, read its coarsest section and a screenful at full resolution."""
    before, begun = _peak_mb(), time.perf_counter()
    from uniem.data.formats import open_volume

    volume = open_volume(folder / "vast.zarr")
    coarsest = volume.levels[-1]
    _ = coarsest[coarsest.shape[0] // 2]
    middle = VAST_SHAPE[0] // 2
    assert volume[middle : middle + 1, 7500:8700, 7000:9000].max() == 99
    return {"seconds": time.perf_counter() - begun, "memory_mb": _peak_mb() - before}


def _seconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _forget_files(folder: Path) -> None:
    """Ask the system to drop files from its cache, so that they are read from the disk."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _warm(path: Path) -> None:
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def _measured(deed: Callable[[Path], dict[str, float]], folder: Path) -> dict[str, float]:
    """Do a deed in a process of its own once what was written before is on the disk."""
    os.sync()
    command = [sys.executable, "-m", "benchmarks.volumes", deed.__name__, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _medians(folder: Path, *deeds: Callable[[Path], dict[str, float]]) -> list[dict[str, float]]:
    """Measure deeds in turn, the other way round every second time."""
    runs: dict[str, list[dict[str, float]]] = {deed.__name__: [] for deed in deeds}
    for turn in range(ROUNDS):
        for deed in deeds if turn % 2 == 0 else reversed(deeds):
            runs[deed.__name__].append(_measured(deed, folder))
    return [
        {key: statistics.median(run[key] for run in runs[deed.__name__]) for key in runs[deed.__name__][0]}
        for deed in deeds
    ]


def _tell(what: str, value: float, bar: float, unit: str, how: str = "") -> None:
    verdict = "ok" if value <= bar else "OVER"
    print(f"{what:34} {value:8.2f} {unit:5} (bar {bar:g}) {verdict:5} {how}", flush=True)


def main() -> None:
    """Print every number against its bar; 7 GB of disk are needed for a while."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _measured(make_stack, folder)
        (seen,) = _medians(folder, first_picture)
        _tell("first picture of a 2 GB TIFF", seen["seconds"], 3, "s")
        _warm(folder / "stack.tif")
        ours, hand = _medians(folder, import_ours, import_by_hand)
        how = f"{ours['seconds']:.1f} s with pyramid, by hand {hand['seconds']:.1f} s without one"
        _tell("import of a 2 GB TIFF", ours["seconds"] / hand["seconds"], 1.5, "times", how)
        _tell("memory of that import", ours["memory_mb"], 1000, "MB")
        (read,) = _medians(folder, read_sections)
        _tell("section of 4096^2, cold", read["cold"] * 1000, 150, "ms")
        _tell("section of 4096^2, warm", read["warm"] * 1000, 20, "ms")
        ours, hand = _medians(folder, export_ours, export_by_hand)
        how = f"{ours['seconds']:.1f} s, by hand {hand['seconds']:.1f} s, tifffile {hand['written']:.1f} s"
        _tell("export to TIFF, to reading by hand", ours["seconds"] / hand["seconds"], 1.2, "times", how)
        _tell("export to TIFF, to tifffile alone", ours["seconds"] / hand["written"], 1.2, "times")
        _tell("memory of that export", ours["memory_mb"], 1000, "MB")
        _measured(make_vast, folder)
        (vast,) = _medians(folder, open_vast)
        _tell("opening a sparse store of 107 GB", vast["seconds"], 3, "s", "imports and pictures included")
        _tell("memory of that opening", vast["memory_mb"], 500, "MB")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(globals()[sys.argv[1]](Path(sys.argv[2]))))
    else:
        main()
