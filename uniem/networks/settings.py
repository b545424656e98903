"""How a network is trained and applied: plain parameters, which need no Keras."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from uniem.networks.architectures import Network, Unet
from uniem.networks.augmentation import Augmentation
from uniem.networks.backend import Device, Precision
from uniem.networks.losses import CrossEntropyDice, LossChoice, upgraded
from uniem.networks.optimisation import Adam, Cosine, Optimiser, Schedule

Criterion = Literal["f1", "jaccard", "loss"]

ADVANCED: dict[str, JsonValue] = {"advanced": True}


class TrainingSettings(BaseModel):
    """How to train a two-dimensional network."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    network: Network = Field(Unet(), description="The network to train.")
    max_minutes: float | None = Field(
        None,
        gt=0,
        description="Longest time the training may take; the steps may end it earlier.",
        json_schema_extra={"unit": "min"},
    )
    steps: int = Field(2000, ge=1, description="Number of batches to learn from.")
    loss: LossChoice = Field(
        CrossEntropyDice(),
        description="What is made small: cross-entropy judges pixels, dice the overlap of areas, and focal "
        "losses dwell on what is hard or rare.",
    )
    patch_size: int = Field(
        256, ge=16, le=4096, description="Side of the training patches.", json_schema_extra={"unit": "px"}
    )
    batch_size: int = Field(8, ge=1, le=1024, description="Number of patches per step.")
    optimiser: Optimiser = Field(Adam(), description="How the weights follow the slope of the loss.")
    learning_rate: float = Field(2e-3, gt=0, le=1, description="Largest step size of the optimiser.")
    schedule: Schedule = Field(Cosine(), description="How the learning rate goes over the training.")
    foreground: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of the patches that are placed on an object; the others lie anywhere.",
        json_schema_extra=ADVANCED,
    )
    augmentation: Augmentation = Field(Augmentation(), description="Random changes to training patches.")
    background_label: int = Field(
        0, ge=0, description="Label of what is no object: 0, or 1 where the ground truth is sparse."
    )
    ignore_label: int | None = Field(
        None,
        ge=0,
        description="Label of voxels that nobody has annotated; not counted. 0 for sparse ground truth.",
    )
    use_empty_sections: bool = Field(
        False,
        description="Learn from sections without any object, too; otherwise they count as not annotated.",
    )
    validation_fraction: float = Field(
        0.1, ge=0, le=0.5, description="Share of the annotated part that is held out to judge the network."
    )
    criterion: Criterion = Field(
        "f1", description="Score on the held-out part by which the best weights are chosen."
    )
    validate_every: int = Field(
        50,
        ge=1,
        description="Number of steps between two judgements, each with a preview and a saved checkpoint.",
        json_schema_extra=ADVANCED,
    )
    validation_windows: int = Field(
        32,
        ge=1,
        description="Of the held-out part, at most so many windows of patch size are judged, evenly spread.",
        json_schema_extra=ADVANCED,
    )
    seed: int = Field(
        0, ge=0, description="Start of the random numbers; the same seed draws the same patches."
    )
    device: Device = Field("auto", description="Where to compute; auto takes a GPU if there is one.")
    precision: Precision = Field(
        "auto",
        description="Arithmetic; auto takes bfloat16, about twice as fast, where the device has it.",
        json_schema_extra=ADVANCED,
    )

    @model_validator(mode="before")
    @classmethod
    def _read_older(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        values = dict(values)
        if "loss" in values:
            values["loss"] = upgraded(values["loss"])
        if "warm_up" in values:
            values["schedule"] = {"kind": "cosine", "warm_up": values.pop("warm_up")}
        return values

    @model_validator(mode="after")
    def _patches_fit_the_network(self) -> Self:
        stride = self.network.stride
        if self.patch_size % stride:
            raise ValueError(
                f"the patch size {self.patch_size} is not a multiple of {stride}, which this network needs"
            )
        return self

    @model_validator(mode="after")
    def _background_counts(self) -> Self:
        if self.ignore_label == self.background_label:
            raise ValueError(f"the background label {self.background_label} is also the label to ignore")
        return self


class PredictionSettings(BaseModel):
    """How to apply a trained network."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    tile_size: int | None = Field(
        None,
        ge=16,
        le=16384,
        description="Side of the squares a section is cut into, without their overlap; empty: by memory. "
        "The result does not depend on it.",
        json_schema_extra={"unit": "px", "advanced": True},
    )
    memory: int = Field(
        1000,
        ge=100,
        description="About how much memory the network may use at a time.",
        json_schema_extra={"unit": "MB", "advanced": True},
    )
    device: Device = Field("auto", description="Where to compute; auto takes a GPU if there is one.")
    precision: Precision = Field(
        "auto",
        description="Arithmetic; auto takes bfloat16, about twice as fast, where the device has it. "
        "Its probabilities differ slightly from those of float32.",
        json_schema_extra=ADVANCED,
    )
