"""A table of objects: how large they are and where."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from uniem.algorithms.measurement import LabelMeasures, measure_labels
from uniem.data.geometry import VoxelSize
from uniem.data.table import Table, write_csv
from uniem.data.volume import Volume
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import PathOutput
from uniem.operations.parameters import Parameters, VoxelSizeNm
from uniem.progress import Context

AXES = ("z", "y", "x")


class MeasureParameters(Parameters):
    """How to measure objects."""

    voxel_size: VoxelSizeNm | None = Field(
        None,
        description="Voxel size as z,y,x; unset: as the volume says.",
        json_schema_extra={"unit": "nm"},
    )
    min_size_voxels: int = Field(0, ge=0, description="Leave out smaller objects.")


@operation("measure", menu="Annotate", inputs={"labels": Role.LABELS}, outputs={"table": Role.TABLE})
def measure(labels: Volume, table: PathOutput, params: MeasureParameters, context: Context) -> None:
    """Measure the size, place and extent of every object.

    Columns in nm and cubic nm need a voxel size, and are left out without one. Boxes are half-open.
    """
    measures = measure_labels(labels, context)
    voxel_size = params.voxel_size or labels.voxel_size
    columns = _columns(measures, voxel_size)
    keep = measures.voxels >= params.min_size_voxels
    rows = zip(*(values[keep].tolist() for values in columns.values()), strict=True)
    write_csv(Table(tuple(columns), tuple(rows)), table.path)
    context.result(objects=int(np.count_nonzero(keep)), voxels=int(measures.voxels[keep].sum()))
    if voxel_size is None:
        context.message("The voxel size is unknown, so there are no columns in nm.")


def _columns(measures: LabelMeasures, voxel_size: VoxelSize | None) -> dict[str, Any]:
    columns: dict[str, Any] = {"id": measures.ids, "voxels": measures.voxels}
    if voxel_size is not None:
        columns["volume_nm3"] = measures.voxels * voxel_size.volume_nm3
        for axis, name in enumerate(AXES):
            # The centre of a voxel is half an edge away from its corner.
            columns[f"centroid_{name}_nm"] = (measures.centroids[:, axis] + 0.5) * voxel_size[axis]
    for axis, name in enumerate(AXES):
        columns[f"centroid_{name}"] = measures.centroids[:, axis]
        columns[f"start_{name}"] = measures.starts[:, axis]
        columns[f"stop_{name}"] = measures.stops[:, axis]
    return columns
