"""Which changes are made to training patches, and how strong they are."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, JsonValue

ADVANCED: dict[str, JsonValue] = {"advanced": True}


def _pixels(is_advanced: bool = False) -> dict[str, JsonValue]:
    return {"unit": "px", "advanced": is_advanced}


class Augmentation(BaseModel):
    """Random changes to training patches."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    flips: bool = Field(True, description="Mirror patches left to right and top to bottom, at random.")
    transpose: bool = Field(True, description="Exchange rows and columns, at random.")
    rotation: float = Field(
        180,
        ge=0,
        le=180,
        description="Largest rotation, either way; what comes in at the borders is mirrored.",
        json_schema_extra={"unit": "°"},
    )
    scale: float = Field(0.1, ge=0, le=1, description="Largest enlargement, and as much the other way.")
    aspect: float = Field(
        0.0, ge=0, le=1, description="Largest stretch along one axis at the cost of the other.",
        json_schema_extra=ADVANCED,
    )  # fmt: skip
    shift: float = Field(
        0.0, ge=0, le=512, json_schema_extra=_pixels(is_advanced=True),
        description="Largest shift beyond where a patch would lie anyway, so that mirrored borders are seen.",
    )  # fmt: skip
    elastic: float = Field(
        0.0,
        ge=0,
        le=100,
        description="Standard deviation of a smooth, irregular shift of all pixels.",
        json_schema_extra=_pixels(),
    )
    elastic_spacing: int = Field(
        40,
        ge=4,
        le=1024,
        description="Distance over which the irregular shift changes.",
        json_schema_extra=_pixels(is_advanced=True),
    )
    warped: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of the patches that are rotated, scaled and bent; interpolation blurs a little.",
        json_schema_extra=ADVANCED,
    )
    brightness: float = Field(
        0.2, ge=0, le=2, description="Largest shift of gray values, in standard deviations."
    )
    contrast: float = Field(0.2, ge=0, lt=1, description="Largest stretch or squeeze of gray values.")
    gamma: float = Field(
        0.2, ge=0, lt=1, description="Largest change of the exponent that bends gray values."
    )
    noise: float = Field(
        0.1, ge=0, le=5, description="Largest added noise, in standard deviations of the gray values."
    )
    blur: float = Field(
        0.0, ge=0, le=20, description="Largest blur, the sigma of a Gaussian.", json_schema_extra=_pixels()
    )
    missing: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the patches in which a neighbouring section is missing; where the network sees "
        "one section only, a strip of it, as in a fold or crack.",
        json_schema_extra=ADVANCED,
    )
    misaligned: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the patches in which a neighbouring section is shifted; where the network sees "
        "one section only, a part of it with its labels, as at a seam between pictures.",
        json_schema_extra=ADVANCED,
    )
    misalignment: float = Field(
        10, ge=0, le=512, description="Largest shift of what is misaligned.",
        json_schema_extra=_pixels(is_advanced=True),
    )  # fmt: skip
