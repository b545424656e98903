"""The trainable linear unit of EM-net: an activation with a slope of its own on either side of 0."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any


@cache
def trainable_linear_unit() -> Any:
    """Return the layer class, which needs Keras to be declared.

    f(x) = alpha x for x < 0 and beta x for x >= 0 (Khadangi et al. 2020, EM-net). It begins as a ReLU:
    alpha 0, beta 1. Axes named in `shared_axes`, counted from 1 after the batch, share their weights.
    """
    import keras

    @keras.saving.register_keras_serializable("uniem")
    class TrainableLinearUnit(keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
        """Multiply what is negative by alpha and the rest by beta, both learnt."""

        def __init__(
            self,
            shared_axes: Sequence[int] = (),
            alpha_initializer: Any = "zeros",
            beta_initializer: Any = "ones",
            alpha_regularizer: Any = None,
            beta_regularizer: Any = None,
            alpha_constraint: Any = None,
            beta_constraint: Any = None,
            **options: Any,
        ) -> None:
            super().__init__(**options)
            self.shared_axes = tuple(shared_axes)
            get = keras.initializers.get, keras.regularizers.get, keras.constraints.get
            self._alpha = [
                f(v)
                for f, v in zip(get, (alpha_initializer, alpha_regularizer, alpha_constraint), strict=True)
            ]
            self._beta = [
                f(v) for f, v in zip(get, (beta_initializer, beta_regularizer, beta_constraint), strict=True)
            ]
            self.supports_masking = True

        def build(self, input_shape: Sequence[int | None]) -> None:
            """Make one alpha and one beta for each element that shares them with no other."""
            shape = [1 if axis in self.shared_axes else size for axis, size in enumerate(input_shape) if axis]
            if None in shape:
                raise ValueError(f"the sizes {shape} must be known, or their axes be shared")
            self.alpha, self.beta = (
                self.add_weight(
                    name=name,
                    shape=shape,
                    initializer=options[0],
                    regularizer=options[1],
                    constraint=options[2],
                )
                for name, options in (("alpha", self._alpha), ("beta", self._beta))
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
            serialize = (
                keras.initializers.serialize,
                keras.regularizers.serialize,
                keras.constraints.serialize,
            )
            words = ("initializer", "regularizer", "constraint")
            parts = {
                f"{name}_{word}": f(value)
                for name, values in (("alpha", self._alpha), ("beta", self._beta))
                for word, f, value in zip(words, serialize, values, strict=True)
            }
            return {**super().get_config(), "shared_axes": list(self.shared_axes), **parts}

    return TrainableLinearUnit
