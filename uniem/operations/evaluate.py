"""Score a segmentation against ground truth."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import Field

from uniem.algorithms.contingency import Background, contingency
from uniem.algorithms.metrics import (
    adapted_rand_error,
    foreground_scores,
    pixel_scores,
    variation_of_information,
)
from uniem.data.table import Table, write_csv
from uniem.data.volume import Kind, Volume, check_same_shape
from uniem.operations.labels import foreground_level
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import PathOutput
from uniem.operations.parameters import Parameters
from uniem.progress import Context

PIXEL_SCORES = ("f1", "jaccard", "precision", "recall", "specificity", "accuracy", "mcc")


class EvaluateParameters(Parameters):
    """How to compare a segmentation with ground truth."""

    level: float | None = Field(
        None,
        description="The prediction's foreground is what is above this; unset: 0 for masks and labels, half"
        " the range for probabilities.",
    )
    background: Background = Field(
        Background.IGNORE_IN_TRUTH,
        description="Which voxels with label 0 count when label volumes are compared.",
        json_schema_extra={"advanced": True},
    )


@operation(
    "evaluate",
    menu="Segment",
    inputs={"prediction": Role.VOLUME, "truth": Role.LABELS},
    outputs={"report": Role.TABLE},
)
def evaluate(
    prediction: Volume, truth: Volume, report: PathOutput, params: EvaluateParameters, context: Context
) -> None:
    """Score a segmentation against ground truth: pixels, Rand and information.

    Pixel scores compare foreground with foreground, pooled over all sections. V_Rand and V_Info compare the
    2D components of the foreground, as means over sections, and see only what is foreground in the truth.
    Adapted Rand error and variation of information (bits) compare the ids of two label volumes.
    """
    check_same_shape(prediction, truth)
    level = foreground_level(prediction, params.level)
    pixels = pixel_scores(prediction, truth, level, context=context)
    scores: dict[str, float | int] = {name: getattr(pixels, name) for name in PIXEL_SCORES}
    scores |= asdict(pixels)
    sections = foreground_scores(prediction, truth, level, context=context)
    scores |= {"v_rand": sections.v_rand, "v_info": sections.v_info}
    if prediction.kind is Kind.LABELS and prediction.dtype.kind in "ui":
        scores |= _segment_scores(prediction, truth, params.background, context)
    write_csv(Table(("metric", "value"), tuple(scores.items())), report.path)
    context.result(**scores)


def _segment_scores(
    prediction: Volume, truth: Volume, background: Background, context: Context
) -> dict[str, float]:
    table = contingency(prediction, truth, context).without_background(background)
    error, rand = adapted_rand_error(table)
    information = variation_of_information(table)
    return {
        "adapted_rand_error": error,
        "adapted_rand_precision": rand.precision,
        "adapted_rand_recall": rand.recall,
        "voi_split": information.split,
        "voi_merge": information.merge,
        "voi": information.total,
    }
