"""Filters of grey images."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from uniem.algorithms import filters
from uniem.algorithms.blockwise import filter_sections
from uniem.data.volume import ArrayVolume, Kind, Volume
from uniem.operations.operation import Role, block_filter, operation, section_filter
from uniem.operations.outputs import VolumeOutput
from uniem.operations.parameters import Parameters
from uniem.progress import Context


class NormaliseParameters(Parameters):
    """How to stretch grey values."""

    low_percentile: float = Field(0.5, ge=0, lt=50, description="This share of voxels becomes black.")
    high_percentile: float = Field(99.5, gt=50, le=100, description="All above this share becomes white.")
    per: Literal["volume", "section"] = Field(
        "volume", description="Use one range for the volume, or one for each section to even out brightness."
    )


def _own_range(section: NDArray[Any], params: NormaliseParameters) -> tuple[float, float]:
    low, high = np.percentile(section, [params.low_percentile, params.high_percentile])
    return float(low), float(high)


def _normalised_section(image: Volume, z: int, params: NormaliseParameters) -> NDArray[Any]:
    section = image[z]
    return filters.normalise(section, *_own_range(section, params))


@operation(
    "normalise",
    menu="Filters",
    inputs={"image": Role.IMAGE},
    outputs={"result": Role.IMAGE},
    preview=_normalised_section,
)
def normalise(image: Volume, result: VolumeOutput, params: NormaliseParameters, context: Context) -> None:
    """Stretch grey values to the full 8-bit range."""
    out = result.create_like(image, dtype=np.uint8)
    shared = None
    if params.per == "volume":
        shared = filters.grey_range(image, params.low_percentile, params.high_percentile, context)

    def stretch(section: NDArray[Any]) -> NDArray[Any]:
        return filters.normalise(section, *(shared or _own_range(section, params)))

    filter_sections(stretch, image, out, context=context)


class GaussianParameters(Parameters):
    """How much to blur."""

    sigma: float = Field(
        2.0, ge=0, le=256, description="Standard deviation within sections.", json_schema_extra={"unit": "px"}
    )
    sigma_z: float = Field(
        0.0,
        ge=0,
        le=64,
        description="Standard deviation across sections; 0 filters every section on its own.",
        json_schema_extra={"unit": "sections"},
    )


def _gaussian_halo(params: GaussianParameters) -> tuple[int, int, int]:
    plane = math.ceil(4 * params.sigma)
    return (math.ceil(4 * params.sigma_z), plane, plane)


@block_filter("gaussian", menu="Filters", halo=_gaussian_halo)
def gaussian(block: NDArray[Any], params: GaussianParameters) -> NDArray[Any]:
    """Blur with a Gaussian, within sections or in 3D."""
    return filters.gaussian_3d(block, (params.sigma_z, params.sigma, params.sigma))


class ClaheParameters(Parameters):
    """How to equalise contrast."""

    clip_limit: float = Field(2.0, gt=0, le=256, description="Limits the amplification of noise.")
    tiles: int = Field(8, ge=1, le=256, description="Tiles per side of a section.")


@section_filter("clahe", menu="Filters")
def clahe(section: NDArray[Any], params: ClaheParameters) -> NDArray[Any]:
    """Equalise contrast locally, section by section (CLAHE)."""
    return filters.clahe(section, params.clip_limit, params.tiles)


class ThresholdParameters(Parameters):
    """Where to cut."""

    level: float | None = Field(
        None, description="Foreground is what is above this; unset: Otsu's level of the whole volume."
    )
    invert: bool = Field(False, description="Take what is at or below the level instead.")


def _thresholded_section(image: Volume, z: int, params: ThresholdParameters) -> NDArray[Any]:
    section = image[z]
    level = filters.otsu_level(ArrayVolume(section), Context()) if params.level is None else params.level
    return filters.threshold(section, level) ^ np.uint8(params.invert)


@operation(
    "threshold",
    menu="Segment/Labels",
    inputs={"image": Role.IMAGE},
    outputs={"result": Role.LABELS},
    preview=_thresholded_section,
)
def threshold(image: Volume, result: VolumeOutput, params: ThresholdParameters, context: Context) -> None:
    """Make a mask of what is brighter than a level, or darker."""
    level = filters.otsu_level(image, context) if params.level is None else params.level
    context.result(level=level)
    out = result.create_like(image, dtype=np.uint8, kind=Kind.LABELS)
    flip = np.uint8(params.invert)
    filter_sections(lambda section: filters.threshold(section, level) ^ flip, image, out, context=context)
