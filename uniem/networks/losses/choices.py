"""Which losses there are, each with its parameters."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

TERM = re.compile(r"(?:(?P<weight>\d*\.?\d+)\s*\*?\s*)?(?P<kind>[a-z][a-z0-9-]*)(?:\((?P<values>[^()]*)\))?")
ADVANCED: dict[str, JsonValue] = {"advanced": True}
# How losses were called before they had parameters.
OLD_NAMES = {"bce": "cross-entropy", "bce+dice": "cross-entropy-dice"}


class _Choice(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class CrossEntropy(_Choice):
    """Cross-entropy: logistic for a single output, softmax for several classes."""

    kind: Literal["cross-entropy"] = "cross-entropy"


class Dice(_Choice):
    """1 - the soft Dice coefficient."""

    kind: Literal["dice"] = "dice"
    smoothing: float = Field(
        1.0,
        gt=0,
        description="Pixels added above and below, so that a class that is absent costs little.",
        json_schema_extra={"unit": "px", "advanced": True},
    )


class CrossEntropyDice(_Choice):
    """Cross-entropy, which judges pixels, and Dice, which judges the overlap of areas."""

    kind: Literal["cross-entropy-dice"] = "cross-entropy-dice"
    dice_share: float = Field(
        0.5, ge=0, le=1, description="Share of dice in the sum; the rest is cross-entropy.",
        json_schema_extra=ADVANCED,
    )  # fmt: skip


class Square(_Choice):
    """The squared difference between probability and target."""

    kind: Literal["square"] = "square"


class L1(_Choice):
    """The absolute difference between probability and target; UNI-EM calls it hinge."""

    kind: Literal["l1"] = "l1"


class Jaccard(_Choice):
    """1 - the soft Jaccard index, intersection over union."""

    kind: Literal["jaccard"] = "jaccard"
    smoothing: float = Field(
        1.0,
        gt=0,
        description="Pixels added above and below, so that a class that is absent costs little.",
        json_schema_extra={"unit": "px", "advanced": True},
    )


class Tversky(_Choice):
    """1 - the Tversky index, in which false alarms and misses weigh differently."""

    kind: Literal["tversky"] = "tversky"
    false_alarms: float = Field(0.3, ge=0, le=10, description="Weight of what is found but is not there.")
    misses: float = Field(0.7, ge=0, le=10, description="Weight of what is there but is not found.")


class FocalTversky(Tversky):
    """The Tversky loss to a power, which dwells on what is still badly found if that is below 1."""

    kind: Literal["focal-tversky"] = "focal-tversky"  # type: ignore[assignment]  # the variant's own name
    gamma: float = Field(0.75, gt=0, le=5, description="Exponent of the loss.")


class Focal(_Choice):
    """Cross-entropy that counts pixels less the surer they are: for rare objects."""

    kind: Literal["focal"] = "focal"
    gamma: float = Field(2.0, ge=0, le=10, description="How fast sure pixels lose weight; 0: not at all.")
    alpha: float = Field(
        0.25, ge=0, le=1,
        description="Weight of the object; the background has the rest. Not used with several classes.",
    )  # fmt: skip


class BootstrappedCrossEntropy(_Choice):
    """Cross-entropy of the hardest pixels of a batch alone."""

    kind: Literal["bootstrapped"] = "bootstrapped"
    share: float = Field(0.2, gt=0, le=1, description="Share of the pixels that count: the hardest ones.")


class WeightedSum(_Choice):
    """A sum of other losses, each with its weight."""

    kind: Literal["sum"] = "sum"
    terms: str = Field(
        "1 cross-entropy + 1 focal-tversky(0.3, 0.7, 0.75)",
        description="Weights and losses, joined by +; the parameters of a loss in brackets, in their order.",
    )

    @field_validator("terms")
    @classmethod
    def _terms_are_losses(cls, terms: str) -> str:
        read_terms(terms)
        return terms


SingleLoss = (
    CrossEntropy | Dice | Square | L1 | Jaccard | Tversky | FocalTversky | Focal | BootstrappedCrossEntropy
)
SINGLE_LOSSES: dict[str, type[SingleLoss]] = {
    "cross-entropy": CrossEntropy,
    "dice": Dice,
    "square": Square,
    "l1": L1,
    "jaccard": Jaccard,
    "tversky": Tversky,
    "focal-tversky": FocalTversky,
    "focal": Focal,
    "bootstrapped": BootstrappedCrossEntropy,
}
LossChoice = Annotated[
    CrossEntropyDice
    | CrossEntropy
    | Dice
    | Square
    | L1
    | Jaccard
    | Tversky
    | FocalTversky
    | Focal
    | BootstrappedCrossEntropy
    | WeightedSum,
    Field(discriminator="kind"),
]


def read_terms(text: str) -> list[tuple[float, SingleLoss]]:
    """Read a weighted sum such as `1 cross-entropy + 0.5 tversky(0.3, 0.7)`; raise ValueError."""
    return [_read_term(part.strip()) for part in text.split("+")]


def upgraded(loss: Any) -> Any:
    """Return the choice that a plain name means; older settings name the loss and no more."""
    return {"kind": OLD_NAMES.get(loss, loss)} if isinstance(loss, str) else loss


def _read_term(text: str) -> tuple[float, SingleLoss]:
    match = TERM.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not a weight and a loss, as in 0.5 tversky(0.3, 0.7)")
    model = SINGLE_LOSSES.get(match["kind"])
    if model is None:
        raise ValueError(f"there is no loss '{match['kind']}'; there are {', '.join(SINGLE_LOSSES)}")
    names = [name for name in model.model_fields if name != "kind"]
    values = [value.strip() for value in match["values"].split(",")] if match["values"] else []
    if len(values) > len(names):
        raise ValueError(
            f"{match['kind']} takes {', '.join(names) or 'no parameters'}, not '{match['values']}'"
        )
    try:
        loss = model.model_validate(dict(zip(names, values, strict=False)))
    except ValidationError as error:
        raise ValueError(f"'{text}': {error.errors()[0]['msg']}") from error
    return float(match["weight"] or 1), loss
