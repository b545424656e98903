"""Training as the operation does it, against a bare Keras loop on batches that are already in memory."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np

from uniem.data.model_folder import ModelFolder
from uniem.data.volume import ArrayVolume, Kind
from uniem.networks.architectures import Unet
from uniem.networks.augmentation import Augmentation
from uniem.networks.backend import prepare_backend
from uniem.networks.patches import Batch
from uniem.networks.settings import TrainingSettings
from uniem.networks.training_data import example_patches
from uniem.progress import Context

SIDE = 512
BATCH = 2
STEPS = 6
ROUNDS = 3
BAR = 0.95


class _StepTimes(Context):
    """Notes when each step was over: steps take longer than what is between two reports."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def metric(self, step: int, **values: float) -> None:
        """Note the time of a step."""
        if "loss" in values:
            self.times.append(time.perf_counter())


def make_data() -> tuple[ArrayVolume, ArrayVolume]:
    """Return a noisy stack of four sections with dark squares, and their labels."""
    rng = np.random.default_rng(0)
    labels = np.kron(rng.random((4, 32, 32)) < 0.2, np.ones((1, 32, 32))).astype(np.uint8)
    image = np.clip(150 - 60 * labels + rng.normal(0, 20, labels.shape), 0, 255).astype(np.uint8)
    return ArrayVolume(image), ArrayVolume(labels, kind=Kind.LABELS)


def settings_of(base_features: int, **changes: object) -> TrainingSettings:
    """Return the settings of both sides; every change to patches is on."""
    everything = Augmentation(elastic=4, aspect=0.1, blur=1, warped=1, missing=0.1, misaligned=0.1)
    return TrainingSettings.model_validate(
        {
            "network": Unet(base_features=base_features),
            "patch_size": SIDE,
            "batch_size": BATCH,
            "augmentation": everything,
            "validation_fraction": 0,
            "validate_every": 1000,
            **changes,
        }
    )


def ours(settings: TrainingSettings) -> float:
    """Return the median seconds of a step in a training, from reading to report."""
    from uniem.networks.training import train

    context = _StepTimes()
    with tempfile.TemporaryDirectory() as folder:
        train(*make_data(), settings, ModelFolder.create(Path(folder) / "model"), context)
    # The first steps include the engine's preparations.
    return float(np.median(np.diff(context.times)[1:]))


def bare(settings: TrainingSettings, batches: list[Batch]) -> float:
    """Return the median seconds of a step of Keras alone, on the same kind of batches."""
    from uniem.networks.learner import Learner

    policy = prepare_backend(settings.device).policy(settings.precision)
    model = Learner(settings, policy).compiled
    times = []
    for number in range(settings.steps):
        begun = time.perf_counter()
        model.train_on_batch(*batches[number % len(batches)])
        times.append(time.perf_counter() - begun)
    return statistics.median(times[2:])


def preparing(settings: TrainingSettings) -> float:
    """Return the processor seconds that making one batch takes."""
    batches = example_patches([make_data()], settings)
    next(batches)
    begun = time.process_time()
    for _ in islice(batches, 8):
        pass
    return (time.process_time() - begun) / 8


def main(say: Callable[[str], object] = sys.stdout.write) -> None:
    """Print what computes, the median times per step, interleaved, and the ratio of throughputs."""
    settings = settings_of(16, steps=STEPS)
    batches = list(islice(example_patches([make_data()], settings), 2))
    pairs = [(ours(settings), bare(settings, batches)) for _ in range(ROUNDS)]
    a, b = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(theirs / mine for mine, theirs in pairs)
    say(
        f"{prepare_backend(settings.device)}\n"
        f"U-Net BN, {BATCH} patches of {SIDE}^2: a step {a:.2f} s, bare Keras {b:.2f} s, throughput "
        f"{ratio:.2f} (bar {BAR}); a batch takes {preparing(settings):.3f} s of a processor to make\n"
    )


if __name__ == "__main__":
    main()
