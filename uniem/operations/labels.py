"""From masks and probabilities to numbered objects."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from uniem.algorithms.component_rules import ComponentRules
from uniem.algorithms.labelling import label_components, label_segments
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import VolumeOutput
from uniem.operations.parameters import Parameters
from uniem.progress import Context


class LabelParameters(ComponentRules, Parameters):
    """How to find connected components."""

    level: float | None = Field(
        None,
        description="Foreground is what is above this; unset: 0 for masks and labels, half the range for"
        " probabilities.",
    )
    each_label: bool = Field(
        False,
        description="Give the separate parts of every label ids of their own; do not join labels that touch.",
        json_schema_extra={"advanced": True},
    )


@operation("label", menu="Segment/Labels", inputs={"image": Role.VOLUME}, outputs={"result": Role.LABELS})
def label(image: Volume, result: VolumeOutput, params: LabelParameters, context: Context) -> None:
    """Number the connected components of a mask or a probability map.

    Ids run from 1 in the order in which the components are met along z, y, x. The result is the same whether
    the volume fits into memory or is worked on in slabs.
    """
    out = result.create_like(image, dtype=np.uint32, kind=Kind.LABELS)
    if params.each_label:
        count = label_segments(
            image,
            out,
            connectivity=params.neighbours,
            min_size_voxels=params.min_size_voxels,
            context=context,
        )
    else:
        count = label_components(
            image,
            out,
            level=foreground_level(image, params.level),
            connectivity=params.neighbours,
            min_size_voxels=params.min_size_voxels,
            context=context,
        )
    context.result(components=count)


def foreground_level(volume: Volume, level: float | None) -> float:
    """Return the level above which a volume is foreground: the one given, or the one its kind implies."""
    if level is not None:
        return level
    if volume.kind is Kind.LABELS:
        return 0.0
    if volume.kind is Kind.PROBABILITY:
        return 0.5 if volume.dtype.kind == "f" else float(np.iinfo(volume.dtype).max // 2)
    raise UniemError(
        f"{volume} is an image, so it has no foreground by itself.", "Set the level, or threshold it first."
    )
