"""Every network learns, is saved without code of its own, and gives the same when it is read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.networks.architectures.small_networks import KINDS, small_network
from uniem.networks.architectures.architecture import Architecture
from uniem.networks.backend import prepare_backend
from uniem.networks.weights import save_weights

STEPS = 20
# Between them they have every kind of layer.
QUICK = ["unet", "highwaynet", "uni-em-unet", "em-net-v2-4x", "segnet"]


@pytest.fixture(scope="module", autouse=True)
def backend() -> None:
    prepare_backend("cpu")


def _task(network: Architecture, side: int) -> tuple[Any, Any]:
    """Return noisy images, 2 of a side, and where they are bright."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:side, :side]
    truth = np.stack([(rows // 8 + columns // 8 + shift) % 2 for shift in (0, 1)])[..., None].astype(
        np.float32
    )
    image = 2 * truth - 1 + rng.normal(0, 0.3, (2, side, side, network.sections))
    return image.astype(np.float32), truth


def _learns(network: Architecture, path: Path) -> None:
    import keras

    keras.utils.set_random_seed(3)
    model = network.build()
    model.compile(
        optimizer=keras.optimizers.Adam(3e-3),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=False,
        # Compiling so many layers takes longer than so few steps.
        run_eagerly=True,
    )
    images, truth = _task(network, max(network.stride, 32))
    losses = []
    for _ in range(STEPS):
        model.reset_metrics()
        losses.append(float(model.train_on_batch(images, truth)))
    assert np.mean(losses[-3:]) < 0.97 * np.mean(losses[:3]), losses
    save_weights(model, path)
    expected = keras.ops.convert_to_numpy(model(images, training=False))
    again = network.build()
    again.load_weights(path)
    whole = keras.models.load_model(path, compile=False, safe_mode=True)
    for other in (again, whole):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(other(images, training=False)), expected)


@pytest.mark.parametrize("kind", QUICK)
def test_a_small_one_learns_and_is_read_again(kind: str, tmp_path: Path) -> None:
    _learns(small_network(kind, base_features=4), tmp_path / "weights.keras")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in QUICK])
def test_any_other_learns_and_is_read_again(kind: str, tmp_path: Path) -> None:
    _learns(small_network(kind, base_features=4), tmp_path / "weights.keras")
