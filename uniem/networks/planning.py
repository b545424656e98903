"""What a training will cost in time, memory and disk, before it is begun; no network is built for it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np

from uniem.networks.architectures.architecture import Architecture
from uniem.networks.settings import TrainingSettings

# Going back through a network takes about twice as long as going forward.
PASSES = 3
# Measured on two cores with seven networks: from 0.8 to 1.4 times what NumPy does with large matrices.
SHARE_OF_MATRICES = 0.9
MATRIX_SIDE = 1024
MATRICES = 4
# Measured: Keras with TensorFlow before and after the first step, without what depends on the network.
ENGINE_BYTES = 800 * 10**6
START_SECONDS = 12.0
# In memory: the weights, their slopes, and two moments of Adam. On disk: the best and the last weights, and
# the last again with both moments.
BYTES_PER_WEIGHT = 16
FILE_BYTES_PER_WEIGHT = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What a training is expected to cost.

    Attributes
    ----------
    steps : how many steps fit into the time, or are wanted.
    seconds : in all, with the start of the engine and the judging in between.
    step_seconds : of one step.
    memory, disk : in bytes.
    """

    steps: int
    seconds: float
    step_seconds: float
    memory: int
    disk: int


def plan_training(settings: TrainingSettings, gflops: float) -> Plan:
    """Return what a training costs on a device that does so many billions of operations a second."""
    step = step_gflop(settings) / gflops
    # Judging goes forward only; in between it happens every so many steps.
    judging = step / PASSES * settings.validation_windows / settings.batch_size
    each = step + judging / settings.validate_every
    limit = math.inf if settings.max_minutes is None else settings.max_minutes * 60
    fitting = max(1.0, (limit - START_SECONDS) / each)
    steps = settings.steps if fitting > settings.steps else int(fitting)
    seconds = min(limit, START_SECONDS + steps * each + judging)
    return Plan(steps, seconds, step, training_memory(settings), disk_space(settings.network))


def share_of_fold(settings: TrainingSettings, folds: int) -> TrainingSettings:
    """Return the settings of each of several folds, which share the time."""
    if settings.max_minutes is None:
        return settings
    return settings.model_copy(update={"max_minutes": settings.max_minutes / folds})


def plan_folds(settings: TrainingSettings, folds: int, gflops: float) -> Plan:
    """Return what a cross-validation costs; the steps are those of each fold, all else is of all of them."""
    plan = plan_training(share_of_fold(settings, folds), gflops)
    # The best model lies on top as well.
    return replace(plan, seconds=folds * plan.seconds, disk=(folds + 1) * plan.disk)


def step_gflop(settings: TrainingSettings) -> float:
    """Return the billions of operations of one step."""
    side = settings.patch_size
    return PASSES * settings.network.gflop(side, side) * settings.batch_size


def training_memory(settings: TrainingSettings) -> int:
    """Return about how many bytes the training's process will use in float32."""
    network = settings.network
    pixels = settings.batch_size * settings.patch_size**2
    return ENGINE_BYTES + BYTES_PER_WEIGHT * network.parameters + network.training_bytes_per_pixel * pixels


def disk_space(network: Architecture) -> int:
    """Return about how many bytes the model's folder will take."""
    return FILE_BYTES_PER_WEIGHT * network.parameters


def measure_processor() -> float:
    """Return the billions of operations a second that a training may expect of this processor, in a blink."""
    matrix = np.ones((MATRIX_SIDE, MATRIX_SIDE), np.float32)
    matrix @ matrix
    started = time.perf_counter()
    for _ in range(MATRICES):
        matrix @ matrix
    seconds = max(time.perf_counter() - started, 1e-9)
    return SHARE_OF_MATRICES * MATRICES * 2e-9 * MATRIX_SIDE**3 / seconds


def free_memory() -> int:
    """Return how many bytes of memory programs may still take."""
    import psutil

    return int(psutil.virtual_memory().available)
