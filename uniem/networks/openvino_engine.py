"""Networks computed by OpenVINO: in float32, which is said explicitly, in bfloat16, or in 8-bit integers."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from uniem.errors import UniemError
from uniem.networks.backend import BFLOAT16, FLOAT32
from uniem.networks.openvino_model import openvino_model

if TYPE_CHECKING:
    import keras
    import openvino

INT8 = "int8"
# Its own choice is bfloat16 where the processor has it, without a word. What is not quantised stays float32.
HINTS = {FLOAT32: "f32", BFLOAT16: "bf16", INT8: "f32"}

Floats = NDArray[np.float32]


def check_openvino(policy: str) -> None:
    """Raise if OpenVINO, or what makes 8-bit networks for it, is not installed."""
    if importlib.util.find_spec("openvino") is None:
        raise UniemError("OpenVINO is not installed.", "Choose the engine keras, or install uniem[openvino].")
    if policy == INT8 and importlib.util.find_spec("nncf") is None:
        raise UniemError(
            "NNCF, which makes 8-bit networks for OpenVINO, is not installed.",
            "Choose the precision float32 or bfloat16, or install uniem[openvino].",
        )


def compute_by_openvino(
    network: keras.Model, policy: str, samples: Sequence[Floats] = ()
) -> Callable[[Floats], Floats]:
    """Return what computes a network by OpenVINO; for 8 bits it is calibrated on samples of its input."""
    import openvino

    model = openvino_model(network)
    if policy == INT8:
        model = _quantised(model, samples)
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": HINTS[policy]})
    request = compiled.create_infer_request()

    def compute(inputs: Floats) -> Floats:
        request.infer([inputs])
        return np.array(request.get_output_tensor(0).data)

    return compute


def _quantised(model: openvino.Model, samples: Sequence[Floats]) -> Any:
    """Return a network of 8-bit weights and values, whose ranges are those found in the samples.

    Weights have a range per channel; values of either sign keep both signs (NNCF's mixed preset). Biases are
    mended for what the rounding shifts (NNCF's fast bias correction).
    """
    import nncf

    nncf.set_log_level(logging.WARNING)
    calibration = nncf.Dataset([sample[None] for sample in samples])
    return nncf.quantize(model, calibration, preset=nncf.QuantizationPreset.MIXED, subset_size=len(samples))
