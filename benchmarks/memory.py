"""Peak memory of every operation on a 2 GB volume, less its peak on a tiny one (libraries and network)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from uniem.data.geometry import Triple, VoxelSize
from uniem.data.store import create_store
from uniem.data.volume import Kind

LARGE: Triple = (128, 4096, 4096)
TINY: Triple = (8, 256, 256)
BAR_MB = 1000
NETWORK = ["--network.kind", "unet", "--network.depth", "1", "--network.base-features", "2"]


def write_volumes(folder: Path, shape: Triple) -> None:
    """Write a noisy image and a grid of label cubes, section slab by slab."""
    rng = np.random.default_rng(0)
    image = create_store(folder / "image.zarr", shape, "uint8", VoxelSize(40, 4, 4), Kind.IMAGE)
    labels = create_store(folder / "labels.zarr", shape, "uint32", VoxelSize(40, 4, 4), Kind.LABELS)
    mask = create_store(folder / "mask.zarr", shape, "uint8", VoxelSize(40, 4, 4), Kind.LABELS)
    y, x = np.mgrid[: shape[1], : shape[2]]
    inside = (y % 128 < 90) & (x % 128 < 90)
    ids = ((y // 128) * (shape[2] // 128) + x // 128 + 1).astype(np.uint32) * inside
    for z in range(0, shape[0], 8):
        image[z : z + 8] = rng.integers(0, 200, (8, *shape[1:]), dtype=np.uint8) // 2 + inside * np.uint8(60)
        labels[z : z + 8] = np.broadcast_to(ids + (z // 32) * 2**16 * inside, (8, *shape[1:]))
        mask[z : z + 8] = np.broadcast_to(inside, (8, *shape[1:]))


def peak_mb(folder: Path, *arguments: str) -> float:
    """Run the command line in a process of its own and return its peak resident memory."""
    command = [sys.executable, "-m", "uniem", *arguments]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{' '.join(arguments)} failed")
    return usage.ru_maxrss / 1024


def commands() -> dict[str, list[str]]:
    """Return the command line of every operation."""
    train = ["--steps", "20", "--patch-size", "128", *NETWORK]
    return {
        "convert": ["convert", "image.zarr", "copy.zarr"],
        "convert to tiff": ["convert", "image.zarr", "copy.tif"],
        "normalise": ["normalise", "image.zarr", "normalised.zarr"],
        "gaussian": ["gaussian", "image.zarr", "blurred.zarr", "--sigma-z", "1"],
        "clahe": ["clahe", "image.zarr", "clahe.zarr"],
        "threshold": ["threshold", "image.zarr", "threshold.zarr"],
        "label": ["label", "mask.zarr", "components.zarr"],
        "measure": ["measure", "labels.zarr", "objects.csv"],
        "evaluate": ["evaluate", "mask.zarr", "labels.zarr", "scores.csv"],
        "mesh": ["mesh", "labels.zarr", "meshes", "--ids", "1,2,3,4"],
        "train-2d": ["train-2d", "image.zarr", "labels.zarr", "model", *train],
        # Tiles of one size, so that the network itself takes the same memory on both.
        "infer-2d": ["infer-2d", "image.zarr", "model", "probability.zarr", "--tile-size", "256"],
    }


def main(wanted: Sequence[str] = ()) -> None:
    """Print, for every operation or those named, the two peaks and their difference against the bar."""
    with tempfile.TemporaryDirectory() as name:
        folders = {"tiny": Path(name) / "tiny", "large": Path(name) / "large"}
        for size, folder in folders.items():
            folder.mkdir()
            # In a process of its own: a child's peak counts from the size of the parent that started it.
            subprocess.run([sys.executable, "-m", "benchmarks.memory", size, folder], check=True)
        for title, command in commands().items():
            if wanted and title.split()[0] not in wanted:
                continue
            base, peak = (peak_mb(folder, *command) for folder in folders.values())
            verdict = "ok" if peak - base < BAR_MB else "OVER"
            print(
                f"{title:16} {base:7.0f} MB tiny, {peak:7.0f} MB at 2 GB: +{peak - base:5.0f} MB {verdict}",
                flush=True,
            )


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in ("tiny", "large"):
        write_volumes(Path(sys.argv[2]), TINY if sys.argv[1] == "tiny" else LARGE)
    else:
        main(sys.argv[1:])
