"""Apply a trained two-dimensional network to a volume."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from uniem.data.model_folder import ModelFolder
from uniem.data.volume import Kind, Volume
from uniem.networks.settings import PredictionSettings
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import VolumeOutput
from uniem.operations.parameters import Parameters
from uniem.progress import Context


class Infer2DParameters(PredictionSettings, Parameters):
    """How to apply a two-dimensional network."""

    values: Literal["8-bit", "float"] = Field(
        "8-bit", description="Write probabilities as 0 to 255 or as floating-point numbers from 0 to 1."
    )


@operation(
    "infer-2d",
    menu="Segment/2D CNN",
    device="gpu",
    inputs={"image": Role.IMAGE, "model": Role.MODEL},
    outputs={"result": Role.IMAGE},
)
def infer_2d(
    image: Volume, model: ModelFolder, result: VolumeOutput, params: Infer2DParameters, context: Context
) -> None:
    """Apply a trained 2D network, section by section, and write probabilities.

    Sections of any size are cut into overlapping tiles; the result does not depend on their size and has no
    seams.
    """
    from uniem.networks.tiling import predict_volume

    dtype = np.uint8 if params.values == "8-bit" else np.float32
    out = result.create_like(image, dtype=dtype, kind=Kind.PROBABILITY)
    done = predict_volume(model, image, out, params, context)
    context.result(minutes=done.seconds / 60, megavoxels_per_second=done.megavoxels_per_second)
