"""Networks are declared without Keras, and the backend says what it runs on."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from uniem.errors import UniemError
from uniem.networks.backend import Backend, describe_device, dtype_policy, prepare_backend


def test_importing_networks_imports_neither_keras_nor_tensorflow() -> None:
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
        "import os\n"
        "from uniem.networks.backend import prepare_backend\n"
        "backend = prepare_backend('cpu', threads=1)\n"
        "import keras\n"
        "assert keras.backend.backend() == backend.engine == 'tensorflow'\n"
        "assert (backend.device, backend.threads) == ('cpu', 1)\n"
        "assert os.environ['TF_NUM_INTRAOP_THREADS'] == '1'\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr


def test_the_device_is_described_in_words() -> None:
    backend = prepare_backend("cpu")
    assert describe_device("cpu") == str(backend)
    assert f"{backend.engine} on the CPU (" in str(backend) and "threads" in str(backend)


def test_precision_follows_the_device_unless_it_is_named() -> None:
    with_bfloat16 = Backend("tensorflow", "cpu", "some processor", 2, True)
    without = Backend("tensorflow", "cpu", "some processor", 2, False)
    assert with_bfloat16.policy("auto") == with_bfloat16.policy("bfloat16") == "mixed_bfloat16"
    assert without.policy("auto") == with_bfloat16.policy("float32") == "float32"


def test_a_gpu_that_is_not_there_is_told() -> None:
    import tensorflow

    prepare_backend("cpu")
    if tensorflow.config.list_physical_devices("GPU"):
        pytest.skip("this computer has a GPU")
    with pytest.raises(UniemError, match="finds no GPU"):
        prepare_backend("gpu")


def test_a_dtype_policy_holds_only_within() -> None:
    prepare_backend("cpu")
    import keras

    with dtype_policy("mixed_bfloat16"):
        assert keras.layers.ReLU().compute_dtype == "bfloat16"
    assert keras.layers.ReLU().compute_dtype == "float32"
