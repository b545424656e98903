"""Running ONNX files by onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from uniem.errors import UniemError

Floats = NDArray[np.float32]


class OnnxNetwork:
    """An ONNX file that onnxruntime has loaded, on the CPU; its first input and output are used."""

    def __init__(self, source: Path | bytes) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as errors

        options = onnxruntime.SessionOptions()
        # Only errors: its warnings about graphs are of no use to those who run them.
        options.log_severity_level = 3
        self._failures = (errors.Fail, errors.InvalidArgument, errors.RuntimeException, errors.EPFail)
        damaged = (*self._failures, errors.InvalidGraph, errors.InvalidProtobuf, errors.NotImplemented)
        try:
            self._session = onnxruntime.InferenceSession(
                str(source) if isinstance(source, Path) else source, options, ["CPUExecutionProvider"]
            )
        except (*damaged, errors.NoSuchFile) as error:
            raise UniemError(
                f"onnxruntime cannot load the network: {str(error)[:300]}.",
                "Get a complete copy of the model.",
            ) from error
        self._input = self._session.get_inputs()[0]
        self._output = self._session.get_outputs()[0].name

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The sizes of the input; None where they are free."""
        return tuple(size if isinstance(size, int) else None for size in self._input.shape)

    def __call__(self, image: Floats) -> Floats:
        """Return what the network makes of an input, both as the file has them."""
        try:
            return np.asarray(self._session.run([self._output], {self._input.name: image})[0], np.float32)
        except self._failures as error:
            raise UniemError(
                f"The network cannot take an input of {' × '.join(map(str, image.shape))}: "
                f"{str(error)[:300]}.",
                "Check what its makers say of its input.",
            ) from error


def largest_difference(onnx: bytes, image: Floats, expected: Floats) -> float:
    """Return how far apart an ONNX file and what was computed before are at most, both (batch, y, x, c)."""
    found = OnnxNetwork(onnx)(np.ascontiguousarray(image.transpose(0, 3, 1, 2)))
    return float(np.abs(found.transpose(0, 2, 3, 1) - expected).max())
