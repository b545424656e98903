"""Networks have the parameters, the stride and the receptive field they state."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from uniem.errors import UniemError
from uniem.networks.architectures import Architecture, ResNet, Unet, read_network
from uniem.networks.backend import prepare_backend

NETWORKS = [
    Unet(depth=1, base_features=2),
    Unet(depth=2, base_features=2, batch_norm=False),
    Unet(depth=3, base_features=2, dropout=0.5),
    ResNet(blocks=1),
    ResNet(blocks=2),
]


@pytest.fixture(scope="module", autouse=True)
def backend() -> None:
    prepare_backend("cpu")


def _affected(network: Architecture, axis: int) -> list[NDArray[np.intp]]:
    """Return, for each pixel of one stride along an axis, the outputs that change with it."""
    import keras

    keras.utils.set_random_seed(1)
    model = network.build()
    # Every weight is positive and no unit is silent: a pixel that can reach an output does change it.
    model.set_weights([np.abs(weights) + 0.01 for weights in model.get_weights()])
    size = 2 * network.margin + 2 * network.stride
    shape = (size, network.stride) if axis == 0 else (network.stride, size)
    image = np.ones((1, *shape, 1), np.float32)
    before = model.predict_on_batch(image)
    found = []
    for phase in range(network.stride):
        changed = image.copy()
        pixel = network.margin + phase
        changed[(0, pixel, 0, 0) if axis == 0 else (0, 0, pixel, 0)] = 1e4
        difference = np.abs(model.predict_on_batch(changed) - before)[0, ..., 0]
        found.append(np.flatnonzero(difference.max(axis=1 - axis)) - pixel)
    return found


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_the_receptive_field_is_as_wide_as_stated(network: Architecture, axis: int) -> None:
    affected = _affected(network, axis)
    assert max(int(np.abs(offsets).max()) for offsets in affected) == network.receptive_radius


def test_the_default_unet_is_as_the_arithmetic_says() -> None:
    network = Unet()
    assert (network.stride, network.margin % 16) == (16, 0)
    # Two convolutions per level on both ways, at 1, 2, 4, 8 pixels, two at 16, and up to 15 by pooling.
    assert network.receptive_radius == 2 * 30 + 2 * 16 + 15
    assert Unet(depth=8).stride == 256


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_any_size_divisible_by_the_stride_is_accepted(network: Architecture) -> None:
    sides = (3 * network.stride, 5 * network.stride)
    logits = network.build(channels_out=2).predict_on_batch(np.zeros((1, *sides, 1), np.float32))
    assert logits.shape == (1, *sides, 2)
    assert logits.dtype == np.float32


def test_the_resnet_is_as_large_as_the_original() -> None:
    # 2.85 and 4.92 million in the original, which reads and writes three channels.
    assert round(ResNet(blocks=9).build(3, 3).count_params() / 1e6, 1) == 2.9
    trainable = sum(int(np.prod(w.shape)) for w in ResNet(blocks=16).build(3, 3).trainable_weights)
    assert round(trainable / 1e6, 2) == 4.92


def test_features_stop_doubling_at_their_limit() -> None:
    model = Unet(depth=3, base_features=4, max_features=8).build()
    assert max(layer.filters for layer in model.layers if hasattr(layer, "filters")) == 8


def test_a_record_gives_the_network_back() -> None:
    network = Unet(depth=3, base_features=8)
    assert read_network(network.model_dump()) == network
    assert read_network({"kind": "resnet"}) == ResNet()
    with pytest.raises(UniemError, match="'transformer' is not one"):
        read_network({"kind": "transformer"})
