"""Keras networks as models of OpenVINO, whichever framework computes for Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uniem.networks.exchange.onnx_export import graph_as_it_is

if TYPE_CHECKING:
    import keras
    import openvino


def openvino_model(network: keras.Model) -> openvino.Model:
    """Return a functional network as a model of (batch, y, x, channels) of any size, in and out.

    It goes through our own ONNX: what Keras exports from PyTorch is traced with a picture of one pixel, which
    networks that halve it do not take.
    """
    import openvino
    from openvino.preprocess import PrePostProcessor

    content = graph_as_it_is(network).serialized(network.name, "", {})
    steps = PrePostProcessor(openvino.Core().read_model(content))
    for end in (steps.input(), steps.output()):
        end.tensor().set_layout(openvino.Layout("NHWC"))
        end.model().set_layout(openvino.Layout("NCHW"))
    return steps.build()
