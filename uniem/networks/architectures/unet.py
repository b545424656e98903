"""U-Net."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from uniem.networks.architectures.architecture import Architecture, Stage

if TYPE_CHECKING:
    import keras


class Unet(Architecture):
    """U-Net.

    Ronneberger et al. 2015, with `same` padding, transposed convolutions upwards and, if wanted, batch
    normalisation.
    """

    kind: Literal["unet"] = "unet"
    depth: int = Field(4, ge=1, le=8, description="Number of times the image is halved.")
    base_features: int = Field(
        16, ge=1, le=256, description="Features at full resolution; they double at each halving."
    )
    max_features: int = Field(512, ge=1, le=4096, description="Features never exceed this at any depth.")
    batch_norm: bool = Field(
        True, description="Normalise the features of each batch after every convolution."
    )
    dropout: float = Field(
        0.0, ge=0, le=0.9, description="Share of the deepest features that is silenced at random in training."
    )

    def stages(self) -> list[Stage]:
        """List the layers of the way through the bottom."""
        convolution = Stage("convolution", 3)
        down = [convolution, convolution, Stage("pooling", 2, 2)] * self.depth
        up = [Stage("transposed", 2, 2), convolution, convolution] * self.depth
        return [*down, convolution, convolution, *up]

    @property
    def bytes_per_pixel(self) -> int:
        """About how much memory prediction takes per input pixel, in float32."""
        return 4 * 8 * self.base_features

    def build(self, channels_out: int = 1, channels_in: int = 1) -> keras.Model:
        """Return the untrained network with logits as its output."""
        import keras

        layers = keras.layers
        inputs = keras.Input((None, None, channels_in), name="image")
        x, skips = inputs, []
        for level in range(self.depth):
            skips.append(self._block(x, self._features(level)))
            x = layers.MaxPooling2D()(skips[-1])
        x = self._block(x, self._features(self.depth))
        if self.dropout:
            x = layers.SpatialDropout2D(self.dropout)(x)
        for level in reversed(range(self.depth)):
            up = layers.Conv2DTranspose(
                self._features(level), 2, strides=2, kernel_initializer="he_normal", padding="same"
            )
            x = self._block(layers.Concatenate()([skips[level], up(x)]), self._features(level))
        outputs = layers.Conv2D(channels_out, 1, dtype="float32", name="logits")(x)
        return keras.Model(inputs, outputs, name="unet")

    def _features(self, level: int) -> int:
        return int(min(self.base_features * 2**level, self.max_features))

    def _block(self, x: Any, features: int) -> Any:
        import keras

        layers = keras.layers
        for _ in range(2):
            x = layers.Conv2D(
                features,
                3,
                padding="same",
                use_bias=not self.batch_norm,
                kernel_initializer="he_normal",
            )(x)
            if self.batch_norm:
                # A short training needs the moving averages to follow faster than Keras' .99.
                x = layers.BatchNormalization(momentum=0.9)(x)
            x = layers.ReLU()(x)
        return x
