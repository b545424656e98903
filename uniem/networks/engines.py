"""What computes a network's answer: Keras, or OpenVINO where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from uniem.data.model_folder import ModelFolder
from uniem.errors import UniemError
from uniem.networks.architectures import ForeignNetwork, read_network
from uniem.networks.backend import Backend
from uniem.networks.exchange.foreign_engine import ForeignEngine
from uniem.networks.openvino_engine import INT8, check_openvino, compute_by_openvino
from uniem.networks.prediction_settings import Arithmetic, Engine
from uniem.networks.weights import load_network

if TYPE_CHECKING:
    import keras

# From inputs, (batch, y, x, sections), to probabilities without the margin, (batch, y, x, channels); float32.
Compute = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def policy_of(engine: Engine, precision: Arithmetic, backend: Backend) -> str:
    """Return how an engine computes: a Keras dtype policy, or int8; raise if it is not there, or cannot.

    Through OpenVINO `auto` is float32: what is less exact has to be named.
    """
    if engine == "keras":
        if precision == "int8":
            raise UniemError("Keras does not compute in int8.", "Choose the engine openvino.")
        return backend.policy(precision)
    policy = INT8 if precision == "int8" else backend.policy("float32" if precision == "auto" else precision)
    check_openvino(policy)
    if backend.device == "gpu":
        raise UniemError(
            f"OpenVINO computes on the CPU here, not on the {backend.device_name}.",
            "Choose the device 'cpu', or the engine keras.",
        )
    return policy


def load_engine(
    folder: ModelFolder,
    engine: Engine,
    policy: str,
    margin: int,
    samples: Sequence[NDArray[np.float32]] = (),
) -> Compute:
    """Load the network of a model, to compute with a policy and to cut off a margin.

    An 8-bit network is calibrated on samples of what it sees, (y, x, sections). Networks of other programs
    are computed by onnxruntime, in float32 on the CPU, whatever the engine.
    """
    network = read_network(folder.record.architecture)
    if isinstance(network, ForeignNetwork):
        if policy == INT8:
            raise UniemError(
                f"The network of {folder} was made by another program: it is computed in float32 alone.",
                "Choose the precision auto.",
            )
        return ForeignEngine(folder, network, margin)
    if engine == "openvino":
        # Converted in float32; OpenVINO rounds by itself.
        return compute_by_openvino(_with_probabilities(load_network(folder), margin), policy, samples)
    model = _with_probabilities(load_network(folder, policy), margin)

    def compute(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(model.predict_on_batch(inputs))

    return compute


def _with_probabilities(network: keras.Model, margin: int) -> keras.Model:
    """Return the network with its margin cut off and probabilities, float32, as its output."""
    import keras

    kept = keras.layers.Cropping2D(margin, dtype="float32")(network.outputs[0])
    function = "sigmoid" if network.outputs[0].shape[-1] == 1 else "softmax"
    model = keras.Model(network.inputs[0], keras.layers.Activation(function, dtype="float32")(kept))
    # XLA is slower on a CPU, and compiles again for every size.
    model.jit_compile = False
    return model
