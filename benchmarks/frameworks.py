"""A training step and an answer of U-Net BN by the framework that this process uses: set KERAS_BACKEND."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import islice

import numpy as np

from benchmarks.training import bare, make_data, settings_of
from uniem.networks.backend import prepare_backend
from uniem.networks.settings import TrainingSettings
from uniem.networks.training_data import example_patches

SIDES = (256, 512)
STEPS = 8
ROUNDS = 3


def answering(settings: TrainingSettings) -> float:
    """Return the median seconds that the network takes for the answer to one batch."""
    from uniem.networks.learner import Learner

    network = Learner(settings, "float32").network
    shape = (settings.batch_size, settings.patch_size, settings.patch_size, 1)
    images = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    return _median(lambda: network.predict_on_batch(images))


def _median(work: Callable[[], object]) -> float:
    times = []
    for _ in range(STEPS):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    # The first ones include the framework's preparations.
    return statistics.median(times[2:])


def main() -> None:
    """Print what computes, and its times for batches of two patches in float32."""
    print(prepare_backend().explanation)
    for side in SIDES:
        settings = settings_of(16, steps=STEPS, patch_size=side, precision="float32")
        batches = list(islice(example_patches([make_data()], settings), 2))
        learning = statistics.median(bare(settings, batches) for _ in range(ROUNDS))
        answer = statistics.median(answering(settings) for _ in range(ROUNDS))
        print(
            f"U-Net BN, 2 patches of {side}^2: a step {learning:.3f} s, an answer {answer:.3f} s", flush=True
        )


if __name__ == "__main__":
    main()
