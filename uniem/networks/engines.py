"""What computes a network's answer: Keras, or OpenVINO where it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from uniem.data.model_folder import ModelFolder
from uniem.errors import UniemError
from uniem.networks.architectures import ForeignNetwork, read_network
from uniem.networks.backend import BFLOAT16, FLOAT32, Backend
from uniem.networks.exchange.foreign_engine import ForeignEngine
from uniem.networks.openvino_model import openvino_model
from uniem.networks.prediction_settings import Engine
from uniem.networks.weights import load_network

if TYPE_CHECKING:
    import keras

# From inputs, (batch, y, x, sections), to probabilities without the margin, (batch, y, x, channels); float32.
Compute = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def check_engine(engine: Engine, backend: Backend) -> None:
    """Raise if an engine is not there, or cannot use the device."""
    if engine != "openvino":
        return
    if importlib.util.find_spec("openvino") is None:
        raise UniemError("OpenVINO is not installed.", "Choose the engine keras, or install uniem[openvino].")
    if backend.device == "gpu":
        raise UniemError(
            f"OpenVINO computes on the CPU here, not on the {backend.device_name}.",
            "Choose the device 'cpu', or the engine keras.",
        )


def load_engine(folder: ModelFolder, engine: Engine, policy: str, margin: int) -> Compute:
    """Load the network of a model, to compute with a Keras dtype policy and to cut off a margin.

    Networks of other programs are computed by onnxruntime, in float32 on the CPU, whatever the engine.
    """
    network = read_network(folder.record.architecture)
    if isinstance(network, ForeignNetwork):
        return ForeignEngine(folder, network, margin)
    if engine == "openvino":
        # Converted in float32; OpenVINO rounds by itself.
        return _openvino(_with_probabilities(load_network(folder), margin), policy)
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


def _openvino(network: keras.Model, policy: str) -> Compute:
    import openvino

    # Its own choice is bfloat16 where the processor has it, without a word.
    hints: dict[str, Any] = {"INFERENCE_PRECISION_HINT": {FLOAT32: "f32", BFLOAT16: "bf16"}[policy]}
    compiled = openvino.Core().compile_model(openvino_model(network), "CPU", hints)
    request = compiled.create_infer_request()

    def compute(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        request.infer([inputs])
        return np.array(request.get_output_tensor(0).data)

    return compute
