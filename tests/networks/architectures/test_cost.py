"""Weights and operations are exactly those of the literature, and of what Keras builds."""

from __future__ import annotations

from math import prod
from typing import Any

import pytest

from tests.networks.architectures.small_networks import KINDS, small_network
from uniem.networks.architectures import networks, read_network
from uniem.networks.architectures.keras_layers import KerasLayers
from uniem.networks.backend import prepare_backend

# All weights, those that learn, convolutions, and GFLOP at 512 × 512: a re-statement of EM-net's notebook.
PUBLISHED: dict[str, tuple[int, int, int, float]] = {
    "em-net-v1-bn": (5_401_949, 5_394_649, 50, 111.75),
    "em-net-v1-bn-2x": (6_808_077, 6_797_801, 74, 112.99),
    "em-net-v1-2x": (7_013_261, 7_010_377, 55, 141.64),
    "em-net-v1-4x": (28_018_445, 28_012_681, 55, 565.81),
    "em-net-v2": (7_579_853, 7_576_201, 60, 160.59),
    "em-net-v2-2x": (14_876_013, 14_871_977, 60, 298.79),
    "em-net-v2-4x": (33_831_053, 33_827_209, 28, 372.12),
    "em-stellar-unet": (31_031_685, 31_031_685, 24, 436.85),
    "em-stellar-unet-bn": (31_059_085, 31_045_385, 24, 436.85),
    "vgg": (25_994_061, 25_987_913, 30, 299.94),
    "em-stellar-resnet": (2_752_161, 2_737_825, 82, 17.76),
    "segnet-reduced": (7_817_541, 7_809_347, 26, 87.14),
    "prelu-net": (26_018_255, 26_003_659, 30, 299.94),
}
# The encoder of torchvision with one channel, the decoder of segmentation_models and the output.
UNET_RESNET50 = 23_501_760 + 9_012_928 + 145


@pytest.fixture(scope="module", autouse=True)
def backend() -> None:
    prepare_backend("cpu")


def _convolutions(model: Any) -> list[Any]:
    return [layer for layer in model.layers if type(layer).__name__ in ("Conv2D", "Conv2DTranspose")]


def _gflop(model: Any) -> float:
    """Count by the shapes of what Keras built: each weight of a kernel acts once per pixel."""
    total = 0
    for layer in _convolutions(model):
        is_transposed = type(layer).__name__ == "Conv2DTranspose"
        shape = layer.input.shape if is_transposed else layer.output.shape
        total += prod(layer.kernel.shape) * shape[1] * shape[2]
    return 2e-9 * total


@pytest.mark.parametrize("kind", PUBLISHED)
def test_the_weights_are_the_published_ones(kind: str) -> None:
    network = networks()[kind]
    total, trainable, convolutions, gflop = PUBLISHED[kind]
    assert (network.parameters, network.trainable_parameters) == (total, trainable)
    assert round(network.gflop(), 2) == gflop
    model = network.build()
    assert model.count_params() == total
    assert sum(prod(weight.shape) for weight in model.trainable_weights) == trainable
    assert len(_convolutions(model)) == convolutions


def test_the_resnet50_is_torchvisions() -> None:
    assert networks()["unet-resnet50"].trainable_parameters == UNET_RESNET50


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_counted_is_what_is_built(kind: str) -> None:
    import keras

    network = small_network(kind, base_features=4)
    image = keras.Input((128, 256, network.sections))
    model = keras.Model(image, network.connect(KerasLayers(), image, 1))
    assert model.count_params() == network.parameters
    assert sum(prod(weight.shape) for weight in model.trainable_weights) == network.trainable_parameters
    # The padded first convolution of the EM-stellar ResNet makes one pixel more than half.
    tolerance = 0.02 if kind == "em-stellar-resnet" else 1e-9
    assert _gflop(model) == pytest.approx(network.gflop(128, 256), rel=tolerance)


def test_a_plain_head_lacks_the_two_features() -> None:
    with_head, plain = (read_network({"kind": "em-net-v2", "plain_head": p}) for p in (False, True))
    # From 32 features: 3 × 3 to 2 with bias and normalisation, then 1 × 1; or 1 × 1 at once.
    assert with_head.parameters - plain.parameters == (9 * 32 * 2 + 2 + 8 + 2 + 1) - (32 + 1)


def test_every_network_says_what_it_is_for() -> None:
    listed = networks()
    assert len({network.title for network in listed.values()}) == len(listed) == 21
    assert all(network.advice.endswith(".") for network in listed.values())
