"""How long a worker takes from being started to having built its network, ready to train."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from uniem.data.store import create_store
from uniem.data.volume import Kind
from uniem.jobs.folder import JobFolder
from uniem.jobs.launch import start
from uniem.jobs.request import JobRequest

# Limit of issue 6.
BAR_S = 8.0
ROUNDS = 3
LONGEST_S = 120.0
SHAPE = (4, 512, 512)
# What a worker says when the network stands and the first step may begin.
READY = "Training in "


def make_data(folder: Path) -> dict[str, str]:
    """Write a stack of noise and labels of squares; return their places."""
    rng = np.random.default_rng(0)
    image = create_store(folder / "image.zarr", SHAPE, np.uint8, None, Kind.IMAGE)
    image[:] = rng.integers(0, 255, SHAPE, np.uint8)
    labels = create_store(folder / "labels.zarr", SHAPE, np.uint8, None, Kind.LABELS)
    labels[:] = np.kron(rng.random((4, 32, 32)) < 0.2, np.ones((1, 16, 16))).astype(np.uint8)
    return {"image": str(image.path), "labels": str(labels.path)}


def seconds_to_ready(folder: Path, inputs: dict[str, str]) -> float:
    """Start a worker for a training with the default network, end it when it is ready, and return when."""
    request = JobRequest(operation="train-2d", inputs=inputs, outputs={"model": str(folder / "model")})
    job = JobFolder.create(folder / "jobs", request)
    begun = time.perf_counter()
    worker = start(job)
    try:
        while not any(READY in getattr(event, "text", "") for event in job.tail()[0]):
            if worker.exit_code() is not None or time.perf_counter() - begun > LONGEST_S:
                raise SystemExit(f"the worker was never ready:\n{job.log_tail(30)}")
            time.sleep(0.01)
        return time.perf_counter() - begun
    finally:
        worker.kill()
        while worker.exit_code() is None:
            time.sleep(0.01)


def main(say: Callable[[str], object] = sys.stdout.write) -> None:
    """Print the median time of several starts."""
    times = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            times.append(seconds_to_ready(Path(folder), make_data(Path(folder))))
    middle = statistics.median(times)
    missed = "   MISSED" if middle > BAR_S else ""
    say(f"network built after {middle:.1f} s (median), at most {max(times):.1f} s (bar {BAR_S:g}){missed}\n")


if __name__ == "__main__":
    main()
