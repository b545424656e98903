"""Networks written as ONNX: complete files without any library, the same answers where onnxruntime is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.networks.conftest import discs, quick_settings, untrained
from uniem.data.model_folder import ModelFolder, Normalisation
from uniem.errors import UniemError
from uniem.networks.architectures import (
    Architecture,
    EmNetV1x2,
    EmStellarUnetBN,
    InceptionResNet,
    PReLUNet,
    SegNet,
    Unet,
    UniEmUnet,
    networks,
)
from uniem.networks.backend import prepare_backend
from uniem.networks.exchange.example import gray_example, probabilities_of, smallest_side
from uniem.networks.exchange.onnx_export import NOTHING, graph_of, onnx_of
from uniem.networks.exchange.onnx_graph import OnnxGraph
from uniem.networks.exchange.onnx_runtime import OnnxNetwork, largest_difference
from uniem.networks.normalisation import normalised
from uniem.networks.training import train
from uniem.networks.weights import load_network, save_weights


def test_a_trained_network_gives_the_same_through_onnxruntime(tmp_path: Path) -> None:
    folder = ModelFolder.create(tmp_path / "model")
    image, labels = discs((2, 96, 96))
    train(image, labels, quick_settings(), folder)
    gray = gray_example(folder.record, image)
    expected = probabilities_of(folder, gray)
    assert expected.std() > 1e-3
    assert largest_difference(onnx_of(folder, takes_gray_values=True), gray, expected) < 1e-4
    plain = normalised(gray, folder.record.normalisation)
    assert largest_difference(onnx_of(folder, takes_gray_values=False), plain, expected) < 1e-4


@pytest.mark.parametrize(
    "network",
    [
        EmStellarUnetBN(base_features=2),
        EmNetV1x2(base_features=2),
        SegNet(base_features=2),
        UniEmUnet(depth=3, base_features=4),
        PReLUNet(base_features=2),
        InceptionResNet(base_features=2, neighbours=1, blocks=1),
    ],
    ids=lambda network: str(network.kind),
)
def test_all_layers_and_classes_give_the_same_on_sides_that_differ(
    tmp_path: Path, network: Architecture
) -> None:
    folder = untrained(tmp_path / "model", network, classes=("background", "a", "b"), task="multi-class")
    keras = pytest.importorskip("keras")
    rng, stride = np.random.default_rng(2), network.stride
    model = load_network(folder)
    # Untrained, the trainable linear unit is a plain one, and moving averages are 0 and 1.
    for weight in model.weights:
        if weight.shape and len(weight.shape) in (1, 3):
            weight.assign(keras.ops.convert_to_numpy(weight) + rng.uniform(0.05, 0.3, weight.shape))
    save_weights(model, folder.weights_path)
    gray = rng.normal(110, 40, (2, 2 * stride, 4 * stride, network.sections)).astype(np.float32)
    expected = probabilities_of(folder, gray)
    assert expected.shape[-1] == 3
    assert largest_difference(onnx_of(folder, takes_gray_values=True), gray, expected) < 1e-4


@pytest.mark.parametrize("kind", networks())
def test_every_network_can_be_written(kind: str) -> None:
    onnx = pytest.importorskip("onnx")
    network = networks()[kind]
    if "base_features" in type(network).model_fields:
        network = network.model_copy(update={"base_features": 4})
    prepare_backend("cpu")
    content = graph_of(network.build()).serialized(kind, "", {})
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    assert [each.version for each in model.opset_import] == [17]


def test_the_file_says_what_it_takes_and_gives(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    folder = untrained(tmp_path / "model", Unet(depth=1, base_features=2), name="mitochondria, first try")
    model = onnx.load_from_string(onnx_of(folder, takes_gray_values=True))
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert facts["normalisation"] == '{"mean": 110.0, "std": 40.0}'
    assert facts["voxel_size_zyx_nm"] == "[50.0, 4.0, 4.0]"
    assert facts["classes"] == '["object"]'
    assert "mitochondria, first try" in model.doc_string
    assert [node.op_type for node in model.graph.node][:2] == ["Sub", "Div"]
    assert model.graph.node[-1].op_type == "Sigmoid"


def test_numbers_are_written_as_protocol_buffers_are() -> None:
    # The example of the encoding's own documentation: field 1 is 150, field 2 is "testing".
    from uniem.networks.exchange.onnx_graph import _message

    assert _message((1, 150), (2, "testing")).hex(" ") == "08 96 01 12 07 74 65 73 74 69 6e 67"
    assert _message((1, -1)).hex() == "08" + "ff" * 9 + "01"
    assert _message((2, 1.0)).hex(" ") == "15 00 00 80 3f"
    graph = OnnxGraph()
    graph.add_output(graph.node("Neg", [graph.add_input("image", ("batch", 3))], "result"), ("batch", 3))
    assert b"uniem" in graph.serialized("name", "what it is", {"a": "b"})


def test_layers_that_are_not_known_are_refused_by_name() -> None:
    prepare_backend("cpu")
    import keras

    inputs = keras.Input((None, None, 1))
    lrn = keras.layers.LayerNormalization(name="odd_one")(inputs)
    with pytest.raises(UniemError, match=r"LayerNormalization \(odd_one\)"):
        graph_of(keras.Model(inputs, lrn))
    shared = keras.layers.ReLU(name="twice")
    with pytest.raises(UniemError, match="twice is used 2 times"):
        graph_of(keras.Model(inputs, shared(shared(inputs))))
    dilated = keras.layers.Conv2D(1, 3, dilation_rate=2, padding="same", name="wide")(inputs)
    with pytest.raises(UniemError, match="wide has dilation"):
        graph_of(keras.Model(inputs, dilated))


def test_what_is_no_onnx_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UniemError, match="cannot load the network"):
        OnnxNetwork(b"not a network")
    folder = untrained(tmp_path / "model", Unet(depth=1, base_features=2))
    network = OnnxNetwork(onnx_of(folder, takes_gray_values=False))
    assert network.input_shape == (None, 1, None, None)
    with pytest.raises(UniemError, match="cannot take an input of 1 × 2 × 8 × 8"):
        network(np.zeros((1, 2, 8, 8), np.float32))


def test_the_example_is_like_the_training_images(tmp_path: Path) -> None:
    folder = untrained(tmp_path / "model", Unet(depth=1, base_features=2))
    made = gray_example(folder.record)
    network = Unet(depth=1, base_features=2)
    assert made.shape == (1, smallest_side(network), smallest_side(network), 1)
    assert made.mean() == pytest.approx(110, abs=1e-3) and made.std() == pytest.approx(40, abs=1e-3)
    image: Any = discs((3, 100, 110))[0]
    taken = gray_example(folder.record, image)
    side = smallest_side(network)
    top, left = (100 - side) // 2, (110 - side) // 2
    assert (taken[0, ..., 0] == image[1][top : top + side, left : left + side]).all()
    with pytest.raises(UniemError, match="the example needs"):
        gray_example(folder.record, discs((1, 32, 32))[0])


def test_without_normalisation_nothing_is_put_in_front(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    folder = untrained(tmp_path / "model", Unet(depth=1, base_features=2))
    graph = graph_of(load_network(folder), Normalisation(mean=0, std=1))
    assert onnx.load_from_string(graph.serialized("a", "", {})).graph.node[0].op_type == "Conv"
    assert NOTHING.std == 1
