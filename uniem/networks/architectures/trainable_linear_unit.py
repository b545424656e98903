"""The trainable linear unit of EM-net: an activation with a slope of its own on either side of 0."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

OPTIONS: dict[str, str | None] = {
    "alpha_initializer": "zeros",
    "beta_initializer": "ones",
    "alpha_regularizer": None,
    "beta_regularizer": None,
    "alpha_constraint": None,
    "beta_constraint": None,
}


@cache
def trainable_linear_unit() -> Any:
    """Return the layer class, which needs Keras to be declared.

    f(x) = alpha x for x < 0 and beta x for x >= 0 (Khadangi et al. 2020, EM-net). It begins as a ReLU:
    alpha 0, beta 1. Axes named in `shared_axes`, counted from 1 after the batch, share their weights; the
    other options are those of OPTIONS, as Keras names them.
    """
    import keras

    kinds = {
        "initializer": keras.initializers,
        "regularizer": keras.regularizers,
        "constraint": keras.constraints,
    }

    @keras.saving.register_keras_serializable("uniem")
    class TrainableLinearUnit(keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
        """Multiply what is negative by alpha and the rest by beta, both learnt."""

        def __init__(self, shared_axes: Sequence[int] = (), **options: Any) -> None:
            given = {name: options.pop(name, default) for name, default in OPTIONS.items()}
            super().__init__(**options)
            self.shared_axes = tuple(shared_axes)
            self._given = {name: _kind(name).get(value) for name, value in given.items()}
            self.supports_masking = True

        def build(self, input_shape: Sequence[int | None]) -> None:
            """Make one alpha and one beta for each element that shares them with no other."""
            shape = [1 if axis in self.shared_axes else size for axis, size in enumerate(input_shape) if axis]
            if None in shape:
                raise ValueError(f"the sizes {shape} must be known, or their axes be shared")
            self.alpha, self.beta = (
                self.add_weight(
                    name=name, shape=shape, **{word: self._given[f"{name}_{word}"] for word in kinds}
                )
                for name in ("alpha", "beta")
            )

        def call(self, inputs: Any) -> Any:
            """Return the activation, of the inputs' shape."""
            # The same as beta relu(x) - alpha relu(-x), with fewer passes over the inputs.
            return inputs * keras.ops.where(inputs < 0, self.alpha, self.beta)

        def compute_output_shape(self, input_shape: Any) -> Any:
            """Return the inputs' shape."""
            return input_shape

        def get_config(self) -> dict[str, Any]:
            """Return what the layer is made from."""
            parts = {name: _kind(name).serialize(value) for name, value in self._given.items()}
            return {**super().get_config(), "shared_axes": list(self.shared_axes), **parts}

    def _kind(name: str) -> Any:
        return kinds[name.partition("_")[2]]

    return TrainableLinearUnit
