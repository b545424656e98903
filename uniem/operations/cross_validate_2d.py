"""Train a two-dimensional network several times, each judged on another part of the ground truth."""

from __future__ import annotations

from pydantic import Field

from uniem.data.model_folder import ModelFolder
from uniem.data.table import write_csv
from uniem.data.volume import Volume
from uniem.networks.fold_report import FoldReport
from uniem.networks.settings import TrainingSettings
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import PathOutput
from uniem.operations.parameters import Parameters
from uniem.operations.train_2d import FURTHER, MENU, usable_when_interrupted
from uniem.operations.training_pairs import read_pairs
from uniem.progress import Context


class CrossValidate2DParameters(TrainingSettings, Parameters):
    """How to train the networks, and how many."""

    folds: int = Field(
        5,
        ge=2,
        le=50,
        description="Number of parts, each held out once; so many networks are trained. What else is said of "
        "validation is not used.",
    )
    further: str = FURTHER


@operation(
    "cross-validate-2d",
    menu=MENU,
    device="gpu",
    inputs={"image": Role.IMAGE, "labels": Role.LABELS},
    outputs={"model": Role.MODEL, "report": Role.TABLE},
)
def cross_validate_2d(
    image: Volume,
    labels: Volume,
    model: PathOutput,
    report: PathOutput,
    params: CrossValidate2DParameters,
    context: Context,
) -> None:
    """Train a 2D network on all folds but one, for each fold in turn, and report the scores.

    The report has a row per fold, their mean and their standard deviation. The model folder is that of the
    best fold, and holds the models of all folds in `folds`, for an ensemble. A time limit is that of all
    folds together. One that is cancelled or fails leaves the folds that are finished.
    """
    from uniem.networks.backend import prepare_backend
    from uniem.networks.cross_validation import cross_validate

    report.device = str(prepare_backend(params.device))
    settings = TrainingSettings.model_validate(params.model_dump(exclude={"further", "folds"}))
    with usable_when_interrupted(model) as folder:
        further = read_pairs(params.further)
        try:
            cross_validate(image, labels, settings, params.folds, folder, context, further=further)
        finally:
            _report(folder, params, report, context)


def _report(
    folder: ModelFolder, params: CrossValidate2DParameters, report: PathOutput, context: Context
) -> None:
    """Write and tell how the finished folds went."""
    from uniem.networks.cross_validation import best_of

    done = FoldReport.of(folder, params.folds)
    if done.folds:
        write_csv(done.table(), report.path)
        report.mark_usable()
        best = best_of(folder, params.criterion)
        context.result(finished_folds=len(done.folds), best_fold=best, **done.summary())
    context.message(done.sentence())
