"""Train a two-dimensional network on an image and its ground truth."""

from __future__ import annotations

from uniem.data.model_folder import ModelFolder
from uniem.data.volume import Volume
from uniem.networks.settings import TrainingSettings
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import PathOutput
from uniem.operations.parameters import Parameters
from uniem.progress import Cancelled, Context


class Train2DParameters(TrainingSettings, Parameters):
    """How to train a two-dimensional network."""


@operation(
    "train-2d",
    menu="Segment/2D CNN",
    device="gpu",
    inputs={"image": Role.IMAGE, "labels": Role.LABELS},
    outputs={"model": Role.MODEL},
)
def train_2d(
    image: Volume, labels: Volume, model: PathOutput, params: Train2DParameters, context: Context
) -> None:
    """Train a 2D network to find what is labelled.

    The model folder holds the best and the last weights, how grey values are normalised, and the curves. A
    training that is cancelled leaves the best model it has found so far.
    """
    from uniem.networks.training import train

    folder = ModelFolder.create(model.path)
    try:
        result = train(image, labels, params, folder, context)
    except Cancelled:
        if ModelFolder.is_model(model.path):
            model.mark_usable()
        raise
    context.result(steps=result.steps, minutes=result.minutes, **result.best)
