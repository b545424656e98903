"""Train a two-dimensional network on images and their ground truth: anew, from a model, or further."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import Field

from uniem.data.model_folder import ModelFolder
from uniem.data.volume import Volume
from uniem.networks.settings import LearningSettings, TrainingSettings
from uniem.networks.weights import check_learnable
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import PathOutput
from uniem.operations.parameters import Parameters
from uniem.operations.training_pairs import HELP, read_pairs
from uniem.progress import Context

MENU = "Segment/2D CNN"
FURTHER = Field("", description=HELP, json_schema_extra={"advanced": True})


class Train2DParameters(TrainingSettings, Parameters):
    """How to train a two-dimensional network."""

    further: str = FURTHER


class FineTune2DParameters(LearningSettings, Parameters):
    """How to go on from the weights of a model on other data."""

    steps: int = Field(500, ge=1, description="Number of batches to learn from.")
    learning_rate: float = Field(5e-4, gt=0, le=1, description="Largest step size of the optimiser.")
    freeze_encoder: bool = Field(
        False, description="Keep what the network sees of images, and learn only what to make of it."
    )
    further: str = FURTHER


class Resume2DParameters(Parameters):
    """How far to go on with a training; all else is as it was."""

    steps: int | None = Field(
        None, ge=1, description="Number of steps in all; empty: as many as were wanted before."
    )
    more_minutes: float | None = Field(
        None,
        gt=0,
        description="Longest time from now on; empty: what is left of the time that was given, if any.",
        json_schema_extra={"unit": "min"},
    )
    further: str = FURTHER


@operation(
    "train-2d",
    version=2,
    menu=MENU,
    device="gpu",
    inputs={"image": Role.IMAGE, "labels": Role.LABELS},
    outputs={"model": Role.MODEL},
)
def train_2d(
    image: Volume, labels: Volume, model: PathOutput, params: Train2DParameters, context: Context
) -> None:
    """Train a 2D network to find what is labelled.

    The model folder holds the best and the last weights, how grey values are normalised, and the curves. A
    training that is cancelled, fails or is killed leaves the best model it has found so far, and can be
    resumed.
    """
    from uniem.networks.training import train

    settings = TrainingSettings.model_validate(params.model_dump(exclude={"further"}))
    with usable_when_interrupted(model) as folder:
        result = train(image, labels, settings, folder, context, further=read_pairs(params.further))
    context.result(steps=result.steps, minutes=result.minutes, **result.best)


@operation(
    "fine-tune-2d",
    menu=MENU,
    device="gpu",
    inputs={"image": Role.IMAGE, "labels": Role.LABELS, "start": Role.MODEL},
    outputs={"model": Role.MODEL},
)
def fine_tune_2d(
    image: Volume,
    labels: Volume,
    start: ModelFolder,
    model: PathOutput,
    params: FineTune2DParameters,
    context: Context,
) -> None:
    """Go on from the weights of a trained 2D network on other data.

    The network is that of the model; where there are other classes, its last layer begins anew. A few
    hundred steps often do.
    """
    from uniem.networks.training import FineTuning, train

    check_learnable(start)
    values = params.model_dump(exclude={"further", "freeze_encoder"})
    settings = TrainingSettings.model_validate({**values, "network": start.record.architecture})
    tuning = FineTuning(start, params.freeze_encoder)
    with usable_when_interrupted(model) as folder:
        further = read_pairs(params.further)
        result = train(image, labels, settings, folder, context, further=further, start=tuning)
    context.result(steps=result.steps, minutes=result.minutes, **result.best)


@operation(
    "resume-2d",
    menu=MENU,
    device="gpu",
    inputs={"image": Role.IMAGE, "labels": Role.LABELS, "start": Role.MODEL},
    outputs={"model": Role.MODEL},
)
def resume_2d(
    image: Volume,
    labels: Volume,
    start: ModelFolder,
    model: PathOutput,
    params: Resume2DParameters,
    context: Context,
) -> None:
    """Go on with the training of a 2D network where it was interrupted.

    It takes the same images and labels. On a CPU, by the same framework, the model becomes the same as if it
    had never been interrupted. The interrupted model stays as it is.
    """
    from uniem.networks.training import resume_training

    check_learnable(start)
    with usable_when_interrupted(model) as folder:
        result = resume_training(
            image,
            labels,
            start,
            folder,
            context,
            further=read_pairs(params.further),
            steps=params.steps,
            more_minutes=params.more_minutes,
        )
    context.result(steps=result.steps, minutes=result.minutes, **result.best)


@contextmanager
def usable_when_interrupted(model: PathOutput) -> Iterator[ModelFolder]:
    """Make the model's folder, and keep the model in it, if there is one, however the training ends."""
    folder = ModelFolder.create(model.path)
    try:
        yield folder
    finally:
        if ModelFolder.is_model(model.path):
            model.device = folder.record.device
            model.mark_usable()
