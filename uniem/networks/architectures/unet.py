"""U-Net."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from uniem.networks.architectures.architecture import Architecture
from uniem.networks.architectures.layers import Layers


class Unet(Architecture):
    """U-Net.

    Ronneberger et al. 2015, with `same` padding, transposed convolutions upwards and, if wanted, batch
    normalisation.
    """

    title: ClassVar[str] = "U-Net"
    advice: ClassVar[str] = (
        "The small, quick U-Net to begin with; depth and width can follow the objects and the computer."
    )

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

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect two convolutions per level, on the way down and on the way up."""
        x, skips = image, []
        for level in range(self.depth):
            skips.append(self._block(layers, x, self._features(level)))
            x = layers.max_pool(skips[-1])
        x = self._block(layers, x, self._features(self.depth))
        if self.dropout:
            x = layers.dropout(x, self.dropout, spatial=True)
        for level in reversed(range(self.depth)):
            up = layers.transposed_conv(x, self._features(level), 2)
            x = self._block(layers, layers.concat([skips[level], up]), self._features(level))
        return layers.conv(x, classes, 1, is_output=True)

    def _features(self, level: int) -> int:
        return int(min(self.base_features * 2**level, self.max_features))

    def _block(self, layers: Layers, x: Any, features: int) -> Any:
        for _ in range(2):
            x = layers.conv(x, features, bias=not self.batch_norm)
            if self.batch_norm:
                # A short training needs the moving averages to follow faster than Keras' .99.
                x = layers.batch_norm(x, momentum=0.9)
            x = layers.activation(x, "relu")
        return x
