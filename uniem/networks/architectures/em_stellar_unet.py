"""EM-stellar's U-Net, without and with batch normalisation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

from uniem.networks.architectures.architecture import base_features
from uniem.networks.architectures.em_stellar_parts import EmStellarNetwork
from uniem.networks.architectures.layers import Layers

LEVELS = 4
DROPOUT = 0.5


class EmStellarUnetLayout(EmStellarNetwork, ABC):
    """Repeated pixels and 2 × 2 convolutions upwards, dropout at the bottom.

    Ronneberger et al. 2015 in the variant of EM-net's notebook.
    """

    base_features: int = base_features(64)

    @abstractmethod
    def convolved(self, layers: Layers, x: Any, features: int, kernel: int = 3) -> Any:
        """Convolve and rectify, normalised or not."""

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect two convolutions per level, on the way down and on the way up."""
        x, skips = image, []
        for level in range(LEVELS):
            x = self._twice(layers, x, level)
            if level == LEVELS - 1:
                x = layers.dropout(x, DROPOUT)
            skips.append(x)
            x = layers.max_pool(x)
        x = layers.dropout(self._twice(layers, x, LEVELS), DROPOUT)
        for level in reversed(range(LEVELS)):
            up = self.convolved(layers, layers.upsample(x), self._features(level), 2)
            x = self._twice(layers, layers.concat([skips[level], up]), level)
        return self.head(layers, x, classes)

    def narrowed(self, layers: Layers, x: Any, features: int) -> Any:
        """Return the few features that the output is made from."""
        return self.convolved(layers, x, features)

    def _twice(self, layers: Layers, x: Any, level: int) -> Any:
        features = self._features(level)
        return self.convolved(layers, self.convolved(layers, x, features), features)

    def _features(self, level: int) -> int:
        return int(self.base_features * 2**level)


class EmStellarUnet(EmStellarUnetLayout):
    """U-Net as EM-stellar compares it."""

    title: ClassVar[str] = "U-Net (EM-stellar)"
    advice: ClassVar[str] = (
        "The classical U-Net at full width; a yardstick. With batch normalisation it learns more surely."
    )

    kind: Literal["em-stellar-unet"] = "em-stellar-unet"

    def convolved(self, layers: Layers, x: Any, features: int, kernel: int = 3) -> Any:
        """Convolve and rectify."""
        return layers.conv_relu(x, features, kernel)


class EmStellarUnetBN(EmStellarUnetLayout):
    """U-Net BN: EM-stellar's U-Net with batch normalisation between each convolution and its ReLU."""

    title: ClassVar[str] = "U-Net BN (EM-stellar)"
    advice: ClassVar[str] = (
        "For large training sets, with EM-net V2 4X the paper's choice there; slow without a GPU."
    )

    kind: Literal["em-stellar-unet-bn"] = "em-stellar-unet-bn"

    def convolved(self, layers: Layers, x: Any, features: int, kernel: int = 3) -> Any:
        """Convolve, normalise and rectify."""
        return layers.conv_bn_relu(x, features, kernel)
