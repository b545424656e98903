"""What UNI-EM's networks share: convolutions without bias, and their way down and up."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from uniem.networks.architectures.architecture import Architecture, base_features
from uniem.networks.architectures.layers import NORMAL, Layers


class UniEmNetwork(Architecture):
    """A 7 × 7 convolution, two halvings, units at a quarter of the resolution, two doublings and 7 × 7.

    Urakubo et al. 2019. Departures: moving averages instead of batch statistics in prediction, and logits
    with an offset instead of tanh.
    """

    base_features: int = base_features(32)

    @abstractmethod
    def units(self, layers: Layers, x: Any) -> Any:
        """Connect what is special to the network, at a quarter of the resolution."""

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect the way down, the units and the way up."""
        x = plain_conv(layers, image, self.base_features, 7)
        x = plain_conv(layers, x, 2 * self.base_features, stride=2)
        x = plain_conv(layers, x, self.deepest_features, stride=2)
        x = self.units(layers, x)
        for features in (2 * self.base_features, self.base_features):
            x = layers.transposed_conv(x, features, 3, bias=False, initializer=NORMAL)
            x = layers.activation(normalised(layers, x), "relu")
        return layers.conv(x, classes, 7, initializer=NORMAL, is_output=True)

    @property
    def deepest_features(self) -> int:
        """The features at a quarter of the resolution."""
        return 4 * self.base_features


def plain_conv(layers: Layers, x: Any, features: int, kernel: int = 3, stride: int = 1) -> Any:
    """Convolve without bias."""
    return layers.conv(x, features, kernel, stride=stride, bias=False, initializer=NORMAL)


def normalised(layers: Layers, x: Any, offset: float = 0.0) -> Any:
    """Normalise; a short training needs the moving averages to follow faster than Keras' .99."""
    return layers.batch_norm(x, momentum=0.9, epsilon=1e-5, offset=offset)


def unit(layers: Layers, x: Any, features: int) -> Any:
    """Convolve 3 × 3, normalise and rectify."""
    return layers.activation(normalised(layers, plain_conv(layers, x, features)), "relu")
