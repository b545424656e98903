"""Networks have the stride and the receptive field they state, take any size, and never mix their inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.networks.architectures.small_networks import KINDS, small_network
from uniem.errors import UniemError
from uniem.networks.architectures import Architecture, InceptionResNet, ResNet, Unet, networks, read_network
from uniem.networks.architectures.keras_layers import freeze_encoder
from uniem.networks.backend import dtype_policy, prepare_backend

NETWORKS = {
    **{kind: small_network(kind) for kind in KINDS},
    "unet, shallow": Unet(depth=1, base_features=2),
    "unet, plain": Unet(depth=2, base_features=2, batch_norm=False, dropout=0.5),
    "uni-em-unet, deepest dropout": read_network({"kind": "uni-em-unet", "depth": 6, "base_features": 1}),
    "vgg, plain head": read_network({"kind": "vgg", "base_features": 1, "plain_head": True}),
}
# Which value is passed on depends on the image, so that one image does not show the whole field.
WITH_PLACES = {"segnet"}


@pytest.fixture(scope="module", autouse=True)
def backend() -> None:
    prepare_backend("cpu")


@pytest.fixture(scope="module")
def built() -> dict[str, Any]:
    """Keep the networks that were built, with random weights."""
    return {}


def _model(name: str, built: dict[str, Any]) -> Any:
    import keras

    if name not in built:
        keras.utils.set_random_seed(1)
        built[name] = NETWORKS[name].build(channels_out=2)
    return built[name]


def _outputs(model: Any, images: NDArray[np.float32]) -> NDArray[np.float32]:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(model(images, training=False)))


def _positive(weights: list[Any]) -> list[NDArray[np.float32]]:
    """Return weights that pass on whatever is not 0, growing it no faster than it spreads."""
    found = []
    for weight in weights:
        name, shape = weight.path.rpartition("/")[2], tuple(weight.shape)
        ones = np.ones(shape, np.float32)
        if name == "kernel":
            fan_in = np.prod(shape[:2]) * (shape[3] if "transposed" in weight.path else shape[2])
            found.append(1.7 / np.float32(fan_in) * ones)
        else:
            passes = name in ("gamma", "moving_variance") or (name == "beta" and "_tlu_" in weight.path)
            found.append(ones if passes else 0 * ones)
    return found


def _affected(network: Architecture, axis: int) -> list[NDArray[np.intp]]:
    """Return, for each line of one stride along an axis, the outputs that change with it, relative to it."""
    model = network.build()
    model.set_weights(_positive(model.weights))
    stride, margin = network.stride, network.margin
    # Where all is 0, a network of positive weights gives exactly 0 where it does not see the line.
    images = np.zeros((stride, 2 * margin + 2 * stride, stride, network.sections), np.float32)
    for phase in range(stride):
        images[phase, margin + phase] = 1e5
    logits = _outputs(model, images if axis == 0 else images.transpose(0, 2, 1, 3))[..., 0]
    seen = (logits if axis == 0 else logits.transpose(0, 2, 1)).any(axis=2)
    return [np.flatnonzero(seen[phase]) - margin - phase for phase in range(stride)]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_receptive_field_is_as_wide_as_stated(name: str) -> None:
    network = NETWORKS[name]
    radius = network.receptive_radius
    assert radius <= network.margin < radius + network.stride
    found = [max(int(np.abs(offsets).max()) for offsets in _affected(network, axis)) for axis in (0, 1)]
    if name in WITH_PLACES:
        assert radius - network.stride < max(found) <= radius
    else:
        assert max(found) == radius


def test_the_default_unet_is_as_the_arithmetic_says() -> None:
    network = Unet()
    assert (network.stride, network.margin % 16) == (16, 0)
    # Two convolutions per level on both ways, at 1, 2, 4, 8 pixels, two at 16, and up to 15 by pooling.
    assert network.receptive_radius == 2 * 30 + 2 * 16 + 15
    assert Unet(depth=8).stride == 256


@pytest.mark.parametrize("name", NETWORKS)
def test_any_size_divisible_by_the_stride_is_accepted(name: str, built: dict[str, Any]) -> None:
    network = NETWORKS[name]
    sides = (2 * network.stride, 3 * network.stride)
    logits = _outputs(_model(name, built), np.zeros((1, *sides, network.sections), np.float32))
    assert logits.shape == (1, *sides, 2)


@pytest.mark.parametrize("name", NETWORKS)
def test_an_image_is_segmented_alike_in_any_company(name: str, built: dict[str, Any]) -> None:
    network = NETWORKS[name]
    rng = np.random.default_rng(0)
    shape = (3, network.stride, 2 * network.stride, network.sections)
    images = rng.normal(size=shape).astype(np.float32)
    company = np.stack([images[0], 100 * images[2]])
    first, second = (_outputs(_model(name, built), batch)[0] for batch in (images[:2], company))
    assert first.std() > 0
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["em-net-v1-2x", "segnet", "segnet-reduced", "highwaynet"])
def test_logits_are_float32_whatever_the_rest_computes_in(kind: str) -> None:
    network = small_network(kind)
    with dtype_policy("mixed_bfloat16"):
        model = network.build()
    assert model.compute_dtype == "bfloat16" or model.layers[1].compute_dtype == "bfloat16"
    assert _outputs(model, np.zeros((1, network.stride, network.stride, 1), np.float32)).dtype == np.float32


def test_the_original_sizes_of_uni_em() -> None:
    sizes = {
        ("resnet", "blocks", 9): 2.85,
        ("resnet", "blocks", 16): 4.92,
        ("highwaynet", "highway_units", 9): 4.18,
        ("densenet", "blocks", 5): 11.26,
        ("uni-em-unet", "depth", 8): 36.9,
        ("uni-em-unet", "depth", 5): 15.6,
        ("uni-em-unet", "depth", 4): 8.6,
    }
    for (kind, parameter, value), millions in sizes.items():
        found = read_network({"kind": kind, parameter: value}).trainable_parameters / 1e6
        # UNI-EM reads and writes three channels.
        assert found == pytest.approx(millions, abs=0.06), (kind, value)
    trainable = sum(int(np.prod(w.shape)) for w in ResNet(blocks=16).build(3, 3).trainable_weights)
    assert round(trainable / 1e6, 2) == 4.92


def test_features_stop_doubling_at_their_limit() -> None:
    model = Unet(depth=3, base_features=4, max_features=8).build()
    assert max(layer.filters for layer in model.layers if hasattr(layer, "filters")) == 8


def test_several_sections_are_several_channels() -> None:
    assert [InceptionResNet(neighbours=n).sections for n in (0, 1, 2)] == [1, 3, 5]
    assert InceptionResNet(neighbours=2, blocks=1, base_features=2).build().input_shape[-1] == 5
    assert Unet(depth=1, base_features=2).build(channels_in=4).input_shape[-1] == 4


class TestEncoder:
    def test_all_before_the_first_doubling_is_the_encoder(self) -> None:
        model = small_network("unet").build()
        parts = [layer.name.partition("_")[0] for layer in model.layers if layer.weights]
        assert parts == ["encoder"] * 16 + ["decoder"] * 15 + ["logits"]

    def test_a_frozen_encoder_keeps_its_weights_and_its_statistics(self) -> None:
        import keras

        model = small_network("unet").build()
        freeze_encoder(model)
        before = dict(zip((weight.path for weight in model.weights), model.get_weights(), strict=True))
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", jit_compile=False)
        model.train_on_batch(np.random.default_rng(0).normal(5, 2, (2, 16, 16, 1)), np.ones((2, 16, 16, 1)))
        after = dict(zip(before, model.get_weights(), strict=True))
        changed = {path.partition("_")[0] for path in before if np.any(after[path] != before[path])}
        assert changed == {"decoder", "logits/kernel", "logits/bias"}

    def test_stages_of_a_resnet50_learn_by_name(self) -> None:
        model = small_network("unet-resnet50").build()
        names = {layer.name for layer in model.layers}
        assert {"encoder_conv1", "encoder_layer1_0_downsample_0", "encoder_layer4_2_conv3"} <= names
        freeze_encoder(model, ["layer4"])
        learning = {layer.name[:14] for layer in model.layers if layer.trainable_weights}
        assert {name for name in learning if name.startswith("encoder")} == {"encoder_layer4"}


def test_a_record_gives_the_network_back() -> None:
    for network in networks().values():
        assert read_network(network.model_dump(mode="json")) == network
    assert read_network({"kind": "resnet"}) == ResNet()
    with pytest.raises(UniemError, match="'transformer' is not one"):
        read_network({"kind": "transformer"})
