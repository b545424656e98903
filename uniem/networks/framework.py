"""Which framework computes for Keras in this process, TensorFlow or PyTorch, and why."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from uniem.errors import UniemError

TENSORFLOW, TORCH, JAX = "tensorflow", "torch", "jax"
NAMES = {TENSORFLOW: "TensorFlow", TORCH: "PyTorch", JAX: "JAX"}
VARIABLE = "KERAS_BACKEND"
INSTALL_FOR_GPU = "Install PyTorch for NVIDIA GPUs, as docs/train-2d.md tells"
# There even where nvidia-smi is not on the path; the last one is of Linux inside Windows.
LINUX_DRIVERS = ("/proc/driver/nvidia/version", "/usr/lib/wsl/lib/libcuda.so.1")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the choice of a framework depends on.

    Attributes
    ----------
    in_use : what Keras computes with in this process already; it can no longer change.
    wished : what the environment variable KERAS_BACKEND names.
    wants_gpu : whether a GPU may be used if there is one.
    has_nvidia : whether a driver of NVIDIA is installed.
    torch_has_cuda : whether the PyTorch that is installed was built for such GPUs.
    tensorflow_sees_gpu : tells whether TensorFlow can use a GPU; it takes seconds, and so is asked last.
    """

    in_use: str | None
    wished: str | None
    installed: frozenset[str]
    is_windows: bool
    wants_gpu: bool
    has_nvidia: bool
    torch_has_cuda: bool
    tensorflow_sees_gpu: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework and why it was chosen: a clause that follows "because"; empty where that is as usual."""

    id: str
    reason: str = ""

    @property
    def name(self) -> str:
        """Its name as its makers write it."""
        return NAMES.get(self.id, self.id)


def choose_framework(facts: Facts) -> Framework:
    """Return what shall compute; raise if nothing that can is installed."""
    if facts.in_use:
        return Framework(facts.in_use)
    if facts.wished:
        return _wished(facts.wished, facts.installed)
    if not facts.installed & {TENSORFLOW, TORCH}:
        raise UniemError(
            "Networks are computed by TensorFlow or PyTorch, and neither is installed.",
            "Install uniem again, or one of them: pip install tensorflow.",
        )
    if TENSORFLOW not in facts.installed:
        return Framework(TORCH, "TensorFlow is not installed")
    if not (facts.wants_gpu and facts.has_nvidia):
        return Framework(TENSORFLOW)
    can_torch = TORCH in facts.installed and facts.torch_has_cuda
    if facts.is_windows:
        if can_torch:
            return Framework(TORCH, "TensorFlow uses no GPU on Windows")
        return Framework(TENSORFLOW, "no PyTorch for NVIDIA GPUs is installed")
    if can_torch and not facts.tensorflow_sees_gpu():
        return Framework(TORCH, "TensorFlow finds no GPU here")
    return Framework(TENSORFLOW)


@cache
def framework_of_process(wants_gpu: bool) -> Framework:
    """Choose for this process by what is installed and which device is there, or say what is in use."""
    return choose_framework(find_facts(wants_gpu))


def find_facts(wants_gpu: bool) -> Facts:
    """Look at this process and this computer, without importing any framework."""
    keras = sys.modules.get("keras")
    return Facts(
        in_use=str(keras.config.backend()) if keras else None,
        wished=os.environ.get(VARIABLE) or None,
        installed=frozenset(name for name in NAMES if importlib.util.find_spec(name)),
        is_windows=sys.platform == "win32",
        wants_gpu=wants_gpu,
        has_nvidia=_has_nvidia(),
        torch_has_cuda=_torch_has_cuda(),
        tensorflow_sees_gpu=_tensorflow_sees_gpu,
    )


def gpu_remedy() -> str:
    """Return what a person can do where no GPU is found."""
    otherwise = "choose the device 'auto' or 'cpu'."
    if _has_nvidia() and not _torch_has_cuda():
        return f"{INSTALL_FOR_GPU}, or {otherwise}"
    return otherwise.capitalize()


def _wished(id: str, installed: frozenset[str]) -> Framework:
    if id not in NAMES:
        raise UniemError(
            f"The environment variable {VARIABLE} is '{id}', which cannot train networks.",
            f"Set it to {', '.join(NAMES)}, or not at all.",
        )
    if id not in installed:
        raise UniemError(
            f"The environment variable {VARIABLE} asks for {NAMES[id]}, which is not installed.",
            f"Install it, or set {VARIABLE} to something else or not at all.",
        )
    return Framework(id, f"{VARIABLE} says so")


def _has_nvidia() -> bool:
    """Tell whether a driver of NVIDIA is installed and its GPUs are not hidden from this process."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1"):
        return False
    if shutil.which("nvidia-smi"):
        return True
    if sys.platform == "win32":
        return (Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32" / "nvcuda.dll").exists()
    return any(Path(driver).exists() for driver in LINUX_DRIVERS)


def _torch_has_cuda() -> bool:
    """Tell whether the installed PyTorch was built for NVIDIA GPUs, by the file that says so."""
    spec = importlib.util.find_spec(TORCH)
    if spec is None or spec.origin is None:
        return False
    try:
        return says_cuda(Path(spec.origin).with_name("version.py").read_text(encoding="utf-8"))
    except OSError:
        return False


def says_cuda(text: str) -> bool:
    """Tell whether the text of PyTorch's `version.py` names a version of CUDA."""
    return re.search(r"^cuda\b[^=\n]*=\s*['\"]", text, re.MULTILINE) is not None


def _tensorflow_sees_gpu() -> bool:
    import tensorflow

    return bool(tensorflow.config.list_physical_devices("GPU"))
