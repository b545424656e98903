"""Kill the worker of a training with SIGKILL at any moment, again and again; count models lost or damaged.

Run `python -m benchmarks.crash_training`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from uniem.data.geometry import Triple, VoxelSize
from uniem.data.model_folder import ModelFolder
from uniem.data.store import create_store
from uniem.data.volume import Kind
from uniem.jobs.events import Ending, Phase
from uniem.jobs.queue import Job, JobQueue
from uniem.jobs.request import JobRequest
from uniem.operations.outputs import unfinished

SHAPE: Triple = (6, 128, 128)
LONGEST_S = 4.0
# A network that is judged all the time is saved all the time.
PARAMETERS = {
    "network": {"kind": "unet", "depth": 2, "base_features": 8},
    "patch_size": 64,
    "batch_size": 2,
    "validation_windows": 2,
    "validate_every": 2,
    "steps": 1_000_000,
    "device": "cpu",
}


def make_data(folder: Path, seed: int) -> dict[str, str]:
    """Make an image with discs and their labels; return where they are."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[1], : SHAPE[2]]
    truth = np.zeros(SHAPE, np.uint8)
    for _ in range(12):
        z, row, column = (rng.integers(0, n) for n in SHAPE)
        truth[z, (y - row) ** 2 + (x - column) ** 2 < 150] = 1
    image = create_store(folder / "image.zarr", SHAPE, np.uint8, VoxelSize(30, 4, 4), Kind.IMAGE)
    image[:] = np.where(truth, 70, 170) + rng.integers(0, 40, SHAPE)
    labels = create_store(folder / "labels.zarr", SHAPE, np.uint8, VoxelSize(30, 4, 4), Kind.LABELS)
    labels[:] = truth
    return {"image": str(image.path), "labels": str(labels.path)}


def wait_while_busy(queue: JobQueue) -> None:
    """Follow the jobs until none runs or waits."""
    while queue.is_busy:
        queue.poll()
        time.sleep(0.01)


def kill_once(queue: JobQueue, job: Job, place: Path, rng: random.Random) -> bool:
    """Kill a training a random time after its first step; return whether there was a model."""
    while not job.status.metrics and job.status.phase is not Phase.ENDED:
        queue.poll()
        time.sleep(0.01)
    time.sleep(rng.uniform(0.0, LONGEST_S))
    process = job.folder.worker_id
    if not process:
        raise SystemExit(f"the training ended by itself: {job.status.error}")
    os.kill(process, signal.SIGKILL)
    while job.is_alive():
        time.sleep(0.01)
    part = unfinished(place)
    return part is not None and ModelFolder.is_model(part)


def goes_on(queue: JobQueue, inputs: dict[str, str], place: Path, target: Path) -> bool:
    """Resume a training for two steps; return whether it became a model."""
    steps = ModelFolder.open(place).record.steps + 2
    request = JobRequest(
        operation="resume-2d",
        parameters={"steps": steps},
        inputs={**inputs, "start": str(place)},
        outputs={"model": str(target)},
    )
    job = queue.submit(request)
    wait_while_busy(queue)
    if job.status.ending is not Ending.FINISHED:
        print(f"{place.name}: {job.status.error} {job.status.hint}", file=sys.stderr)
        return False
    return ModelFolder.open(target).record.steps >= steps


def crash(kills: int, seed: int) -> dict[str, int]:
    """Kill many trainings; return how many had a model, and how many of those were lost or do not go on."""
    rng = random.Random(seed)
    counts = dict.fromkeys(("kills", "models", "lost", "damaged", "left_behind"), 0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["UNIEM_HOME"] = str(folder / "home")
        inputs = make_data(folder, seed)
        queue = JobQueue()
        for number in range(kills):
            place = folder / f"net-{number}.model"
            request = JobRequest(
                operation="train-2d", parameters=PARAMETERS, inputs=inputs, outputs={"model": str(place)}
            )
            job = queue.submit(request)
            had_model = kill_once(queue, job, place, rng)
            wait_while_busy(queue)
            is_kept = job.status.outputs == {"model": str(place)}
            counts["kills"] += 1
            counts["models"] += had_model
            counts["lost"] += had_model and not is_kept
            if is_kept:
                counts["damaged"] += not goes_on(queue, inputs, place, folder / f"further-{number}.model")
        counts["left_behind"] = sum(path.name.startswith(".") for path in folder.iterdir())
    return counts


def main() -> None:
    """Read the flags; print the counts as JSON and end with 1 if a model was lost or damaged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    counts = crash(arguments.kills, arguments.seed)
    print(json.dumps(counts, indent=2))
    sys.exit(int(bool(counts["lost"] or counts["damaged"] or counts["left_behind"])))


if __name__ == "__main__":
    main()
