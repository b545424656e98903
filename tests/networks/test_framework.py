"""The framework is chosen by what is installed, the system and the devices that are there."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from uniem.errors import UniemError
from uniem.networks.framework import NAMES, Facts, Framework, choose_framework, find_facts, says_cuda

BOTH = frozenset({"tensorflow", "torch"})


def _facts(**changes: Any) -> Facts:
    """Return the facts of a Linux computer with both frameworks and a GPU that TensorFlow can use."""
    facts: dict[str, Any] = {
        "in_use": None,
        "wished": None,
        "installed": BOTH,
        "is_windows": False,
        "wants_gpu": True,
        "has_nvidia": True,
        "torch_has_cuda": True,
        "tensorflow_sees_gpu": lambda: True,
    }
    return Facts(**{**facts, **changes})


def _not_asked() -> bool:
    raise AssertionError("TensorFlow was imported for nothing")


TENSORFLOW = Framework("tensorflow")
ONLY = {"installed": frozenset({"tensorflow"}), "torch_has_cuda": False}
BLIND = {"tensorflow_sees_gpu": lambda: False}
WINDOWS = {"is_windows": True, "tensorflow_sees_gpu": _not_asked}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, TENSORFLOW),
        (BLIND, Framework("torch", "TensorFlow finds no GPU here")),
        ({**BLIND, "torch_has_cuda": False}, TENSORFLOW),
        ({"wants_gpu": False, "tensorflow_sees_gpu": _not_asked}, TENSORFLOW),
        ({"has_nvidia": False, "tensorflow_sees_gpu": _not_asked}, TENSORFLOW),
        ({**ONLY, "tensorflow_sees_gpu": _not_asked}, TENSORFLOW),
        (WINDOWS, Framework("torch", "TensorFlow uses no GPU on Windows")),
        ({**WINDOWS, "wants_gpu": False}, TENSORFLOW),
        ({**WINDOWS, "has_nvidia": False}, TENSORFLOW),
        (
            {**WINDOWS, "torch_has_cuda": False},
            Framework("tensorflow", "no PyTorch for NVIDIA GPUs is installed"),
        ),
        ({**WINDOWS, **ONLY}, Framework("tensorflow", "no PyTorch for NVIDIA GPUs is installed")),
        ({"installed": frozenset({"torch"})}, Framework("torch", "TensorFlow is not installed")),
        (
            {"installed": frozenset({"torch"}), "wants_gpu": False},
            Framework("torch", "TensorFlow is not installed"),
        ),
        ({"wished": "torch", "tensorflow_sees_gpu": _not_asked}, Framework("torch", "KERAS_BACKEND says so")),
        ({**WINDOWS, "wished": "tensorflow"}, Framework("tensorflow", "KERAS_BACKEND says so")),
        ({"in_use": "torch", "wished": "tensorflow"}, Framework("torch")),
    ],
)
def test_a_framework_is_chosen_by_facts(changes: dict[str, Any], expected: Framework) -> None:
    assert choose_framework(_facts(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"installed": frozenset()}, "neither is installed"),
        ({"installed": frozenset({"jax"})}, "neither is installed"),
        (
            {"wished": "torch", "installed": frozenset({"tensorflow"})},
            "asks for PyTorch, which is not installed",
        ),
        ({"wished": "numpy"}, "'numpy', which cannot train"),
    ],
)
def test_a_framework_that_is_not_there_is_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UniemError, match=message) as raised:
        choose_framework(_facts(**changes))
    assert raised.value.hint


@pytest.mark.parametrize(
    ("line", "has_cuda"),
    [
        ("cuda: Optional[str] = None", False),
        ("cuda: Optional[str] = '13.0'", True),
        ('cuda = "12.8"', True),
        ("cuda = None", False),
        ("", False),
    ],
)
def test_a_build_of_pytorch_says_whether_it_is_for_nvidia(line: str, has_cuda: bool) -> None:
    text = f"__version__ = '2.13.0+cu130'\n{line}\ngit_version = 'cf30153'\nhip: Optional[str] = '7'\n"
    assert says_cuda(text) == has_cuda


def test_gpus_that_are_hidden_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert not find_facts(True).has_nvidia


def test_looking_imports_no_framework() -> None:
    program = (
        "import sys\n"
        "from uniem.networks.framework import find_facts\n"
        "facts = find_facts(True)\n"
        "assert facts.in_use is None and facts.installed\n"
        f"found = {{'keras', *{list(NAMES)}}} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_process_without_any_framework_says_what_to_install() -> None:
    program = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('tensorflow', 'torch'), None))\n"
        "from uniem.networks.backend import prepare_backend\n"
        "prepare_backend('cpu')\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    assert "neither is installed" in done.stderr
