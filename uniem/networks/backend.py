"""Choose the framework, the device and the precision before Keras is imported."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from uniem.errors import UniemError
from uniem.networks.framework import (
    TENSORFLOW,
    TORCH,
    VARIABLE,
    Framework,
    framework_of_process,
    gpu_remedy,
)

Device = Literal["auto", "cpu", "gpu"]
Precision = Literal["auto", "float32", "bfloat16"]

BFLOAT16 = "mixed_bfloat16"
FLOAT32 = "float32"
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}
BFLOAT16_CAPABILITY = (8, 0)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backend:
    """What computes networks in this process: the framework, where, and how precisely it may.

    Attributes
    ----------
    has_bfloat16 : bool
        Whether the device computes in bfloat16 natively; elsewhere it would only be slower.
    """

    framework: Framework
    device: Literal["cpu", "gpu"]
    device_name: str
    threads: int
    has_bfloat16: bool

    def policy(self, precision: Precision) -> str:
        """Return the Keras dtype policy for a wish; 'auto' is bfloat16 where the device has it."""
        wants_bfloat16 = self.has_bfloat16 if precision == "auto" else precision == "bfloat16"
        return BFLOAT16 if wants_bfloat16 else FLOAT32

    @property
    def place(self) -> str:
        """The device in words."""
        threads = "" if self.device == "gpu" else f", {self.threads} threads"
        bfloat16 = ", with bfloat16" if self.has_bfloat16 else ""
        return f"on the {self.device.upper()} ({self.device_name}{threads}{bfloat16})"

    @property
    def explanation(self) -> str:
        """The framework and the device, and why this framework where it is not the usual one."""
        return f"{self}, because {self.framework.reason}" if self.framework.reason else str(self)

    def __str__(self) -> str:
        return f"{self.framework.name} {self.place}"


def prepare_backend(device: Device = "auto", threads: int | None = None) -> Backend:
    """Choose what computes, set it up and say what it is; call it before anything imports Keras.

    An existing `KERAS_BACKEND` is honoured. `threads` limits the CPU threads of one operation (None: all
    cores); it has no effect once TensorFlow has started. GPU memory is taken as needed, not all at once.
    """
    framework = framework_of_process(device != "cpu")
    os.environ[VARIABLE] = framework.id
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    # PyTorch's threads would wait for each other by spinning, which costs many times the work itself where
    # anything else computes.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if threads is not None:
        for variable in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
            os.environ[variable] = str(threads)
    if device == "cpu" and framework.id not in sys.modules:
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    backend = _describe(framework, device, threads or _cores())
    if framework.id == TORCH:
        _prepare_torch(backend.device, threads)
    logger.info("Networks run by %s", backend.explanation)
    return backend


@contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Build the layers made within under a Keras dtype policy."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def out_of_memory_errors() -> tuple[type[BaseException], ...]:
    """Return the errors by which the framework says that the device's memory is too small."""
    framework = os.environ.get(VARIABLE)
    if framework == TORCH:
        import torch

        return MemoryError, torch.OutOfMemoryError
    if framework != TENSORFLOW:
        return (MemoryError,)
    import tensorflow

    return MemoryError, tensorflow.errors.ResourceExhaustedError


def _describe(framework: Framework, device: Device, threads: int) -> Backend:
    gpu = _find_gpu(framework.id) if device != "cpu" else None
    if device == "gpu" and gpu is None:
        raise UniemError(f"{framework.name} finds no GPU on this computer.", gpu_remedy())
    if gpu is not None:
        name, has_bfloat16 = gpu
        return Backend(framework, "gpu", name, threads, has_bfloat16)
    name, flags = _processor()
    return Backend(framework, "cpu", name, threads, bool(flags & BFLOAT16_FLAGS))


def _prepare_torch(device: Literal["cpu", "gpu"], threads: int | None) -> None:
    # By itself Keras would take any accelerator that PyTorch finds, whatever was asked for.
    os.environ["KERAS_TORCH_DEVICE"] = "cuda" if device == "gpu" else "cpu"
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def _find_gpu(framework: str) -> tuple[str, bool] | None:
    """Return the first GPU's name and whether it has bfloat16, or None."""
    if framework == TENSORFLOW:
        import tensorflow

        return _tensorflow_gpu(tensorflow)
    if framework == TORCH:
        import torch

        if not torch.cuda.is_available():
            return None
        return torch.cuda.get_device_name(0), torch.cuda.get_device_capability(0) >= BFLOAT16_CAPABILITY
    return None


def _tensorflow_gpu(tensorflow: Any) -> tuple[str, bool] | None:
    gpus = tensorflow.config.list_physical_devices("GPU")
    if not gpus:
        return None
    details = tensorflow.config.experimental.get_device_details(gpus[0])
    capability = tuple(details.get("compute_capability", (0, 0)))
    return str(details.get("device_name", "GPU")), capability >= BFLOAT16_CAPABILITY


def _processor() -> tuple[str, set[str]]:
    """Return the processor's name and its instruction flags; the flags are known on Linux only."""
    import platform

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine(), set()
    facts: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
    return facts.get("model name", platform.machine()), set(facts.get("flags", "").split())


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
