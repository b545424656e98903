"""A training step and an answer of U-Net BN by the framework that this process uses: set KERAS_BACKEND."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from benchmarks.training import make_data, settings_of
from uniem.networks.backend import prepare_backend
from uniem.networks.training_data import example_patches

SIDES = (256, 512)
STEPS = 7
# The first ones include the framework's preparations.
UNCOUNTED = 2


def seconds_of(work: Callable[[], object]) -> str:
    """Return the median wall and processor seconds of some work."""
    walls, processors = [], []
    for _ in range(STEPS):
        begun = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - begun[0])
        processors.append(time.process_time() - begun[1])
    wall, processor = (statistics.median(times[UNCOUNTED:]) for times in (walls, processors))
    return f"{wall:.3f} s ({processor:.3f} s of processors)"


def main() -> None:
    """Print what computes, and its times for batches of two patches in float32."""
    from uniem.networks.learner import Learner

    print(prepare_backend().explanation, flush=True)
    for side in SIDES:
        settings = settings_of(16, patch_size=side, precision="float32")
        batch = next(example_patches([make_data()], settings))
        learner = Learner(settings, "float32")
        step = seconds_of(lambda: learner.learn(batch, 0.001))  # noqa: B023  # called at once
        answer = seconds_of(lambda: learner.predict(batch.images))  # noqa: B023
        print(f"U-Net BN, 2 patches of {side}^2: a step {step}, an answer {answer}", flush=True)


if __name__ == "__main__":
    main()
