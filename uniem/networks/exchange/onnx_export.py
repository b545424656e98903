"""A trained network as an ONNX file, which other programs run without Keras."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from uniem.data.model_folder import ModelFolder, ModelRecord, Normalisation
from uniem.errors import UniemError
from uniem.networks.exchange.onnx_graph import OnnxGraph
from uniem.networks.exchange.onnx_layers import convert_layer
from uniem.networks.weights import load_network

if TYPE_CHECKING:
    import keras

INPUT, OUTPUT = "image", "probabilities"
NOTHING = Normalisation(mean=0, std=1)


def onnx_of(folder: ModelFolder, *, takes_gray_values: bool) -> bytes:
    """Return the ONNX file of a model's best weights, which ends in probabilities.

    Its input `image` is (batch, sections, y, x) float32, of sides divisible by the network's stride: gray
    values as they are in the images, or normalised as the record says. Its output `probabilities` is
    (batch, classes, y, x) float32.
    """
    record = folder.record
    normalisation = record.normalisation if takes_gray_values else NOTHING
    graph = graph_of(load_network(folder), normalisation)
    values = "gray values" if takes_gray_values else "normalised gray values"
    description = (
        f"{record.name or folder}: {record.task} segmentation of electron micrographs. Input: {values}, "
        f"(batch, sections, y, x), sides divisible by {record.stride}. Output: probabilities of "
        f"{', '.join(record.classes)}, (batch, classes, y, x)."
    )
    return graph.serialized(str(record.architecture["kind"]), description, _facts(record, takes_gray_values))


def graph_of(network: keras.Model, normalisation: Normalisation = NOTHING) -> OnnxGraph:
    """Return the graph of a functional Keras network that ends in logits; raise if it has unknown layers."""
    graph = OnnxGraph()
    outputs = _connected(graph, network, _normalised(graph, _add_input(graph, network), normalisation))
    if network.outputs[0].shape[-1] == 1:
        graph.node("Sigmoid", outputs, OUTPUT)
    else:
        graph.node("Softmax", outputs, OUTPUT, axis=1)
    _add_output(graph, network)
    return graph


def graph_as_it_is(network: keras.Model) -> OnnxGraph:
    """Return the graph of a functional Keras network, ending as it ends; raise if it has unknown layers."""
    graph = OnnxGraph()
    graph.node("Identity", _connected(graph, network, _add_input(graph, network)), OUTPUT)
    _add_output(graph, network)
    return graph


def _add_input(graph: OnnxGraph, network: keras.Model) -> str:
    return graph.add_input(INPUT, _sizes(network.inputs[0]))


def _add_output(graph: OnnxGraph, network: keras.Model) -> None:
    graph.add_output(OUTPUT, _sizes(network.outputs[0]))


def _sizes(tensor: Any) -> tuple[str | int, ...]:
    """Return (batch, channels, y, x), of which all but the channels are known only when it is run."""
    return "batch", int(tensor.shape[-1]), "y", "x"


def _normalised(graph: OnnxGraph, value: str, normalisation: Normalisation) -> str:
    if normalisation == NOTHING:
        return value
    mean, std = (np.array(number, np.float32) for number in (normalisation.mean, normalisation.std))
    return graph.node("Div", [graph.node("Sub", [value, graph.constant(mean)]), graph.constant(std)])


def _connected(graph: OnnxGraph, network: keras.Model, image: str) -> list[str]:
    """Connect all layers as the network's own description says, and return the names of its outputs."""
    config = network.get_config()
    values: dict[tuple[str, int], str] = {}
    for layer in config["layers"]:
        name, calls = layer["name"], layer["inbound_nodes"]
        if layer["class_name"] == "InputLayer":
            values[name, 0] = image
            continue
        if len(calls) != 1:
            raise UniemError(
                f"The layer {name} is used {len(calls)} times, which cannot be written as ONNX here.",
                "Choose another model.",
            )
        inputs = [values[source] for source in _sources(calls[0])]
        found = convert_layer(graph, network.get_layer(name), inputs)
        values.update({(name, number): value for number, value in enumerate(found)})
    return [values[name, tensor] for name, _, tensor in _as_list(config["output_layers"])]


def _sources(described: Any) -> list[tuple[str, int]]:
    """Return the layer and the number of the output, of each tensor in the description of a call."""
    if isinstance(described, dict):
        if described.get("class_name") == "__keras_tensor__":
            name, _, tensor = described["config"]["keras_history"]
            return [(name, tensor)]
        described = list(described.values())
    if isinstance(described, list | tuple):
        return [source for part in described for source in _sources(part)]
    return []


def _as_list(layers: list[Any]) -> list[Any]:
    return layers if isinstance(layers[0], list) else [layers]


def _facts(record: ModelRecord, takes_gray_values: bool) -> dict[str, str]:
    facts = {
        "task": record.task,
        "classes": record.classes,
        "class_labels": record.class_labels,
        "top": record.top,
        "normalisation": record.normalisation.model_dump(),
        "takes_gray_values": takes_gray_values,
        "voxel_size_zyx_nm": record.voxel_size,
        "stride": record.stride,
        "receptive_field": record.receptive_field,
    }
    return {key: json.dumps(value) for key, value in facts.items()}
