"""Keras layers as ONNX operators: each kind of layer that our networks are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.errors import UniemError
from uniem.networks.exchange.onnx_graph import OnnxGraph

# From a layer and the names of its inputs to those of its outputs, in (batch, channels, y, x).
Convert = Callable[[OnnxGraph, Any, list[str]], list[str]]
PLACES = 4
# As the end of a slice: beyond any size.
WHOLE = 2**31 - 1


def convert_layer(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    """Add what a layer does to a graph, and return its outputs; raise if that is not known of its kind."""
    kind = type(layer).__name__
    if kind not in CONVERSIONS or getattr(layer, "data_format", "channels_last") != "channels_last":
        raise UniemError(
            f"The network has a layer of kind {kind} ({layer.name}), which cannot be written as ONNX here.",
            "Choose a model with one of the networks that `uniem networks` lists.",
        )
    return CONVERSIONS[kind](graph, layer, inputs)


def _conv(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    weights = [graph.constant(_array(layer.kernel).transpose(3, 2, 0, 1)), *_bias(graph, layer)]
    strides, kernel = list(layer.strides), list(layer.kernel_size)
    if any(step != 1 for step in layer.dilation_rate) or layer.groups != 1:
        raise _unusual(layer, "dilation or groups")
    pads = _same_pads(kernel, strides) if layer.padding == "same" else [0] * 4
    found = graph.node("Conv", [*inputs, *weights], kernel_shape=kernel, strides=strides, pads=pads)
    return _activated(graph, layer, found)


def _transposed_conv(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    weights = [graph.constant(_array(layer.kernel).transpose(3, 2, 0, 1)), *_bias(graph, layer)]
    strides, kernel = list(layer.strides), list(layer.kernel_size)
    is_plain = layer.padding == "same" and layer.output_padding is None
    if not is_plain or any(step != 1 for step in layer.dilation_rate):
        raise _unusual(layer, "this padding")
    if any(size < step for size, step in zip(kernel, strides, strict=True)):
        raise _unusual(layer, "a kernel smaller than its stride")
    found = graph.node(
        "ConvTranspose",
        [*inputs, *weights],
        kernel_shape=kernel,
        strides=strides,
        pads=_same_pads(kernel, strides),
    )
    return _activated(graph, layer, found)


def _batch_norm(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    mean, variance = _array(layer.moving_mean), _array(layer.moving_variance)
    scale = _array(layer.gamma) if layer.scale else np.ones_like(mean)
    offset = _array(layer.beta) if layer.center else np.zeros_like(mean)
    weights = [graph.constant(each) for each in (scale, offset, mean, variance)]
    return [graph.node("BatchNormalization", [*inputs, *weights], epsilon=float(layer.epsilon))]


def _activation(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    return _activated(graph, layer, inputs[0])


def _activated(graph: OnnxGraph, layer: Any, value: str) -> list[str]:
    name = layer.activation.__name__
    if name == "linear":
        return [value]
    if name not in ACTIVATIONS and name != "softmax":
        raise _unusual(layer, f"the activation {name}")
    if name == "softmax":
        return [graph.node("Softmax", [value], axis=1)]
    return [graph.node(ACTIVATIONS[name], [value])]


def _prelu(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    return [graph.node("PRelu", [*inputs, graph.constant(_per_channel(layer.alpha))])]


def _leaky_relu(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    return [graph.node("LeakyRelu", inputs, alpha=float(layer.negative_slope))]


def _trainable_linear_unit(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    zero = graph.constant(np.zeros((), np.float32))
    alpha, beta = (graph.constant(_per_channel(weight)) for weight in (layer.alpha, layer.beta))
    slope = graph.node("Where", [graph.node("Less", [*inputs, zero]), alpha, beta])
    return [graph.node("Mul", [*inputs, slope])]


def _max_pool(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    strides, kernel = list(layer.strides), list(layer.pool_size)
    pads = _same_pads(kernel, strides) if layer.padding == "same" else [0] * 4
    return [graph.node("MaxPool", inputs, kernel_shape=kernel, strides=strides, pads=pads)]


def _max_pool_with_places(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    # The four values of each window, by rows, as four groups of channels.
    windows = graph.node("SpaceToDepth", inputs, blocksize=2)
    parts = graph.nodes("Split", [windows], PLACES, axis=1)
    largest = graph.node("Max", parts)
    places = [graph.constant(np.array(place, np.int32)) for place in range(PLACES)]
    # Of equals the first, so the last is asked first.
    found = places[-1]
    for part, place in reversed(list(zip(parts, places, strict=True))[:-1]):
        found = graph.node("Where", [graph.node("Equal", [part, largest]), place, found])
    return [largest, found]


def _max_unpooling(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    values, places = inputs
    zero = graph.constant(np.zeros((), np.float32))
    parts = []
    for place in range(PLACES):
        is_here = graph.node("Equal", [places, graph.constant(np.array(place, np.int32))])
        parts.append(graph.node("Where", [is_here, values, zero]))
    return [graph.node("DepthToSpace", [graph.node("Concat", parts, axis=1)], blocksize=2, mode="DCR")]


def _upsample(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    if layer.interpolation != "nearest":
        raise _unusual(layer, f"the interpolation {layer.interpolation}")
    scales = graph.constant(np.array((1, 1, *layer.size), np.float32))
    return [
        graph.node(
            "Resize",
            [*inputs, "", scales],
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )
    ]


def _concat(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    if layer.axis not in (-1, 3):
        raise _unusual(layer, f"the axis {layer.axis}")
    return [graph.node("Concat", inputs, axis=1)]


def _arithmetic(kind: str) -> Convert:
    def convert(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
        value = inputs[0]
        for other in inputs[1:]:
            value = graph.node(kind, [value, other])
        return [value]

    return convert


def _rescaling(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    scaled = graph.node("Mul", [*inputs, graph.constant(np.array(layer.scale, np.float32))])
    if not layer.offset:
        return [scaled]
    return [graph.node("Add", [scaled, graph.constant(np.array(layer.offset, np.float32))])]


def _zero_padding(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    (top, bottom), (left, right) = layer.padding
    return [graph.node("Pad", [*inputs, graph.constant([0, 0, top, left, 0, 0, bottom, right])])]


def _cropping(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    (top, bottom), (left, right) = layer.cropping
    ends = [-bottom or WHOLE, -right or WHOLE]
    return [graph.node("Slice", [*inputs, *map(graph.constant, ([top, left], ends, [2, 3]))])]


def _unchanged(graph: OnnxGraph, layer: Any, inputs: list[str]) -> list[str]:
    return inputs


def _array(weights: Any) -> NDArray[np.float32]:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(weights), np.float32)


def _per_channel(weights: Any) -> NDArray[np.float32]:
    """Return weights of (1, 1, channels), or of pixels (y, x, channels), as they fit (channels, y, x)."""
    return _array(weights).transpose(2, 0, 1)


def _bias(graph: OnnxGraph, layer: Any) -> list[str]:
    return [graph.constant(_array(layer.bias))] if layer.use_bias else []


def _same_pads(kernel: Sequence[int], strides: Sequence[int]) -> list[int]:
    """Return how much is padded before and behind, by TensorFlow's rule for sides that strides divide."""
    totals = [max(size - step, 0) for size, step in zip(kernel, strides, strict=True)]
    return [total // 2 for total in totals] + [total - total // 2 for total in totals]


def _unusual(layer: Any, what: str) -> UniemError:
    return UniemError(
        f"The layer {layer.name} has {what}, which cannot be written as ONNX here.",
        "Choose a model with one of the networks that `uniem networks` lists.",
    )


ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}
CONVERSIONS: dict[str, Convert] = {
    "Conv2D": _conv,
    "Conv2DTranspose": _transposed_conv,
    "BatchNormalization": _batch_norm,
    "Activation": _activation,
    "PReLU": _prelu,
    "LeakyReLU": _leaky_relu,
    "TrainableLinearUnit": _trainable_linear_unit,
    "MaxPooling2D": _max_pool,
    "MaxPoolingWithPlaces": _max_pool_with_places,
    "MaxUnpooling": _max_unpooling,
    "UpSampling2D": _upsample,
    "Concatenate": _concat,
    "Add": _arithmetic("Add"),
    "Subtract": _arithmetic("Sub"),
    "Multiply": _arithmetic("Mul"),
    "Rescaling": _rescaling,
    "ZeroPadding2D": _zero_padding,
    "Cropping2D": _cropping,
    "Dropout": _unchanged,
    "SpatialDropout2D": _unchanged,
}
