"""PReLU-net."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from uniem.networks.architectures.architecture import base_features
from uniem.networks.architectures.em_stellar_parts import EmStellarNetwork
from uniem.networks.architectures.layers import Kernel, Layers
from uniem.networks.architectures.vgg import LEVELS, UPWARDS


class PReLUNet(EmStellarNetwork):
    """PReLU-net: rectifiers whose negative slope is learnt (He et al. 2015), on the layout of VGG-16.

    EM-stellar names it without its layers; this is VGG with batch normalisation and a PReLU after every
    convolution.
    """

    title: ClassVar[str] = "PReLU-net"
    advice: ClassVar[str] = (
        "The weakest of EM-stellar's comparison on mitochondria; for comparisons, and in ensembles."
    )

    kind: Literal["prelu-net"] = "prelu-net"
    base_features: int = base_features(64)

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect five levels down, whose poolings are the skips, and five up."""
        x, skips = image, []
        for level, (factor, convolutions) in enumerate(LEVELS):
            for _ in range(convolutions):
                x = self._conv(layers, x, factor * self.base_features)
            if level == 0:
                skips.append(x)
            x = layers.max_pool(x)
            skips.append(x)
        for skip, factor in zip(skips[-2::-1], UPWARDS, strict=True):
            width = factor * self.base_features
            up = self._conv(layers, layers.upsample(x), width, 2)
            x = self._conv(layers, layers.concat([up, skip]), width)
            x = self._conv(layers, x, width)
        return self.head(layers, x, classes)

    def narrowed(self, layers: Layers, x: Any, features: int) -> Any:
        """Return the few features that the output is made from."""
        return self._conv(layers, x, features)

    def _conv(self, layers: Layers, x: Any, features: int, kernel: Kernel = 3) -> Any:
        return layers.activation(layers.batch_norm(layers.conv(x, features, kernel)), "prelu")
