"""A worker that trains is killed: the model is kept, and the training goes on from it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.jobs.test_queue import wait, wait_idle
from uniem.cli.job_report import look_at, report_json
from uniem.data.geometry import VoxelSize
from uniem.data.model_folder import ModelFolder
from uniem.data.store import create_store
from uniem.data.volume import Kind
from uniem.jobs.queue import JobQueue
from uniem.jobs.request import JobRequest
from uniem.operations.outputs import unfinished

SHAPE, SIZE = (4, 64, 64), VoxelSize(30, 4, 4)


@pytest.fixture
def queue(home: Path) -> Iterator[JobQueue]:
    queue = JobQueue(grace_s=1.0)
    yield queue
    queue.grace_s = 0
    queue.stop_all()


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_the_model_of_a_killed_training_is_kept_and_resumed(queue: JobQueue, tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    truth = chance.random(SHAPE) < 0.3
    image = create_store(tmp_path / "image.zarr", SHAPE, np.uint8, SIZE, Kind.IMAGE)
    image[:] = np.where(truth, 60, 180) + chance.integers(0, 20, SHAPE)
    labels = create_store(tmp_path / "labels.zarr", SHAPE, np.uint8, SIZE, Kind.LABELS)
    labels[:] = truth
    inputs = {"image": str(image.path), "labels": str(labels.path)}
    place = tmp_path / "net.model"
    request = JobRequest(
        operation="train-2d",
        parameters={
            "network": {"kind": "unet", "depth": 1, "base_features": 4},
            "patch_size": 32,
            "batch_size": 2,
            "device": "cpu",
            "steps": 100_000,
            "validate_every": 2,
        },
        inputs=inputs,
        outputs={"model": str(place)},
    )
    job = queue.submit(request)

    def is_saved() -> bool:
        part = unfinished(place)
        return part is not None and (part / "resume.npz").is_file()

    wait(queue, is_saved)
    assert job.folder.worker_id
    os.kill(job.folder.worker_id, signal.SIGKILL)
    assert job.worker is not None
    while job.worker.exit_code() is None:
        time.sleep(0.02)
    # Who only looks moves nothing.
    part = unfinished(place)
    for _ in range(2):
        seen = report_json(look_at(job.folder.path))
        assert (seen["ending"], seen["left"]) == ("lost", {"model": str(part)})
    wait_idle(queue)
    assert (job.status.ending, job.status.outputs) == ("lost", {"model": str(place)})
    assert unfinished(place) is None
    record = ModelFolder.open(place).record
    assert record.best["val_f1"] > 0

    # As the next session sees it, with the time at which it died.
    again = JobQueue()
    wait(again, lambda: again.jobs[0].has_ended)
    assert (again.jobs[0].status.ending, again.jobs[0].status.outputs) == ("lost", {"model": str(place)})
    assert again.jobs[0].status.ended == job.status.ended

    steps = record.steps + 3
    resumed = queue.submit(
        JobRequest(
            operation="resume-2d",
            parameters={"steps": steps},
            inputs={**inputs, "start": str(place)},
            outputs={"model": str(tmp_path / "further.model")},
        )
    )
    wait_idle(queue)
    assert resumed.status.ending == "finished", resumed.status
    assert ModelFolder.open(tmp_path / "further.model").record.steps == steps
