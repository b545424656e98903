"""How the learning rate goes over a training.

It goes by the share of the training that is over rather than by steps: a training that ends by the clock
does not know its steps.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

# Not 0 at the start: the first step would be wasted.
SMALLEST_START = 0.01
ADVANCED: dict[str, JsonValue] = {"advanced": True}


class _Schedule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    warm_up: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="Share of the training in which the learning rate rises from nothing.",
        json_schema_extra=ADVANCED,
    )

    def factor(self, progress: float) -> float:
        """Return by what to multiply the learning rate when this share of the training, 0 to 1, is over."""
        progress = min(max(progress, 0.0), 1.0)
        if progress < self.warm_up:
            return max(progress / self.warm_up, SMALLEST_START)
        return self._after_warm_up((progress - self.warm_up) / max(1 - self.warm_up, 1e-9))

    @abstractmethod
    def _after_warm_up(self, progress: float) -> float:
        """Return the factor at this share, 0 to 1, of what follows the warm-up."""


class Constant(_Schedule):
    """Rise in a straight line, then stay."""

    kind: Literal["constant"] = "constant"

    def _after_warm_up(self, progress: float) -> float:
        return 1.0


class Cosine(_Schedule):
    """Rise in a straight line to the peak, then fall along half a cosine.

    Loshchilov and Hutter 2017, with the linear warm-up of Goyal et al. 2017.
    """

    kind: Literal["cosine"] = "cosine"
    end: float = Field(
        0.0, ge=0, le=1, description="Share of the peak that is left at the end.", json_schema_extra=ADVANCED
    )

    def _after_warm_up(self, progress: float) -> float:
        return self.end + (1 - self.end) * 0.5 * (1 + math.cos(math.pi * progress))


class Linear(_Schedule):
    """Rise and fall in straight lines, as in EM-stellar."""

    kind: Literal["linear"] = "linear"
    end: float = Field(
        0.01, ge=0, le=1, description="Share of the peak that is left at the end.", json_schema_extra=ADVANCED
    )

    def _after_warm_up(self, progress: float) -> float:
        return 1 + (self.end - 1) * progress


class Steps(_Schedule):
    """Fall by the same factor at equal distances, as in Goyal et al. 2017."""

    kind: Literal["step"] = "step"
    drops: int = Field(3, ge=1, le=100, description="How often the learning rate falls.")
    drop: float = Field(0.1, gt=0, lt=1, description="What it is multiplied by each time.")

    def _after_warm_up(self, progress: float) -> float:
        return float(self.drop ** min(math.floor(progress * (self.drops + 1) + 1e-9), self.drops))


class OneCycle(BaseModel):
    """Rise and fall along half cosines (Smith and Topin 2018), as in CEM500K; the momentum stays."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    kind: Literal["one-cycle"] = "one-cycle"
    rise: float = Field(
        0.3, gt=0, lt=1, description="Share of the training in which the learning rate rises."
    )
    start_divisor: float = Field(
        25, ge=1, description="How many times smaller than the peak it begins.", json_schema_extra=ADVANCED
    )
    end_divisor: float = Field(
        10_000, ge=1, description="How many times smaller than its start it ends.", json_schema_extra=ADVANCED
    )

    def factor(self, progress: float) -> float:
        """Return by what to multiply the learning rate when this share of the training, 0 to 1, is over."""
        progress = min(max(progress, 0.0), 1.0)
        start = 1 / self.start_divisor
        if progress < self.rise:
            return _between(start, 1, progress / self.rise)
        return _between(1, start / self.end_divisor, (progress - self.rise) / (1 - self.rise))


Schedule = Annotated[Cosine | Linear | OneCycle | Steps | Constant, Field(discriminator="kind")]


def _between(first: float, last: float, progress: float) -> float:
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * progress))
