"""Max-pooling that remembers where the largest values were, and its reverse, as SegNet has them."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def max_pooling_with_places() -> Any:
    """Return the layer class, which needs Keras to be declared.

    Of each 2 × 2 window it gives the largest value and its place in the window, 0 to 3 by rows; of equals
    the first (Badrinarayanan et al. 2017, SegNet).
    """
    import keras

    @keras.saving.register_keras_serializable("uniem")
    class MaxPoolingWithPlaces(keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
        """Halve (batch, y, x, channels), and return the places as int32 as well."""

        def call(self, inputs: Any) -> tuple[Any, Any]:
            """Return the largest values and their places."""
            ops = keras.ops
            windows = ops.stack([inputs[:, i::2, j::2] for i in (0, 1) for j in (0, 1)], axis=-1)
            return ops.max(windows, axis=-1), ops.cast(ops.argmax(windows, axis=-1), "int32")

        def compute_output_spec(self, inputs: Any) -> Any:
            """Return half the size, twice."""
            batch, y, x, channels = inputs.shape
            shape = (batch, y and y // 2, x and x // 2, channels)
            return keras.KerasTensor(shape, self.compute_dtype), keras.KerasTensor(shape, "int32")

    return MaxPoolingWithPlaces


@cache
def max_unpooling() -> Any:
    """Return the layer class, which needs Keras to be declared."""
    import keras

    @keras.saving.register_keras_serializable("uniem")
    class MaxUnpooling(keras.layers.Layer):  # type: ignore[misc]  # Keras is not typed
        """Double (batch, y, x, channels): each value goes to its place in the window, 0 elsewhere."""

        def call(self, inputs: Any) -> Any:
            """Return the values at their places."""
            ops = keras.ops
            values, places = inputs
            parts = [ops.where(places == place, values, ops.zeros_like(values)) for place in range(4)]
            rows = [_alternating(parts[2 * i], parts[2 * i + 1], 2) for i in (0, 1)]
            return _alternating(rows[0], rows[1], 1)

        def compute_output_spec(self, inputs: Any) -> Any:
            """Return twice the size."""
            batch, y, x, channels = inputs[0].shape
            return keras.KerasTensor((batch, y and y * 2, x and x * 2, channels), self.compute_dtype)

    def _alternating(even: Any, odd: Any, axis: int) -> Any:
        ops = keras.ops
        shape = list(ops.shape(even))
        shape[axis] = 2 * shape[axis]
        return ops.reshape(ops.stack([even, odd], axis=axis + 1), shape)

    return MaxUnpooling
