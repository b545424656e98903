"""How a network is trained and applied: plain parameters, which need no Keras."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from uniem.networks.architectures import Network, Unet
from uniem.networks.augmentation import Augmentation
from uniem.networks.backend import Device, Precision
from uniem.networks.losses import CrossEntropyDice, LossChoice, upgraded
from uniem.networks.optimisation import Adam, Cosine, Optimiser, Schedule
from uniem.networks.targets import ClassWeights, Task

Criterion = Literal["f1", "jaccard", "loss", "auc", "v_rand", "v_info"]

ADVANCED: dict[str, JsonValue] = {"advanced": True}


class NetworkChoice(BaseModel):
    """Which network is trained."""

    network: Network = Field(Unet(), description="The network to train.")


class LearningSettings(BaseModel):
    """How a two-dimensional network learns, whichever it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    task: Task = Field(
        "binary",
        description="What to find: one kind of object; classes, one for each label; the boundaries between "
        "labels; or a gray image like that given as labels.",
    )
    object_label: int | None = Field(
        None,
        ge=0,
        description="Label of the objects to find, for the task binary; empty: everything that is painted.",
    )
    class_names: str = Field(
        "",
        description="Names of the classes in the order of their labels, with commas between them; empty: the "
        "labels.",
        json_schema_extra=ADVANCED,
    )
    boundary_width: int = Field(
        2,
        ge=2,
        le=64,
        description="Width of the boundaries between labels, for the task boundary.",
        json_schema_extra={"unit": "px", "advanced": True},
    )
    max_minutes: float | None = Field(
        None,
        gt=0,
        description="Longest time the training may take; the steps may end it earlier.",
        json_schema_extra={"unit": "min"},
    )
    steps: int = Field(2000, ge=1, description="Number of batches to learn from.")
    patience: int | None = Field(
        None,
        ge=1,
        description="End when so many judgements in a row were no better than the best; empty: go on.",
    )
    loss: LossChoice = Field(
        CrossEntropyDice(),
        description="What is made small: cross-entropy judges pixels, dice the overlap of areas, and focal "
        "losses dwell on what is hard or rare.",
    )
    class_weights: ClassWeights = Field(
        "none",
        description="How much each class counts in the loss: all the same; auto: the rarer the more; manual: "
        "as said below; or CEM500K's rule, 3 for rare classes, 1 for others and 0.1 for the background.",
    )
    manual_weights: str = Field(
        "1, 1",
        description="Manual class weights with commas between them, the background's first.",
        json_schema_extra=ADVANCED,
    )
    patch_size: int = Field(
        256, ge=16, le=4096, description="Side of the training patches.", json_schema_extra={"unit": "px"}
    )
    batch_size: int = Field(
        8,
        ge=1,
        le=1024,
        description="Number of patches per step; where the memory is too small for it, the step is done in "
        "parts.",
    )
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
    validation_sections: str = Field(
        "",
        description="Sections to hold out instead of a share, counted from 0, as in 0, 3, 8-11.",
        json_schema_extra=ADVANCED,
    )
    validation_boxes: str = Field(
        "",
        description="Boxes to hold out instead, z0:z1, y0:y1, x0:x1 without the ends; several joined by ;.",
        json_schema_extra={"unit": "px", "advanced": True},
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
    def _background_counts(self) -> Self:
        if self.ignore_label == self.background_label:
            raise ValueError(f"the background label {self.background_label} is also the label to ignore")
        if self.object_label is not None and self.object_label in (self.background_label, self.ignore_label):
            raise ValueError(f"the label {self.object_label} to find also means background or not annotated")
        return self

    @model_validator(mode="after")
    def _held_out_in_one_way(self) -> Self:
        if self.validation_sections.strip() and self.validation_boxes.strip():
            raise ValueError("both sections and boxes are held out; name one of them")
        return self


# The network comes first: fields are listed base by base, the last base first.
class TrainingSettings(LearningSettings, NetworkChoice):
    """How to train a two-dimensional network."""

    @model_validator(mode="after")
    def _patches_fit_the_network(self) -> Self:
        stride = self.network.stride
        if self.patch_size % stride:
            raise ValueError(
                f"the patch size {self.patch_size} is not a multiple of {stride}, which this network needs"
            )
        return self
