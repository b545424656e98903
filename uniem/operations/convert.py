"""Copy a volume into a store or another format."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from uniem.data.geometry import Box, slabs
from uniem.data.volume import Kind, Volume
from uniem.errors import UniemError
from uniem.operations.operation import Role, operation
from uniem.operations.outputs import VolumeOutput
from uniem.operations.parameters import Parameters, VoxelSizeNm
from uniem.progress import Context


class ConvertParameters(Parameters):
    """How to convert a volume."""

    dtype: Literal["same", "uint8", "uint16", "uint32", "float32"] = Field(
        "same", description="Data type of the result; grey values are mapped from the range below."
    )
    low: float | None = Field(
        None, description="Grey value that becomes the darkest; unset: the darkest of the whole volume."
    )
    high: float | None = Field(
        None, description="Grey value that becomes the brightest; unset: the brightest of the whole volume."
    )
    voxel_size: VoxelSizeNm | None = Field(
        None,
        description="Voxel size as z,y,x in nm; unset: as the source says.",
        json_schema_extra={"unit": "nm"},
    )
    kind: Literal["as found", "image", "labels", "probability"] = Field(
        "as found", description="What the numbers mean; 'as found' takes what the file says or looks like."
    )
    first_section: int = Field(
        0, ge=0, description="First section to take.", json_schema_extra={"advanced": True}
    )
    section_count: int | None = Field(
        None, ge=1, description="How many sections to take; unset: all.", json_schema_extra={"advanced": True}
    )


@operation("convert", menu="File", inputs={"source": Role.VOLUME}, outputs={"result": Role.VOLUME})
def convert(source: Volume, result: VolumeOutput, params: ConvertParameters, context: Context) -> None:
    """Copy a volume into a store or another format, with another data type or voxel size.

    The format follows the name of the result: `.zarr`, `.tif`, `.h5::dataset`, `.npy`, `.npz`, `.mrc`,
    `.nii`, `.precomputed`, `.mojo`, or a folder of sections for a name without ending. Integers are never
    wrapped: a smaller type maps a range of grey values, and label ids that do not fit are refused.
    """
    kind = source.kind if params.kind == "as found" else Kind(params.kind)
    box = _box(source, params)
    dtype = source.dtype if params.dtype == "same" else np.dtype(params.dtype)
    grey = None if kind is Kind.LABELS else _grey_range(source, box, dtype, params, context)
    out = result.create(box.shape, dtype, params.voxel_size or source.voxel_size, kind)
    for slab in context.track(slabs(box.shape, source.dtype.itemsize + dtype.itemsize + 8), "copying"):
        voxels = source.read(slab.translated(box.start))
        if kind is Kind.LABELS:
            out.write(slab, _fitting(voxels, dtype))
        else:
            out.write(
                slab, voxels.astype(dtype, copy=False) if grey is None else _stretched(voxels, dtype, *grey)
            )


def _box(source: Volume, params: ConvertParameters) -> Box:
    first, count = params.first_section, params.section_count or source.shape[0] - params.first_section
    if first >= source.shape[0] or first + count > source.shape[0]:
        raise UniemError(
            f"Sections {first} to {first + count - 1} were asked for, but {source} has {source.shape[0]}.",
            "Take sections that are there.",
        )
    return Box((first, 0, 0), (first + count, source.shape[1], source.shape[2]))


def _fitting(labels: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return labels in another type, refusing any that would change."""
    if labels.dtype == dtype:
        return labels
    largest = np.iinfo(dtype).max if dtype.kind in "ui" else 2**24
    if labels.size and (int(labels.max()) > largest or int(labels.min()) < 0):
        raise UniemError(
            f"Labels from {labels.min()} to {labels.max()} do not fit into {dtype}.",
            "Choose a larger data type, or relabel first.",
        )
    return labels.astype(dtype)


def _grey_range(
    source: Volume, box: Box, dtype: np.dtype[Any], params: ConvertParameters, context: Context
) -> tuple[float, float] | None:
    """Return the grey values that become darkest and brightest; None where values are copied as they are."""
    low, high = params.low, params.high
    holds_all = dtype.kind == "f" or np.can_cast(source.dtype, dtype, "safe")
    if low is None and high is None and holds_all:
        return None
    if low is None or high is None:
        darkest, brightest = _extremes(source, box, context)
        low, high = darkest if low is None else low, brightest if high is None else high
    if high < low:
        raise UniemError(
            f"The range from {low:g} to {high:g} is empty.", "Give a high value above the low one."
        )
    return low, high


def _extremes(source: Volume, box: Box, context: Context) -> tuple[float, float]:
    low, high = np.inf, -np.inf
    for slab in context.track(slabs(box.shape, source.dtype.itemsize), "finding the grey range"):
        voxels = source.read(slab.translated(box.start))
        low, high = min(low, float(np.nanmin(voxels))), max(high, float(np.nanmax(voxels)))
    return low, high


def _stretched(voxels: NDArray[Any], dtype: np.dtype[Any], low: float, high: float) -> NDArray[Any]:
    """Map [low, high] to the range of an integer type, or to 0..1 for floats, clipping the rest."""
    top = float(np.iinfo(dtype).max) if dtype.kind in "ui" else 1.0
    scaled = np.subtract(voxels, low, dtype=np.float64 if voxels.dtype.itemsize > 2 else np.float32)
    scaled *= top / (high - low) if high > low else 0.0
    np.clip(np.nan_to_num(scaled, copy=False), 0.0, top, out=scaled)
    if dtype.kind in "ui":
        np.rint(scaled, out=scaled)
    stretched: NDArray[Any] = scaled.astype(dtype)
    return stretched
