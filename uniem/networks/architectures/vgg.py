"""EM-stellar's VGG and PReLU-net: VGG-16 as an encoder, and a U-Net's way up."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from uniem.networks.architectures.architecture import base_features
from uniem.networks.architectures.em_stellar_parts import EmStellarNetwork, decoded
from uniem.networks.architectures.layers import Layers

# VGG-16: features, in units of the first, and convolutions per level.
LEVELS = ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3))
UPWARDS = (8, 4, 2, 1, 1)


class VGG(EmStellarNetwork):
    """VGG: the encoder of VGG-16 (Simonyan and Zisserman 2015), and a decoder with batch normalisation."""

    title: ClassVar[str] = "VGG"
    advice: ClassVar[str] = (
        "Misses more than most in EM-stellar's comparison; for comparisons, and in ensembles."
    )

    kind: Literal["vgg"] = "vgg"
    base_features: int = base_features(64)

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect five levels down, whose poolings are the skips, and five up."""
        x = image
        pooled: list[Any] = []
        for factor, convolutions in LEVELS:
            for number in range(convolutions):
                x = layers.conv_relu(x, factor * self.base_features)
                if not pooled and number == convolutions - 1:
                    pooled.append(x)
            x = layers.max_pool(x)
            pooled.append(x)
        widths = [factor * self.base_features for factor in UPWARDS]
        return self.head(layers, decoded(layers, x, pooled[-2::-1], widths, widths), classes)
