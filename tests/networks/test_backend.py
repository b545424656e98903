"""Networks are declared without Keras, and the backend says what it runs on."""

from __future__ import annotations

import os
import subprocess
import sys

from uniem.errors import UniemError
from uniem.networks.backend import Backend, dtype_policy, prepare_backend
from uniem.networks.framework import Framework


def test_importing_networks_imports_neither_keras_nor_a_framework() -> None:
    program = (
        "import pkgutil, sys, importlib, uniem.networks as room\n"
        "for module in pkgutil.walk_packages(room.__path__, 'uniem.networks.'):\n"
        "    importlib.import_module(module.name)\n"
        "found = {'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_backend_is_chosen_before_keras_is_imported() -> None:
    program = (
        "import importlib.util, os, sys\n"
        "from uniem.networks.backend import prepare_backend\n"
        "backend = prepare_backend('cpu', threads=1)\n"
        "import keras\n"
        "usual = 'tensorflow' if importlib.util.find_spec('tensorflow') else 'torch'\n"
        "assert keras.backend.backend() == backend.framework.id == usual\n"
        "assert (backend.device, backend.threads) == ('cpu', 1)\n"
        "assert os.environ['TF_NUM_INTRAOP_THREADS'] == os.environ['OMP_NUM_THREADS'] == '1'\n"
        "if usual == 'torch':\n"
        "    import torch\n"
        "    assert torch.get_num_threads() == 1\n"
        "    assert keras.ops.zeros(1).device.type == 'cpu'\n"
        "    assert os.environ['OMP_WAIT_POLICY'] == 'PASSIVE'\n"
        "assert prepare_backend('cpu').framework.id == usual\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr


def test_what_computes_is_told_in_words() -> None:
    backend = prepare_backend("cpu")
    assert f"{backend.framework.name} on the CPU (" in str(backend) and "threads" in str(backend)
    chosen = Backend(Framework("torch", "TensorFlow uses no GPU on Windows"), "gpu", "RTX 4090", 8, True)
    assert str(chosen) == "PyTorch on the GPU (RTX 4090, with bfloat16)"
    assert chosen.explanation == f"{chosen}, because TensorFlow uses no GPU on Windows"
    assert Backend(Framework("tensorflow"), "cpu", "i7", 8, False).explanation == (
        "TensorFlow on the CPU (i7, 8 threads)"
    )


def test_precision_follows_the_device_unless_it_is_named() -> None:
    with_bfloat16 = Backend(Framework("tensorflow"), "cpu", "some processor", 2, True)
    without = Backend(Framework("tensorflow"), "cpu", "some processor", 2, False)
    assert with_bfloat16.policy("auto") == with_bfloat16.policy("bfloat16") == "mixed_bfloat16"
    assert without.policy("auto") == with_bfloat16.policy("float32") == "float32"


def test_a_gpu_that_is_not_there_is_told() -> None:
    prepare_backend("cpu")
    try:
        backend = prepare_backend("gpu")
    except UniemError as error:
        assert "finds no GPU" in error.message and "'auto' or 'cpu'" in error.hint
    else:
        assert backend.device == "gpu"


def test_a_dtype_policy_holds_only_within() -> None:
    prepare_backend("cpu")
    import keras

    with dtype_policy("mixed_bfloat16"):
        assert keras.layers.ReLU().compute_dtype == "bfloat16"
    assert keras.layers.ReLU().compute_dtype == "float32"
