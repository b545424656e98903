"""How a volume is converted: the parameters of `convert`, in the parts of which forms are made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from uniem.data.palette import Colour
from uniem.operations.parameters import Parameters, VoxelSizeNm

AS_FOUND = "as found"
SAME = "same"
_COLOUR = re.compile(r"(\d+)=#?([0-9a-fA-F]{6})")
_IDS = re.compile(r"(\d+)(?:-(\d+))?")
MAX_LISTED_IDS = 1 << 24


class Numbers(Parameters):
    """What the numbers of the result are."""

    dtype: Literal["same", "uint8", "uint16", "uint32", "uint64", "int64", "float32"] = Field(
        "same",
        description="Data type of the result. Grey values that may not fit are mapped from the range below; "
        "ids of labels that do not fit are refused.",
    )
    voxel_size: VoxelSizeNm | None = Field(
        None,
        description="Voxel size of the source as z,y,x in nm, where it is unknown or wrong; unset: as the "
        "source says.",
        json_schema_extra={"unit": "nm"},
    )


class GreyRange(Parameters):
    """Which grey values become the darkest and the brightest of the result."""

    low: float | None = Field(
        None, description="Grey value that becomes the darkest; unset: found in the whole volume."
    )
    high: float | None = Field(
        None, description="Grey value that becomes the brightest; unset: found in the whole volume."
    )
    clipped_percent: float = Field(
        0.0,
        ge=0,
        lt=50,
        description="How many of the voxels may become the darkest, and as many the brightest, where low or "
        "high is found: 0 takes the extremes, which are often outliers; 0.1 leaves those out.",
        json_schema_extra={"unit": "%"},
    )


class ObjectChoice(Parameters):
    """Which objects of labels are in the result."""

    only: str = Field(
        "", description="Ids of the objects to take, as in 3,17,40-52; the others become background."
    )
    without: str = Field("", description="Ids of objects that become background, as in 3,17,40-52.")

    @field_validator("only", "without")
    @classmethod
    def _check_ids(cls, text: str) -> str:
        ids_of(text)
        return text


class Relabelling(Parameters):
    """Under which ids objects are in the result."""

    relabel: bool = Field(
        False,
        description="Number the objects from 1 in the order of their ids, so that they fit a smaller type.",
    )


class Colouring(Parameters):
    """Labels as pictures in colour."""

    colour: bool = Field(
        False,
        description="Write labels as 8-bit pictures in their colours on the canvas, for figures: PNG or TIFF "
        "sections, or a TIFF stack.",
    )


class Region(Parameters):
    """Which part of the volume to take."""

    first_section: int = Field(0, ge=0, description="First section to take.")
    section_count: int | None = Field(
        None, ge=1, description="How many sections to take; unset: all that follow."
    )
    first_row: int = Field(0, ge=0, description="First row (y) to take.")
    row_count: int | None = Field(
        None, ge=1, description="How many rows (y) to take; unset: all that follow."
    )
    first_column: int = Field(0, ge=0, description="First column (x) to take.")
    column_count: int | None = Field(
        None, ge=1, description="How many columns (x) to take; unset: all that follow."
    )


class Downsampling(Parameters):
    """By how much the result is coarser."""

    z: int = Field(1, ge=1, le=32, description="How many sections become one.")
    y: int = Field(1, ge=1, le=32, description="How many rows become one.")
    x: int = Field(1, ge=1, le=32, description="How many columns become one.")


class SectionFiles(Parameters):
    """How the files of a folder of sections are written and called."""

    file_type: Literal["png", "tif", "jpg"] = Field(
        "png", description="Type of the pictures; jpg is smaller, but changes grey values a little."
    )
    prefix: str = Field("", description="What names begin with, before the number.")
    first_number: int = Field(0, ge=0, description="Number in the name of the first section.")
    digits: int = Field(
        4, ge=1, le=12, description="Least number of digits, filled up with zeros, so that names sort well."
    )


class TiffOptions(Parameters):
    """How a TIFF stack is written."""

    compression: Literal["by kind", "none", "lzw", "zlib"] = Field(
        "by kind",
        description="Compression, which loses nothing; 'by kind': zlib for labels, none for images, which "
        "hardly shrink.",
    )


class ZarrOptions(Parameters):
    """How an OME-Zarr is written."""

    version: Literal["0.5", "0.4"] = Field(
        "0.5", description="Version of OME-Zarr: 0.5 is on Zarr 3; older programs read 0.4, on Zarr 2."
    )


class ConvertParameters(Colouring, Relabelling, ObjectChoice, GreyRange, Numbers):
    """How to convert a volume."""

    colours: str = Field(
        "",
        description="Colours of some ids that differ from the palette, as in 7=ff0000,12=00ff88.",
        json_schema_extra={"advanced": True},
    )
    kind: Literal["as found", "image", "labels", "probability"] = Field(
        "as found", description="What the numbers mean; 'as found' takes what the file says or looks like."
    )
    region: Region = Field(Region(), description="Part of the volume to take.")
    downsample: Downsampling = Field(
        Downsampling(), description="Make it coarser: images by the mean, labels by the commonest."
    )
    sections: SectionFiles = Field(SectionFiles(), description="For a folder of sections: its files.")
    tiff: TiffOptions = Field(TiffOptions(), description="For a TIFF stack.")
    zarr: ZarrOptions = Field(ZarrOptions(), description="For an OME-Zarr.")

    @field_validator("colours")
    @classmethod
    def _check_colours(cls, text: str) -> str:
        colours_of(text)
        return text

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, values: Any) -> Any:
        """Take the sections of version 1, which were no group."""
        old = ("first_section", "section_count")
        if not isinstance(values, Mapping) or "region" in values or not any(name in values for name in old):
            return values
        rest = {name: value for name, value in values.items() if name not in old}
        return {**rest, "region": {name: values[name] for name in old if name in values}}


def ids_of(text: str) -> NDArray[np.uint64]:
    """Return the ids of a list such as 3,17,40-52."""
    ranges: list[tuple[int, int]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        if not (match := _IDS.fullmatch(part)):
            raise ValueError("write ids as in 3,17,40-52")
        ranges.append((int(match[1]), int(match[2] or match[1])))
    if sum(max(0, last - first + 1) for first, last in ranges) > MAX_LISTED_IDS:
        raise ValueError(f"list at most {MAX_LISTED_IDS:,} ids")
    arrays = [np.arange(first, last + 1, dtype=np.uint64) for first, last in ranges]
    return np.concatenate([np.zeros(0, np.uint64), *arrays])


def colours_of(text: str) -> dict[int, Colour]:
    """Return the colours of a list such as 7=ff0000,12=00ff88."""
    colours: dict[int, Colour] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        if not (match := _COLOUR.fullmatch(part)):
            raise ValueError("write colours as in 7=ff0000,12=00ff88")
        code = int(match[2], 16)
        colours[int(match[1])] = (code >> 16, code >> 8 & 255, code & 255)
    return colours
