"""A learner goes on exactly where its state was taken, and in parts where the memory is too small."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.networks.conftest import quick_settings
from uniem.errors import UniemError
from uniem.networks.architectures import Unet
from uniem.networks.backend import prepare_backend
from uniem.networks.learner import Learner
from uniem.networks.patches import Batch

NO_NORM = Unet(depth=1, base_features=4, batch_norm=False)


@pytest.fixture(scope="module", autouse=True)
def backend() -> None:
    prepare_backend("cpu")


def _batch(size: int = 4) -> Batch:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(size, 32, 32, 1)).astype(np.float32)
    truths = np.concatenate([images > 0.3, np.ones_like(images)], -1).astype(np.float32)
    return Batch(images, truths)


def _learner(**changes: Any) -> Learner:
    return Learner(quick_settings(precision="float32", **changes), "float32")


def _limited(monkeypatch: pytest.MonkeyPatch, learner: Learner, most: int) -> None:
    """Let the device's memory suffice for so many patches."""
    original = learner.compiled.train_on_batch

    def train(images: Any, *arguments: Any, **options: Any) -> Any:
        if len(images) > most:
            raise MemoryError
        return original(images, *arguments, **options)

    monkeypatch.setattr(learner.compiled, "train_on_batch", train)


def test_a_state_is_all_that_the_next_steps_depend_on() -> None:
    network = Unet(depth=1, base_features=4, dropout=0.5)
    first, second = _learner(network=network), _learner(network=network, seed=7)
    for _ in range(3):
        first.learn(_batch(), 0.01)
    second.restore(first.state())
    for _ in range(3):
        assert first.learn(_batch(), 0.01) == second.learn(_batch(), 0.01)
    for name, values in first.state().items():
        np.testing.assert_array_equal(values, second.state()[name])


def test_the_state_of_another_network_is_refused() -> None:
    with pytest.raises(UniemError, match="does not fit"):
        _learner().restore(_learner(network=Unet(depth=2, base_features=4)).state())


def test_memory_that_is_too_small_changes_nothing_but_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    loss = "bce"
    whole = _learner(network=NO_NORM, loss=loss)
    divided = Learner(quick_settings(network=NO_NORM, loss=loss), "float32", told=told.append)
    for _ in range(2):
        whole.learn(_batch(6), 0.01), divided.learn(_batch(6), 0.01)
    _limited(monkeypatch, divided, 2)
    for _ in range(3):
        assert divided.learn(_batch(6), 0.01) == pytest.approx(whole.learn(_batch(6), 0.01), rel=1e-3)
    assert divided.parts == 3
    assert told[-1].endswith("going on with 2, 3 times per step.")
    for a, b in zip(whole.network.weights, divided.network.weights, strict=True):
        np.testing.assert_allclose(np.array(a), np.array(b), atol=2e-4)
    again = _learner(network=NO_NORM, loss=loss)
    again.restore(divided.state())
    assert again.parts == 3
    assert again.learn(_batch(6), 0.01) == pytest.approx(whole.learn(_batch(6), 0.01), rel=1e-3)


def test_a_patch_too_large_for_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = _learner()
    _limited(monkeypatch, learner, 0)
    with pytest.raises(UniemError, match="a single patch of 32 × 32"):
        learner.learn(_batch(2), 0.01)


def test_a_frozen_encoder_stays() -> None:
    learner = _learner()
    names = tuple(layer.name for layer in learner.network.layers if layer.weights)
    frozen = [name for name in names if name.startswith("encoder")]
    assert learner.freeze_encoder() == len(frozen)
    assert 0 < len(frozen) < len(names)
    before = {name: [np.array(w) for w in learner.network.get_layer(name).weights] for name in names}
    learner.learn(_batch(), 0.01)
    for name in names:
        now = [np.array(w) for w in learner.network.get_layer(name).weights]
        assert all((a == b).all() for a, b in zip(before[name], now, strict=True)) == (name in frozen), name
