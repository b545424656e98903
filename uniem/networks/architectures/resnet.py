"""UNI-EM's ResNet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from uniem.networks.architectures.architecture import Architecture, Stage

if TYPE_CHECKING:
    import keras

FEATURES = (32, 64, 128)


class ResNet(Architecture):
    """ResNet.

    The residual network of UNI-EM (Urakubo et al. 2019): a 7 × 7 convolution, two halvings, residual
    blocks, two doublings and a 7 × 7 convolution. Departures: moving averages instead of batch statistics
    in prediction, and logits with an offset instead of tanh.
    """

    kind: Literal["resnet"] = "resnet"
    blocks: int = Field(
        9, ge=1, le=255, description="Number of residual blocks; 16 in the published examples."
    )

    def stages(self) -> list[Stage]:
        """List the layers of the way through all blocks."""
        down = Stage("convolution", 3, 2)
        up = Stage("transposed", 3, 2)
        middle = [Stage("convolution", 3)] * (2 * self.blocks)
        return [Stage("convolution", 7), down, down, *middle, up, up, Stage("convolution", 7)]

    @property
    def bytes_per_pixel(self) -> int:
        """About how much memory prediction takes per input pixel, in float32."""
        return 4 * 4 * FEATURES[0]

    def build(self, channels_out: int = 1, channels_in: int = 1) -> keras.Model:
        """Return the untrained network with logits as its output."""
        import keras

        inputs = keras.Input((None, None, channels_in), name="image")
        x = self._convolution(FEATURES[0], 7)(inputs)
        x = self._convolution(FEATURES[1], 3, strides=2)(x)
        x = self._convolution(FEATURES[2], 3, strides=2)(x)
        for _ in range(self.blocks):
            unit = self._activated(self._convolution(FEATURES[2], 3)(x))
            unit = self._activated(self._convolution(FEATURES[2], 3)(unit))
            x = keras.layers.Add()([x, unit])
        for features in (FEATURES[1], FEATURES[0]):
            x = self._activated(self._doubling(features)(x))
        outputs = self._convolution(channels_out, 7, use_bias=True, dtype="float32", name="logits")(x)
        return keras.Model(inputs, outputs, name="resnet")

    def _convolution(self, features: int, kernel: int, **options: Any) -> Any:
        import keras

        options = {"use_bias": False, "padding": "same", **options}
        return keras.layers.Conv2D(
            features, kernel, kernel_initializer=keras.initializers.RandomNormal(0.0, 0.02), **options
        )

    def _doubling(self, features: int) -> Any:
        import keras

        return keras.layers.Conv2DTranspose(
            features,
            3,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.RandomNormal(0.0, 0.02),
        )

    def _activated(self, x: Any) -> Any:
        import keras

        x = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
        return keras.layers.ReLU()(x)
