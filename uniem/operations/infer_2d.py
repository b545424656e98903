"""Apply trained two-dimensional networks to a volume."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import model_validator

from uniem.data.model_folder import ModelFolder
from uniem.data.volume import Kind, Volume
from uniem.networks.prediction_settings import Objects, PredictionSettings
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import VolumeOutput, path_of
from uniem.operations.parameters import Parameters
from uniem.progress import Context


class Infer2DParameters(PredictionSettings, Parameters):
    """How to apply a two-dimensional network."""

    @model_validator(mode="before")
    @classmethod
    def _read_older(cls, values: Any) -> Any:
        if isinstance(values, dict) and "values" in values:
            values = dict(values)
            values["output"] = {"kind": "probability", "values": values.pop("values")}
        return values


@operation(
    "infer-2d",
    menu="Segment/2D CNN",
    version=2,
    device="gpu",
    inputs={"image": Role.IMAGE, "model": Role.MODEL},
    outputs={"result": Role.VOLUME},
)
def infer_2d(
    image: Volume, model: ModelFolder, result: VolumeOutput, params: Infer2DParameters, context: Context
) -> None:
    """Apply a trained 2D network and write probabilities, classes or objects.

    Sections of any size are cut into overlapping tiles; the result does not depend on their size and has no
    seams. Several models, flipped sections, and sections across all axes can be predicted together.
    """
    from uniem.networks.answers import answer_for
    from uniem.networks.ensembles import Ensemble
    from uniem.networks.prediction import predict_volume

    ensemble = Ensemble.open(model, params.ensemble)
    answer = answer_for(ensemble.record, params.output)
    numbers_objects = isinstance(params.output, Objects)
    dtype = np.dtype(np.uint32) if numbers_objects else answer.dtype
    out = result.create_like(image, dtype=dtype, kind=Kind.LABELS if numbers_objects else answer.kind)
    done = predict_volume(ensemble, image, out, params, context, path_of(result.location).parent)
    result.device = done.device
    found: dict[str, Any] = {} if done.objects is None else {"objects": done.objects}
    if done.deviation is not None:
        found |= done.deviation.results()
        context.message(done.deviation.sentence(params.precision))
    context.result(minutes=done.seconds / 60, megavoxels_per_second=done.megavoxels_per_second, **found)
