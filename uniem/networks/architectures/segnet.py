"""SegNet, as published and in EM-net's reduced form."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from uniem.networks.architectures.architecture import Architecture, base_features
from uniem.networks.architectures.layers import Layers

# Features, in units of the first, of each convolution of each level.
Factors = tuple[tuple[int, ...], ...]
DOWN: Factors = ((1, 1), (2, 2), (4, 4, 4), (8, 8, 8), (8, 8, 8))
UP: Factors = ((8, 8, 8), (8, 8, 4), (4, 4, 2), (2, 1), (1,))
REDUCED_UP: Factors = ((8, 8, 8), (8, 8, 8), (4, 4, 2), (2, 1), (1,))


class SegNet(Architecture):
    """SegNet: VGG-16's convolutions down, their mirror up; values go back to where they were the largest.

    Badrinarayanan et al. 2017.
    """

    title: ClassVar[str] = "SegNet"
    advice: ClassVar[str] = (
        "Has no skips; it remembers where the largest values were instead, which keeps edges in their place."
    )

    kind: Literal["segnet"] = "segnet"
    base_features: int = base_features(64)

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect five levels down and five up, which share the places of their poolings."""
        x, places = image, []
        for factors in DOWN:
            x = _convolved(layers, x, factors, self.base_features)
            x, place = layers.max_pool_with_places(x)
            places.append(place)
        for factors in UP:
            x = _convolved(layers, layers.unpool(x, places.pop()), factors, self.base_features)
        return layers.conv(x, classes, is_output=True)


class ReducedSegNet(Architecture):
    """SegNet of EM-net's notebook: half as wide, and upwards by repetition of pixels.

    Its output is normalised once more, as there.
    """

    title: ClassVar[str] = "SegNet (reduced)"
    advice: ClassVar[str] = (
        "The lightest but ResNet of EM-stellar's comparison; it has no skips, so that fine detail may be "
        "lost."
    )

    kind: Literal["segnet-reduced"] = "segnet-reduced"
    base_features: int = base_features(32)

    def connect(self, layers: Layers, image: Any, classes: int) -> Any:
        """Connect five levels down and five up."""
        x = image
        for factors in DOWN:
            x = layers.max_pool(_convolved(layers, x, factors, self.base_features))
        for factors in REDUCED_UP:
            x = _convolved(layers, layers.upsample(x), factors, self.base_features)
        return layers.batch_norm(layers.conv(x, classes, 1, is_output=True), is_output=True)


def _convolved(layers: Layers, x: Any, factors: tuple[int, ...], base: int) -> Any:
    for factor in factors:
        x = layers.conv_bn_relu(x, factor * base)
    return x
