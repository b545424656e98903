"""Score a segmentation against ground truth."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from pydantic import Field

from uniem.algorithms.contingency import Background, contingency
from uniem.algorithms.metrics import (
    adapted_rand_error,
    foreground_scores,
    pixel_scores,
    thinned_scores,
    variation_of_information,
)
from uniem.data.table import Table, write_csv
from uniem.data.volume import Kind, Volume, check_same_shape
from uniem.operations.labels import foreground_level
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import PathOutput
from uniem.operations.parameters import Parameters
from uniem.progress import Context

# As ISBI 2012 has them; the last one finds what is 1 exactly.
THINNING_LEVELS = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.9999)
PIXEL_SCORES = ("f1", "jaccard", "precision", "recall", "specificity", "accuracy", "mcc")


class EvaluateParameters(Parameters):
    """How to compare a segmentation with ground truth."""

    level: float | None = Field(
        None,
        description="The prediction's foreground is what is above this; unset: 0 for masks and labels, half"
        " the range for probabilities.",
    )
    thinned: bool = Field(
        False,
        description="Also compute V_Rand and V_Info after the borders between the prediction's objects are "
        "thinned to a pixel, at eleven levels of probabilities, and tell the best, as ISBI 2012 did.",
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
    if params.thinned:
        scores |= _thinned_scores(prediction, truth, level, context)
    if prediction.kind is Kind.LABELS and prediction.dtype.kind in "ui":
        scores |= _segment_scores(prediction, truth, params.background, context)
    write_csv(Table(("metric", "value"), tuple(scores.items())), report.path)
    context.result(**scores)


def _thinned_scores(prediction: Volume, truth: Volume, level: float, context: Context) -> dict[str, float]:
    """Return the best scores after thinning, and the levels at which they were reached."""
    levels: tuple[float, ...] = (level,)
    if prediction.kind is Kind.PROBABILITY:
        top = 1.0 if prediction.dtype.kind == "f" else float(np.iinfo(prediction.dtype).max)
        levels = tuple(share * top for share in THINNING_LEVELS)
    found = thinned_scores(prediction, truth, levels, context=context)
    rand = max(found, key=lambda level: found[level].v_rand)
    info = max(found, key=lambda level: found[level].v_info)
    return {
        "v_rand_thinned": found[rand].v_rand,
        "v_rand_thinned_level": rand,
        "v_info_thinned": found[info].v_info,
        "v_info_thinned_level": info,
    }


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
