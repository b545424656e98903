"""Surfaces of objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from uniem.algorithms.measurement import measure_labels
from uniem.algorithms.meshing import mesh_labels
from uniem.data.geometry import VoxelSize
from uniem.data.mesh import Mesh, write_mesh, write_meshes
from uniem.data.volume import Volume
from uniem.errors import UniemError
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import PathOutput
from uniem.operations.parameters import Parameters, VoxelSizeNm
from uniem.progress import Context


class MeshParameters(Parameters):
    """How to make surfaces."""

    ids: str = Field("", description="Labels to mesh, separated by commas; empty: all.")
    min_size_voxels: int = Field(0, ge=0, description="Leave out smaller objects.")
    smoothing_iterations: int = Field(
        10,
        ge=0,
        le=200,
        description="Rounds of Taubin smoothing, which takes away steps and keeps the volume.",
    )
    simplify_error: float | None = Field(
        None,
        ge=0,
        description="How far triangles may be simplified away from the surface; unset: half the shortest"
        " voxel edge, 0: not at all.",
        json_schema_extra={"unit": "nm"},
    )
    reduction: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the triangles to take away at least, whatever it costs in accuracy.",
        json_schema_extra={"advanced": True},
    )
    format: Literal["ply", "stl", "obj"] = Field(
        "ply", description="File format inside a folder of meshes; a single file follows its own suffix."
    )
    voxel_size: VoxelSizeNm | None = Field(
        None,
        description="Voxel size as z,y,x; unset: as the volume says.",
        json_schema_extra={"unit": "nm"},
    )

    @field_validator("ids")
    @classmethod
    def _are_numbers(cls, ids: str) -> str:
        if not all(part.strip().isdigit() for part in ids.split(",") if part.strip()):
            raise ValueError("labels are whole numbers separated by commas, as in 3,17")
        return ids

    @property
    def wanted(self) -> list[int]:
        """The labels asked for; none means all."""
        return sorted({int(part) for part in self.ids.split(",") if part.strip()})


@operation("mesh", menu="Annotate", inputs={"labels": Role.LABELS}, outputs={"meshes": Role.MESHES})
def mesh(labels: Volume, meshes: PathOutput, params: MeshParameters, context: Context) -> None:
    """Make closed surfaces of objects, in nm.

    A folder gets one file per object and an index with ids, names and colours; a name ending in .ply, .stl or
    .obj gets all objects in one file.
    """
    voxel_size = params.voxel_size or labels.voxel_size
    if voxel_size is None:
        raise UniemError(f"The voxel size of {labels} is unknown.", "Give it, in nm: --voxel-size 50,4,4.")
    surfaces = _surfaces(labels, voxel_size, params, context)
    if meshes.final.suffix:
        made = _joined(surfaces)
        write_mesh(made, meshes.path)
        context.result(triangles=len(made.faces))
    else:
        context.result(meshes=write_meshes(meshes.path, surfaces, params.format))


def _surfaces(
    labels: Volume, voxel_size: VoxelSize, params: MeshParameters, context: Context
) -> Iterator[Mesh]:
    ids: list[int] | None = params.wanted or None
    if params.min_size_voxels > 1:
        measures = measure_labels(labels, context)
        large = measures.ids[measures.voxels >= params.min_size_voxels].tolist()
        ids = [id for id in large if ids is None or id in ids]
    error = min(voxel_size) / 2 if params.simplify_error is None else params.simplify_error
    found = set()
    for surface in mesh_labels(
        labels,
        ids,
        voxel_size,
        smoothing_iterations=params.smoothing_iterations,
        simplify_error_nm=error,
        reduction=params.reduction,
        context=context,
    ):
        found.add(surface.label)
        yield surface
    if missing := [id for id in params.wanted if id not in found and params.min_size_voxels <= 1]:
        raise UniemError(
            f"{labels} has no object {', '.join(map(str, missing))}.", "Name labels that are there."
        )
    if not found:
        raise UniemError(f"{labels} has no object to mesh.", "Label it first, or lower the smallest size.")


def _joined(surfaces: Iterator[Mesh]) -> Mesh:
    """Return all surfaces as one."""
    parts = list(surfaces)
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0] + [len(part.vertices) for part in parts])
    faces = [part.faces + np.uint32(start) for part, start in zip(parts, starts, strict=False)]
    return Mesh(np.concatenate([part.vertices for part in parts]), np.concatenate(faces))
