"""Which optimisers there are, and how they are made."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

if TYPE_CHECKING:
    import keras

ADVANCED: dict[str, JsonValue] = {"advanced": True}


class _Optimiser(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Adam(_Optimiser):
    """Adam (Kingma and Ba 2015)."""

    kind: Literal["adam"] = "adam"
    beta_1: float = Field(
        0.9, ge=0, lt=1, description="How long slopes are remembered.", json_schema_extra=ADVANCED
    )
    beta_2: float = Field(
        0.999, ge=0, lt=1, description="How long their squares are remembered.", json_schema_extra=ADVANCED
    )


class AdamW(Adam):
    """Adam with weights that decay by themselves (Loshchilov and Hutter 2019)."""

    kind: Literal["adamw"] = "adamw"  # type: ignore[assignment]  # the variant's own name
    weight_decay: float = Field(
        0.01, ge=0, le=1, description="Share of a weight lost per step, times the learning rate."
    )


class RAdam(Adam):
    """Rectified Adam (Liu et al. 2020), which warms up by itself; EM-stellar's default."""

    kind: Literal["radam"] = "radam"  # type: ignore[assignment]  # the variant's own name


class Sgd(_Optimiser):
    """Stochastic gradient descent with momentum."""

    kind: Literal["sgd"] = "sgd"
    momentum: float = Field(0.9, ge=0, lt=1, description="Share of a step that goes on into the next.")
    nesterov: bool = Field(False, description="Look ahead along the momentum.", json_schema_extra=ADVANCED)


Optimiser = Annotated[Adam | AdamW | RAdam | Sgd, Field(discriminator="kind")]


def optimiser_of(choice: Optimiser, learning_rate: float, parts: int = 1) -> keras.optimizers.Optimizer:
    """Make an optimiser that changes the weights once for so many parts of a batch."""
    import keras

    options: dict[str, Any] = {
        "learning_rate": learning_rate,
        "gradient_accumulation_steps": parts if parts > 1 else None,
    }
    if isinstance(choice, Sgd):
        return keras.optimizers.SGD(momentum=choice.momentum, nesterov=choice.nesterov, **options)
    options.update(beta_1=choice.beta_1, beta_2=choice.beta_2)
    if isinstance(choice, AdamW):
        return keras.optimizers.AdamW(weight_decay=choice.weight_decay, **options)
    return _radam()(**options) if isinstance(choice, RAdam) else keras.optimizers.Adam(**options)


@cache
def _radam() -> Any:
    """Return the class, which can only be made once Keras is there."""
    import keras
    from keras import ops

    class RectifiedAdam(keras.optimizers.Adam):  # type: ignore[misc]  # Keras has no types
        """Adam whose step is plain momentum until the variance of slopes is known well enough."""

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            """Change a variable by one step (Liu et al. 2020, algorithm 2; a threshold of 5 as published)."""
            rate, slope = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
            step = ops.cast(self.iterations + 1, variable.dtype)
            place = self._get_variable_index(variable)
            m, v = self._momentums[place], self._velocities[place]
            self.assign(m, self.beta_1 * m + (1 - self.beta_1) * slope)
            self.assign(v, self.beta_2 * v + (1 - self.beta_2) * ops.square(slope))
            decay_1, decay_2 = ops.power(self.beta_1, step), ops.power(self.beta_2, step)
            longest = 2 / (1 - self.beta_2) - 1
            length = longest - 2 * step * decay_2 / (1 - decay_2)
            known = ops.maximum(length, 5.0)
            rectified = ops.sqrt(
                ((known - 4) * (known - 2) * longest) / ((longest - 4) * (longest - 2) * known)
            )
            spread = ops.sqrt(v / (1 - decay_2)) + self.epsilon
            momentum = m / (1 - decay_1)
            self.assign_sub(variable, rate * ops.where(length >= 5, rectified * momentum / spread, momentum))

    return RectifiedAdam
