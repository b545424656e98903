"""Computing with a network of another program, as with our own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.model_folder import ModelFolder
from uniem.networks.architectures.foreign import ForeignNetwork
from uniem.networks.exchange.onnx_runtime import OnnxNetwork

Floats = NDArray[np.float32]
OUR_AXES = "byxc"


class ForeignEngine:
    """From inputs, (batch, y, x, 1), to probabilities without the margin, (batch, y, x, channels)."""

    def __init__(self, folder: ModelFolder, network: ForeignNetwork, margin: int) -> None:
        self._network, self._margin = network, margin
        self._run = OnnxNetwork(folder.onnx_path)

    def __call__(self, inputs: Floats) -> Floats:
        """Return probabilities; sides that the network cannot take are filled up by mirroring."""
        height, width = inputs.shape[1:3]
        more = [self._network.valid_side(side) - side for side in (height, width)]
        if any(more):
            inputs = np.pad(inputs, ((0, 0), (0, more[0]), (0, more[1]), (0, 0)), "symmetric")
        # One after the other, since many files allow no other batch.
        found = np.concatenate([self.answer(each[None]) for each in inputs])
        cut = self._margin
        return np.ascontiguousarray(found[:, cut : height - cut, cut : width - cut])

    def answer(self, inputs: Floats) -> Floats:
        """Return the probabilities of an input of a size that the network can take."""
        network = self._network
        given = _reordered(inputs, OUR_AXES, network.input_axes)
        return activated(_reordered(self._run(given), network.output_axes, OUR_AXES), network.activation)


def activated(values: Floats, activation: str) -> Floats:
    """Return probabilities, (batch, y, x, channels), of what a network gives."""
    if activation == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-np.clip(values, -60, 60))), np.float32)
    if activation == "softmax":
        powers = np.exp(values - values.max(-1, keepdims=True))
        return np.asarray(powers / powers.sum(-1, keepdims=True), np.float32)
    return values


def _reordered(values: NDArray[Any], have: str, want: str) -> Floats:
    """Return values with their axes in another order; a channel axis of one may come or go."""
    if "c" not in have:
        values, have = values[..., None], f"{have}c"
    if "c" not in want:
        values, have = values.take(0, axis=have.index("c")), have.replace("c", "")
    return np.ascontiguousarray(values.transpose([have.index(axis) for axis in want]), np.float32)
