"""From masks and probabilities to numbered objects."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from uniem.algorithms.labelling import Connectivity, label_components, label_segments
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import VolumeOutput
from uniem.operations.parameters import Parameters
from uniem.progress import Context


class LabelParameters(Parameters):
    """How to find connected components."""

    level: float | None = Field(
        None,
        description="Foreground is what is above this; unset: 0 for masks and labels, half the range for"
        " probabilities.",
    )
    connectivity: Literal["6", "18", "26", "4", "8"] = Field(
        "6",
        description="Which neighbours connect: 6, 18 or 26 in 3D; 4 or 8 treat every section on its own.",
    )
    min_size_voxels: int = Field(0, ge=0, description="Smaller components become background.")
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
    connectivity: Connectivity = int(params.connectivity)  # type: ignore[assignment]  # the choices are these
    if params.each_label:
        count = label_segments(
            image, out, connectivity=connectivity, min_size_voxels=params.min_size_voxels, context=context
        )
    else:
        count = label_components(
            image,
            out,
            level=foreground_level(image, params.level),
            connectivity=connectivity,
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
