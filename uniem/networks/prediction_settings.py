"""How trained networks are applied and what they write: plain parameters, which need no Keras."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from uniem.algorithms.component_rules import ComponentRules
from uniem.networks.backend import Device

Flips = Literal["none", "flips", "all"]
Engine = Literal["keras", "openvino"]
Arithmetic = Literal["auto", "float32", "bfloat16", "int8"]

ADVANCED: dict[str, JsonValue] = {"advanced": True}
LEVEL = Field(
    0.5,
    ge=0,
    le=1,
    description="What is more probable than this is the object, or the boundary. Of several classes the most "
    "probable is taken.",
)


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Probability(_Settings):
    """Probabilities, or gray values where the model makes those."""

    kind: Literal["probability"] = "probability"
    values: Literal["8-bit", "float"] = Field(
        "8-bit", description="Write probabilities as 0 to 255 or as floating-point numbers from 0 to 1."
    )
    of_class: str = Field(
        "", description="Name of the class whose probability is written; empty: all but the background."
    )


class Classes(_Settings):
    """The label of its class at every voxel, 0 or 1 where there is one kind of object."""

    kind: Literal["classes"] = "classes"
    level: float = LEVEL


class Objects(ComponentRules, _Settings):
    """Objects with numbers: connected components of the object, of each class, or of what boundaries part."""

    kind: Literal["objects"] = "objects"
    level: float = LEVEL
    of_class: str = Field("", description="Name of the class to number; empty: the parts of every class.")


AnyOutput = Probability | Classes | Objects
Output = Annotated[AnyOutput, Field(discriminator="kind")]


class EnsembleSettings(_Settings):
    """Several models that predict together."""

    folds: bool = Field(
        False, description="Use the models of all folds that a cross-validation left in the model's folder."
    )
    further: str = Field("", description="Folders of further models, with ; between them.")
    combine: Literal["mean", "majority"] = Field(
        "mean",
        description="Take the mean of the probabilities, or the share of the models that vote for it, each "
        "by what it finds most probable.",
    )
    weights: str = Field(
        "",
        description="How much each model counts, as in 1, 1, 2; empty: all the same.",
        json_schema_extra=ADVANCED,
    )


class PredictionSettings(_Settings):
    """How to apply a trained network."""

    output: Output = Field(Probability(), description="What to write.")
    ensemble: EnsembleSettings = Field(
        EnsembleSettings(), description="Other models that predict together with this one."
    )
    flips: Flips = Field(
        "none",
        description="Predict flipped sections as well and take the mean, which is better and slower: none; "
        "flips, four times in all; or all eight flips and turns.",
    )
    planes: Literal["xy", "orthoplane"] = Field(
        "xy",
        description="Predict the sections as they are, or sections across all three axes, of which the mean "
        "is taken; that is for voxels about as high as they are wide.",
    )
    rescale: Literal["auto", "none"] = Field(
        "auto",
        description="Where the pixels differ by more than 10 % from those the model was trained on, resample "
        "the sections for the network and its answer back, or leave them as they are.",
    )
    tile_size: int | None = Field(
        None,
        ge=16,
        le=16384,
        description="Side of the squares a section is cut into, without their overlap; empty: by memory. "
        "The result does not depend on it.",
        json_schema_extra={"unit": "px", "advanced": True},
    )
    memory: int | None = Field(
        None,
        ge=100,
        description="About how much memory the network may use at a time; empty: a quarter of what is free, "
        "but 1000 to 8000. More makes larger tiles, which overlap less.",
        json_schema_extra={"unit": "MB", "advanced": True},
    )
    device: Device = Field("auto", description="Where to compute; auto takes a GPU if there is one.")
    precision: Arithmetic = Field(
        "auto",
        description="Arithmetic: float32; bfloat16, up to twice as fast where the device has it, and whose "
        "probabilities differed by 0.003 on average and 0.03 at most where measured; or, through OpenVINO "
        "alone, int8, faster again, calibrated on tiles of the volume itself. Where one of the last two is "
        "named, the difference from float32 is measured on other tiles and told. Auto is bfloat16 where the "
        "device has it, and float32 through OpenVINO.",
        json_schema_extra=ADVANCED,
    )
    engine: Engine = Field(
        "keras",
        description="What computes the network: Keras; or, where it is installed, OpenVINO, which on a CPU "
        "took a tenth less time in float32 and three tenths less in bfloat16; in int8 it took less than two "
        "fifths of the time of Keras in float32.",
        json_schema_extra=ADVANCED,
    )
